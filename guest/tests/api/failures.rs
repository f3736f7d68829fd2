//! Behaviour when the store returns errors.

use crate::host::{FakeHost, assert_problem};
use guest::ports::StorageError;

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
            let host = FakeHost::new();
            host.failure.replace(Some(error.clone()));
            let response = host.send(method, target, &[header], r#"{"name":"A"}"#);
            assert_problem(&response, status, code);
            assert_eq!(
                response.header("retry-after"),
                retry_after,
                "{method} {target}"
            );
            assert_eq!(host.log.borrow().len(), 1, "{method} {target}");
        }
    }
}

#[test]
fn a_document_that_the_store_cannot_hold_is_the_clients_fault() {
    for (error, status, code) in [
        (
            StorageError::Invalid("too deep".into()),
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
            let host = FakeHost::new();
            host.failure.replace(Some(error.clone()));
            assert_problem(
                &host.send(method, target, &[JSON], r#"{"name":"A"}"#),
                status,
                code,
            );
            assert!(host.log.borrow().is_empty());
        }
    }
}

#[test]
fn an_invalid_read_is_our_fault() {
    let host = FakeHost::new();
    host.failure
        .replace(Some(StorageError::Invalid("key".into())));
    assert_problem(&host.get("/items/a"), 500, "internal");
    assert!(host.log.borrow()[0].contains("invalid: key"));
}

#[test]
fn what_is_stored_and_not_an_item_is_an_internal_error() {
    let host = FakeHost::new();
    host.store("items", "a", r#"{"name":"A"}"#);
    assert_problem(
        &host.send("PATCH", "/items/a", &[PATCH], "{}"),
        500,
        "internal",
    );
    assert_problem(&host.put("a", r#"{"name":"A"}"#), 500, "internal");
    assert_eq!(host.log.borrow().len(), 2);
}
