//! Scheme, host and port of a URL, read strictly: what two programs could understand differently is an error.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Bytes of a host name (RFC 1035, 2.3.4).
const NAME_BYTES_MAX: usize = 253;
/// Bytes of one of its labels (RFC 1035, 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS.
    Https,
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name in lower case, without a dot at its end; international names are in their ASCII form.
    Name(String),
    /// A literal address. How it was written makes no difference.
    Address(IpAddr),
}

/// What a connection is made to. Origins are equal if a connection to one would do for the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Of the URL.
    pub scheme: Scheme,
    /// Of the URL.
    pub host: Host,
    /// Of the URL, or the scheme's: 80 or 443.
    pub port: u16,
}

/// Why a text is no URL, as the end of a sentence: "has user information".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlError(pub &'static str);

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Origin {
    /// The origin of an absolute URL, and what follows it: nothing, or a text that begins with `/`, `?` or `#`.
    pub fn split(url: &str) -> Result<(Self, &str), UrlError> {
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UrlError(
                "has a blank, a control character or a character that is not ASCII",
            ));
        }
        let no_scheme = UrlError("does not begin with `http://` or `https://`");
        let (scheme, rest) = url.split_once("://").ok_or(no_scheme)?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            _ => return Err(no_scheme),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.contains('@') {
            return Err(UrlError("has user information"));
        }
        let (host, port) = split_port(authority)?;
        let origin = Self {
            scheme,
            host: Host::parse(host)?,
            port: port.map_or(Ok(scheme.port()), parse_port)?,
        };
        Ok((origin, rest))
    }

    /// Host and port as the header `host` has them: without the scheme's own port.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// `host` and `port` of `host:port`; brackets belong to the host.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), UrlError> {
    let end = match authority.strip_prefix('[') {
        Some(address) => match address.find(']') {
            Some(end) => end + 2,
            None => return Err(UrlError("has a bracket that is not closed")),
        },
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(UrlError("has something between host and port")),
    }
}

fn parse_port(port: &str) -> Result<u16, UrlError> {
    let error = UrlError("has a port that is not a number from 1 to 65535");
    let is_decimal = port.bytes().all(|byte| byte.is_ascii_digit());
    if !is_decimal || port.starts_with('0') {
        return Err(error);
    }
    port.parse().map_err(|_| error)
}

impl Host {
    fn parse(host: &str) -> Result<Self, UrlError> {
        if let Some(address) = host.strip_prefix('[') {
            let address = address.strip_suffix(']').unwrap_or_default();
            let address: Result<Ipv6Addr, _> = address.parse();
            let address = address.map_err(|_| UrlError("has brackets without an IPv6 address"))?;
            return Ok(Self::Address(address.into()));
        }
        let name = host.to_ascii_lowercase();
        if name.len() > NAME_BYTES_MAX {
            return Err(UrlError("has a host of more than 253 bytes"));
        }
        if name.ends_with('.') {
            return Err(UrlError("has a dot at the end of its host"));
        }
        if !name.split('.').all(is_label) {
            return Err(UrlError("has a host that is not valid"));
        }
        let last = name.rsplit('.').next().unwrap_or_default();
        if !is_number(last) {
            return Ok(Self::Name(name));
        }
        // The system's resolver takes `127.1`, `0x7f000001` and `2130706433` for addresses; others take them for names.
        let address: Result<Ipv4Addr, _> = name.parse();
        let address = address.map_err(|_| UrlError("has a host that is no IPv4 address"))?;
        Ok(Self::Address(address.into()))
    }
}

/// Host names as they are used, with underscores; percent-encoding is not taken apart.
fn is_label(label: &str) -> bool {
    let is_allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=LABEL_BYTES_MAX).contains(&label.len()) && label.bytes().all(is_allowed)
}

/// Whether a last label makes its host an address (WHATWG URL, "ends in a number").
fn is_number(label: &str) -> bool {
    let is_decimal = label.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = label.strip_prefix("0x");
    is_decimal
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// As in a URL: IPv6 addresses in brackets.
impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(formatter),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme, self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_one_form() {
        for (url, origin, rest) in [
            ("https://api.example.com", "https://api.example.com", ""),
            (
                "HTTPS://API.example.COM:443/",
                "https://api.example.com",
                "/",
            ),
            (
                "http://api.example.com:80?q",
                "http://api.example.com",
                "?q",
            ),
            (
                "https://api.example.com:8443/v1",
                "https://api.example.com:8443",
                "/v1",
            ),
            ("http://127.0.0.1:9000/v1/", "http://127.0.0.1:9000", "/v1/"),
            ("http://[::1]:9000#x", "http://[::1]:9000", "#x"),
            ("http://[0:0:0:0:0:0:0:1]", "http://[::1]", ""),
            ("http://my_service:80//a", "http://my_service", "//a"),
            (
                "https://xn--bcher-kva.example",
                "https://xn--bcher-kva.example",
                "",
            ),
            ("https://a.0x7g", "https://a.0x7g", ""),
        ] {
            let (found, found_rest) = Origin::split(url).unwrap();
            assert_eq!((found.to_string().as_str(), found_rest), (origin, rest));
        }
    }

    #[test]
    fn what_could_be_understood_in_two_ways_is_no_url() {
        let long_label = format!("https://{}.example", "a".repeat(64));
        let long_name = format!("https://{}example", "a.".repeat(124));
        for url in [
            "",
            "api.example.com",
            "//api.example.com",
            "ftp://api.example.com",
            "https:/api.example.com",
            "https:\\\\api.example.com",
            "https://",
            "https:///path",
            "https://user@api.example.com",
            "https://api.example.com@evil.example/",
            "https://evil.example\\@api.example.com",
            "https://api.example.com\\.evil.example",
            "https://api.example.com:",
            "https://api.example.com:0",
            "https://api.example.com:0443",
            "https://api.example.com:+443",
            "https://api.example.com:65536",
            "https://api.example.com:443:443",
            "https://api.example.com.",
            "https://.example.com",
            "https://a..b",
            "https://*.example.com",
            "https://api.example.com%2eevil.example",
            "https://b\u{fc}cher.example",
            "https://api.example.com /",
            " https://api.example.com",
            "https://api.example\t.com",
            "https://api.example.com/\r\nhost: x",
            "https://api.example.com/\u{7f}",
            "http://127.1",
            "http://2130706433",
            "http://0x7f000001",
            "http://0x",
            "http://0177.0.0.1",
            "http://127.0.0.1.2",
            "http://1.2.3.256",
            "http://[::1",
            "http://[::1]x:80",
            "http://[127.0.0.1]",
            "http://[fe80::1%25eth0]",
            "http://::1",
            "http://a]",
            &long_label,
            &long_name,
        ] {
            assert!(Origin::split(url).is_err(), "{url}");
        }
    }
}
