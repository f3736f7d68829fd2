//! What guests may ask about their secrets, beside having them filled into requests: the port that `tenon:handler/secrets` calls.
//!
//! A call is one request and its result one response, as for storage, so that recorders and replays pass them on without a case for each
//! function. A response that reveals a value cannot be serialised until [`SecretResponse::map_revealed`] has replaced the value by what a tape
//! may contain.

use crate::{name::SecretName, value::SecretValue};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Instant};

/// The functions of `tenon:handler/secrets`, with their names there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // described in `wit/secrets.wit`
pub enum SecretFunction {
    Sign,
    Verify,
    Reveal,
}

/// The hash of an HMAC (RFC 2104).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HmacAlgorithm {
    /// For services that offer nothing newer. As the hash of an HMAC it is not broken (RFC 6194).
    Sha1,
    /// The usual one.
    Sha256,
    /// With longer tags.
    Sha512,
}

/// One call of a guest. Names are as the guest wrote them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "function")]
pub enum SecretRequest {
    /// Makes the tag of a message.
    Sign {
        /// The secret, whose bytes are the key.
        name: String,
        /// The hash.
        algorithm: HmacAlgorithm,
        /// What is signed.
        #[serde(with = "as_base64")]
        message: Vec<u8>,
    },
    /// Checks the tag of a message, in constant time.
    Verify {
        /// The secret, whose bytes are the key.
        name: String,
        /// The hash.
        algorithm: HmacAlgorithm,
        /// What was signed.
        #[serde(with = "as_base64")]
        message: Vec<u8>,
        /// The whole tag; a shortened one is not valid.
        #[serde(with = "as_base64")]
        tag: Vec<u8>,
    },
    /// Reads the value.
    Reveal {
        /// The secret.
        name: String,
    },
}

/// The result of a call. `V` is the form of a revealed value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretResponse<V = SecretValue> {
    /// The tag.
    Signed(#[serde(with = "as_base64")] Vec<u8>),
    /// Whether the tag is that of the message.
    Verified(bool),
    /// The value.
    Revealed(V),
}

/// Why a call has no result, or a secret is not filled in. The texts are for people, and contain no value. None has `:` after the word `secret`, a
/// secret's name or an origin: guests log them, and redaction takes what follows for a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The guest has no secret of this name.
    #[error("{0}")]
    Unknown(String),
    /// The guest may not use it in this way.
    #[error("not granted: {0}")]
    NotGranted(String),
    /// Its value cannot be had now. Trying again may help.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

/// Performs calls of one guest.
#[async_trait::async_trait]
pub trait GuestSecrets: Send + Sync {
    /// Performs one call, until `deadline` at the latest.
    async fn perform(
        &self,
        request: SecretRequest,
        deadline: Instant,
    ) -> Result<SecretResponse, SecretError>;
}

/// For guests without secrets: knows none.
#[derive(Clone, Copy, Debug)]
pub struct NoSecrets;

#[async_trait::async_trait]
impl GuestSecrets for NoSecrets {
    async fn perform(
        &self,
        request: SecretRequest,
        _: Instant,
    ) -> Result<SecretResponse, SecretError> {
        Err(SecretError::unknown(request.name()))
    }
}

impl SecretFunction {
    /// The name in the WIT.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Verify => "verify",
            Self::Reveal => "reveal",
        }
    }
}

impl fmt::Display for SecretFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl SecretRequest {
    /// The function that is called.
    pub fn function(&self) -> SecretFunction {
        match self {
            Self::Sign { .. } => SecretFunction::Sign,
            Self::Verify { .. } => SecretFunction::Verify,
            Self::Reveal { .. } => SecretFunction::Reveal,
        }
    }

    /// The name that the guest wrote.
    pub fn name(&self) -> &str {
        match self {
            Self::Sign { name, .. } | Self::Verify { name, .. } | Self::Reveal { name } => name,
        }
    }
}

impl HmacAlgorithm {
    /// The name in the WIT.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of a tag.
    pub fn tag_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl<V> SecretResponse<V> {
    /// The same with another form of a revealed value.
    pub fn map_revealed<W>(self, map: impl FnOnce(V) -> W) -> SecretResponse<W> {
        match self {
            Self::Signed(tag) => SecretResponse::Signed(tag),
            Self::Verified(is_valid) => SecretResponse::Verified(is_valid),
            Self::Revealed(value) => SecretResponse::Revealed(map(value)),
        }
    }
}

impl SecretError {
    /// No secret has this name, which may be any text.
    pub fn unknown(name: &str) -> Self {
        Self::Unknown(match name.parse::<SecretName>() {
            Ok(name) => format!(
                "unknown secret `{name}`; `[secrets]` in tenon.toml declares it, on Lambda `TENON_SECRETS`, for the guest of route `/` only"
            ),
            Err(error) => format!("unknown secret; {error}"),
        })
    }

    /// Its name in the WIT and on tapes.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown",
            Self::NotGranted(_) => "not-granted",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// What happened, without the name.
    pub fn detail(&self) -> &str {
        match self {
            Self::Unknown(detail) | Self::NotGranted(detail) | Self::Unavailable(detail) => detail,
        }
    }

    /// The error of this name.
    pub fn from_name(name: &str, detail: String) -> Option<Self> {
        Some(match name {
            "unknown" => Self::Unknown(detail),
            "not-granted" => Self::NotGranted(detail),
            "unavailable" => Self::Unavailable(detail),
            _ => return None,
        })
    }
}

/// Bytes as text, for tapes.
mod as_base64 {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_results_are_read_as_they_are_written() {
        let request = SecretRequest::Verify {
            name: "webhook".into(),
            algorithm: HmacAlgorithm::Sha256,
            message: b"{\xff}".to_vec(),
            tag: vec![1, 2],
        };
        let written = serde_json::to_string(&request).unwrap();
        assert_eq!(
            written,
            r#"{"function":"verify","name":"webhook","algorithm":"sha256","message":"e/99","tag":"AQI="}"#
        );
        assert_eq!(
            serde_json::from_str::<SecretRequest>(&written).unwrap(),
            request
        );
        let value = SecretValue::new(b"planted".to_vec()).unwrap();
        let response = SecretResponse::Revealed(value);
        assert_eq!(format!("{response:?}"), "Revealed(SecretValue(..))");
        let recorded = response.map_revealed(|value| value.expose().len());
        let written = serde_json::to_string(&recorded).unwrap();
        assert_eq!(written, r#"{"revealed":7}"#);
        assert_eq!(
            serde_json::from_str::<SecretResponse<usize>>(&written).unwrap(),
            recorded
        );
    }

    #[test]
    fn names_lead_back_to_their_errors() {
        for error in [
            SecretError::unknown("a"),
            SecretError::NotGranted("why".into()),
            SecretError::Unavailable("why".into()),
        ] {
            let again = SecretError::from_name(error.name(), error.detail().to_owned());
            assert_eq!(again, Some(error));
        }
        assert_eq!(SecretError::from_name("missing", String::new()), None);
        // What a guest takes for a name may be the secret itself.
        let error = SecretError::unknown("sk_live_planted");
        assert!(!error.to_string().contains("planted"));
    }
}
