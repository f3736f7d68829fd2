//! Bugs in the host itself: a panic in one request affects only that request.

use super::{
    bootstrap::{Environment, image, program_of_cases},
    emulator::Emulator,
    events::{get, problem},
    table::Table,
};
use crate::support::{
    guests::{HOSTILE, REFERENCE},
    in_process::{self, response, runtime, service},
};
use contract::{limits::Limits, outcome::Fault};
use serde_json::Value;
use std::sync::Arc;
use storage::{Call, Storage, StorageError, StorageRequest, StorageResponse};

/// A store with a bug.
struct Defective;

#[async_trait::async_trait]
impl Storage for Defective {
    async fn perform(&self, _: &Call, _: StorageRequest) -> Result<StorageResponse, StorageError> {
        panic!("a defect")
    }
}

#[tokio::test]
async fn a_panic_below_the_guest_is_a_500_and_the_next_request_works() {
    let service = service(&runtime(HOSTILE, Limits::default()), Arc::new(Defective));
    for _ in 0..20 {
        let answer = in_process::get(&service, "/storage-calls").await;
        let response = response(&answer);
        assert_eq!(response["statusCode"], 500);
        assert!(!problem(&response).to_string().contains("defect"));
        assert_eq!(answer.summary.fault, Some(Fault::Panic("a defect".into())));
    }
    let next = in_process::get(&service, "/").await;
    assert_eq!(response(&next)["statusCode"], 200);
}

#[test]
fn a_panic_around_the_guest_fails_its_invocation_and_is_logged_without_what_it_quotes() {
    let table = Table::start();
    let environment = Environment::new(&image("panics", REFERENCE), &table.endpoint());
    let emulator = Emulator::start(&program_of_cases(), environment);
    let error: Value =
        serde_json::from_slice(&emulator.invoke(&get("/panic-in-the-host"))).unwrap();
    assert!(error["errorType"].is_string(), "{error}");
    let line = &emulator.lines.with_message("the host panicked")[0];
    let place = line["place"].as_str().unwrap();
    assert!(place.contains("bootstrap_of_cases.rs:"), "{line}");
    assert_eq!(line.get("error"), None, "{line}");
    let response: Value = serde_json::from_slice(&emulator.invoke(&get("/health"))).unwrap();
    assert_eq!(response["statusCode"], 200, "the next request works");
    let all = emulator.lines.all().join("\n");
    assert!(!all.contains("secret of the request"), "{all}");
}
