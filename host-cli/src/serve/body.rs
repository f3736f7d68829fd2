//! Receives the body of a request.

use super::{
    clients::{Client, HELD_BYTES_UNCOUNTED},
    head::HeadError,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming as RequestBody};
use std::time::Duration;
use tokio::time::timeout;

/// How long a client may take to send a request's body.
const BODY_DURATION_MAX: Duration = Duration::from_secs(30);

/// Reads the body, within bounds. Pieces are copied as they arrive, because a piece may keep far more memory alive than its own bytes.
pub async fn receive(
    body: RequestBody,
    client: &Client,
    bytes_max: usize,
) -> Result<Bytes, HeadError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let received = timeout(BODY_DURATION_MAX, collect(body, client, bytes_max)).await;
    client.has_done_its_part();
    received.unwrap_or_else(|_| Err(HeadError::new(408, "the body did not arrive in time")))
}

async fn collect(
    mut body: RequestBody,
    client: &Client,
    bytes_max: usize,
) -> Result<Bytes, HeadError> {
    let too_large = || HeadError::new(413, format!("the body is larger than {bytes_max} bytes"));
    let announced = body.size_hint();
    if announced.lower() > bytes_max as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let mut counted = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| HeadError::new(400, "the framing of the body is not valid HTTP/1.1"))?;
        // Trailers after a chunked body are not passed on.
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        if bytes.is_empty() && announced.exact() == Some(piece.len() as u64) {
            return Ok(piece);
        }
        if bytes.len() + piece.len() > bytes_max {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
        if bytes.len() >= counted + HELD_BYTES_UNCOUNTED {
            client.hold(bytes.len() - counted).map_err(|_| {
                HeadError::new(503, "the server holds too much data of requests; try again")
            })?;
            counted = bytes.len();
        }
    }
    Ok(bytes.into())
}
