//! Names of secrets.

use contract::limits::SECRET_NAME_BYTES_MAX;
use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, fmt, str::FromStr};

/// What a guest calls a secret: 1..=64 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SecretName(String);

/// A text is no name of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret's name has 1 to {SECRET_NAME_BYTES_MAX} characters, each a lower-case letter, a digit or `-`"
)]
pub struct SecretNameError;

impl SecretName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a name may contain this byte.
pub(crate) fn is_of_names(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')
}

impl FromStr for SecretName {
    type Err = SecretNameError;

    fn from_str(text: &str) -> Result<Self, SecretNameError> {
        let is_name =
            (1..=SECRET_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_of_names);
        is_name
            .then(|| Self(text.to_owned()))
            .ok_or(SecretNameError)
    }
}

impl TryFrom<String> for SecretName {
    type Error = SecretNameError;

    fn try_from(text: String) -> Result<Self, SecretNameError> {
        text.parse()
    }
}

impl From<SecretName> for String {
    fn from(name: SecretName) -> Self {
        name.0
    }
}

/// Ordered and compared as its text.
impl Borrow<str> for SecretName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        let longest = "a".repeat(64);
        for name in ["a", "stripe-key", "2", "-", &longest] {
            assert_eq!(name.parse::<SecretName>().unwrap().as_str(), name);
        }
        let longer = "a".repeat(65);
        for text in ["", "Stripe", "a_b", "a b", "a.b", "é", "a\n", &longer] {
            assert_eq!(text.parse::<SecretName>(), Err(SecretNameError), "{text:?}");
        }
    }
}
