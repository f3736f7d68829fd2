//! `X-Amzn-Trace-Id` (AWS: "Request tracing for your Application Load Balancer", "AWS X-Ray concepts"): one field with one root.

use super::Incoming;
use contract::hexadecimal;
use std::borrow::Cow;

/// The client's trace, with its first root, without further ones and without what an earlier load balancer added; `None` if it has no valid
/// root.
pub fn continued(value: &str) -> Option<String> {
    let fields = || value.split(';').map(str::trim);
    let root =
        fields().find_map(|field| field.strip_prefix("Root=").filter(|id| is_trace_id(id)))?;
    let others = fields().filter(|field| {
        !field.is_empty() && !field.starts_with("Root=") && !field.starts_with("Self=")
    });
    let parts = [Cow::Owned(format!("Root={root}"))]
        .into_iter()
        .chain(others.map(Cow::Borrowed));
    Some(parts.collect::<Vec<_>>().join(";"))
}

/// `1`, eight digits of time and 24 others, all hexadecimal.
fn is_trace_id(id: &str) -> bool {
    let is_hexadecimal = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    id.strip_prefix("1-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(time, unique)| is_hexadecimal(time, 8) && is_hexadecimal(unique, 24))
}

/// A new trace: the time, and 96 bits derived from the request id (FNV-1a).
pub fn begun(incoming: &Incoming<'_>) -> String {
    let hash = incoming.request_id.bytes().fold(
        0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128,
        |hash, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        },
    );
    let seconds = (incoming.received_at_ms / 1000) as u32; // X-Ray's eight digits, which last until 2106
    let mut id = String::with_capacity("Root=1-5759e988-bd862e3fe1be46a994272793".len());
    id.push_str("Root=1-");
    hexadecimal::push(&mut id, seconds.to_be_bytes());
    id.push('-');
    hexadecimal::push(&mut id, ((hash >> 64) as u64).to_be_bytes());
    hexadecimal::push(&mut id, ((hash >> 32) as u32).to_be_bytes());
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_on_with_one_root() {
        let root = "Root=1-aaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbbb";
        for (value, expected) in [
            (root.to_owned(), root.to_owned()),
            (
                format!(
                    "Self=1-00000000-000000000000000000000000; {root};Parent=0123456789abcdef;Sampled=1"
                ),
                format!("{root};Parent=0123456789abcdef;Sampled=1"),
            ),
            (
                format!("{root};Root=1-cccccccc-dddddddddddddddddddddddd"),
                root.to_owned(),
            ),
        ] {
            assert_eq!(continued(&value), Some(expected), "{value}");
        }
        for value in [
            "",
            "Root=",
            "Root=1-aaaaaaaa",
            "Root=2-aaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbbb",
            "Root=1-aaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbbz",
        ] {
            assert_eq!(continued(value), None, "{value}");
        }
    }
}
