//! DynamoDB failures, at start and later: each gives the documented status, nothing is lost or written twice, and the next request works.

use super::{
    bootstrap::{Bootstrap, Environment, SLACK, image},
    events::{get, post, problem},
    proxy::{Mode, Proxy},
    runtime_api::Invocation,
    table::Table,
};
use crate::support::guests::REFERENCE;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

struct Scene {
    table: Table,
    proxy: Proxy,
    host: Bootstrap,
}

impl Scene {
    /// A host behind a proxy. Its requests have time for all attempts, so that these end by their number.
    fn start(test: &str, mode: Mode) -> Self {
        let table = Table::start();
        let proxy = Proxy::start(table.address(), mode);
        let environment = Environment::new(
            &image(&format!("faults-{test}"), REFERENCE),
            &proxy.endpoint(),
        )
        .with("TENON_REQUEST_DURATION_MS_MAX", "15000");
        let host = Bootstrap::start(environment);
        Self { table, proxy, host }
    }

    /// The same, after its init.
    fn ready(test: &str) -> Self {
        let scene = Self::start(test, Mode::Pass);
        scene.host.lines.with_message("ready");
        scene
    }

    fn send(&self, event: Vec<u8>) -> Value {
        self.host.api.invoke(Invocation::new(event)).response()
    }

    fn list(&self) -> Value {
        self.send(get("/items"))
    }

    fn create(&self) -> Value {
        self.send(post("/items", &json!({"name": "lamp"})))
    }

    /// Number of stored items.
    fn count(&self) -> usize {
        let entries = self.table.entries("local", 0);
        entries.as_array().unwrap().len()
    }

    fn assert_recovers(&self) {
        self.proxy.set(Mode::Pass);
        let before = self.count();
        assert_eq!(self.create()["statusCode"], 201);
        assert_eq!(self.list()["statusCode"], 200);
        assert_eq!(self.count(), before + 1);
    }
}

/// A 503 with `Retry-After`, which reveals nothing about the cause.
fn assert_unavailable(response: &Value) {
    assert_eq!(response["statusCode"], 503, "{response}");
    let seconds = response["headers"]["retry-after"].as_str().unwrap();
    assert!(seconds.parse::<u32>().unwrap() >= 1);
    assert_eq!(problem(response)["status"], 503);
    assert_discreet(response);
}

fn assert_discreet(response: &Value) {
    for inside in ["arn:", "dynamodb", "127.0.0.1", "123456789012", "Exception"] {
        assert!(
            !response.to_string().contains(inside),
            "`{inside}` stands in {response}"
        );
    }
}

#[test]
fn a_store_that_is_down_at_start_is_used_once_it_is_back() {
    let scene = Scene::start("down", Mode::Refuse);
    scene
        .host
        .lines
        .with_message("the store cannot be reached yet");
    assert_unavailable(&scene.list());
    assert_unavailable(&scene.create());
    assert_eq!(
        scene.send(get("/health"))["statusCode"],
        200,
        "what needs no store works"
    );
    assert!(
        !scene
            .host
            .lines
            .with_message("storage call failed")
            .is_empty()
    );
    assert_eq!(scene.count(), 0);
    scene.assert_recovers();
}

#[test]
fn nobody_listening_at_start_is_a_store_that_is_down() {
    let environment = Environment::new(&image("faults-nobody", REFERENCE), "http://127.0.0.1:1");
    let host = Bootstrap::start(environment.with("TENON_REQUEST_DURATION_MS_MAX", "15000"));
    assert_unavailable(&host.api.invoke(Invocation::new(get("/items"))).response());
}

#[test]
fn a_store_that_will_not_get_better_stops_init_by_its_name() {
    for (code, test) in [
        ("ResourceNotFoundException", "missing"),
        ("AccessDeniedException", "denied"),
        ("ExpiredTokenException", "expired"),
    ] {
        let mut scene = Scene::start(test, Mode::Fail { status: 400, code });
        assert_eq!(scene.host.wait(), Some(1));
        let error = scene.host.api.init_error();
        let message = error["errorMessage"].as_str().unwrap();
        assert_eq!(error["errorType"], "Tenon.InitError");
        for part in ["`TENON_TABLE`", "`eu-central-1`", "`items`", code] {
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(
            scene.host.lines.with_message("failed to start")[0]["error"],
            message
        );
    }
}

#[test]
fn a_reset_connection_is_a_503_and_writes_nothing() {
    let scene = Scene::ready("reset");
    assert_eq!(scene.list()["statusCode"], 200);
    scene.proxy.set(Mode::Refuse);
    assert_unavailable(&scene.list());
    let response = scene.create();
    assert_unavailable(&response);
    assert_eq!(scene.count(), 0);
    scene.proxy.set_for(2, Mode::Refuse);
    assert_eq!(
        scene.create()["statusCode"],
        201,
        "two resets in a row are made good"
    );
    assert_eq!(scene.count(), 1);
    scene.assert_recovers();
}

#[test]
fn a_write_whose_answer_was_lost_is_not_written_twice() {
    let scene = Scene::ready("lost");
    scene.proxy.set_for(1, Mode::LoseAnswer);
    assert_eq!(scene.create()["statusCode"], 201);
    assert_eq!(scene.count(), 1);
    assert!(
        scene.host.last_summary()["storageRetries"]
            .as_u64()
            .unwrap()
            >= 1
    );
    // No response arrives: the item was written, but nobody knows.
    scene.proxy.set(Mode::LoseAnswer);
    let response = scene.create();
    assert_unavailable(&response);
    assert_eq!(
        problem(&response)["detail"],
        "the write ran out of time and may or may not have happened"
    );
    assert_eq!(scene.count(), 2);
    scene.assert_recovers();
}

#[test]
fn a_store_that_does_not_answer_is_a_503_when_the_invocation_ends() {
    const DURATION: Duration = Duration::from_secs(2);
    let scene = Scene::ready("stall");
    assert_eq!(scene.list()["statusCode"], 200);
    scene.proxy.set(Mode::Stall);
    for event in [get("/items"), post("/items", &json!({"name": "lamp"}))] {
        let start = Instant::now();
        let invocation = Invocation::within(event, DURATION);
        let response = scene.host.api.invoke(invocation).response();
        assert!(start.elapsed() < DURATION + SLACK, "{:?}", start.elapsed());
        assert_unavailable(&response);
    }
    assert_eq!(scene.count(), 0);
    scene.assert_recovers();
}

#[test]
fn throttling_is_waited_out_or_is_a_503_that_is_counted() {
    let scene = Scene::ready("throttled");
    let throttled = Mode::Fail {
        status: 400,
        code: "ThrottlingException",
    };
    scene.proxy.set_for(2, throttled);
    assert_eq!(scene.create()["statusCode"], 201);
    assert_eq!(scene.host.last_summary()["StorageThrottles"], 2);
    scene.proxy.set(throttled);
    assert_unavailable(&scene.create());
    assert!(
        scene.host.last_summary()["StorageThrottles"]
            .as_u64()
            .unwrap()
            > 2
    );
    assert_eq!(scene.count(), 1);
    scene.assert_recovers();
}

#[test]
fn internal_errors_of_the_store_are_waited_out_or_are_a_503() {
    let scene = Scene::ready("internal");
    let internal = Mode::Fail {
        status: 500,
        code: "InternalServerError",
    };
    scene.proxy.set_for(1, internal);
    assert_eq!(scene.list()["statusCode"], 200);
    scene.proxy.set(internal);
    assert_unavailable(&scene.list());
    scene.assert_recovers();
}

/// The operator's log contains what the client must not see.
#[test]
fn credentials_and_permissions_that_end_mid_way_are_a_500_for_the_operator() {
    let scene = Scene::ready("denied-later");
    assert_eq!(scene.list()["statusCode"], 200);
    for code in [
        "ExpiredTokenException",
        "AccessDeniedException",
        "ResourceNotFoundException",
    ] {
        scene.proxy.set(Mode::Fail { status: 400, code });
        let response = scene.list();
        assert_eq!(response["statusCode"], 500, "{response}");
        assert_discreet(&response);
        let names_it = |line: &Value| {
            let words = line["error"].as_str().unwrap_or_default();
            line["message"] == "storage call failed" && words.contains(code)
        };
        scene.host.lines.wait_for(1, code, names_it);
        scene.assert_recovers();
    }
}
