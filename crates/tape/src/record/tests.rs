//! What the recording view of a store records.

use super::{
    calls::{Noted, RecordingStorage},
    *,
};
use crate::{Exchange, test_line::test_host};
use contract::{
    limits::{TAPE_CALLS_BYTES_MAX, TAPE_LINE_WRITTEN_BYTES_MAX},
    log::{LogLevel, LogRecord},
    outcome::{StorageReport, Summary, Usage},
    seed::Seed,
};
use serde_json::{Value, json};
use storage::{
    Call, Consistency, Document, Key, MemoryStorage, Precondition, PutOptions, Storage,
    StorageError, StorageExt as _, StorageRequest, StorageResponse,
};

fn recording(change: impl FnOnce(&mut RecordOptions)) -> RecordingStorage {
    let mut options = RecordOptions::new(TapePolicy::ALL);
    change(&mut options);
    RecordingStorage::new(Arc::new(MemoryStorage::new()), Arc::new(options))
}

fn call() -> Call {
    Call::new(0, &Seed::new([1; 32]), None)
}

fn key(sort: &str) -> Key {
    Key {
        partition: "p".to_owned(),
        sort: sort.to_owned(),
    }
}

const OPTIONS: PutOptions = PutOptions {
    precondition: Precondition::None,
    index: None,
    expires_at: None,
};

async fn put(storage: &RecordingStorage, call: &Call, document: &str) {
    let document = Document::parse(document).unwrap();
    storage
        .put(call, &key("s"), &document, &OPTIONS)
        .await
        .unwrap();
}

fn calls(storage: &RecordingStorage) -> Value {
    let text = storage.take().text;
    let text = String::from_utf8(text).unwrap();
    serde_json::from_str(&format!("[{text}]")).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn calls_are_noted_with_what_came_back() {
    let storage = recording(|_| {});
    let call = call();
    put(&storage, &call, r#"{"a":1.5}"#).await;
    let item = storage.get(&call, &key("s"), Consistency::Strong).await;
    let revision = item.unwrap().unwrap().revision;
    let calls = calls(&storage);
    assert_eq!(calls[0]["call"], "put");
    assert_eq!(calls[0]["arguments"]["document"], json!({"a": 1.5}));
    assert_eq!(calls[0]["result"]["ok"]["done"], revision.as_str());
    assert_eq!(
        calls[1]["arguments"],
        json!({"key": {"partition": "p", "sort": "s"}, "consistency": "strong"})
    );
    assert_eq!(calls[1]["result"]["ok"]["document"], json!({"a": 1.5}));
    assert!(calls[1]["us"].is_u64() && calls[1]["at_us"].is_u64());
}

#[tokio::test]
async fn documents_lose_redacted_fields_in_arguments_and_results() {
    let storage = recording(|options| {
        options.redaction = Redaction::nothing().with_fields(["/email"]).unwrap();
    });
    let call = call();
    put(&storage, &call, r#"{"email":"s3cret"}"#).await;
    let found = storage.get(&call, &key("s"), Consistency::Strong).await;
    // The guest gets the stored document.
    assert_eq!(
        found.unwrap().unwrap().document.as_str(),
        r#"{"email":"s3cret"}"#
    );
    let noted = storage.take();
    let text = String::from_utf8(noted.text).unwrap();
    assert!(!text.contains("s3cret"), "{text}");
    assert_eq!(
        noted.marks.places(),
        [
            "/calls/0/arguments/documents/0/email",
            "/calls/1/result/documents/0/email"
        ]
    );
}

#[tokio::test]
async fn a_long_document_is_noted_by_its_digest() {
    let storage = recording(|options| options.text_bytes_max = 10);
    let document = r#"{"a":"0123456789"}"#;
    put(&storage, &call(), document).await;
    let noted = storage.take();
    assert!(
        !String::from_utf8(noted.text)
            .unwrap()
            .contains("0123456789")
    );
    assert_eq!(noted.omitted[0].at, "/calls/0/arguments/documents/0");
    assert_eq!(noted.omitted[0].bytes, document.len());
    assert_eq!(noted.omitted[0].sha256, Digest::of(document.as_bytes()));
}

#[tokio::test]
async fn the_digest_of_a_long_document_is_that_of_what_may_be_shown() {
    let storage = recording(|options| options.text_bytes_max = 10);
    put(
        &storage,
        &call(),
        r#"{"a":"0123456789","password":"a long s3cret"}"#,
    )
    .await;
    let noted = storage.take();
    let shown = r#"{"a":"0123456789","password":"REDACTED"}"#;
    assert_eq!(noted.omitted[0].sha256, Digest::of(shown.as_bytes()));
    assert_eq!(
        noted.marks.places(),
        ["/calls/0/arguments/documents/0/password"]
    );
    assert_eq!(without_secrets(&noted, "a long s3cret"), "REDACTED");
}

#[tokio::test]
async fn credentials_are_known_from_documents_of_calls_that_are_only_counted() {
    let inner = Arc::new(MemoryStorage::new());
    let call = call();
    let stored = Document::parse(r#"{"password":"a stored s3cret"}"#).unwrap();
    inner
        .put(&call, &key("a"), &stored, &OPTIONS)
        .await
        .unwrap();
    let options = Arc::new(RecordOptions::new(TapePolicy::ALL));
    let storage = RecordingStorage::new(inner, options);
    let long = "\u{1}".repeat(TAPE_CALLS_BYTES_MAX / 6);
    let refused = storage.get(&call, &key(&long), Consistency::Strong).await;
    drop(refused);
    let found = storage.get(&call, &key("a"), Consistency::Strong).await;
    assert!(found.unwrap().is_some());
    put(&storage, &call, r#"{"password":"a new s3cret"}"#).await;
    let noted = storage.take();
    assert_eq!((noted.count, noted.omitted_count), (0, 3));
    for secret in ["a stored s3cret", "a new s3cret"] {
        assert_eq!(without_secrets(&noted, secret), "REDACTED", "{secret}");
    }
}

/// The text without copies of what was redacted.
fn without_secrets(noted: &Noted, text: &str) -> String {
    let sweep = noted.secrets.sweep().unwrap();
    sweep.text(text).unwrap_or_else(|| text.to_owned())
}

#[tokio::test]
async fn a_call_without_an_answer_has_no_result() {
    /// Waits for ever.
    struct Stuck;

    #[async_trait::async_trait]
    impl Storage for Stuck {
        async fn perform(
            &self,
            _: &Call,
            _: StorageRequest,
        ) -> Result<StorageResponse, StorageError> {
            std::future::pending().await
        }
    }
    let options = Arc::new(RecordOptions::new(TapePolicy::ALL));
    let storage = RecordingStorage::new(Arc::new(Stuck), options);
    let call = call();
    let key = key("s");
    let asked = storage.get(&call, &key, Consistency::Strong);
    let waited = tokio::time::timeout(std::time::Duration::from_millis(5), asked).await;
    assert!(waited.is_err());
    let calls = calls(&storage);
    assert_eq!(calls[0]["call"], "get");
    assert!(calls[0].get("result").is_none());
}

#[tokio::test]
async fn a_call_beyond_the_bound_is_counted_and_so_are_those_after_it() {
    let storage = recording(|_| ());
    let call = call();
    put(&storage, &call, "{}").await;
    let long = "\u{1}".repeat(TAPE_CALLS_BYTES_MAX / 6);
    let refused = storage.get(&call, &key(&long), Consistency::Strong).await;
    drop(refused);
    put(&storage, &call, "{}").await;
    let noted = storage.take();
    assert_eq!((noted.count, noted.omitted_count), (1, 2));
    assert!(noted.text.capacity() < TAPE_CALLS_BYTES_MAX);
}

#[tokio::test]
async fn documents_beyond_the_bound_are_left_out() {
    let storage = recording(|options| options.text_bytes_max = TAPE_CALLS_BYTES_MAX);
    let call = call();
    let document = format!(r#"{{"a":"{}"}}"#, "x".repeat(390_000));
    let many = TAPE_CALLS_BYTES_MAX / 390_000 + 3;
    for _ in 0..many {
        put(&storage, &call, &document).await;
    }
    let noted = storage.take();
    // What would exceed the limit is represented by length and digest.
    assert!(noted.text.len() <= TAPE_CALLS_BYTES_MAX);
    assert_eq!(noted.count as usize, many);
    assert_eq!(noted.omitted.len(), many - TAPE_CALLS_BYTES_MAX / 390_000);
}

/// The line of a request that made a call and wrote a log line: the event has this many bytes besides its body, and so has the call.
fn line_of(event_bytes: usize, call_bytes: usize) -> Vec<u8> {
    let event = json!({
        "requestContext": {"authorizer": {"claim": "x".repeat(event_bytes)}},
        "headers": {"authorization": "a long s3cret"},
    });
    let event = event.to_string();
    let noted = Noted {
        text: format!(
            r#"{{"call":"get","arguments":"{}"}}"#,
            "x".repeat(call_bytes)
        )
        .into_bytes(),
        count: 1,
        ..Noted::default()
    };
    let logs = vec![LogRecord {
        level: LogLevel::Info,
        message: "told a long s3cret".to_owned(),
        attributes: Vec::new(),
        storage_calls: 1,
    }];
    let summary = Summary {
        request_id: "gateway-1".to_owned(),
        method: "GET".to_owned(),
        path: "/".to_owned(),
        route: "/".to_owned(),
        status: 200,
        fault: None,
        guest: None,
        logs,
        backtrace: Vec::new(),
        usage: Usage::default(),
        storage: StorageReport::default(),
    };
    let answer = RecordedAnswer {
        payload: br#"{"statusCode":200,"body":"a long s3cret"}"#,
        summary: &summary,
    };
    let options = RecordOptions::new(TapePolicy::ALL);
    let request = RecordedRequest {
        event: event.as_bytes(),
        received_at_ms: 1,
        seed: Seed::new([1; 32]),
    };
    line::write(&options, &test_host(), &request, noted, &answer).unwrap()
}

/// The contents of a line: event, recorded calls, counted calls, log lines, and places of what was too long.
fn kept(line: &[u8]) -> (bool, usize, u32, usize, Vec<String>) {
    assert!(line.len() <= TAPE_LINE_WRITTEN_BYTES_MAX);
    let text = str::from_utf8(line).unwrap();
    assert!(!text.contains("s3cret"), "{}", &text[text.len() - 1000..]);
    let exchange = Exchange::read(line).unwrap();
    assert_eq!(exchange.status, Some(200));
    assert!(exchange.response.is_some());
    (
        exchange.event.is_some(),
        exchange.calls.len(),
        exchange.calls_omitted,
        exchange.log_lines().len(),
        exchange
            .omitted
            .iter()
            .map(|omission| omission.at.clone().into_owned())
            .collect(),
    )
}

#[test]
fn a_line_that_would_be_too_long_keeps_less() {
    let half = TAPE_LINE_WRITTEN_BYTES_MAX / 2;
    assert_eq!(
        kept(&line_of(half, half - 10_000)),
        (true, 1, 0, 1, Vec::new())
    );
    assert_eq!(
        kept(&line_of(half, half + 10_000)),
        (true, 0, 1, 0, vec!["/logs".to_owned()])
    );
    assert_eq!(
        kept(&line_of(2 * half + 10_000, 0)),
        (
            false,
            0,
            1,
            0,
            vec!["/event".to_owned(), "/logs".to_owned()]
        )
    );
}
