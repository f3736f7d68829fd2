//! Chooses the guest for a client: always the same one, without storing anything about clients.

use contract::http::Request;
use release::ChannelName;
use sha2::{Digest, Sha256};

/// A number from 0 to 99 derived from the client. It is the same in all generations, so that raising a percentage only adds clients, and
/// different for each channel and route, so that it is not always the same clients that try what is new.
pub(super) fn bucket(channel: &ChannelName, route: &str, request: &Request) -> u32 {
    let context = &request.context;
    let subject = context
        .identity
        .as_ref()
        .and_then(|identity| identity.subject.as_deref());
    let (kind, who) = match (subject, context.client_address.as_deref()) {
        (Some(subject), _) => ("subject", subject),
        (None, Some(address)) => ("address", address),
        (None, None) => ("request", context.request_id.as_str()),
    };
    let mut digest = Sha256::new();
    for part in [&channel.to_string(), route, kind, who] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let digest = digest.finalize();
    let number = u64::from_be_bytes(std::array::from_fn(|index| digest[index]));
    (number % 100) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::http::{Context, FieldLines, Identity, PathFidelity, Scheme};

    fn request(subject: Option<&str>, address: Option<&str>, id: &str) -> Request {
        Request {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: FieldLines::default(),
            body: Vec::new(),
            context: Context {
                request_id: id.to_owned(),
                received_at_ms: 0,
                scheme: Scheme::Https,
                authority: String::new(),
                client_address: address.map(str::to_owned),
                base_path: String::new(),
                path_fidelity: PathFidelity::Encoded,
                identity: subject.map(|subject| Identity {
                    subject: Some(subject.to_owned()),
                    claims: "{}".to_owned(),
                }),
            },
        }
    }

    fn bucket_of(request: &Request) -> u32 {
        bucket(&"items".parse().unwrap(), "/", request)
    }

    #[test]
    fn who_asks_decides_and_nothing_else() {
        let home = bucket_of(&request(Some("ann"), Some("192.0.2.1"), "1"));
        assert_eq!(
            bucket_of(&request(Some("ann"), Some("192.0.2.9"), "2")),
            home
        );
        let address = bucket_of(&request(None, Some("192.0.2.1"), "1"));
        assert_eq!(bucket_of(&request(None, Some("192.0.2.1"), "2")), address);
        // The kind of name is part of the input, so a client cannot impersonate another one by its name.
        assert_ne!(bucket_of(&request(Some("192.0.2.1"), None, "1")), address);
    }

    #[test]
    fn shares_come_out_as_asked() {
        let names = (0..10_000).map(|number| format!("client-{number}"));
        let below_ten = names
            .filter(|name| bucket_of(&request(Some(name), None, "1")) < 10)
            .count();
        assert!((850..1150).contains(&below_ten), "{below_ten} of 10000");
    }
}
