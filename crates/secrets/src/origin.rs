//! Origins: the scheme, host and port for which a secret is filled into requests.

use serde::{Deserialize, Serialize};
use std::{fmt, net::Ipv6Addr, str::FromStr};

/// Bytes of a host's name (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// Scheme, host and port of a server (RFC 6454), written without the scheme's default port: `https://api.stripe.com`.
///
/// Only the plainest spelling of a host is accepted: letters, digits, `-`, `_` and `.`, or an IPv6 address in brackets. No two readers of URLs
/// disagree about it. Names with other letters are written as in DNS (`xn--...`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Origin {
    scheme: Scheme,
    /// In lower case; an IPv6 address with its brackets.
    host: String,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scheme {
    Http,
    Https,
}

/// A text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is `https://HOST` or `http://HOST`, with `:PORT` if it is not the usual one, and nothing after it"
)]
pub struct OriginError;

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Origin {
    /// The origin of a URL and what follows it, which is empty or begins with `/` or `?`.
    pub fn of_url(url: &str) -> Result<(Self, &str), OriginError> {
        let (scheme, rest) = url.split_once("://").ok_or(OriginError)?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            _ => return Err(OriginError),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (host, port) = match authority.rfind(']').or_else(|| authority.find(':')) {
            // An IPv6 address, whose colons separate no port.
            Some(end) if authority.as_bytes()[end] == b']' => authority.split_at(end + 1),
            Some(colon) => authority.split_at(colon),
            None => (authority, ""),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => number(port).ok_or(OriginError)?,
            None if port.is_empty() => scheme.port(),
            None => return Err(OriginError),
        };
        let host = normal_host(host).ok_or(OriginError)?;
        Ok((Self { scheme, host, port }, target))
    }
}

fn normal_host(host: &str) -> Option<String> {
    if let Some(address) = host.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let is_of_names = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_name = (1..=HOST_BYTES_MAX).contains(&host.len()) && host.bytes().all(is_of_names);
    is_name.then(|| host.to_ascii_lowercase())
}

/// 1..=65535 without sign and leading zeros.
fn number(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_number.then(|| text.parse().ok())?
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        match Self::of_url(text)? {
            (origin, "") => Ok(origin),
            _ => Err(OriginError),
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
        origin.to_string()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port != self.scheme.port() {
            write!(formatter, ":{}", self.port)?;
        }
        Ok(())
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
            ("http://[::1]", "http://[::1]"),
            ("http://my_service:8080", "http://my_service:8080"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), normal);
        }
    }

    #[test]
    fn origins_of_urls_end_where_every_reader_ends_them() {
        for (url, origin, target) in [
            (
                "https://a.example/v1?x=https://b",
                "https://a.example",
                "/v1?x=https://b",
            ),
            ("https://a.example?x", "https://a.example", "?x"),
            ("https://a.example", "https://a.example", ""),
            ("https://a.example:8443/", "https://a.example:8443", "/"),
            ("https://a.example./", "https://a.example.", "/"),
            ("https://[::1]:8443/@b", "https://[::1]:8443", "/@b"),
        ] {
            let (found, rest) = Origin::of_url(url).unwrap();
            assert_eq!((found.to_string().as_str(), rest), (origin, target));
        }
        for url in [
            "",
            "a.example",
            "//a.example",
            "ftp://a.example",
            "https:/a.example",
            "https:///a.example",
            "https://",
            "https://user@a.example",
            "https://a.example:443@b.example",
            "https://a.example\\@b.example",
            "https://a.example\\.b.example",
            "https://a.example#@b.example",
            "https://a.example%2eb",
            "https://a\t.example",
            " https://a.example",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:0443",
            "https://a.example:65536",
            "https://a.example:+443",
            "https://a.example:443:443",
            "https://[::1",
            "https://[::1]x",
            "https://[::1%25lo]",
            "https://bücher.example",
        ] {
            assert_eq!(Origin::of_url(url), Err(OriginError), "{url:?}");
        }
    }

    #[test]
    fn an_origin_has_nothing_after_it() {
        for text in [
            "https://a.example/",
            "https://a.example?",
            "https://*.example",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text:?}");
        }
    }
}
