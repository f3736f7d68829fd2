//! A response within its bounds.

use crate::{error::SendError, wait::Wait};
use http::{HeaderMap, Response, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout_at;

/// Bytes that are reserved for a body before any of it has come.
const BODY_RESERVE_BYTES_MAX: usize = 64 << 10;

/// Why there is no response.
pub enum ReceiveError {
    /// The connection, or what came through it.
    Http(hyper::Error),
    /// Nothing came in time.
    Late,
    /// What came is valid and still not taken.
    Refused(SendError),
}

impl From<hyper::Error> for ReceiveError {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

/// Reads a response to its end.
pub async fn receive(
    response: Response<Incoming>,
    body_bytes_max: usize,
    wait: Wait,
) -> Result<Response<Vec<u8>>, ReceiveError> {
    let (head, body) = response.into_parts();
    check_status(head.status.as_u16())?;
    check_encoding(&head.headers)?;
    let body = read(body, body_bytes_max, wait).await?;
    Ok(Response::from_parts(head, body))
}

fn check_status(status: u16) -> Result<(), ReceiveError> {
    let words = match status {
        200..=599 => return Ok(()),
        101 => "the server wants to change the protocol".to_owned(),
        _ => format!("the server answered with status {status}, which HTTP does not know"),
    };
    Err(ReceiveError::Refused(SendError::Unknown(words)))
}

fn check_encoding(headers: &HeaderMap) -> Result<(), ReceiveError> {
    let mut encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(encoding) = encodings.next() else {
        return Ok(());
    };
    let is_chunked = encoding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if is_chunked && encodings.next().is_none() {
        return Ok(());
    }
    let words = "the response has a transfer encoding other than `chunked`";
    Err(ReceiveError::Refused(SendError::Unknown(words.to_owned())))
}

/// Whether everybody finds the end of the response at the same place, and the next request on the connection is nobody else's. A server that
/// states two lengths can want to smuggle a response (RFC 9112, 6.3).
pub fn may_be_kept(response: &Response<Vec<u8>>) -> bool {
    let headers = response.headers();
    let has_two_lengths = headers.contains_key(header::TRANSFER_ENCODING)
        && headers.contains_key(header::CONTENT_LENGTH);
    !has_two_lengths && !is_bound_to_caller(headers)
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

async fn read(mut body: Incoming, bytes_max: usize, wait: Wait) -> Result<Vec<u8>, ReceiveError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    check_length(announced, bytes_max)?;
    let mut bytes = Vec::with_capacity(announced.min(BODY_RESERVE_BYTES_MAX));
    loop {
        let frame = timeout_at(wait.piece().into(), body.frame()).await;
        let Some(frame) = frame.map_err(|_| ReceiveError::Late)? else {
            return Ok(bytes);
        };
        // Trailers are left out.
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        check_length(bytes.len().saturating_add(data.len()), bytes_max)?;
        bytes.extend_from_slice(&data);
    }
}

fn check_length(bytes: usize, bytes_max: usize) -> Result<(), ReceiveError> {
    if bytes <= bytes_max {
        return Ok(());
    }
    let words = format!("a body of more than {bytes_max} bytes");
    Err(ReceiveError::Refused(SendError::TooLarge(words)))
}
