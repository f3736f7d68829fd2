//! Decides which requests this server answers, by host name and by the page that sent them.
//!
//! A web page can send requests to a server on the developer's machine, and if it makes a host name of its own resolve to that machine (DNS
//! rebinding), it can read the responses as well. So a request must be addressed to a name that only this machine or its user can control,
//! and must not come from a page of another origin, unless the command line allows it.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// Additional names and origins.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Accepted names in `Host`, in addition to loopback names and addresses; lower-case, without port.
    pub hosts: Vec<String>,
    /// Origins of pages whose scripts may send requests, like `http://localhost:5173`; lower-case.
    pub origins: Vec<String>,
}

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAllowedError {
    /// Its `Host` is a name that somebody else may have made resolve to this machine.
    Host(String),
    /// It comes from a page of another origin.
    Origin(String),
}

impl fmt::Display for NotAllowedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(name) => {
                let name = Shown(name, "NAME");
                write!(
                    formatter,
                    "this server does not answer requests to the host name `{name}`; to allow it, start the server with `--allow-host {name}`"
                )
            }
            Self::Origin(origin) if origin.is_empty() => formatter.write_str(
                "this server does not answer requests that pages of other origins embed; a page of an origin given by `--allow-origin` must send `Referer`",
            ),
            Self::Origin(origin) => {
                let origin = Shown(origin, "ORIGIN");
                write!(
                    formatter,
                    "this server does not answer pages of the origin `{origin}`; to allow it, start the server with `--allow-origin {origin}`"
                )
            }
        }
    }
}

/// Text from a client that the user may copy into a shell; a placeholder if it contains characters that a shell interprets.
struct Shown<'a>(&'a str, &'static str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/[]".contains(&byte);
        formatter.write_str(if !self.0.is_empty() && self.0.bytes().all(is_plain) {
            self.0
        } else {
            self.1
        })
    }
}

impl Allowed {
    /// Checks whether the server answers requests to this host, which must be valid according to [`is_valid`].
    pub fn check_host(&self, authority: &str) -> Result<(), NotAllowedError> {
        let host = without_port(authority);
        if is_own(host) || contains(&self.hosts, host.trim_end_matches('.')) {
            Ok(())
        } else {
            Err(NotAllowedError::Host(host.to_ascii_lowercase()))
        }
    }

    /// Checks whether the server answers scripts with this `Origin` that send a request to `authority`.
    pub fn check_origin(&self, origin: &str, authority: &str) -> Result<(), NotAllowedError> {
        if is_same(origin, authority) || contains(&self.origins, origin) {
            Ok(())
        } else {
            Err(NotAllowedError::Origin(origin.to_ascii_lowercase()))
        }
    }
}

/// Scheme, host and port of a page's URL; empty if it has none.
pub fn origin_of(address: &str) -> &str {
    let Some((scheme, rest)) = address.split_once("://") else {
        return "";
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    &address[..scheme.len() + "://".len() + end]
}

/// `uri-host [ ":" port ]` (RFC 9110, 7.2; RFC 3986, 3.2.2). Empty is valid, for a target whose scheme has no host.
pub fn is_valid(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        Some(_) | None => (authority, ""),
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) || port.len() > 5 {
        return false;
    }
    match host.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => is_name(host),
    }
}

/// A registered name or an IPv4 address.
fn is_name(host: &str) -> bool {
    let mut bytes = host.bytes();
    while let Some(byte) = bytes.next() {
        let is_fine = match byte {
            b'%' => [bytes.next(), bytes.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            other => other.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&other),
        };
        if !is_fine {
            return false;
        }
    }
    true
}

/// A loopback name (RFC 6761, 6.3), an address, or empty.
fn is_own(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let in_brackets = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = in_brackets.unwrap_or(name);
    name.is_empty() || is_localhost(name) || address.parse::<IpAddr>().is_ok()
}

fn is_localhost(name: &str) -> bool {
    const LOCALHOST: &str = "localhost";
    let start = name.len().checked_sub(LOCALHOST.len());
    match start.and_then(|start| name.split_at_checked(start)) {
        Some((above, last)) => {
            last.eq_ignore_ascii_case(LOCALHOST) && (above.is_empty() || above.ends_with('.'))
        }
        None => false,
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        Some(_) | None => authority,
    }
}

/// Whether a page's origin is that of the server itself, possibly behind a proxy that terminates TLS.
fn is_same(origin: &str, authority: &str) -> bool {
    let rest = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    rest.is_some_and(|rest| rest.eq_ignore_ascii_case(authority))
}

fn contains(list: &[String], text: &str) -> bool {
    list.iter().any(|other| other.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_page_is_scheme_host_and_port() {
        for (address, origin) in [
            ("https://a.example/b?c", "https://a.example"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("https://a.example?b", "https://a.example"),
            ("a.example/b", ""),
            ("", ""),
        ] {
            assert_eq!(origin_of(address), origin, "{address}");
        }
    }

    #[test]
    fn only_names_of_this_machine_addresses_and_allowed_names_are_answered() {
        let allowed = Allowed {
            hosts: vec!["api.test".to_owned()],
            origins: Vec::new(),
        };
        for host in [
            "",
            "localhost",
            "LocalHost:3000",
            "localhost.:3000",
            "shop.localhost:3000",
            "127.0.0.1:3000",
            "0.0.0.0",
            "192.168.1.7:3000",
            "[::1]:3000",
            "[::1]",
            "api.test",
            "API.test.:3000",
        ] {
            assert!(is_valid(host), "{host}");
            assert_eq!(allowed.check_host(host), Ok(()), "{host}");
        }
        for host in [
            "a.example",
            "a.example:3000",
            "localhost.a.example",
            "notlocalhost",
            "127.0.0.1.a.example",
            "127.1",
            "0x7f000001",
            "2130706433",
            "x.api.test",
        ] {
            assert!(is_valid(host), "{host}");
            let name = without_port(host).to_owned();
            assert_eq!(
                allowed.check_host(host),
                Err(NotAllowedError::Host(name)),
                "{host}"
            );
        }
    }

    #[test]
    fn only_pages_of_the_server_itself_and_allowed_ones_may_call() {
        let allowed = Allowed {
            hosts: Vec::new(),
            origins: vec!["http://localhost:5173".to_owned()],
        };
        let host = "localhost:3000";
        for origin in [
            "http://localhost:3000",
            "https://localhost:3000",
            "http://localhost:5173",
        ] {
            assert_eq!(allowed.check_origin(origin, host), Ok(()), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://localhost",
            "http://localhost:3001",
            "https://a.example",
            "http://localhost:3000.a.example",
            "localhost:3000",
        ] {
            assert_eq!(
                allowed.check_origin(origin, host),
                Err(NotAllowedError::Origin(origin.to_owned())),
                "{origin}"
            );
        }
    }

    #[test]
    fn nothing_that_a_shell_acts_on_is_told_to_be_typed() {
        let error = NotAllowedError::Host("$(touch,x)".to_owned());
        assert!(
            error.to_string().ends_with("`--allow-host NAME`"),
            "{error}"
        );
        let error = NotAllowedError::Origin("http://a.example:80".to_owned());
        assert!(
            error
                .to_string()
                .ends_with("`--allow-origin http://a.example:80`")
        );
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_at_most_a_port() {
        for host in [
            "a b", "a/b", "a@b", "a:b", "a:1:2", "a?b", "a#b", "[::1", "::1]", "[zz]", "a\"",
            "a%2", "a%zz", "é", "[::1]x", "a:123456", "<a>",
        ] {
            assert!(!is_valid(host), "{host}");
        }
        for host in [
            "a",
            "a:",
            "a:80",
            "a-b.c_d",
            "a%20b",
            "1.2.3.4:5",
            "[1::2]:3",
        ] {
            assert!(is_valid(host), "{host}");
        }
    }
}
