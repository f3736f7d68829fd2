//! Recording: which requests, without their secrets, and its cost.

use crate::support::{
    guests::{HOSTILE, REFERENCE},
    in_process::{NOW_MS, memory_service, runtime},
    recording::{event, http_event, recorder},
};
use contract::{http::Scheme, limits::Limits, seed::Seed};
use gateway::{
    EventKind, Origin,
    compose::{Incoming, compose},
};
use service::{Invocation, Recorder, Service};
use std::time::{Duration, Instant};
use tape::{Exchange, RecordOptions, Redaction, TapePolicy};

const SECRETS: [&str; 7] = [
    "Bearer-s3cret",
    "cookie-s3cret",
    "key-s3cret",
    "token-s3cret",
    "mail-s3cret",
    "tag-s3cret",
    "custom-s3cret",
];

fn reference() -> Service {
    memory_service(&runtime(REFERENCE, Limits::default()))
}

fn seed(number: u8) -> Seed {
    Seed::new([number; 32])
}

/// A secret in every place: headers, cookies, query, body, and through the body in documents and responses.
fn event_with_secrets() -> Vec<u8> {
    http_event(
        "PUT",
        "/items/a?access_token=token-s3cret",
        &[
            ("authorization", "Bearer-s3cret"),
            ("cookie", "session=cookie-s3cret"),
            ("x-api-key", "key-s3cret"),
            ("x-custom", "custom-s3cret"),
            ("content-type", "application/json"),
        ],
        br#"{"name":"mail-s3cret","tags":["tag-s3cret"],"price":1}"#,
    )
}

#[tokio::test]
async fn planted_secrets_do_not_reach_the_tape() {
    let service = reference();
    let mut options = RecordOptions::new(TapePolicy::ALL);
    options.redaction = Redaction::credentials()
        .with_headers(["X-Custom"])
        .with_fields(["/name", "/tags", "/items/*/name", "/items/*/tags"])
        .unwrap();
    let redacting = Recorder::new(options);
    let get = http_event("GET", "/items/a", &[], b"");
    let list = http_event("GET", "/items", &[], b"");
    let without_query = String::from_utf8(event_with_secrets())
        .unwrap()
        .replace("access_token=token-s3cret", "");
    let mut raw = Vec::new();
    for (number, bytes) in [
        event_with_secrets().as_slice(),
        without_query.as_bytes(),
        &get,
        &list,
    ]
    .iter()
    .enumerate()
    {
        let line = event(&service, &redacting, bytes, NOW_MS, seed(number as u8))
            .await
            .unwrap();
        let exchange = Exchange::read(&line).unwrap();
        assert!(exchange.is_redacted(), "{}", String::from_utf8_lossy(&line));
        raw.extend(line);
    }
    let text = String::from_utf8(raw).unwrap();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is on the tape: {text}");
    }
    // The planted values would have been there.
    let mut options = RecordOptions::new(TapePolicy::ALL);
    options.redaction = Redaction::nothing();
    let line = event(
        &service,
        &Recorder::new(options),
        &event_with_secrets(),
        NOW_MS,
        seed(9),
    )
    .await
    .unwrap();
    let text = String::from_utf8(line).unwrap();
    for secret in SECRETS {
        assert!(text.contains(secret), "{secret} was not planted: {text}");
    }
}

#[tokio::test]
async fn credentials_are_redacted_unless_told_otherwise() {
    let line = event(
        &reference(),
        &recorder(),
        &event_with_secrets(),
        NOW_MS,
        seed(1),
    )
    .await
    .unwrap();
    let text = String::from_utf8(line).unwrap();
    for secret in &SECRETS[..4] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(text.contains("mail-s3cret"));
}

#[tokio::test]
async fn failures_are_recorded_and_successes_are_not() {
    let failures = Recorder::new(RecordOptions::new("failures".parse().unwrap()));
    let healthy = reference();
    let get = http_event("GET", "/health", &[], b"");
    assert_eq!(
        event(&healthy, &failures, &get, NOW_MS, seed(1)).await,
        None
    );
    let missing = http_event("GET", "/items/none", &[], b"");
    assert_eq!(
        event(&healthy, &failures, &missing, NOW_MS, seed(1)).await,
        None
    );
    let long = http_event("GET", &format!("/items?x={}", "x".repeat(20_000)), &[], b"");
    let line = event(&healthy, &failures, &long, NOW_MS, seed(1))
        .await
        .unwrap();
    assert_eq!(Exchange::read(&line).unwrap().status, Some(414));

    let hostile = memory_service(&runtime(HOSTILE, Limits::default()));
    let trap = http_event("GET", "/trap", &[], b"");
    let line = event(&hostile, &failures, &trap, NOW_MS, seed(1))
        .await
        .unwrap();
    let exchange = Exchange::read(&line).unwrap();
    assert_eq!(exchange.status, Some(500));
    assert_eq!(exchange.fault.unwrap().kind, "trap");
}

#[tokio::test]
async fn a_sample_records_its_share() {
    let sampling = Recorder::new(RecordOptions::new("sample:0.5".parse().unwrap()));
    let service = reference();
    let get = http_event("GET", "/health", &[], b"");
    let mut count = 0;
    for number in 0..100 {
        count += usize::from(
            event(&service, &sampling, &get, NOW_MS, seed(number))
                .await
                .is_some(),
        );
    }
    assert!((30..70).contains(&count), "{count}");
}

#[tokio::test]
async fn a_withheld_seed_is_not_on_the_tape() {
    let mut options = RecordOptions::new(TapePolicy::ALL);
    options.withhold_seed = true;
    let line = event(
        &reference(),
        &Recorder::new(options),
        &event_with_secrets(),
        NOW_MS,
        seed(0xab),
    )
    .await
    .unwrap();
    assert!(Exchange::read(&line).unwrap().seed.is_none());
    assert!(!String::from_utf8(line).unwrap().contains("abababab"));
}

/// `serve` handles what it composed, and writes JSON for the tape only.
#[tokio::test]
async fn a_composed_event_has_the_line_of_its_json() {
    let incoming = Incoming {
        method: "PUT",
        target: "/items/a",
        headers: &[("host", "localhost"), ("content-type", "application/json")],
        body: br#"{"name":"lamp","price":1}"#,
        client_address: "192.0.2.1",
        scheme: Scheme::Https,
        request_id: "request-1",
        received_at_ms: NOW_MS,
    };
    let composed = || compose(Origin::new(EventKind::HttpApi), &incoming);
    let invocation = || Invocation {
        received_at_ms: NOW_MS,
        seed: seed(1),
        deadline: Instant::now() + Duration::from_secs(20),
        trace_header: None,
    };
    let (recorder, json) = (recorder(), composed().to_json());
    let (_, parsed) = recorder.invoke(&reference(), &json, invocation()).await;
    let service = reference();
    let mut recording = recorder.begin(&invocation()).unwrap();
    let event = service.parse_composed(composed(), &invocation());
    let answer = recording.handle(&service, event, invocation()).await;
    let payload = answer.payload.to_json();
    let handled = recording.line(&service, &json, &payload, &answer.summary);
    // All but durations.
    let facts = |line: &[u8]| {
        let exchange = Exchange::read(line).unwrap();
        let calls = exchange.calls.iter().map(|call| {
            let result = call.result.map(ToString::to_string);
            (call.call, call.arguments.to_string(), result)
        });
        let texts = [exchange.event, exchange.response].map(|text| text.unwrap().to_string());
        (exchange.status, texts, calls.collect::<Vec<_>>())
    };
    let (parsed, handled) = (facts(&parsed.unwrap()), facts(&handled.unwrap()));
    assert_eq!((parsed.0, parsed.2.len()), (Some(201), 1));
    assert_eq!(parsed, handled);
}

#[tokio::test]
async fn a_response_beyond_the_limit_of_the_host_is_recorded_as_a_fault() {
    let limits = Limits {
        response_body_bytes_max: 10,
        ..Limits::default()
    };
    let service = memory_service(&runtime(REFERENCE, limits));
    let get = http_event("GET", "/openapi.json", &[], b"");
    let line = event(&service, &recorder(), &get, NOW_MS, seed(1)).await;
    let line = line.unwrap();
    let exchange = Exchange::read(&line).unwrap();
    assert_eq!(exchange.status, Some(500));
    let fault = exchange.fault.as_ref().unwrap();
    assert_eq!(fault.kind, "response");
    assert!(fault.detail.ends_with("10 are allowed"), "{}", fault.detail);
    assert_eq!(exchange.host.limits(), limits);
}

/// Not a benchmark: only a check that nothing is out of proportion. `cargo xtask bench overhead` measures.
#[tokio::test]
async fn recording_takes_little_time() {
    let service = reference();
    let get = http_event("GET", "/items/none", &[("authorization", "x")], b"");
    let all = recorder();
    let off = Recorder::new(RecordOptions::new(TapePolicy::OFF));
    let mut best = [Duration::MAX; 2];
    for _ in 0..300 {
        for (recorder, best) in [&off, &all].into_iter().zip(&mut best) {
            let started = Instant::now();
            event(&service, recorder, &get, NOW_MS, seed(1)).await;
            *best = started.elapsed().min(*best);
        }
    }
    let [off, on] = best;
    // Unoptimised builds take about ten times as long as those that ship.
    assert!(
        on < off + Duration::from_micros(600),
        "off {off:?}, on {on:?}"
    );
}
