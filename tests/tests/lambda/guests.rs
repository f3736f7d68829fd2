//! Misbehaving guests on Lambda: each reaches a limit and gets a clear response, the process continues, and the next request works.

use super::{
    bootstrap::{Bootstrap, Environment, SLACK, image},
    events::{get, post, problem},
    runtime_api::Invocation,
    table::Table,
};
use crate::support::guests::{HOSTILE, REFERENCE};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn a_guest_is_loaded_on_a_single_processor_too() {
    let table = Table::start();
    let environment = Environment::new(&image("guests-one-processor", HOSTILE), &table.endpoint());
    let host = Bootstrap::start_on_one_processor(environment);
    let response = host.api.invoke(Invocation::new(get("/"))).response();
    assert_eq!(response["statusCode"], 200, "{response}");
}

/// One client's content must not look like a broken guest to all others.
#[test]
fn content_that_the_reference_guest_has_no_memory_for_is_refused_by_the_guest() {
    let table = Table::start();
    let environment = Environment::new(&image("guests-content", REFERENCE), &table.endpoint());
    let host = Bootstrap::start(environment);
    let content = json!({"name": "A", "attributes": {"a": vec![0; 2_000_000]}});
    for _ in 0..6 {
        let event = post("/items", &content);
        let response = host.api.invoke(Invocation::new(event)).response();
        assert_eq!(response["statusCode"], 413, "{response}");
        assert_eq!(problem(&response)["code"], "content-too-large");
        assert_eq!(host.last_summary()["GuestTraps"], 0);
    }
    let event = post("/items", &json!({"name": "A"}));
    let response = host.api.invoke(Invocation::new(event)).response();
    assert_eq!(response["statusCode"], 201, "{response}");
}

#[test]
fn a_guest_that_breaks_a_bound_ends_its_request_and_nothing_else() {
    let table = Table::start();
    let environment = Environment::new(&image("guests", HOSTILE), &table.endpoint())
        .with("TENON_GUEST_MEMORY_BYTES_MAX", "16777216");
    let host = Bootstrap::start(environment);
    let id = host.id();
    for (path, status, traps, (fault, detail)) in [
        ("/trap", 500, 1, ("trap", "the guest trapped: ")),
        ("/stack", 500, 1, ("trap", "the guest trapped: ")),
        (
            "/memory",
            500,
            1,
            (
                "memory",
                "the guest exceeded its memory limit of 16777216 bytes",
            ),
        ),
        (
            "/storage-calls",
            500,
            1,
            ("stopped", "the guest was stopped: too many storage calls"),
        ),
        (
            "/header?connection=close",
            500,
            0,
            ("response", "the guest's answer is invalid: "),
        ),
        (
            "/status?99",
            500,
            0,
            ("response", "the guest's answer is invalid: "),
        ),
    ] {
        let response = host.api.invoke(Invocation::new(get(path))).response();
        assert_eq!(response["statusCode"], status, "{path}: {response}");
        assert_eq!(problem(&response)["request_id"], "gateway-request");
        let summary = host.last_summary();
        assert_eq!(summary["fault"], fault, "{summary}");
        assert!(
            summary["faultDetail"].as_str().unwrap().starts_with(detail),
            "{summary}"
        );
        assert_eq!(summary["GuestTraps"], traps, "{summary}");
        let backtrace = summary["backtrace"].as_array().map_or(0, Vec::len);
        assert_eq!(backtrace > 0, traps > 0, "{summary}");
        assert_eq!(
            (&summary["ServerErrors"], &summary["level"]),
            (&1.into(), &"ERROR".into())
        );
        assert_behaves(&host);
    }
    assert_eq!(host.id(), id);
}

#[test]
fn an_endless_loop_is_a_504_when_the_invocation_ends() {
    let table = Table::start();
    let host = Bootstrap::start(Environment::new(
        &image("guests-loop", HOSTILE),
        &table.endpoint(),
    ));
    host.lines.with_message("ready");
    let start = Instant::now();
    let invocation = Invocation::within(get("/loop"), Duration::from_millis(800));
    let response = host.api.invoke(invocation).response();
    let elapsed = start.elapsed();
    let expected = Duration::from_millis(500)..Duration::from_millis(800) + SLACK;
    assert!(expected.contains(&elapsed), "{elapsed:?}");
    assert_eq!(response["statusCode"], 504);
    assert_eq!(host.last_summary()["fault"], "deadline");
    assert_behaves(&host);
}

/// Emulators send deadlines of 1970.
#[test]
fn an_absurd_deadline_is_replaced_by_the_configured_one() {
    let table = Table::start();
    let environment = Environment::new(&image("guests-absurd", HOSTILE), &table.endpoint())
        .with("TENON_REQUEST_DURATION_MS_MAX", "300");
    let host = Bootstrap::start(environment);
    for deadline_ms in [0, 600_000, u64::MAX] {
        let invocation = |path| Invocation {
            deadline_ms,
            ..Invocation::new(get(path))
        };
        assert_eq!(
            host.api.invoke(invocation("/")).response()["statusCode"],
            200
        );
        assert_eq!(
            host.api.invoke(invocation("/loop")).response()["statusCode"],
            504
        );
    }
}

fn assert_behaves(host: &Bootstrap) {
    let response = host.api.invoke(Invocation::new(get("/"))).response();
    assert_eq!(
        (&response["statusCode"], &response["body"]),
        (&200.into(), &"well behaved".into())
    );
}
