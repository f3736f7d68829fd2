//! Header fields of requests.

use contract::{
    http::{CONNECTION_FIELDS, is_field_value, is_token, without_blanks},
    limits::{OUTGOING_HEADERS_BYTES_MAX, OUTGOING_HEADERS_MAX},
};

/// Bytes that are counted for each field beside its name and value.
const FIELD_OVERHEAD_BYTES: usize = 32;
/// What the host decides beside [`CONNECTION_FIELDS`] and names that begin with `proxy-`.
const FORBIDDEN: [&str; 3] = ["expect", "host", "http2-settings"];

/// Refuses too many fields, and fields that are too long together.
pub(crate) fn check_sizes(fields: &[(String, String)]) -> Result<(), String> {
    if fields.len() > OUTGOING_HEADERS_MAX {
        return Err(format!("more than {OUTGOING_HEADERS_MAX} headers"));
    }
    let texts = fields.iter().map(|(name, value)| (&**name, &**value));
    if counted_bytes(texts) > OUTGOING_HEADERS_BYTES_MAX {
        return Err(format!(
            "the headers have more than {OUTGOING_HEADERS_BYTES_MAX} bytes"
        ));
    }
    Ok(())
}

/// The fields, whose sizes were checked, as they are sent: names in lower case, values without blanks around them. A `content-length` that is right is left out, because
/// the host adds it.
pub(crate) fn checked(
    fields: Vec<(String, String)>,
    body_bytes: usize,
) -> Result<Vec<(String, String)>, String> {
    let mut checked = Vec::with_capacity(fields.len());
    for (mut name, value) in fields {
        name.make_ascii_lowercase();
        check(&name, &value)?;
        let value = without_blanks(&value);
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
    let is_of_host = FORBIDDEN.contains(&name) || name.starts_with("proxy-");
    if is_of_host || CONNECTION_FIELDS.contains(&name) {
        return Err(format!(
            "header `{name}` belongs to the connection: leave it out"
        ));
    }
    if !is_field_value(value) {
        return Err(format!("header `{name}` has a control character"));
    }
    Ok(())
}

fn is_length(value: &str, body_bytes: usize) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit()) && value.parse() == Ok(body_bytes)
}
