//! Requests to other services: what a guest sends and gets is on the tape, and a replay needs no network.

mod bounds;
mod program;
pub mod script;
mod state;
mod wasi_http;

use crate::{
    support::{
        guests::FETCHER,
        in_process::{NOW_MS, engine},
        recording::{event, http_event, recorder},
    },
    tape::strict::{replay, replayer},
};
use ::outgoing::{NoOutgoing, OutgoingError, OutgoingHttp};
use contract::{
    limits::Limits,
    outcome::{Failure, Fault, Stop},
    seed::Seed,
};
use replay::{Mode, Verdict};
use runtime::{Runtime, RuntimeOptions, engine::LoadError};
use script::{Script, response, text};
use serde_json::{Value, json};
use service::{Deployment, Invocation, Recorder, Service};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use storage::MemoryStorage;
use tape::{Exchange, RecordOptions, Redaction, TapePolicy};

fn fetcher(limits: Limits) -> Runtime {
    let guest = engine().load(FETCHER).unwrap();
    let options = RuntimeOptions {
        limits,
        ..RuntimeOptions::without_check_of_grants()
    };
    Runtime::new(engine(), &guest, options).unwrap()
}

fn service_with(outgoing: Arc<dyn OutgoingHttp>, limits: Limits) -> Service {
    let storage = replay::local_view(Arc::new(MemoryStorage::new()), replay::replay_cursor_key());
    Service::of(Deployment::new(fetcher(limits), storage).with_outgoing(outgoing))
}

/// The line of a request for `target` that sends `request` to `script`.
async fn line(recorder: &Recorder, script: &Arc<Script>, target: &str, request: &str) -> Vec<u8> {
    let service = service_with(script.clone(), Limits::default());
    let event_json = http_event(
        "POST",
        target,
        &[("content-type", "text/plain")],
        request.as_bytes(),
    );
    let seed = Seed::new([3; 32]);
    event(&service, recorder, &event_json, NOW_MS, seed)
        .await
        .unwrap()
}

fn unredacted() -> Recorder {
    Recorder::new(RecordOptions {
        redaction: Redaction::nothing(),
        ..RecordOptions::new(TapePolicy::ALL)
    })
}

/// What the guest answered, according to a line.
fn answer(line: &[u8]) -> String {
    let line: Value = serde_json::from_slice(line).unwrap();
    line["response"]["body"].as_str().unwrap().to_owned()
}

/// An event whose body is what the guest sends.
fn fetcher_event(target: &str, request: &str) -> Vec<u8> {
    let headers = [("content-type", "text/plain")];
    http_event("POST", target, &headers, request.as_bytes())
}

async fn strict(line: &[u8]) -> replay::Comparison {
    replay(&replayer(&fetcher(Limits::default()), Mode::Strict), line).await
}

#[test]
fn a_guest_without_a_grant_is_refused_by_the_name_of_its_import() {
    let guest = engine().load(FETCHER).unwrap();
    let refused = Runtime::new(engine(), &guest, RuntimeOptions::default()).err();
    let Some(error @ LoadError::NoOutgoing(_)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        error.to_string(),
        "the guest imports `tenon:handler/outgoing@0.1.0`, and no grant lets it call another service"
    );
    assert!(error.hint().contains("`outgoing` in tenon.toml"));
}

#[tokio::test]
async fn an_exchange_is_recorded_whole_and_replayed_without_a_network() {
    let binary: Vec<u8> = (0..=255).collect();
    let script = Script::of(vec![
        Ok(response(
            201,
            &[
                ("Server", "x"),
                ("etag", "\"1\""),
                ("Age", "3"),
                ("age", "1"),
            ],
            b"{\"id\":7}",
        )),
        Ok(response(200, &[], &binary)),
        Err(OutgoingError::Unreachable("connection refused".to_owned())),
        Ok(response(204, &[], b"")),
    ]);
    let request = "POST http://pay.example/charges?x=1\nContent-Type: application/json\nA: 2\na: 1\n\n{\"amount\":5}";
    let line = line(&unredacted(), &script, "/?times=4&put&timeout=900", request).await;
    let tape: Value = serde_json::from_slice(&line).unwrap();
    let first = &tape["outgoing"][0];
    assert_eq!(first["after"], 1);
    assert_eq!(
        first["request"],
        json!({
            "method": "POST",
            "url": "http://pay.example/charges?x=1",
            "headers": {"a": ["2", "1"], "content-type": ["application/json"]},
            "body": "{\"amount\":5}",
            "timeout_ms": 900,
        })
    );
    assert_eq!(
        first["result"]["ok"],
        json!({
            "status": 201,
            "headers": {"age": ["3", "1"], "etag": ["\"1\""], "server": ["x"]},
            "body": "{\"id\":7}",
        })
    );
    assert!(first["us"].is_u64() && first["at_us"].is_u64());
    assert!(tape["outgoing"][1]["result"]["ok"]["body_base64"].is_string());
    assert_eq!(
        tape["outgoing"][2]["result"],
        json!({"error": "unreachable", "detail": "connection refused"})
    );
    assert_eq!(tape["outgoing"][3]["after"], 4);
    assert_eq!(tape["usage"]["outgoing_calls"], 4);
    let sent = script.sent();
    assert_eq!(sent.len(), 4);
    assert_eq!(sent[0].timeout, Some(Duration::from_millis(900)));
    for _ in 0..2 {
        let comparison = strict(&line).await;
        assert_eq!(comparison.verdict, Verdict::Same, "{comparison:#?}");
    }
    assert_eq!(script.sent().len(), 4, "a replay sends nothing");
}

#[tokio::test]
async fn what_was_changed_on_the_tape_is_named() {
    let script = Script::of(vec![Ok(text("one")), Ok(text("two"))]);
    let line = line(
        &unredacted(),
        &script,
        "/?times=2&put",
        "GET http://a.example/x",
    )
    .await;
    let line = String::from_utf8(line).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(line.contains(from), "{from}: {line}");
        line.replacen(from, to, 1).into_bytes()
    };
    for (line, note) in [
        (
            changed(
                "\"url\":\"http://a.example/x\"",
                "\"url\":\"http://a.example/y\"",
            ),
            "outgoing request 1: other arguments: /url: expected \"http://a.example/y\", got \"http://a.example/x\"",
        ),
        (
            changed("\"body\":\"two\"", "\"body\":\"2\""),
            "the response differs",
        ),
        (
            changed("\"after\":2", "\"after\":1"),
            "outgoing request 2: it was sent after 1 storage call, now after 2",
        ),
        (
            changed("\"outgoing\":[{", "\"outgoing\":[],\"x\":[{"),
            "outgoing request 1: the guest sent",
        ),
    ] {
        let comparison = strict(&line).await;
        assert_eq!(
            comparison.verdict,
            Verdict::Differs,
            "{note}: {comparison:#?}"
        );
        let notes: Vec<_> = comparison
            .notes
            .iter()
            .map(|note| note.text.clone())
            .collect();
        assert!(
            notes.iter().any(|found| found.starts_with(note)),
            "{note}: {notes:#?}"
        );
    }
}

#[tokio::test]
async fn a_request_that_the_guest_no_longer_sends_is_named() {
    let script = Script::of(vec![Ok(text("one")), Ok(text("two"))]);
    let line = line(
        &unredacted(),
        &script,
        "/?times=2",
        "GET http://a.example/x",
    )
    .await;
    let line = String::from_utf8(line).unwrap();
    let line = line.replace("times=2", "times=1");
    let comparison = strict(line.as_bytes()).await;
    let notes: Vec<_> = comparison
        .notes
        .iter()
        .map(|note| note.text.clone())
        .collect();
    assert!(
        notes[0].starts_with("outgoing request 2: the tape has `GET http://a.example/x`"),
        "{notes:#?}"
    );
}

#[tokio::test]
async fn credentials_in_both_directions_are_redacted_and_their_copies_with_them() {
    const KEY: &str = "sk-planted-0123456789";
    const TOKEN: &str = "tok-planted-9876543210";
    const COOKIE: &str = "cookie-planted-555555";
    let script = Script::of(vec![Ok(response(
        200,
        &[
            ("set-cookie", &format!("session={COOKIE}; HttpOnly")),
            ("content-type", "application/json"),
        ],
        format!("{{\"access_token\":\"{TOKEN}\",\"name\":\"lamp\"}}").as_bytes(),
    ))]);
    let request = format!(
        "POST http://pay.example/charges?api_key={KEY}\nauthorization: Bearer {KEY}\ncontent-type: application/json\n\n{{\"password\":\"{KEY}\",\"kept\":1}}"
    );
    // The guest copies what it got to its response and its log.
    let line = line(&recorder(), &script, "/?log", &request).await;
    let text = String::from_utf8(line.clone()).unwrap();
    for planted in [KEY, TOKEN, COOKIE] {
        assert!(!text.contains(planted), "{planted}: {text}");
    }
    let tape: Value = serde_json::from_slice(&line).unwrap();
    let exchange = &tape["outgoing"][0];
    assert_eq!(
        exchange["request"]["url"],
        "http://pay.example/charges?api_key=REDACTED"
    );
    assert_eq!(
        exchange["request"]["headers"]["authorization"],
        json!(["REDACTED"])
    );
    assert_eq!(
        exchange["request"]["body"],
        "{\"password\":\"REDACTED\",\"kept\":1}"
    );
    assert_eq!(
        exchange["result"]["ok"]["body"],
        "{\"access_token\":\"REDACTED\",\"name\":\"lamp\"}"
    );
    assert_eq!(script.sent()[0].headers[0].1, format!("Bearer {KEY}"));
    // The guest sends what its own request says, which is redacted.
    let comparison = strict(&line).await;
    assert_eq!(comparison.verdict, Verdict::Redacted, "{comparison:#?}");
}

#[tokio::test]
async fn a_request_in_a_format_without_names_is_left_out_as_that_of_a_client_would_be() {
    const KEY: &str = "planted-0123456789";
    let script = Script::of(vec![Ok(text("ok"))]);
    let request = format!(
        "POST http://soap.example/\ncontent-type: text/xml\n\n<a><apiKey>{KEY}</apiKey></a>"
    );
    let line = line(&recorder(), &script, "/", &request).await;
    let tape: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(tape["outgoing"][0]["request"]["body"], Value::Null);
    assert!(!String::from_utf8(line).unwrap().contains(KEY));
}

#[tokio::test]
async fn requests_beyond_the_limits_stop_the_guest() {
    let limits = Limits {
        outgoing_calls_max: 2,
        ..Limits::default()
    };
    for (limits, times, body, stop) in [
        (limits, 2, 10, None),
        (limits, 3, 10, Some(Stop::OutgoingCalls)),
        (Limits::default(), 8, 5 << 20, Some(Stop::OutgoingBytes)),
    ] {
        let script = Script::of((0..times).map(|_| Ok(text(&"x".repeat(body)))).collect());
        let service = service_with(script, limits);
        let target = format!("/?times={times}");
        let event = http_event("POST", &target, &[], b"GET http://a.example/");
        let invocation = Invocation {
            received_at_ms: NOW_MS,
            seed: Seed::new([1; 32]),
            deadline: Instant::now() + Duration::from_secs(60),
            trace_header: None,
        };
        let answer = service.invoke(&event, invocation).await.unwrap();
        let expected = stop.map(|stop| Fault::Guest(Failure::Stopped(stop)));
        assert_eq!(answer.summary.fault, expected);
    }
}

#[tokio::test]
async fn without_a_client_every_request_is_refused_at_the_call() {
    let service = service_with(Arc::new(NoOutgoing), Limits::default());
    let event_json = http_event("POST", "/", &[], b"GET http://a.example/");
    let line = event(
        &service,
        &recorder(),
        &event_json,
        NOW_MS,
        Seed::new([1; 32]),
    )
    .await;
    assert_eq!(
        answer(&line.unwrap()),
        "not-granted: this guest may call no other service\n"
    );
}

#[tokio::test]
async fn a_response_that_is_too_long_for_the_tape_says_so_when_it_is_replayed() {
    let script = Script::of(vec![Ok(text(&"x".repeat(2000)))]);
    let recorder = Recorder::new(RecordOptions {
        text_bytes_max: 1000,
        redaction: Redaction::nothing(),
        ..RecordOptions::new(TapePolicy::ALL)
    });
    let line = line(&recorder, &script, "/", "GET http://a.example/x").await;
    let tape = Exchange::read(&line).unwrap();
    assert_eq!(tape.omitted[0].at, "/outgoing/0/result/ok/body");
    assert_eq!(tape.omitted[0].bytes, 2002);
    let comparison = strict(&line).await;
    assert_eq!(comparison.verdict, Verdict::Unplayable);
    assert!(
        comparison.notes[0]
            .text
            .starts_with("outgoing request 1: the body of the response is not on the tape"),
        "{comparison:#?}"
    );
}

#[tokio::test]
async fn a_request_that_ran_out_of_time_replays_up_to_the_exchange_that_it_waited_for() {
    let service = service_with(
        Arc::new(script::Never),
        Limits {
            request_duration_max: Duration::from_millis(200),
            ..Limits::default()
        },
    );
    let event_json = http_event("POST", "/", &[], b"GET http://a.example/");
    let invocation = Invocation {
        received_at_ms: NOW_MS,
        seed: Seed::new([1; 32]),
        deadline: Instant::now() + Duration::from_millis(200),
        trace_header: None,
    };
    let (answer, line) = unredacted().invoke(&service, &event_json, invocation).await;
    let fault = answer.unwrap().summary.fault;
    assert_eq!(fault, Some(Fault::Guest(Failure::Deadline)));
    let line = line.unwrap();
    let tape = Exchange::read(&line).unwrap();
    assert!(tape.outgoing[0].result.is_none());
    let comparison = strict(&line).await;
    assert_eq!(comparison.verdict, Verdict::Same, "{comparison:#?}");
}
