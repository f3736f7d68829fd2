//! Header fields of requests.

use contract::limits::{OUTGOING_HEADERS_BYTES_MAX, OUTGOING_HEADERS_MAX};

/// Bytes that are counted for each field beside its name and value.
const FIELD_OVERHEAD_BYTES: usize = 32;
/// What the host decides: the connection, the length of the body, where the request goes. Names that begin with `proxy-` are, too.
const FORBIDDEN: [&str; 9] = [
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The fields as they are sent: names in lower case, values without blanks around them. A `content-length` that is right is left out, because
/// the host adds it.
pub(crate) fn checked(
    fields: Vec<(String, String)>,
    body_bytes: usize,
) -> Result<Vec<(String, String)>, String> {
    if fields.len() > OUTGOING_HEADERS_MAX {
        return Err(format!("more than {OUTGOING_HEADERS_MAX} headers"));
    }
    let texts = fields.iter().map(|(name, value)| (&**name, &**value));
    if counted_bytes(texts) > OUTGOING_HEADERS_BYTES_MAX {
        return Err(format!(
            "the headers have more than {OUTGOING_HEADERS_BYTES_MAX} bytes"
        ));
    }
    let mut checked = Vec::with_capacity(fields.len());
    for (mut name, value) in fields {
        name.make_ascii_lowercase();
        check(&name, &value)?;
        let value = trimmed(&value);
        if name != "content-length" {
            checked.push((name, value.to_owned()));
        } else if !is_length(value, body_bytes) {
            return Err(
                "header `content-length` is not that of the body: leave it out, the host writes it"
                    .to_owned(),
            );
        }
    }
    Ok(checked)
}

/// What fields count against [`OUTGOING_HEADERS_BYTES_MAX`].
pub(crate) fn counted_bytes<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> usize {
    fields.fold(0, |sum: usize, (name, value)| {
        sum.saturating_add(name.len() + value.len() + FIELD_OVERHEAD_BYTES)
    })
}

fn check(name: &str, value: &str) -> Result<(), String> {
    if !is_token(name) {
        return Err("a header has a name that is not valid".to_owned());
    }
    if FORBIDDEN.contains(&name) || name.starts_with("proxy-") {
        return Err(format!(
            "header `{name}` belongs to the connection: leave it out"
        ));
    }
    // RFC 9110, 5.5: no control characters but tabs.
    let is_control = |byte: u8| byte.is_ascii_control() && byte != b'\t';
    if value.bytes().any(is_control) {
        return Err(format!("header `{name}` has a control character"));
    }
    Ok(())
}

fn trimmed(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

fn is_length(value: &str, body_bytes: usize) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit()) && value.parse() == Ok(body_bytes)
}

/// Whether a text is a token (RFC 9110, 5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}
