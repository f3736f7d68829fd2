//! Requests to other services: what a guest sends and gets is on the tape, and a replay needs no network.

mod bounds;
mod program;
mod script;

use crate::{
    support::{
        guests::{FETCHER, PROXY},
        in_process::{NOW_MS, engine, get},
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
use observation::Part;
use replay::{Mode, OnMiss, ReplayGuest, ReplayOptions, Replayer, Verdict};
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

/// The same for the component of `wasi:http`.
async fn strict_proxy(line: &[u8]) -> replay::Comparison {
    let guest = engine().load(PROXY).unwrap();
    let runtime = Runtime::new(engine(), &guest, RuntimeOptions::default()).unwrap();
    replay(&replayer(&runtime, Mode::Strict), line).await
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
            "outgoing request 2: it was sent after 1 storage calls, now after 2",
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
        let notes: Vec<_> = comparison.notes.iter().map(|note| note.0.clone()).collect();
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
    let notes: Vec<_> = comparison.notes.iter().map(|note| note.0.clone()).collect();
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

/// Replays a line on the same guest as another one: by its outcome.
async fn state(
    line: &[u8],
    on_miss: OnMiss,
    live: Option<Arc<dyn OutgoingHttp>>,
) -> replay::Comparison {
    let options = ReplayOptions {
        mode: Some(Mode::State),
        on_miss,
        ..ReplayOptions::default()
    };
    let replayer = Replayer {
        guest: ReplayGuest::new(fetcher(Limits::default())),
        metered: None,
        baseline: None,
        live: None,
        live_services: live,
        options,
    };
    replay(&replayer, line).await
}

/// The line with the request that the guest sends changed, as if another guest sent it.
fn sending(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut line: Value = serde_json::from_slice(line).unwrap();
    let body = line["event"]["body"].as_str().unwrap();
    assert!(body.contains(from), "{body}");
    line["event"]["body"] = body.replace(from, to).into();
    serde_json::to_vec(&line).unwrap()
}

#[tokio::test]
async fn another_guest_gets_the_responses_to_the_requests_that_it_repeats() {
    let script = Script::of(vec![Ok(text("one")), Ok(text("two"))]);
    let request =
        "POST http://pay.example/charges\ncontent-type: application/json\n\n{\"amount\":5}";
    let line = line(&unredacted(), &script, "/?times=2", request).await;
    let comparison = state(&line, OnMiss::Fail, None).await;
    assert_eq!(comparison.verdict, Verdict::Same, "{comparison:#?}");

    let comparison = state(&sending(&line, ":5}", ":6}"), OnMiss::Fail, None).await;
    assert_eq!(comparison.verdict, Verdict::Differs);
    let parts: Vec<_> = comparison.differing.iter().map(|part| part.part).collect();
    assert_eq!(parts, [Part::Outgoing], "{comparison:#?}");
    let differences = comparison.differing[0]
        .differences()
        .lines()
        .collect::<Vec<_>>();
    assert_eq!(
        differences,
        [
            "/outgoing/0/body/amount: expected 5, got 6",
            "/outgoing/1/body/amount: expected 5, got 6"
        ]
    );
}

#[tokio::test]
async fn a_request_that_the_tape_does_not_know_follows_the_policy() {
    let script = Script::of(vec![Ok(text("one"))]);
    let line = line(&unredacted(), &script, "/", "GET http://a.example/old").await;
    let other = sending(&line, "/old", "/new");
    let comparison = state(&other, OnMiss::Fail, None).await;
    assert_eq!(comparison.verdict, Verdict::Differs);
    assert_eq!(
        comparison.notes[0].0,
        "the tape has no result for `GET http://a.example/new`; choose one with `--on-miss absent` or `live`"
    );
    let comparison = state(&other, OnMiss::Absent, None).await;
    let shown = format!("{comparison:?}");
    assert!(!shown.contains("the tape has no result"), "{shown}");
    assert!(
        shown.contains("unreachable: the tape has no response"),
        "{shown}"
    );

    let live = Script::of(vec![Ok(text("live"))]);
    let comparison = state(&other, OnMiss::Live, Some(live.clone())).await;
    assert!(
        format!("{comparison:?}").contains("live"),
        "{comparison:#?}"
    );
    assert_eq!(live.sent().len(), 1);
    // What may change something is never sent during a replay.
    let post = sending(
        &line,
        "GET http://a.example/old",
        "POST http://a.example/new",
    );
    let comparison = state(&post, OnMiss::Live, Some(live.clone())).await;
    assert_eq!(live.sent().len(), 1);
    let shown = format!("{comparison:?}");
    assert!(
        shown.contains("no result for `POST http://a.example/new`"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_safe_request_may_be_repeated_more_often_than_recorded() {
    let script = Script::of(vec![Ok(text("one"))]);
    let get = line(
        &unredacted(),
        &script,
        "/?times=1",
        "GET http://a.example/x",
    )
    .await;
    let twice = String::from_utf8(get)
        .unwrap()
        .replace("times=1", "times=2");
    let shown = format!("{:?}", state(twice.as_bytes(), OnMiss::Fail, None).await);
    assert!(!shown.contains("has no result"), "{shown}");
    let script = Script::of(vec![Ok(text("one"))]);
    let post = line(
        &unredacted(),
        &script,
        "/?times=1",
        "POST http://a.example/x",
    )
    .await;
    let twice = String::from_utf8(post)
        .unwrap()
        .replace("times=1", "times=2");
    let shown = format!("{:?}", state(twice.as_bytes(), OnMiss::Fail, None).await);
    assert!(
        shown.contains("no result for `POST http://a.example/x`"),
        "{shown}"
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
            .0
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

/// A component of `wasi:http` on this script.
fn proxy_with(outgoing: Arc<dyn OutgoingHttp>) -> Service {
    let guest = engine().load(PROXY).unwrap();
    let runtime = Runtime::new(engine(), &guest, RuntimeOptions::default()).unwrap();
    let storage = replay::local_view(Arc::new(MemoryStorage::new()), replay::replay_cursor_key());
    Service::of(Deployment::new(runtime, storage).with_outgoing(outgoing))
}

#[tokio::test]
async fn a_component_of_wasi_http_sends_requests_at_the_same_time_and_replays() {
    let crossing = Arc::new(script::Crossing::default());
    let service = proxy_with(crossing.clone());
    let event_json = http_event("GET", "/fetch?3", &[], b"");
    let seed = Seed::new([1; 32]);
    let line = event(&service, &unredacted(), &event_json, NOW_MS, seed)
        .await
        .unwrap();
    assert_eq!(
        answer(&line),
        "3 ready\n200 Some(\"\\\"t\\\"\") body 0\n200 Some(\"\\\"t\\\"\") body 1\nErrorCode::DestinationUnavailable"
    );
    let tape = Exchange::read(&line).unwrap();
    let first: Value = serde_json::from_str(tape.outgoing[0].request.get()).unwrap();
    assert_eq!(
        first,
        json!({
            "method": "POST",
            "url": "http://up.example:8080/0?a=b",
            "headers": {"x-from": ["proxy"]},
            "body": "body 0",
            "timeout_ms": 2000,
        })
    );
    let line_text = String::from_utf8(line.clone()).unwrap();
    assert!(
        line_text.contains("outgoing request: unreachable: refused"),
        "{line_text}"
    );
    let guest = engine().load(PROXY).unwrap();
    let runtime = Runtime::new(engine(), &guest, RuntimeOptions::default()).unwrap();
    for _ in 0..2 {
        let comparison = replay(&replayer(&runtime, Mode::Strict), &line).await;
        assert_eq!(comparison.verdict, Verdict::Same, "{comparison:#?}");
    }
}

#[tokio::test]
async fn a_response_comes_before_any_time_passes() {
    let service = proxy_with(Script::of(vec![Ok(text("late"))]));
    let answer = get(&service, "/fetch-within").await;
    let body = in_process_response(&answer);
    assert_eq!(body, "ready: [1], jumped: false");
    assert_eq!(
        in_process_response(&get(&service, "/fetch-nowhere").await),
        "Some(ErrorCode::HttpRequestUriInvalid)"
    );
}

#[tokio::test]
async fn waiting_for_a_request_that_is_not_whole_stops_the_guest() {
    let service = proxy_with(Script::of(Vec::new()));
    let answer = get(&service, "/fetch-unfinished").await;
    let expected = Fault::Guest(Failure::Stopped(Stop::UnfinishedRequest));
    assert_eq!(answer.summary.fault, Some(expected));
}

#[tokio::test]
async fn a_component_of_wasi_http_without_grants_runs_and_is_denied() {
    let service = proxy_with(Arc::new(NoOutgoing));
    let answer = get(&service, "/fetch?1").await;
    assert_eq!(
        in_process_response(&answer),
        "1 ready\nErrorCode::HttpRequestDenied"
    );
}

fn in_process_response(answer: &contract::outcome::Answer) -> String {
    let response = crate::support::in_process::response(answer);
    response["body"].as_str().unwrap().to_owned()
}
