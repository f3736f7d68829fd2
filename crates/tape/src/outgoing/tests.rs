//! What is noted of exchanges, and read again.

use super::*;
use crate::{
    Exchange, OutgoingResultError, RecordOptions, RecordingOutgoing, TapePolicy, TapeWriter,
    test_line::test_line,
};
use contract::limits::TAPE_OUTGOING_BYTES_MAX;
use outgoing::{NoOutgoing, OutgoingHttp, send_all};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Instant,
};
use storage::MemoryStorage;
use tokio::sync::Notify;

/// Answers the first request after the second.
#[derive(Default)]
struct Crossing {
    bodies: Mutex<VecDeque<Vec<u8>>>,
    second: Notify,
}

#[async_trait::async_trait]
impl OutgoingHttp for Crossing {
    async fn send(
        &self,
        request: OutgoingRequest,
        _: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        match request.url.as_str() {
            "http://a.example/1" => self.second.notified().await,
            _ => self.second.notify_one(),
        }
        let body = self.bodies.lock().unwrap().pop_front().unwrap_or_default();
        Ok(OutgoingResponse {
            status: 200,
            headers: Vec::new(),
            body,
        })
    }
}

fn request(url: &str) -> OutgoingRequest {
    OutgoingRequest {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout: None,
    }
}

/// The line of a request that sent these, at the same time.
async fn line(inner: Arc<dyn OutgoingHttp>, requests: Vec<OutgoingRequest>) -> Vec<u8> {
    let writer = TapeWriter::new(RecordOptions {
        redaction: Redaction::nothing(),
        ..RecordOptions::new(TapePolicy::ALL)
    });
    let storage = writer.storage(Arc::new(MemoryStorage::new()));
    let outgoing: RecordingOutgoing = writer.outgoing(inner, &storage);
    send_all(&outgoing, requests, Instant::now()).await;
    test_line(&writer, &storage, "{}")
}

#[tokio::test]
async fn exchanges_are_in_the_order_of_their_requests_with_their_own_results() {
    let crossing = Crossing::default();
    // The second response comes first.
    *crossing.bodies.lock().unwrap() = VecDeque::from([b"two".to_vec(), vec![0xff, 0]]);
    let requests = vec![request("http://a.example/1"), request("http://a.example/2")];
    let line = line(Arc::new(crossing), requests).await;
    let exchange = Exchange::read(&line).unwrap();
    let read = exchange.outgoing.iter().map(|record| {
        let response = record.read_result().unwrap().unwrap().unwrap();
        (record.recorded_request().unwrap().url, response.body)
    });
    assert_eq!(
        read.collect::<Vec<_>>(),
        [
            ("http://a.example/1".to_owned(), vec![0xff, 0]),
            ("http://a.example/2".to_owned(), b"two".to_vec()),
        ]
    );
}

#[tokio::test]
async fn exchanges_beyond_the_limit_are_counted() {
    const COUNT: usize = 150;
    const HEADER_BYTES: usize = 60_000;
    let with_header = |number| OutgoingRequest {
        headers: vec![("x".to_owned(), "x".repeat(HEADER_BYTES))],
        ..request(&format!("http://a.example/{number}"))
    };
    let requests = (0..COUNT).map(with_header);
    let line = line(Arc::new(NoOutgoing), requests.collect()).await;
    let exchange = Exchange::read(&line).unwrap();
    let recorded = exchange.outgoing.len();
    assert_eq!(recorded + exchange.outgoing_omitted as usize, COUNT);
    let possible = TAPE_OUTGOING_BYTES_MAX / HEADER_BYTES;
    assert!((possible - 10..possible).contains(&recorded), "{recorded}");
    for record in &exchange.outgoing {
        assert!(record.read_result().unwrap().unwrap().is_err());
    }
}

#[test]
fn what_is_no_result_says_so() {
    for (json, expected) in [
        ("{}", "the result has neither `ok` nor `error`"),
        (r#"{"error":"late"}"#, "unknown error `late`"),
        (r#"{"ok":{"status":"x"}}"#, "invalid digit"),
        (r#"{"ok":{"status":200,"body_base64":"!"}}"#, "Invalid"),
        (r#"{"ok":[]}"#, "expected"),
    ] {
        let error = read::read_result(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{json}: {error}");
    }
    let omitted = read::read_result(r#"{"ok":{"status":200,"body":null}}"#);
    assert!(matches!(omitted, Err(OutgoingResultError::Omitted)));
}

/// What a guest gets from a tape is a message as it could have come.
#[test]
fn a_redacted_body_has_its_own_length() {
    let length = |body: &str| {
        let json =
            format!(r#"{{"ok":{{"status":200,"headers":{{"content-length":["78"]}}{body}}}}}"#);
        let response = read::read_result(&json).unwrap().unwrap();
        response.headers[0].1.clone()
    };
    assert_eq!(length(r#","body":"{\"token\":\"REDACTED\"}""#), "20");
    // That of a `HEAD` request.
    assert_eq!(length(""), "78");
}

/// The host writes it in any case, and redaction changes the length.
#[test]
fn a_length_that_is_right_is_not_on_a_tape() {
    let shown = |length: &str, body: &str| {
        let mut request = request("http://a.example/");
        request.headers = vec![
            ("content-length".to_owned(), length.to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        request.body = body.into();
        let redaction = Redaction::credentials();
        let secrets = &mut Secrets::default();
        shown_request(&request, &redaction, String::new(), secrets, &mut |_, _| {
            false
        })
    };
    let recorded = shown("29", r#"{"token": "planted-0123456"}"#);
    assert!(recorded.contains("content-length"), "{recorded}");
    let recorded = shown("28", r#"{"token": "planted-0123456"}"#);
    assert!(!recorded.contains("content-length"), "{recorded}");
    // What a guest sends in a replay, where it has the replacement.
    assert_eq!(shown("21", r#"{"token": "REDACTED"}"#), recorded);
}
