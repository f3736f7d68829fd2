//! The strict reading of a request: what is sent is written anew from it, so that nobody on the way can understand it differently.

use crate::{error::OutgoingError, fields, message::OutgoingRequest, path};
use contract::{
    http::is_token,
    limits::{OUTGOING_REQUEST_BODY_BYTES_MAX, OUTGOING_URL_BYTES_MAX},
    origin::{Origin, UrlError},
};
use std::time::Duration;

/// Bytes of a method. Registered ones have at most 17.
const METHOD_BYTES_MAX: usize = 32;
/// Methods that make something else of the connection, or send back what was sent.
const FORBIDDEN_METHODS: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];
/// What queries may contain beside letters, digits and `%` (RFC 3986, 3.4), and what programs send nevertheless.
const QUERY_CHARACTERS: &[u8] = b"?/-._~!$&'()*+,;=:@[]|{}\\^`";

/// A request that can be sent: a valid method, an absolute URL, and header fields that say nothing about the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedRequest {
    method: String,
    origin: Origin,
    /// Begins with `/`; the query with its `?` behind it.
    target: String,
    path_bytes: usize,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    timeout: Option<Duration>,
}

impl OutgoingRequest {
    /// Refuses what is never sent, whatever is granted: by its method, its URL and its sizes. Takes little time, so that a recorder, which
    /// reads all of a request, gets none that is too large.
    pub fn check(&self) -> Result<(), OutgoingError> {
        self.checked_target().map(drop)
    }

    /// The origin, what is sent as target, and how many bytes of it are the path.
    fn checked_target(&self) -> Result<(Origin, String, usize), OutgoingError> {
        check_method(&self.method)?;
        if self.url.len() > OUTGOING_URL_BYTES_MAX {
            return Err(invalid(format!(
                "the URL has more than {OUTGOING_URL_BYTES_MAX} bytes"
            )));
        }
        let target =
            split_url(&self.url).map_err(|problem| invalid(format!("the URL {problem}")))?;
        if self.body.len() > OUTGOING_REQUEST_BODY_BYTES_MAX {
            return Err(invalid(format!(
                "the body has more than {OUTGOING_REQUEST_BODY_BYTES_MAX} bytes"
            )));
        }
        fields::check_sizes(&self.headers).map_err(invalid)?;
        Ok(target)
    }
}

impl ParsedRequest {
    /// Reads a request; errors are [`OutgoingError::InvalidRequest`].
    pub fn new(request: OutgoingRequest) -> Result<Self, OutgoingError> {
        let (origin, target, path_bytes) = request.checked_target()?;
        let headers = fields::checked(request.headers, request.body.len()).map_err(invalid)?;
        Ok(Self {
            method: request.method,
            origin,
            target,
            path_bytes,
            headers,
            body: request.body,
            timeout: request.timeout,
        })
    }

    /// A token, in the case in which it was given.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Where it goes to.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Begins with `/`, without the query.
    pub fn path(&self) -> &str {
        &self.target[..self.path_bytes]
    }

    /// Path and query, as they are sent.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin, self.target)
    }

    /// Lower-case names, and values without blanks around them; neither `host` nor `content-length`.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Empty if there is none.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Until the whole response must be there.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The same request with further headers, those of a signature. None may be there already, because it could replace one of them.
    pub fn with_headers(mut self, added: Vec<(String, String)>) -> Result<Self, OutgoingError> {
        let twice = added
            .iter()
            .find(|(name, _)| self.headers.iter().any(|(other, _)| other == name));
        if let Some((name, _)) = twice {
            return Err(invalid(format!(
                "header `{name}` is written by the host, which signs requests of this grant: leave it out"
            )));
        }
        self.headers.extend(added);
        Ok(self)
    }

    /// The body, for sending it without a copy.
    #[cfg(feature = "client")]
    pub(crate) fn take_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }
}

fn invalid(words: String) -> OutgoingError {
    OutgoingError::InvalidRequest(words)
}

fn check_method(method: &str) -> Result<(), OutgoingError> {
    if method.len() > METHOD_BYTES_MAX || !is_token(method) {
        return Err(invalid("the method is not valid".to_owned()));
    }
    let is_forbidden = |forbidden: &&str| method.eq_ignore_ascii_case(forbidden);
    if let Some(method) = FORBIDDEN_METHODS.iter().find(|other| is_forbidden(other)) {
        return Err(invalid(format!("method `{method}` is not possible")));
    }
    Ok(())
}

/// The origin, what is sent as target, and how many bytes of it are the path.
fn split_url(url: &str) -> Result<(Origin, String, usize), UrlError> {
    let (origin, rest) = Origin::split(url)?;
    if rest.contains('#') {
        return Err(UrlError("has a fragment"));
    }
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let path = if path.is_empty() { "/" } else { path };
    if !path::is_valid(path) {
        return Err(UrlError(
            "has a path with a character that must be percent-encoded",
        ));
    }
    let mut target = path.to_owned();
    if let Some(query) = query {
        if !path::has_only(query, QUERY_CHARACTERS) {
            return Err(UrlError(
                "has a query with a character that must be percent-encoded",
            ));
        }
        target.push('?');
        target.push_str(query);
    }
    Ok((origin, target, path.len()))
}

#[cfg(test)]
mod tests;
