//! Components of `wasi:http`, whose requests take the same way.

use super::{
    answer,
    script::{Crossing, Flock, Script, text},
    unredacted,
};
use crate::{
    support::{
        guests::PROXY,
        in_process::{self, NOW_MS, engine, get},
        recording::{event, http_event},
    },
    tape::strict::{replay, replayer},
};
use ::outgoing::{NoOutgoing, OutgoingHttp};
use contract::{
    limits::Limits,
    outcome::{Answer, Failure, Fault, Stop},
    seed::Seed,
};
use replay::{Comparison, Mode, Verdict};
use runtime::{Runtime, RuntimeOptions};
use serde_json::{Value, json};
use service::{Deployment, Service};
use std::sync::Arc;
use storage::MemoryStorage;
use tape::Exchange;

fn proxy() -> Runtime {
    let guest = engine().load(PROXY).unwrap();
    Runtime::new(engine(), &guest, RuntimeOptions::default()).unwrap()
}

pub async fn strict_proxy(line: &[u8]) -> Comparison {
    replay(&replayer(&proxy(), Mode::Strict), line).await
}

/// A component of `wasi:http` on this script.
pub fn proxy_with(outgoing: Arc<dyn OutgoingHttp>) -> Service {
    service_of(proxy(), outgoing)
}

fn service_of(runtime: Runtime, outgoing: Arc<dyn OutgoingHttp>) -> Service {
    let storage = replay::local_view(Arc::new(MemoryStorage::new()), replay::replay_cursor_key());
    Service::of(Deployment::new(runtime, storage).with_outgoing(outgoing))
}

#[tokio::test]
async fn a_component_of_wasi_http_sends_requests_at_the_same_time_and_replays() {
    let crossing = Arc::new(Crossing::default());
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
    for _ in 0..2 {
        let comparison = strict_proxy(&line).await;
        assert_eq!(comparison.verdict, Verdict::Same, "{comparison:#?}");
    }
}

#[tokio::test]
async fn a_response_comes_before_any_time_passes() {
    let service = proxy_with(Script::of(vec![Ok(text("late"))]));
    let answer = get(&service, "/fetch-within").await;
    assert_eq!(body(&answer), "ready: [1], jumped: false");
    assert_eq!(
        body(&get(&service, "/fetch-nowhere").await),
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
    assert_eq!(body(&answer), "1 ready\nErrorCode::HttpRequestDenied");
}

fn body(answer: &Answer) -> String {
    let response = in_process::response(answer);
    response["body"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_body_of_a_request_is_not_counted_as_that_of_a_response() {
    let limits = Limits {
        response_body_bytes_max: 60,
        ..Limits::default()
    };
    let options = RuntimeOptions {
        limits,
        ..RuntimeOptions::default()
    };
    let service = service_of(proxy().with_options(options), Arc::new(Flock::default()));
    // Twenty bodies of six bytes; the response says so with 8 bytes and less.
    let answer = get(&service, "/fetch-quietly?20").await;
    assert_eq!(answer.summary.fault, None);
    assert_eq!(body(&answer), "20 ready");
}
