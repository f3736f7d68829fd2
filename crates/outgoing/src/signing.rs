//! Requests that the host signs for the guest: for whom, and the port for it.

use serde::{Deserialize, Serialize};

/// Domains of services of AWS, in its partitions.
const DOMAINS: [&str; 5] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".on.aws",
];
/// Services whose name in signatures is not the one in their addresses.
const SIGNING_NAMES: [(&str, &str); 4] = [
    ("bedrock-agent-runtime", "bedrock"),
    ("bedrock-runtime", "bedrock"),
    ("email", "ses"),
    ("lambda-url", "lambda"),
];
const NAME_BYTES_MAX: usize = 64;

/// What a signature of AWS (Signature Version 4) is made for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsScope {
    /// The service's name in signatures, like `sqs`.
    pub service: String,
    /// Like `eu-central-1`.
    pub region: String,
}

/// What is signed: the request as it is sent, `host` excepted, which follows from the URL.
#[derive(Clone, Copy, Debug)]
pub struct UnsignedRequest<'a> {
    /// An HTTP method.
    pub method: &'a str,
    /// The whole URL.
    pub url: &'a str,
    /// Without `host` and `content-length`.
    pub headers: &'a [(String, String)],
    /// Empty if there is none.
    pub body: &'a [u8],
}

/// Signs requests with credentials of the host, which no guest sees.
#[async_trait::async_trait]
pub trait RequestSigner: Send + Sync {
    /// The headers that make the request a signed one, for now. An error says why there are no credentials.
    async fn sign(
        &self,
        scope: &AwsScope,
        request: UnsignedRequest<'_>,
    ) -> Result<Vec<(String, String)>, String>;
}

impl AwsScope {
    /// What the name of a server of AWS says: `sqs.eu-central-1.amazonaws.com`, `BUCKET.s3.eu-central-1.amazonaws.com`. Names without a
    /// region, such as `iam.amazonaws.com`, say nothing.
    pub fn of_host(host: &str) -> Option<Self> {
        let name = DOMAINS
            .iter()
            .find_map(|domain| host.strip_suffix(domain))?;
        let mut labels = name.rsplit('.').filter(|label| *label != "vpce");
        let region = labels.next()?;
        let service = labels.find(|label| *label != "dualstack")?;
        let service = service.strip_suffix("-fips").unwrap_or(service);
        let signing_name = SIGNING_NAMES.iter().find(|(name, _)| *name == service);
        let scope = Self {
            service: signing_name.map_or(service, |(_, name)| name).to_owned(),
            region: region.to_owned(),
        };
        (is_region(region) && scope.is_valid()).then_some(scope)
    }

    /// Whether both are names, which go into a header.
    pub(crate) fn is_valid(&self) -> bool {
        is_name(&self.service) && is_name(&self.region)
    }
}

fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_allowed)
}

/// `eu-central-1`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return false;
    };
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    is_word(first) && !middle.is_empty() && middle.iter().all(|part| is_word(part)) && is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_servers_say_service_and_region() {
        for (host, service, region) in [
            ("sqs.eu-central-1.amazonaws.com", "sqs", "eu-central-1"),
            ("events.us-east-1.amazonaws.com", "events", "us-east-1"),
            ("sqs.cn-north-1.amazonaws.com.cn", "sqs", "cn-north-1"),
            ("s3.eu-central-1.amazonaws.com", "s3", "eu-central-1"),
            ("b.s3.eu-central-1.amazonaws.com", "s3", "eu-central-1"),
            ("a.b.s3.eu-west-1.amazonaws.com", "s3", "eu-west-1"),
            ("b.s3.dualstack.eu-west-1.amazonaws.com", "s3", "eu-west-1"),
            (
                "b.s3-fips.us-gov-west-1.amazonaws.com",
                "s3",
                "us-gov-west-1",
            ),
            ("sqs.eu-central-1.api.aws", "sqs", "eu-central-1"),
            (
                "x1.execute-api.eu-west-1.amazonaws.com",
                "execute-api",
                "eu-west-1",
            ),
            ("x1.lambda-url.eu-west-1.on.aws", "lambda", "eu-west-1"),
            ("email.eu-west-1.amazonaws.com", "ses", "eu-west-1"),
            (
                "vpce-1.sqs.eu-west-1.vpce.amazonaws.com",
                "sqs",
                "eu-west-1",
            ),
            (
                "streams.dynamodb.eu-west-1.amazonaws.com",
                "dynamodb",
                "eu-west-1",
            ),
        ] {
            let scope = AwsScope {
                service: service.to_owned(),
                region: region.to_owned(),
            };
            assert_eq!(AwsScope::of_host(host), Some(scope), "{host}");
        }
    }

    #[test]
    fn other_names_say_nothing() {
        for host in [
            "amazonaws.com",
            "eu-central-1.amazonaws.com",
            "iam.amazonaws.com",
            "b.s3.amazonaws.com",
            "s3-eu-west-1.amazonaws.com",
            "sqs.eu-central-1.amazonaws.com.evil.example",
            "sqs.eu-central-1.evilamazonaws.com",
            "sqs_1.eu-central-1.amazonaws.com",
            "localhost",
        ] {
            assert_eq!(AwsScope::of_host(host), None, "{host}");
        }
    }
}
