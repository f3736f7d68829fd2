//! One origin that a guest may call.

use crate::{path, request::ParsedRequest, signing::AwsScope};
use contract::{
    address::Addresses,
    origin::{Host, Origin, Scheme, UrlError},
};
use std::{fmt, str::FromStr};

/// An origin that a guest may call, with the part of its paths, the addresses, and whether the host signs. Made from a text such as
/// `https://api.example.com` or `http://127.0.0.1:9000/v1`, or read with serde from such a text, or from a table:
///
/// ```
/// let grant: outgoing::Grant = json::read(
///     br#"{ "origin": "https://sqs.eu-central-1.amazonaws.com/123456789012/orders", "sign": "aws" }"#,
/// )?;
/// assert_eq!(grant.signing().unwrap().service, "sqs");
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// | member | |
/// | --- | --- |
/// | `origin` | scheme, exact host, port, and optionally the path below which all requests lie; `/v1` and `/v1/` are the same |
/// | `private_addresses` | whether the name may lead to addresses of private networks and of this machine; metadata and other link-local addresses stay refused |
/// | `sign` | `"aws"`, or `{ "aws": { "service": "sqs", "region": "eu-central-1" } }` where the host's name does not say both |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    origin: Origin,
    /// Empty, or begins with `/` and does not end with it.
    path_prefix: String,
    addresses: Addresses,
    signing: Option<AwsScope>,
}

/// Why there is no grant, or not this one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The text is not that of an origin.
    #[error("{origin} {problem}")]
    Url {
        /// The text in backticks; only what may be shown.
        origin: String,
        /// The end of the sentence.
        problem: UrlError,
    },
    /// A signature would be made for nobody.
    #[error(
        "`{0}` does not say a service and a region of AWS: write `sign = {{ aws = {{ service = \"sqs\", region = \"eu-central-1\" }} }}`"
    )]
    Unsigned(Origin),
    /// Only names may go into signatures.
    #[error(
        "the `service` or the `region` of `sign` for `{0}` is not valid: both have lower-case letters, digits and `-`, as in `sqs` and `eu-central-1`"
    )]
    Scope(Origin),
    /// Which one counts could not be said.
    #[error("`{0}` is granted twice")]
    Twice(String),
    /// There are more than [`OUTGOING_GRANTS_MAX`](contract::limits::OUTGOING_GRANTS_MAX).
    #[error("{0} grants; at most {max} are possible", max = contract::limits::OUTGOING_GRANTS_MAX)]
    TooMany(usize),
}

impl Grant {
    /// The origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What begins the paths of all requests, percent-encoded, without a slash at its end; empty if all paths are granted.
    pub fn path_prefix(&self) -> &str {
        &self.path_prefix
    }

    /// Which addresses the origin's name may lead to.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// What the host signs requests for, if it does.
    pub fn signing(&self) -> Option<&AwsScope> {
        self.signing.as_ref()
    }

    /// Allows addresses of private networks and of this machine.
    #[must_use]
    pub fn with_private_addresses(mut self) -> Self {
        self.addresses = Addresses::Any;
        self
    }

    /// Lets the host sign, for what the origin's name says.
    pub fn signed(self) -> Result<Self, GrantError> {
        match self.scope_of_host() {
            Some(scope) => self.signed_for(scope),
            None => Err(GrantError::Unsigned(self.origin)),
        }
    }

    /// Lets the host sign, for this service.
    pub fn signed_for(mut self, scope: AwsScope) -> Result<Self, GrantError> {
        if !scope.is_valid() {
            return Err(GrantError::Scope(self.origin));
        }
        self.signing = Some(scope);
        Ok(self)
    }

    /// What the origin's name says about signatures. Without TLS, it can be anybody's.
    pub(crate) fn scope_of_host(&self) -> Option<AwsScope> {
        match (&self.origin.host, self.origin.scheme) {
            (Host::Name(name), Scheme::Https) => AwsScope::of_host(name),
            (Host::Name(_) | Host::Address(_), _) => None,
        }
    }

    /// Whether this grant and another are for the same origin and path, however the path is encoded.
    pub(crate) fn is_twin_of(&self, other: &Self) -> bool {
        let segments = path::segments(&self.path_prefix);
        self.origin == other.origin && segments.eq(path::segments(&other.path_prefix))
    }

    /// How specific this grant is: of two that cover the same request, the more specific one has more segments.
    pub(crate) fn path_segments(&self) -> usize {
        path::segments(&self.path_prefix).count()
    }

    /// Whether a request goes to this origin, and below its path.
    pub(crate) fn covers(&self, request: &ParsedRequest) -> bool {
        self.origin == *request.origin() && self.covers_path(request.path())
    }

    fn covers_path(&self, path: &str) -> bool {
        self.path_prefix.is_empty()
            || (path::is_under(path, &self.path_prefix) && !path::has_dot_segment(path))
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let error = |problem| GrantError::Url {
            origin: shown(text),
            problem,
        };
        let (origin, path) = Origin::split(text).map_err(error)?;
        let path_prefix = path.strip_suffix('/').unwrap_or(path);
        if path_prefix.contains(['?', '#']) {
            return Err(error(UrlError("has a query or a fragment")));
        }
        if path::has_dot_segment(path_prefix) || path_prefix.contains(['\\', ';']) {
            return Err(error(UrlError("has `.`, `..`, `\\` or `;` in its path")));
        }
        if path_prefix.contains(['*', '{', '}']) {
            return Err(error(UrlError(
                "has `*`, `{` or `}` in its path: there are no wildcards, everything below a path is granted",
            )));
        }
        if !path::is_valid(path_prefix) || path_prefix.contains("//") || path_prefix.ends_with('/')
        {
            return Err(error(UrlError("has a path that is not valid")));
        }
        Ok(Self {
            origin,
            path_prefix: path_prefix.to_owned(),
            addresses: Addresses::Public,
            signing: None,
        })
    }
}

/// What of a text goes into messages: neither user and password nor a query, and nothing of what is no URL, since it may be anything.
fn shown(text: &str) -> String {
    const CHARACTERS_MAX: usize = 120;
    let is_url = ["http://", "https://"].iter().any(|scheme| {
        let start = text.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    if !is_url {
        return "what is granted is an origin, such as `https://api.example.com`; this one"
            .to_owned();
    }
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let text = match text.rsplit_once('@') {
        Some((_, host)) => format!("...@{host}"),
        None => text.to_owned(),
    };
    let text: String = text.escape_debug().take(CHARACTERS_MAX).collect();
    format!("`{text}`")
}

/// The text that it can be made from, without its options.
impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.origin, self.path_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> Result<Grant, GrantError> {
        text.parse()
    }

    #[test]
    fn texts_have_one_form() {
        for (text, form) in [
            ("https://api.example.com", "https://api.example.com"),
            ("https://API.example.com:443/", "https://api.example.com"),
            ("http://127.0.0.1:9000/v1", "http://127.0.0.1:9000/v1"),
            (
                "https://api.example.com:8443/v1/",
                "https://api.example.com:8443/v1",
            ),
            ("http://[0::1]/a%2Fb", "http://[::1]/a%2Fb"),
        ] {
            assert_eq!(grant(text).unwrap().to_string(), form);
        }
    }

    #[test]
    fn what_says_too_much_or_too_little_is_refused() {
        for text in [
            "api.example.com",
            "https://*.example.com",
            "https://*",
            "https://api.example.com?q=1",
            "https://api.example.com/v1#x",
            "https://api.example.com/v1/../v2",
            "https://api.example.com/v1/%2e%2e",
            "https://api.example.com/v1;x",
            "https://api.example.com/v1\\x",
            "https://api.example.com//v1",
            "https://api.example.com/v1//",
            "https://api.example.com/%",
            "https://api.example.com/<v1>",
            "https://api.example.com/\"v1\"",
            "https://api.example.com/v1^",
        ] {
            assert!(grant(text).is_err(), "{text}");
        }
        for text in [
            "https://api.example.com/*",
            "https://api.example.com/v1/*",
            "https://api.example.com/v1/{id}",
            "https://api.example.com/v1/{id}/x",
        ] {
            let message = grant(text).unwrap_err().to_string();
            assert!(message.contains("there are no wildcards"), "{message}");
        }
        assert!(grant("https://api.example.com/v1/%2A").is_ok());
        let error = grant("https://user:planted@api.example.com/?planted").unwrap_err();
        let message = error.to_string();
        assert!(!message.contains("planted"), "{message}");
        assert_eq!(message, "`...@api.example.com/` has user information");
    }

    #[test]
    fn signatures_follow_from_the_name_or_are_given() {
        let sqs = grant("https://sqs.eu-central-1.amazonaws.com").unwrap();
        let scope = sqs.signed().unwrap().signing().unwrap().clone();
        assert_eq!((&*scope.service, &*scope.region), ("sqs", "eu-central-1"));
        for text in [
            "https://api.example.com",
            "http://sqs.eu-central-1.amazonaws.com",
            "https://127.0.0.1",
        ] {
            let error = grant(text).unwrap().signed().unwrap_err();
            assert!(matches!(error, GrantError::Unsigned(_)), "{error}");
        }
        let local = grant("http://127.0.0.1:4566").unwrap();
        assert!(local.clone().signed_for(scope.clone()).is_ok());
        let hostile = AwsScope {
            service: "sqs/eu\r\n".to_owned(),
            ..scope
        };
        assert!(local.signed_for(hostile).is_err());
    }
}
