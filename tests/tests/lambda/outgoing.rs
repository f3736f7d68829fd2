//! Guests on Lambda that call other services, and components of `wasi:http`, whose recorded requests replay on a laptop.

use super::{
    bootstrap::{Bootstrap, Environment, image},
    events::event,
    runtime_api::Invocation,
    table::Table,
};
use crate::support::{
    fresh_folder,
    guests::{FETCHER, PROXY},
    host_cli,
    upstream::upstream,
};
use gateway::EventKind;
use serde_json::{Value, json};
use std::fs;

fn invoke(host: &Bootstrap, kind: EventKind, method: &str, target: &str, body: &str) -> Value {
    let event = event(
        kind,
        method,
        target,
        &[("content-type", "text/plain")],
        body.as_bytes(),
    );
    host.api.invoke(Invocation::new(event)).response()
}

/// Replays what a host has recorded in its log, strictly, where nothing is granted.
fn replay(host: &Bootstrap, folder: &str, guest: &[u8]) -> (bool, String) {
    host.last_summary();
    let folder = fresh_folder(folder);
    fs::write(folder.join("guest.wasm"), guest).unwrap();
    fs::write(folder.join("log.jsonl"), host.lines.all().join("\n")).unwrap();
    let output = host_cli::command()
        .current_dir(&folder)
        .args(["replay", "--guest", "guest.wasm", "log.jsonl"])
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn a_guest_calls_what_is_granted_and_its_tape_replays_without_the_service() {
    let table = Table::start();
    let (granted, other) = (upstream(2), upstream(1));
    let grants = json!([{"origin": granted, "private_addresses": true}]);
    let environment = Environment::new(&image("outgoing", FETCHER), &table.endpoint())
        .with("TENON_OUTGOING", &grants.to_string())
        .with("TENON_TAPE", "all");
    let host = Bootstrap::start(environment);
    for kind in [EventKind::Rest, EventKind::HttpApi] {
        let response = invoke(&host, kind, "POST", "/", &format!("GET {granted}/x"));
        let body = response["body"].as_str().unwrap();
        assert!(
            body.starts_with("200\n") && body.ends_with("\nhello\n"),
            "{response}"
        );
        assert_eq!(host.last_summary()["outgoingCalls"], 1);
    }
    let response = invoke(
        &host,
        EventKind::Rest,
        "POST",
        "/",
        &format!("GET {other}/"),
    );
    let body = response["body"].as_str().unwrap();
    assert!(body.starts_with("not-granted: "), "{response}");
    let (is_same, text) = replay(&host, "lambda-outgoing-replay", FETCHER);
    assert!(is_same && text.contains("3 requests"), "{text}");
}

#[test]
fn a_guest_without_a_grant_stops_init_by_name() {
    let table = Table::start();
    let environment = Environment::new(&image("outgoing-none", FETCHER), &table.endpoint());
    let mut host = Bootstrap::start(environment);
    let error = host.api.init_error().to_string();
    assert!(
        error.contains("tenon:handler/outgoing@0.1.0") && error.contains("no grant"),
        "{error}"
    );
    assert_ne!(host.wait(), Some(0));
}

#[test]
fn a_request_is_signed_with_the_role_of_the_function() {
    let table = Table::start();
    let origin = upstream(1);
    let grants = json!([{
        "origin": origin,
        "private_addresses": true,
        "sign": {"aws": {"service": "sqs", "region": "eu-central-1"}},
    }]);
    let environment = Environment::new(&image("outgoing-signed", FETCHER), &table.endpoint())
        .with("TENON_OUTGOING", &grants.to_string());
    let host = Bootstrap::start(environment);
    let request = format!("POST {origin}/echo\nx-amz-target: AmazonSQS.SendMessage\n\n{{}}");
    let response = invoke(&host, EventKind::Rest, "POST", "/", &request);
    let body = response["body"].as_str().unwrap();
    assert!(
        body.contains("authorization: AWS4-HMAC-SHA256 Credential=test/"),
        "{response}"
    );
    assert!(
        body.contains("/eu-central-1/sqs/aws4_request"),
        "{response}"
    );
}

#[test]
fn a_component_of_wasi_http_answers_events_of_all_kinds_and_calls_what_is_granted() {
    let table = Table::start();
    let origin = upstream(1);
    let grants = json!([{"origin": origin, "private_addresses": true}]);
    let environment = Environment::new(&image("outgoing-proxy", PROXY), &table.endpoint())
        .with("TENON_OUTGOING", &grants.to_string())
        .with("TENON_TAPE", "all");
    let host = Bootstrap::start(environment);
    for kind in EventKind::ALL {
        let response = invoke(&host, kind, "POST", "/echo?a=1", "what came");
        assert_eq!(response["statusCode"], 200, "{response}");
        assert!(
            response["body"].as_str().unwrap().contains("what came"),
            "{response}"
        );
    }
    let authority = origin.strip_prefix("http://").unwrap();
    let target = format!("/fetch-from?{authority}");
    let response = invoke(&host, EventKind::HttpApi, "GET", &target, "");
    assert!(
        response["body"].as_str().unwrap().contains("hello"),
        "{response}"
    );
    let (is_same, text) = replay(&host, "lambda-proxy-replay", PROXY);
    assert!(is_same && text.contains("5 requests"), "{text}");
}
