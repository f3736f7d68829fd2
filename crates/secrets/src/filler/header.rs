//! Header fields of requests and responses.

use super::{
    text::{FillError, fill},
    usable::is_printable,
};
use crate::{cache::Held, name::SecretName, placeholder::basic_with_placeholder};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use outgoing::OutgoingResponse;
use std::collections::BTreeMap;

/// Fields whose credentials may be `Basic` ones (RFC 7617).
const CREDENTIALS: [&str; 2] = ["authorization", "proxy-authorization"];

/// The text of a field in which placeholders may be.
pub(super) enum HeaderText<'a> {
    Plain(&'a str),
    /// User and password of `Basic` credentials, decoded, with a placeholder in them.
    Basic(String),
}

impl<'a> HeaderText<'a> {
    pub(super) fn new(name: &str, value: &'a str) -> Self {
        let has_credentials = CREDENTIALS
            .iter()
            .any(|credentials| name.eq_ignore_ascii_case(credentials));
        match basic_with_placeholder(value).filter(|_| has_credentials) {
            Some(credentials) => Self::Basic(credentials),
            None => Self::Plain(value),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Basic(text) => text,
        }
    }

    /// The field's value with these secrets.
    pub(super) fn filled(&self, values: &BTreeMap<SecretName, Held>) -> Result<String, FillError> {
        let mut out = Vec::new();
        match self {
            Self::Plain(text) => {
                fill(text, values, &mut out, |name, value, out| {
                    is_printable(value)
                        .then(|| out.extend_from_slice(value))
                        .ok_or_else(|| FillError::Header(name.clone()))
                })?;
                // Text, with ASCII in it.
                Ok(String::from_utf8_lossy(&out).into_owned())
            }
            Self::Basic(text) => {
                fill(text, values, &mut out, |_, value, out| {
                    out.extend_from_slice(value);
                    Ok(())
                })?;
                let out = zeroize::Zeroizing::new(out);
                Ok(format!("Basic {}", STANDARD.encode(&*out)))
            }
        }
    }
}

/// Asks for a response in which values can be found: not compressed, and not a part that ends within a value.
pub(super) fn ask_for_whole_content(headers: &mut Vec<(String, String)>) {
    let is_left_out = |name: &str| {
        ["accept-encoding", "if-range", "range"]
            .iter()
            .any(|left_out| name.eq_ignore_ascii_case(left_out))
    };
    headers.retain(|(name, _)| !is_left_out(name));
    headers.push(("accept-encoding".to_owned(), "identity".to_owned()));
}

/// Whether the content of a response is encoded.
pub(super) fn is_encoded(response: &OutgoingResponse) -> bool {
    let mut encodings = response
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    encodings.any(|(_, encoding)| !encoding.trim().eq_ignore_ascii_case("identity"))
}

/// Corrects the length of a body, where it is told.
pub(super) fn set_length(headers: &mut [(String, String)], length: usize) {
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("content-length") {
            *value = length.to_string();
        }
    }
}
