//! Bodies of responses, bounded in size and time.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::byte_stream::ByteStream;
use std::{error::Error, time::Duration};
use tokio::time::timeout;

/// Between two pieces of a response's body.
const PIECE_DURATION_MAX: Duration = Duration::from_secs(10);

/// Why the body of a response was not read.
#[derive(Debug)]
pub enum ReadError {
    /// It has more bytes than allowed.
    TooLarge,
    /// The connection ended or stood still; the text says which.
    Incomplete(String),
}

/// Reads the whole body, of at most `bytes_max` bytes.
pub async fn read(response: HttpResponse, bytes_max: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let mut body = ByteStream::new(response.into_body());
    loop {
        let piece = timeout(PIECE_DURATION_MAX, body.next()).await;
        let piece =
            piece.map_err(|_| ReadError::Incomplete("the response is incomplete".into()))?;
        let Some(piece) = piece else {
            return Ok(bytes);
        };
        let piece = piece.map_err(|error| ReadError::Incomplete(words(&error)))?;
        if bytes.len() + piece.len() > bytes_max {
            return Err(ReadError::TooLarge);
        }
        bytes.extend_from_slice(&piece);
    }
}

/// An error with its causes: the outermost one is often uninformative. A cause that says the same again is left out.
pub(crate) fn words(error: &dyn Error) -> String {
    let mut words = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if words.last() != Some(&text) {
            words.push(text);
        }
        source = error.source();
    }
    words.join(": ")
}
