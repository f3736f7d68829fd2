//! An outgoing request and its response, as they cross the WIT interface.

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

impl OutgoingRequest {
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
