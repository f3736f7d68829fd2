//! Events that are not requests, or invalid ones.

use super::{
    bootstrap::{Bootstrap, Environment, image, program},
    emulator::Emulator,
    runtime_api::{Invocation, Outcome},
    table::Table,
};
use crate::support::guests::{HOSTILE, REFERENCE};
use contract::http::Scheme;
use gateway::{
    EventKind, Origin,
    compose::{Incoming, compose},
};
use serde_json::{Value, json};
use std::{
    thread,
    time::{Duration, Instant},
};

/// An event as a gateway of that kind makes it.
pub fn event(
    kind: EventKind,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut all = vec![
        ("host", "api.example.com"),
        ("content-type", "application/json"),
    ];
    all.extend(headers);
    let incoming = Incoming {
        method,
        target,
        headers: &all,
        body,
        client_address: "192.0.2.1",
        scheme: Scheme::Https,
        request_id: "gateway-request",
        received_at_ms: 1_700_000_000_000,
    };
    compose(Origin::new(kind), &incoming).to_json()
}

pub fn get(target: &str) -> Vec<u8> {
    event(EventKind::HttpApi, "GET", target, &[], b"")
}

pub fn post(target: &str, body: &Value) -> Vec<u8> {
    event(
        EventKind::HttpApi,
        "POST",
        target,
        &[],
        body.to_string().as_bytes(),
    )
}

/// The problem document in an answer.
pub fn problem(response: &Value) -> Value {
    let content_type = &response["headers"]["content-type"];
    assert_eq!(content_type, "application/problem+json", "{response}");
    serde_json::from_str(response["body"].as_str().unwrap()).unwrap()
}

#[test]
fn what_is_no_http_request_is_an_invocation_error_with_a_name_and_a_reason() {
    let table = Table::start();
    let host = Bootstrap::start(Environment::new(
        &image("events", REFERENCE),
        &table.endpoint(),
    ));
    let expected = [
        (json!({}), "event is empty (a warm-up call)"),
        (json!([1]), "event is not a JSON object"),
        (
            json!({"type": "TOKEN", "methodArn": "a"}),
            "event is a TOKEN authorizer call",
        ),
        (
            json!({"Records": [{"eventSource": "aws:sqs"}]}),
            "event is a batch of SQS messages",
        ),
        (
            json!({"source": "aws.events", "detail-type": "x"}),
            "event is an EventBridge event",
        ),
        (
            json!({"requestContext": {"connectionId": "a"}}),
            "event is a WebSocket message",
        ),
    ];
    for (event, reason) in expected {
        let outcome = host.api.invoke(Invocation::new(event.to_string()));
        let (kind, message) = outcome.error();
        assert_eq!(kind, "Tenon.NotHttp");
        assert!(
            message.starts_with(&format!("{reason}, not an HTTP request; ")),
            "{message}"
        );
    }
    for event in ["", "{\"a\": secret}", "\"", "{\"a\":1"] {
        let outcome = host.api.invoke(Invocation::new(event));
        let (kind, message) = outcome.error();
        assert_eq!(kind, "Tenon.NotJson", "{event}");
        assert!(
            message.starts_with("event is not JSON: ") && !message.contains("secret"),
            "{message}"
        );
    }
    let message = "invocation refused";
    let refused = host
        .lines
        .wait_for(10, message, |line| line["message"] == message);
    assert_eq!(refused.len(), 10);
    assert!(
        refused
            .iter()
            .all(|line| line["level"] == "ERROR" && line["requestId"].is_string())
    );
    let response = host.api.invoke(Invocation::new(get("/health"))).response();
    assert_eq!(response["statusCode"], 200, "the process goes on");
}

#[test]
fn the_emulator_passes_an_invocation_error_on() {
    let table = Table::start();
    let environment = Environment::new(&image("events-emulator", REFERENCE), &table.endpoint());
    let emulator = Emulator::start(&program(), environment);
    let error: Value = serde_json::from_slice(&emulator.invoke(b"{}")).unwrap();
    assert_eq!(error["errorType"], "Tenon.NotHttp");
    let response: Value = serde_json::from_slice(&emulator.invoke(&get("/health"))).unwrap();
    assert_eq!(response["statusCode"], 200);
}

#[test]
fn a_malformed_http_event_is_a_400_that_names_the_field() {
    let table = Table::start();
    let host = Bootstrap::start(Environment::new(
        &image("events-400", REFERENCE),
        &table.endpoint(),
    ));
    let mut event: Value = serde_json::from_slice(&get("/items")).unwrap();
    event["headers"] = json!(7);
    let response = host
        .api
        .invoke(Invocation::new(event.to_string()))
        .response();
    assert_eq!(response["statusCode"], 400);
    let problem = problem(&response);
    assert_eq!(
        problem["detail"],
        "event field `headers` must be an object, not a number"
    );
    assert_eq!(problem["request_id"], "gateway-request");
}

#[test]
fn a_request_over_the_configured_limit_is_a_413_and_one_below_it_is_not() {
    let table = Table::start();
    let environment = Environment::new(&image("events-413", REFERENCE), &table.endpoint())
        .with("TENON_REQUEST_BODY_BYTES_MAX", "100");
    let host = Bootstrap::start(environment);
    let send = |name: String| {
        let event = post("/items", &json!({"name": name}));
        host.api.invoke(Invocation::new(event)).response()
    };
    assert_eq!(send("x".repeat(100))["statusCode"], 413);
    assert_eq!(send("x".repeat(50))["statusCode"], 201);
    let lines = host.lines.with_message("request");
    assert_eq!(lines[0]["status"], 413);
    assert_eq!(lines[0]["method"], "POST");
    assert_eq!(lines[0]["route"], "/items");
    assert_eq!(lines[0]["ClientErrors"], 1);
}

/// Lambda accepts 6 MB: beyond, a gateway would send its own error.
#[test]
fn events_and_answers_of_six_megabytes_are_carried_and_larger_answers_are_refused_in_time() {
    let table = Table::start();
    let host = Bootstrap::start(Environment::new(
        &image("events-6mb", HOSTILE),
        &table.endpoint(),
    ));
    let large = event(EventKind::HttpApi, "POST", "/", &[], &vec![b'x'; 5_900_000]);
    let response = host.api.invoke(Invocation::new(large)).response();
    assert_eq!(response["body"], "well behaved");
    let response = host
        .api
        .invoke(Invocation::new(get("/response-bytes")))
        .response();
    assert_eq!(response["statusCode"], 500);
    assert_eq!(
        problem(&response)["detail"],
        "the service gave an answer that cannot be sent"
    );
}

#[test]
fn invocations_run_at_a_time_where_lambda_allows_it() {
    const DURATION: Duration = Duration::from_secs(3);
    let table = Table::start();
    let environment = Environment::new(&image("events-concurrent", HOSTILE), &table.endpoint())
        .with("AWS_LAMBDA_MAX_CONCURRENCY", "4")
        .with("TENON_REQUEST_DURATION_MS_MAX", "3000");
    let host = Bootstrap::start(environment);
    host.lines.with_message("ready");
    let start = Instant::now();
    let ids: Vec<_> = (0..3)
        .map(|_| host.api.begin(Invocation::new(get("/loop"))))
        .collect();
    let quick = host.api.invoke(Invocation::new(get("/"))).response();
    assert_eq!(quick["statusCode"], 200);
    assert!(start.elapsed() < DURATION, "it waited for the others");
    for id in ids {
        assert_eq!(host.api.end(&id).response()["statusCode"], 504);
    }
    assert!(
        start.elapsed() < DURATION * 2,
        "they ran one after the other"
    );
}

#[test]
fn sigterm_lets_the_request_in_flight_be_answered() {
    let table = Table::start();
    let mut host = Bootstrap::start(Environment::new(
        &image("events-term", HOSTILE),
        &table.endpoint(),
    ));
    host.lines.with_message("ready");
    let invocation = Invocation::within(get("/loop"), Duration::from_millis(300));
    let id = host.api.begin(invocation);
    host.api.wait_until_taken(&id);
    thread::sleep(Duration::from_millis(50));
    host.terminate();
    assert_eq!(host.wait(), Some(0));
    assert!(matches!(host.api.end(&id), Outcome::Response(_)));
    host.lines.with_message("stopped");
    assert_eq!(host.last_summary()["status"], 504);
}
