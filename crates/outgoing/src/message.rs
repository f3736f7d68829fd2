//! An outgoing request and its response, as they cross the WIT interface.

use crate::OutgoingError;
use contract::{
    http::is_token,
    limits::{
        OUTGOING_HEADERS_BYTES_MAX, OUTGOING_HEADERS_MAX, OUTGOING_REQUEST_BODY_BYTES_MAX,
        OUTGOING_URL_BYTES_MAX,
    },
};
use std::time::Duration;

/// A request to another service. Nothing has been checked: a guest may write anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutgoingRequest {
    /// An HTTP method; normally upper-case.
    pub method: String,
    /// An absolute URL of `http` or `https`, without user information and fragment.
    pub url: String,
    /// Names in any case, in the order in which they are sent. The host adds `host` and `content-length`.
    pub headers: Vec<(String, String)>,
    /// Empty if there is none.
    pub body: Vec<u8>,
    /// Until the whole response must be there; the request's own deadline if it is earlier.
    pub timeout: Option<Duration>,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingResponse {
    /// 200..=599: interim responses are not passed on.
    pub status: u16,
    /// Names in lower case, in the order in which they came, except that those with the same name follow each other. Those about the
    /// connection, such as `connection` and `transfer-encoding`, are left out. A value whose bytes are valid UTF-8 is that text; otherwise
    /// each byte is the character with the same number (ISO 8859-1).
    pub headers: Vec<(String, String)>,
    /// As sent, except that a transfer encoding is removed.
    pub body: Vec<u8>,
}

/// Longest method: those of the registry of methods have up to 17 characters.
const METHOD_BYTES_MAX: usize = 32;

impl OutgoingRequest {
    /// Refuses what is never sent whatever is granted, by its size alone, and a URL with user information: before it is recorded, because a
    /// recorder has to read all of it.
    pub fn check_sizes(&self) -> Result<(), OutgoingError> {
        let fields = self.headers.iter();
        let header_bytes: usize = fields
            .map(|(name, value)| name.len() + value.len() + 32)
            .sum();
        let authority = self.url.split("//").nth(1).unwrap_or_default();
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        let reason = if self.method.len() > METHOD_BYTES_MAX || !is_token(&self.method) {
            "the method is not the name of one".to_owned()
        } else if self.url.len() > OUTGOING_URL_BYTES_MAX {
            format!("the URL has more than {OUTGOING_URL_BYTES_MAX} bytes")
        } else if authority.contains('@') {
            "the URL has user information, which belongs into the header `authorization`".to_owned()
        } else if self.headers.len() > OUTGOING_HEADERS_MAX {
            format!("more than {OUTGOING_HEADERS_MAX} headers")
        } else if header_bytes > OUTGOING_HEADERS_BYTES_MAX {
            format!("the headers have more than {OUTGOING_HEADERS_BYTES_MAX} bytes")
        } else if self.body.len() > OUTGOING_REQUEST_BODY_BYTES_MAX {
            format!("the body has more than {OUTGOING_REQUEST_BODY_BYTES_MAX} bytes")
        } else {
            return Ok(());
        };
        Err(OutgoingError::InvalidRequest(reason))
    }

    /// The same with the names of its headers in lower case and in byte order; repeated ones keep their order, which alone has a meaning
    /// (RFC 9110, 5.3). So equal requests are equal on tapes.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        order(&mut self.headers);
        self
    }
}

impl OutgoingResponse {
    /// The same with its headers in the order of [`OutgoingRequest::in_order`].
    #[must_use]
    pub fn in_order(mut self) -> Self {
        order(&mut self.headers);
        self
    }
}

fn order(headers: &mut [(String, String)]) {
    for (name, _) in headers.iter_mut() {
        name.make_ascii_lowercase();
    }
    headers.sort_by(|(one, _), (other, _)| one.cmp(other)); // stable
}
