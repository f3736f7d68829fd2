//! Guests over the SDK: small, with no more imports than they use, and the same in a host as in their native tests.

use crate::support::{
    guests::{NOTES, PANICS},
    in_process::{engine, get, memory_service, response, runtime, send},
};
use contract::{limits::Limits, seed::Seed};
use serde_json::{Value, json};
use service::Service;

/// Three routes, storage and log in plain std, with the names of functions for backtraces.
const COMPONENT_BYTES_MAX: usize = 200_000;

#[test]
fn the_guest_of_the_template_is_small() {
    assert!(
        NOTES.len() < COMPONENT_BYTES_MAX,
        "the component has {} bytes",
        NOTES.len()
    );
}

#[test]
fn a_guest_imports_what_it_uses_beside_what_std_does() {
    for (guest, used) in [
        (NOTES, vec!["http", "log", "storage"]),
        (PANICS, vec!["http", "log"]),
    ] {
        let candidate = engine().read_component(guest).unwrap();
        let inspection = candidate.inspection();
        let imports: Vec<_> = inspection
            .imports
            .iter()
            .map(|import| import.name.split('@').next().unwrap())
            .collect();
        let mut of_tenon: Vec<_> = imports
            .iter()
            .filter_map(|import| import.strip_prefix("tenon:handler/"))
            .collect();
        of_tenon.sort_unstable();
        assert_eq!(of_tenon, used, "{imports:?}");
        for import in &imports {
            let is_of_std = ["wasi:cli/", "wasi:io/", "wasi:random/"]
                .iter()
                .any(|package| import.starts_with(package));
            assert!(
                is_of_std || import.starts_with("tenon:handler/"),
                "{import}"
            );
        }
        assert_eq!(inspection.exports, ["tenon:handler/handler@0.1.0"]);
    }
}

#[tokio::test]
async fn the_guest_of_the_template_answers_in_a_host_as_in_its_tests() {
    let service = memory_service(&runtime(NOTES, Limits::default()));
    let created = post(&service, json!({"text": "buy milk"})).await;
    assert_eq!(created["statusCode"], 201, "{created}");
    let location = created["headers"]["location"].as_str().unwrap();

    let read = response(&get(&service, location).await);
    assert_eq!(read["statusCode"], 200, "{read}");
    assert_eq!(read["body"], created["body"]);
    assert_eq!(read["headers"]["etag"], created["headers"]["etag"]);
    let note: Value = serde_json::from_str(read["body"].as_str().unwrap()).unwrap();
    assert_eq!(note["created_at"], "2023-11-14T22:13:20.123Z");

    let list = response(&get(&service, "/notes?limit=5").await);
    let page: Value = serde_json::from_str(list["body"].as_str().unwrap()).unwrap();
    assert_eq!(page, json!({"items": [note]}));

    let refused = post(&service, json!({"text": 7})).await;
    assert_eq!(refused["statusCode"], 422);
    let problem: Value = serde_json::from_str(refused["body"].as_str().unwrap()).unwrap();
    assert_eq!(problem["errors"][0]["pointer"], "/text");
    assert_eq!(
        problem["request_id"],
        crate::support::in_process::REQUEST_ID
    );

    let unknown = send(&service, ("DELETE", "/notes"), &[], b"", Seed::new([3; 32])).await;
    assert_eq!(unknown["statusCode"], 405);
    assert_eq!(unknown["headers"]["allow"], "GET, HEAD, POST, OPTIONS");
}

#[tokio::test]
async fn a_panic_is_in_the_log_with_its_message_and_place() {
    let service = memory_service(&runtime(PANICS, Limits::default()));
    let fine = get(&service, "/divide/5").await;
    assert_eq!(response(&fine)["body"], "20");

    let answer = get(&service, "/divide/7").await;
    assert_eq!(response(&answer)["statusCode"], 500);
    let logged = format!("{:?}", answer.summary.logs);
    assert!(logged.contains("nobody divides by 7"), "{logged}");
    assert!(
        logged.contains("panicked-at") && logged.contains("lib.rs:"),
        "{logged}"
    );
}

async fn post(service: &Service, note: Value) -> Value {
    let headers = [("content-type", "application/json")];
    let body = note.to_string();
    let seed = Seed::new([2; 32]);
    send(service, ("POST", "/notes"), &headers, body.as_bytes(), seed).await
}
