//! The value of a secret.

#[cfg(any(test, feature = "keeper"))]
use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::limits::SECRET_VALUE_BYTES_MAX;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// The value of a secret: 1..=64 KiB. It is overwritten when it is dropped, cannot be cloned, displayed or serialised, and its debug form is the
/// same for all values. What a request, a digest or a JSON reader makes of it is beyond this type's reach.
pub struct SecretValue(Zeroizing<Vec<u8>>);

/// Bytes that are no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretValueError {
    /// There is none.
    #[error("the value is empty")]
    Empty,
    /// There are more than the limit.
    #[error("the value has more than {SECRET_VALUE_BYTES_MAX} bytes")]
    TooLong,
    /// It was declared as base64.
    #[error("the value is not base64 with padding")]
    Encoding,
}

/// How a value is written at its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueEncoding {
    /// As it is.
    #[default]
    Plain,
    /// Base64 with padding (RFC 4648, 4). Keys for HMAC are often given out so.
    Base64,
}

impl SecretValue {
    /// Takes the bytes, which are overwritten if they are no value, too.
    pub fn new(bytes: Vec<u8>) -> Result<Self, SecretValueError> {
        let bytes = Zeroizing::new(bytes);
        match bytes.len() {
            0 => Err(SecretValueError::Empty),
            length if length > SECRET_VALUE_BYTES_MAX => Err(SecretValueError::TooLong),
            _ => Ok(Self(bytes)),
        }
    }

    /// The value that this one is an encoding of.
    #[cfg(any(test, feature = "keeper"))]
    pub(crate) fn decoded(self, encoding: ValueEncoding) -> Result<Self, SecretValueError> {
        match encoding {
            ValueEncoding::Plain => Ok(self),
            ValueEncoding::Base64 => {
                let decoded = STANDARD.decode(self.expose().trim_ascii());
                Self::new(decoded.map_err(|_| SecretValueError::Encoding)?)
            }
        }
    }

    /// The value itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretValue(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_bounded_and_prints_nothing() {
        let value = SecretValue::new(b"planted".to_vec()).unwrap();
        assert_eq!(
            format!("{value:?} {value:#?}"),
            "SecretValue(..) SecretValue(..)"
        );
        assert_eq!(value.expose(), b"planted");
        assert_eq!(
            SecretValue::new(Vec::new()).unwrap_err(),
            SecretValueError::Empty
        );
        assert!(SecretValue::new(vec![0; SECRET_VALUE_BYTES_MAX]).is_ok());
        let decoded = |text: &str| {
            let value = SecretValue::new(text.into()).unwrap();
            value.decoded(ValueEncoding::Base64)
        };
        assert_eq!(decoded("cGxhbnRlZA==\n").unwrap().expose(), b"planted");
        assert_eq!(decoded("planted").unwrap_err(), SecretValueError::Encoding);
        assert_eq!(decoded(" ").unwrap_err(), SecretValueError::Empty);
        let longer = SecretValue::new(vec![0; SECRET_VALUE_BYTES_MAX + 1]);
        assert_eq!(longer.unwrap_err(), SecretValueError::TooLong);
    }
}
