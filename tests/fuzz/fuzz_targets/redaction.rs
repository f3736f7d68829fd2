//! Any texts in a request, in documents, log lines and responses, and a credential in a place that is redacted: a line of tape that its
//! reader accepts and that does not contain the credential, never a panic.
#![no_main]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::{
    http::{Response, Scheme},
    limits::{Limits, TAPE_LINE_WRITTEN_BYTES_MAX},
    log::{LogLevel, LogRecord},
    outcome::{Answer, Fault, Summary},
    seed::Seed,
};
use gateway::{
    Event, EventError, EventKind, Origin, ParseContext,
    compose::{Incoming, compose},
    parse, respond,
};
use serde_json::Value;
use std::{
    future::Future,
    pin::pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Waker},
};
use storage::{
    Call, Consistency, Document, Key, MemoryStorage, Precondition, PutOptions, StorageExt as _,
};
use tape::{
    Exchange, RecordOptions, RecordedAnswer, RecordedHost, RecordedRequest, RecordingStorage,
    Redaction, TapePolicy, TapeWriter, id_of,
};

/// The dictionary contains it, so that inputs may copy it anywhere.
const CREDENTIAL: &str = "zq5f1e0c3a9b7d42";
const NOW_MS: u64 = 1_700_000_000_123;

/// Form feed separates the texts.
const SEPARATOR: char = '\x0c';

static WRITERS: LazyLock<[TapeWriter; 2]> = LazyLock::new(|| {
    let mut options = RecordOptions::new(TapePolicy::ALL);
    options.redaction = Redaction::credentials()
        .with_headers(["x-tenant"])
        .with_fields(["/email", "/list/*/pin"])
        .expect("valid pointers");
    let mut short = options.clone();
    short.text_bytes_max = 64;
    [TapeWriter::new(options), TapeWriter::new(short)]
});

/// The place of the credential that must not be on the tape.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Authorization,
    Password,
    Cookie,
    Tenant,
    Query,
    Body,
    Form,
    Document,
    LogMessage,
    LogAttribute,
    SetCookie,
    Answer,
}

const PLACES: [Place; 12] = [
    Place::Authorization,
    Place::Password,
    Place::Cookie,
    Place::Tenant,
    Place::Query,
    Place::Body,
    Place::Form,
    Place::Document,
    Place::LogMessage,
    Place::LogAttribute,
    Place::SetCookie,
    Place::Answer,
];

/// The parsed input.
struct Input<'a> {
    place: Place,
    kind: EventKind,
    writer: &'static TapeWriter,
    path: &'a str,
    query: &'a str,
    /// `NAME:VALUE` lines, also for the response.
    headers: &'a str,
    body: &'a str,
    document: &'a str,
    sort: &'a str,
    message: &'a str,
    attribute: &'a str,
    answer_headers: &'a str,
    answer: &'a str,
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(([first, second], rest)) = bytes.split_first_chunk() else {
        return;
    };
    let texts = String::from_utf8_lossy(rest);
    let mut texts = texts.split(SEPARATOR);
    let mut text = || texts.next().unwrap_or_default();
    check(&Input {
        place: PLACES[usize::from(*first) % PLACES.len()],
        kind: EventKind::ALL[usize::from(*second) % EventKind::ALL.len()],
        writer: &WRITERS[usize::from(second / 128)],
        path: text(),
        query: text(),
        headers: text(),
        body: text(),
        document: text(),
        sort: text(),
        message: text(),
        attribute: text(),
        answer_headers: text(),
        answer: text(),
    });
});

fn check(input: &Input<'_>) {
    let event = input.event();
    let seed = Seed::new([1; 32]);
    let calls = input.writer.storage(Arc::new(MemoryStorage::new()));
    let Some(answer) = input.answer(&event, &seed, &calls) else {
        return;
    };
    let request = RecordedRequest {
        event: &event,
        received_at_ms: NOW_MS,
        seed,
    };
    let host = RecordedHost {
        base_path: None,
        limits: Limits::default(),
        log_level: LogLevel::Info,
        environment: &[],
    };
    // A refused request reaches neither the store nor the log.
    let is_planted = match (input.place, &answer.summary.fault) {
        (Place::Document | Place::LogMessage | Place::LogAttribute, Some(Fault::Refused(_))) => {
            false
        }
        (Place::SetCookie | Place::Answer, fault) => fault.is_none(),
        _ => true,
    };
    let answer = RecordedAnswer {
        payload: &answer.payload,
        summary: &answer.summary,
    };
    let line = input.writer.line(&host, &request, Some(&calls), &answer);
    let line = line.expect("a line of an HTTP request");
    assert!(line.len() <= TAPE_LINE_WRITTEN_BYTES_MAX && !line.contains(&b'\n'));
    let exchange = Exchange::read(&line).expect("a line that is read back");
    assert_eq!(id_of(&line).as_deref(), Some(&*exchange.id));
    let line = json::value(&line).expect("JSON");
    assert!(!is_planted || !is_told(&line), "{line}");
}

/// Whether a text, a name or a body in base64 contains the credential.
fn is_told(value: &Value) -> bool {
    let is_in = |text: &str| text.contains(CREDENTIAL);
    match value {
        Value::String(text) => {
            let decoded = STANDARD.decode(text).unwrap_or_default();
            is_in(text) || is_in(&String::from_utf8_lossy(&decoded))
        }
        Value::Array(elements) => elements.iter().any(is_told),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| is_in(name) || is_told(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

impl Input<'_> {
    /// Texts, with the credential appended where it belongs.
    fn with(&self, place: Place, text: &str, credential: String) -> String {
        match self.place == place {
            true => credential,
            false => text.to_owned(),
        }
    }

    fn event(&self) -> Vec<u8> {
        let credential = CREDENTIAL;
        let query = match self.place {
            Place::Query => format!("access_token={credential}&{}", self.query),
            _ => self.query.to_owned(),
        };
        let basic = format!("Basic {}", STANDARD.encode(format!("user:{credential}")));
        let bearer = format!("Bearer {credential}");
        let cookie = format!("theme=dark; sid={credential}");
        let mut headers = fields(self.headers);
        match self.place {
            Place::Authorization => headers.push(("Authorization", &bearer)),
            Place::Password => headers.push(("authorization", &basic)),
            Place::Cookie => headers.push(("cookie", &cookie)),
            Place::Tenant => headers.push(("X-Tenant", credential)),
            Place::Form => {
                headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
                headers.push(("content-type", "application/x-www-form-urlencoded"));
            }
            _ => {}
        }
        let json = format!(r#"{{"a":1,"email":"{credential}"}}"#);
        let body = self.with(Place::Body, self.body, json);
        let form = format!("a=1&client_secret={credential}&b=2");
        let body = self.with(Place::Form, &body, form);
        let target = format!("/{}?{query}", self.path);
        let incoming = Incoming {
            method: "POST",
            target: &target,
            headers: &headers,
            body: body.as_bytes(),
            client_address: "192.0.2.1",
            scheme: Scheme::Https,
            request_id: "request-1",
            received_at_ms: NOW_MS,
        };
        compose(Origin::new(self.kind), &incoming).to_json()
    }

    /// The result of a service for it. `None` if it is not a request.
    fn answer(&self, event: &[u8], seed: &Seed, calls: &RecordingStorage) -> Option<Answer> {
        let context = ParseContext {
            received_at_ms: NOW_MS,
            seed,
            base_path: None,
        };
        let Event {
            request,
            origin,
            route,
            ..
        } = match parse(event, &context, &Limits::default()) {
            Ok(event) => event,
            Err(EventError::Http(refusal)) => {
                let payload = respond(&refusal.origin, refusal.response()).expect("a problem");
                let summary = Summary {
                    status: refusal.status,
                    fault: Some(Fault::Refused(refusal.detail)),
                    ..Summary::new(refusal.request_id, refusal.method, refusal.route)
                };
                return Some(Answer { payload, summary });
            }
            Err(EventError::NotJson { .. } | EventError::NotHttp(_)) => return None,
        };
        self.store(seed, calls);
        let mut summary = Summary::of_request(&request, route);
        summary.status = 200;
        summary.logs = vec![self.log_line()];
        let payload = match respond(&origin, self.response()) {
            Ok(payload) => payload,
            Err(invalid) => {
                summary.fault = Some(Fault::Response(invalid.to_string()));
                b"{}".to_vec()
            }
        };
        Some(Answer { payload, summary })
    }

    fn store(&self, seed: &Seed, calls: &RecordingStorage) {
        let stored = format!(r#"{{"name":"lamp","list":[{{"pin":"{CREDENTIAL}"}}]}}"#);
        let Ok(document) = Document::parse(&self.with(Place::Document, self.document, stored))
        else {
            return;
        };
        let call = Call::new(NOW_MS, seed, None);
        let key = Key {
            partition: "p".to_owned(),
            sort: self.sort.to_owned(),
        };
        let options = PutOptions {
            precondition: Precondition::None,
            index: None,
            expires_at: None,
        };
        done(calls.put(&call, &key, &document, &options)).expect("memory takes it");
        done(calls.get(&call, &key, Consistency::Strong)).expect("memory has it");
    }

    fn log_line(&self) -> LogRecord {
        let message = format!("signing in with password={CREDENTIAL} failed");
        let message = self.with(Place::LogMessage, self.message, message);
        // The host keeps attributes that are JSON.
        let is_json = json::check(self.attribute.as_bytes()).is_ok();
        let attribute = if is_json { self.attribute } else { "null" };
        let mut attributes = vec![("found".to_owned(), attribute.to_owned())];
        if self.place == Place::LogAttribute {
            attributes.push(("sessionToken".to_owned(), format!("\"{CREDENTIAL}\"")));
        }
        LogRecord {
            level: LogLevel::Info,
            message,
            attributes,
            storage_calls: 2,
        }
    }

    fn response(&self) -> Response {
        let mut headers: Vec<(String, String)> = fields(self.answer_headers)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if self.place == Place::SetCookie {
            let cookie = format!("sid={CREDENTIAL}; Path=/");
            headers.push(("set-cookie".to_owned(), cookie));
        }
        let json = format!(r#"{{"items":[{{"api_key":"{CREDENTIAL}"}}]}}"#);
        Response {
            status: 200,
            headers,
            body: self.with(Place::Answer, self.answer, json).into_bytes(),
        }
    }
}

/// Lines `NAME:VALUE`.
fn fields(text: &str) -> Vec<(&str, &str)> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .collect()
}

/// The output of a future that never waits.
fn done<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("memory answers at once"),
    }
}
