//! A request in the shape of `wit/http.wit`. Nothing is decoded before an extractor asks for it.

use crate::headers::Headers;
use alloc::{string::String, vec::Vec};

/// A request, as the host passes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// As sent, normally upper-case.
    pub method: String,
    /// Percent-encoded, starting with `/`; without [`base_path`](Self::base_path) and query.
    pub path: String,
    /// Percent-encoded, without `?`; empty if there was none.
    pub query: String,
    /// Looked up by name.
    pub headers: Headers,
    /// The content; empty if there was none.
    pub body: Vec<u8>,
    /// Whether the client used HTTPS.
    pub is_https: bool,
    /// Host and optional port that the client asked for; empty if the event has none.
    pub authority: String,
    /// The client's IP address as the gateway saw it.
    pub client_address: Option<String>,
    /// What precedes `path` in the URL that the client used: empty, or begins with `/` and does not end with `/`.
    /// [`Context::reference`](crate::Context::reference) adds it.
    pub base_path: String,
    /// Whether the gateway decoded the path, so that `%2F` and `/` in it cannot be distinguished.
    pub is_path_decoded: bool,
    /// Unique; in every problem document and log line.
    pub request_id: String,
    /// When the host received the request, in milliseconds since the Unix epoch. The clock stands still during a request.
    pub received_at_ms: u64,
    /// What an authorizer in front of the host says about the caller; read it with [`Identity`](crate::Identity).
    pub caller: Option<Caller>,
}

/// What an authorizer established.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Its stable name for the caller.
    pub subject: Option<String>,
    /// Everything it said, as the text of a JSON object.
    pub claims: String,
}
