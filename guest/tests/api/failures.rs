//! Behaviour when the store returns errors.

use crate::client::{Client, assert_problem};
use tenon::store::StorageError;

const JSON: (&str, &str) = ("content-type", "application/json");
const PATCH: (&str, &str) = ("content-type", "application/merge-patch+json");

/// One request for each operation that calls the store.
const REQUESTS: [(&str, &str, (&str, &str)); 7] = [
    ("GET", "/items", JSON),
    ("GET", "/items?ids=a", JSON),
    ("GET", "/items/a", JSON),
    ("POST", "/items", JSON),
    ("PUT", "/items/a", JSON),
    ("PATCH", "/items/a", PATCH),
    ("DELETE", "/items/a", JSON),
];

#[test]
fn every_storage_error_has_its_answer_and_its_log_line() {
    for (error, status, code, retry_after) in [
        (StorageError::Throttled(None), 503, "throttled", Some("1")),
        (
            StorageError::Throttled(Some(2001)),
            503,
            "throttled",
            Some("3"),
        ),
        (
            StorageError::Throttled(Some(0)),
            503,
            "throttled",
            Some("1"),
        ),
        (StorageError::Unavailable, 503, "unavailable", Some("1")),
        (
            StorageError::OutcomeUnknown,
            503,
            "outcome-unknown",
            Some("1"),
        ),
        (StorageError::Conflict, 409, "conflict", Some("1")),
        (StorageError::Misconfigured, 500, "internal", None),
        (StorageError::Internal, 500, "internal", None),
    ] {
        for (method, target, header) in REQUESTS {
            let client = Client::new();
            client.fail_storage(error.clone());
            let response = client.send(method, target, &[header], r#"{"name":"A"}"#);
            assert_problem(&response, status, code);
            assert_eq!(
                response.header("retry-after"),
                retry_after,
                "{method} {target}"
            );
            assert_eq!(client.log().len(), 1, "{method} {target}");
        }
    }
}

#[test]
fn a_document_that_the_store_cannot_hold_is_the_clients_fault() {
    for (error, status, code) in [
        (
            StorageError::Invalid("the document is too deep".into()),
            422,
            "invalid-content",
        ),
        (
            StorageError::TooLarge("409601 bytes".into()),
            413,
            "content-too-large",
        ),
    ] {
        for (method, target) in [("POST", "/items"), ("PUT", "/items/a")] {
            let client = Client::new();
            client.fail_storage(error.clone());
            assert_problem(
                &client.send(method, target, &[JSON], r#"{"name":"A"}"#),
                status,
                code,
            );
            assert!(client.log().is_empty());
        }
    }
}

#[test]
fn an_invalid_read_is_our_fault() {
    let client = Client::new();
    client.fail_storage(StorageError::Invalid("key".into()));
    assert_problem(&client.get("/items/a"), 500, "internal");
    assert!(client.log()[0].contains("invalid: key"));
}

#[test]
fn what_is_stored_and_not_an_item_is_an_internal_error() {
    let client = Client::new();
    client.store_item("a", r#"{"name":"A"}"#);
    assert_problem(
        &client.send("PATCH", "/items/a", &[PATCH], "{}"),
        500,
        "internal",
    );
    assert_problem(&client.put("a", r#"{"name":"A"}"#), 500, "internal");
    assert_eq!(client.log().len(), 2);
}
