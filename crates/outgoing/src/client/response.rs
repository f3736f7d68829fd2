//! A response within its bounds.

use super::failure::Failure;
use crate::{fields::counted_bytes, message::OutgoingResponse};
use contract::{
    http::{CONNECTION_FIELDS, field_value},
    limits::{OUTGOING_HEADERS_BYTES_MAX, OUTGOING_HEADERS_MAX, OUTGOING_RESPONSE_BODY_BYTES_MAX},
};
use http::{HeaderMap, Response, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// Bytes that are reserved for a body before any of it has come.
const BODY_RESERVE_BYTES_MAX: usize = 64 << 10;

/// Why there is no response.
pub enum ReceiveError {
    /// The connection, or what came through it.
    Http(hyper::Error),
    /// What came is valid and still not taken.
    Refused(Failure),
}

impl From<hyper::Error> for ReceiveError {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

/// A whole response, and whether the connection may serve another request after it.
pub struct Received {
    pub response: OutgoingResponse,
    pub may_be_kept: bool,
}

/// Reads a response to its end.
pub async fn receive(response: Response<Incoming>) -> Result<Received, ReceiveError> {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    if !(200..=599).contains(&status) {
        let words = match status {
            101 => "the server wants to change the protocol".to_owned(),
            _ => format!("the server answered with status {status}, which HTTP does not know"),
        };
        return Err(ReceiveError::Refused(Failure::Unknown(words)));
    }
    let may_be_kept = framing(&head.headers).map_err(ReceiveError::Refused)?;
    let headers = fields(&head.headers).map_err(ReceiveError::Refused)?;
    let body = read(body).await?;
    let response = OutgoingResponse {
        status,
        headers,
        body,
    };
    Ok(Received {
        response,
        may_be_kept,
    })
}

/// Whether everybody finds the end of the response at the same place. A server that states two lengths can want to smuggle a response
/// (RFC 9112, 6.3).
fn framing(headers: &HeaderMap) -> Result<bool, Failure> {
    let mut encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(encoding) = encodings.next() else {
        return Ok(!is_bound_to_caller(headers));
    };
    let is_chunked = encoding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if !is_chunked || encodings.next().is_some() {
        let words = "the response has a transfer encoding other than `chunked`";
        return Err(Failure::Unknown(words.to_owned()));
    }
    Ok(!headers.contains_key(header::CONTENT_LENGTH) && !is_bound_to_caller(headers))
}

/// Whether the server authenticates the connection instead of each request. The next request on it can be another guest's.
fn is_bound_to_caller(headers: &HeaderMap) -> bool {
    let mut challenges = headers.get_all(header::WWW_AUTHENTICATE).iter();
    challenges.any(|challenge| authenticates_connection(challenge.as_bytes()))
}

/// Whether a scheme of authentication holds for the whole connection (RFC 4559, 6).
pub fn authenticates_connection(value: &[u8]) -> bool {
    let begins_with = |scheme: &str| {
        let start = value.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
    };
    begins_with("ntlm") || begins_with("negotiate")
}

fn fields(headers: &HeaderMap) -> Result<Vec<(String, String)>, Failure> {
    let has_encoding = headers.contains_key(header::TRANSFER_ENCODING);
    let is_passed_on = |name: &str| {
        !(CONNECTION_FIELDS.contains(&name) || has_encoding && name == "content-length")
    };
    let fields: Vec<(String, String)> = headers
        .iter()
        .filter(|(name, _)| is_passed_on(name.as_str()))
        .map(|(name, value)| {
            let value = field_value(value.as_bytes());
            (name.as_str().to_owned(), value.into_owned())
        })
        .collect();
    let counted = counted_bytes(fields.iter().map(|(name, value)| (&**name, &**value)));
    if fields.len() > OUTGOING_HEADERS_MAX || counted > OUTGOING_HEADERS_BYTES_MAX {
        return Err(head_too_large());
    }
    Ok(fields)
}

/// For heads that are over a bound.
pub fn head_too_large() -> Failure {
    Failure::TooLarge(format!(
        "more than {OUTGOING_HEADERS_MAX} headers or {OUTGOING_HEADERS_BYTES_MAX} bytes of them"
    ))
}

async fn read(mut body: Incoming) -> Result<Vec<u8>, ReceiveError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    check_length(announced)?;
    let mut bytes = Vec::with_capacity(announced.min(BODY_RESERVE_BYTES_MAX));
    while let Some(frame) = body.frame().await {
        // Trailers are left out.
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        check_length(bytes.len().saturating_add(data.len()))?;
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn check_length(bytes: usize) -> Result<(), ReceiveError> {
    if bytes <= OUTGOING_RESPONSE_BODY_BYTES_MAX {
        return Ok(());
    }
    let words = format!("a body of more than {OUTGOING_RESPONSE_BODY_BYTES_MAX} bytes");
    Err(ReceiveError::Refused(Failure::TooLarge(words)))
}
