//! Origins: the scheme, host and port for which a secret is filled into requests.

use contract::origin::UrlError;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Scheme, host and port of a server (RFC 6454) in their one form: `https://api.stripe.com`. Read by the reader of outgoing requests, so that
/// where a request is sent and which secrets are filled into it cannot differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Origin(String);

/// A text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is `https://HOST` or `http://HOST`, with `:PORT` if it is not the usual one, and nothing after it"
)]
pub struct OriginError;

impl Origin {
    /// The origin of a URL and what follows it.
    pub fn of_url(url: &str) -> Result<(Self, &str), UrlError> {
        let (origin, target) = contract::origin::Origin::split(url)?;
        Ok((Self(origin.to_string()), target))
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        match Self::of_url(text) {
            Ok((origin, "")) => Ok(origin),
            Ok(_) | Err(_) => Err(OriginError),
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_origin_are_equal() {
        for (text, normal) in [
            ("https://api.stripe.com", "https://api.stripe.com"),
            ("HTTPS://API.Stripe.com:443", "https://api.stripe.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://a:80", "https://a:80"),
            ("http://[0:0::1]:9", "http://[::1]:9"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), normal);
        }
    }

    #[test]
    fn an_origin_has_nothing_after_it() {
        for text in [
            "",
            "a.example",
            "https://a.example/",
            "https://a.example?",
            "https://a.example#",
            "https://*.example",
            "https://user@a.example",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text:?}");
        }
        let (origin, target) = Origin::of_url("https://a.example/v1?x").unwrap();
        assert_eq!(
            (origin.to_string().as_str(), target),
            ("https://a.example", "/v1?x")
        );
    }
}
