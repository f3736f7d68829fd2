//! Compares this follower with hyper itself, on generated chunked messages.

use super::*;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, sync::Mutex};

const HEAD: &str = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
/// hyper refuses this version, unless it is changed as the version of a request line is.
const NEXT: &str = "GET /next HTTP/1.9\r\nhost: x\r\n\r\n";
const PIECES: [&str; 8] = ["\r\n", "\n", "\r", "A: b", "0", "2;x", "hi", NEXT];
const PIECES_MAX: usize = 5;

/// The bodies that hyper reads, `None` for one that it refuses, and whether it parses all bytes as requests.
async fn read_by_hyper(bytes: &[u8]) -> (Vec<Option<Bytes>>, bool) {
    let bodies = Mutex::new(Vec::new());
    let service = service_fn(|request: Request<Incoming>| async {
        let body = request.into_body().collect().await;
        let body = body.ok().map(|body| body.to_bytes());
        bodies.lock().unwrap().push(body);
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let stream = TokioIo::new(tokio::io::join(bytes, tokio::io::sink()));
    let served = http1::Builder::new()
        .half_close(true)
        .serve_connection(stream, service)
        .await;
    (bodies.into_inner().unwrap(), served.is_ok())
}

async fn check(message: &str) {
    let mut whole = message.as_bytes().to_vec();
    let mut framing = Framing::default();
    framing.follow(&mut whole);
    let mut single = message.as_bytes().to_vec();
    let mut of_single = Framing::default();
    single.chunks_mut(1).for_each(|byte| of_single.follow(byte));
    assert_eq!(single, whole, "{message:?}");
    assert_eq!(of_single.state, framing.state, "{message:?}");

    let (bodies, is_whole) = read_by_hyper(&whole).await;
    let taken = bodies.iter().flatten().count() as u64;
    for body in bodies.iter().flatten() {
        let body = str::from_utf8(body).unwrap();
        assert!(!body.contains("HTTP/1.1"), "{message:?}: {body:?}");
    }
    assert!(bodies.len() as u64 <= framing.heads, "{message:?}");
    let is_all = is_whole && taken == bodies.len() as u64;
    if is_all {
        assert_eq!(taken, framing.heads, "{message:?}");
        assert_eq!(framing.conflicting(), None, "{message:?}");
    }
    if framing.state == State::Refused {
        assert!(taken < framing.heads, "{message:?}");
    }
}

#[test]
fn hyper_ends_chunked_bodies_where_they_are_followed_to() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut messages: Vec<String> = ["", "0\r\n", "0\r\nA: b\r\n", "2\r\nhi\r\n0"]
            .map(|start| format!("{HEAD}{start}"))
            .to_vec();
        for _ in 0..PIECES_MAX {
            for message in &messages {
                check(&format!("{message}{NEXT}")).await;
            }
            messages = messages
                .iter()
                .flat_map(|message| PIECES.map(|piece| format!("{message}{piece}")))
                .collect();
        }
    });
}
