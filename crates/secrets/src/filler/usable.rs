//! Which values can be filled in at all. The same words say it when a host starts and when a request needs the value.

use super::text::FillError;
use crate::{
    declaration::{Place, SecretDeclaration},
    name::SecretName,
    value::SecretValue,
};
use contract::limits::{SECRET_FILLED_BYTES_MAX, SECRET_FILLED_BYTES_MIN};

impl SecretDeclaration {
    /// Why the value is of no use in the requests that the secret is for; `None` if it is, or if the secret is not for requests. The text contains no
    /// part of the value.
    pub fn why_not_filled(&self, name: &SecretName, value: &SecretValue) -> Option<String> {
        if self.origins.is_empty() {
            return None;
        }
        if let Some(words) = why_not_of_length(name, value.expose()) {
            return Some(words);
        }
        let is_only_for_headers = self.places.iter().eq([&Place::Headers]);
        match is_only_for_headers && !is_printable(value.expose()) {
            true => Some(FillError::Header(name.clone()).to_string()),
            false => None,
        }
    }
}

/// Whether a value has a length that can be filled in: shorter ones could not be told from other text in a response, and longer ones make no
/// sense in a request. Blanks and line breaks at its ends do not count, because services leave them out.
pub(super) fn is_of_length(value: &[u8]) -> bool {
    value.trim_ascii().len() >= SECRET_FILLED_BYTES_MIN && value.len() <= SECRET_FILLED_BYTES_MAX
}

/// Why a value has no such length.
pub(super) fn why_not_of_length(name: &SecretName, value: &[u8]) -> Option<String> {
    if is_of_length(value) {
        return None;
    }
    let words = if value.len() <= SECRET_FILLED_BYTES_MAX {
        format!(
            "shorter than {SECRET_FILLED_BYTES_MIN} bytes, so that it could not be told from other text of a response"
        )
    } else {
        format!("longer than {SECRET_FILLED_BYTES_MAX} bytes")
    };
    Some(format!("secret `{name}` is {words}"))
}

/// Whether a header can contain a value: printable ASCII, which cannot end a field.
pub(super) fn is_printable(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::SecretDeclarations;

    #[test]
    fn what_no_request_can_contain_is_said_without_the_value() {
        let declarations = SecretDeclarations::from_json(
            r#"{
                "key": {"from": "env:A", "for": ["https://a.example"]},
                "path": {"from": "env:A", "for": ["https://a.example"], "in": ["headers", "url"]},
                "signs": {"from": "env:A", "hmac": true}
            }"#,
        );
        let declarations = declarations.unwrap();
        let words = |name: &str, value: &str| {
            let declared = declarations.get(name).unwrap();
            let value = SecretValue::new(value.into()).unwrap();
            declared.why_not_filled(&name.parse().unwrap(), &value)
        };
        assert_eq!(words("key", "planted-value"), None);
        let short = "secret `key` is shorter than 8 bytes, so that it could not be told from other text of a response";
        assert_eq!(words("key", "planted").as_deref(), Some(short));
        assert_eq!(
            words("path", " planted\n").as_deref(),
            Some(short.replace("key", "path")).as_deref()
        );
        let long = "p".repeat(SECRET_FILLED_BYTES_MAX + 1);
        assert_eq!(
            words("path", &long).as_deref(),
            Some("secret `path` is longer than 16384 bytes")
        );
        let broken = "the value of secret `key` has characters that a header cannot contain";
        assert_eq!(words("key", "planted\nvalue").as_deref(), Some(broken));
        // It is percent-encoded in a URL.
        assert_eq!(words("path", "planted\nvalue"), None);
        assert_eq!(words("signs", "p"), None);
    }
}
