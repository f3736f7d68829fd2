//! POST on the list, with and without an `Idempotency-Key`.

use crate::host::{FakeHost, NOW_MS, assert_problem, json};
use guest::{http::Response, ports::StorageError};

const BODY: &str = r#"{"name":"A","price":1.50}"#;

fn post(host: &FakeHost, key: Option<&str>, body: &str) -> Response {
    let mut headers = vec![("content-type", "application/json; charset=utf-8")];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    host.send("POST", "/items", &headers, body)
}

#[test]
fn post_creates_under_an_id_made_of_the_time() {
    let host = FakeHost::new();
    let response = post(&host, None, BODY);
    assert_eq!(response.status, 201);
    let id = json(&response)["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("019b7ca9-8f2e-7") && id.len() == 36, "{id}");
    let location = format!("/items/{id}");
    assert_eq!(response.header("location"), Some(&*location));
    assert_eq!(host.calls.take(), ["put"]);
    let stored = host.get(&location);
    assert_eq!(
        (&stored.body, stored.header("etag")),
        (&response.body, response.header("etag"))
    );
    assert_ne!(post(&host, None, BODY).body, response.body);
}

#[test]
fn references_begin_with_the_base_path() {
    let mut host = FakeHost::new();
    host.base_path = "/live/shop";
    let created = post(&host, Some("\"k\""), BODY);
    let id = json(&created)["id"].as_str().unwrap().to_owned();
    let location = format!("/live/shop/items/{id}");
    for response in [&created, &post(&host, Some("\"k\""), BODY)] {
        for name in ["location", "content-location"] {
            assert_eq!(response.header(name), Some(&*location), "{name}");
        }
    }
    let patch = [("content-type", "application/merge-patch+json")];
    let patched = host.send("PATCH", &format!("/items/{id}"), &patch, "{}");
    assert_eq!(patched.header("content-location"), Some(&*location));
    post(&host, None, BODY);
    let link = host.get("/items?limit=1");
    let link = link.header("link").expect("a link to the second page");
    assert!(link.starts_with("</live/shop/items?limit=1&"), "{link}");
}

#[test]
fn a_repeated_post_is_answered_the_same_and_does_nothing() {
    let host = FakeHost::new();
    let first = post(&host, Some("\"k\""), BODY);
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (201, None)
    );
    assert_eq!(host.calls.take(), ["transact"]);
    host.now_ms.set(NOW_MS + 1000);
    let second = post(&host, Some("k"), BODY);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!((second.status, &second.body), (201, &first.body));
    for name in [
        "location",
        "etag",
        "content-type",
        "content-location",
        "cache-control",
    ] {
        assert_eq!(second.header(name), first.header(name), "{name}");
    }
    assert_eq!(host.len(), 2, "the item and the record");
}

#[test]
fn a_record_is_small_whatever_was_created() {
    let host = FakeHost::new();
    let body = format!(
        r#"{{"name":"A","attributes":{{"a":"{}"}}}}"#,
        "x".repeat(400_000)
    );
    let first = post(&host, Some("k"), &body);
    assert_eq!(post(&host, Some("k"), &body).body, first.body);
    let sizes = host.document_sizes();
    assert_eq!(sizes.len(), 2);
    assert!(sizes.iter().any(|bytes| *bytes < 300), "{sizes:?}");
}

#[test]
fn a_replay_has_the_entity_tag_only_while_the_item_is_what_was_answered() {
    let host = FakeHost::new();
    let first = post(&host, Some("k"), BODY);
    let location = first.header("location").unwrap().to_owned();
    let patch = [("content-type", "application/merge-patch+json")];
    host.send("PATCH", &location, &patch, r#"{"name":"B"}"#);
    let second = post(&host, Some("k"), BODY);
    assert_eq!((&second.body, second.header("etag")), (&first.body, None));
    host.send("DELETE", &location, &[], "");
    let third = post(&host, Some("k"), BODY);
    assert_eq!(
        (third.status, &third.body, third.header("etag")),
        (201, &first.body, None)
    );
}

#[test]
fn a_key_belongs_to_its_content() {
    let host = FakeHost::new();
    post(&host, Some("k"), BODY);
    assert_problem(
        &post(&host, Some("k"), r#"{"name":"B"}"#),
        422,
        "idempotency-key-reused",
    );
    assert_eq!(host.len(), 2);
}

#[test]
fn a_key_belongs_to_its_caller() {
    let host = FakeHost::new();
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
    ];
    for subject in [None, Some("alice"), Some("bob")] {
        let response = host.send_as(subject, "POST", "/items", &headers, BODY);
        assert_eq!(
            (response.status, response.header("idempotency-replayed")),
            (201, None),
            "{subject:?}"
        );
    }
    let repeated = host.send_as(Some("alice"), "POST", "/items", &headers, BODY);
    assert_eq!(repeated.header("idempotency-replayed"), Some("true"));
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let host = FakeHost::new();
    post(&host, Some("k"), BODY);
    host.now_ms.set(NOW_MS + 24 * 3_600_000 - 1000);
    assert_eq!(
        post(&host, Some("k"), BODY).header("idempotency-replayed"),
        Some("true")
    );
    host.now_ms.set(NOW_MS + 24 * 3_600_000);
    assert_eq!(
        post(&host, Some("k"), BODY).header("idempotency-replayed"),
        None
    );
}

#[test]
fn a_key_in_progress_elsewhere_is_a_conflict() {
    let host = FakeHost::new();
    host.failure.replace(Some(StorageError::Conflict));
    let response = post(&host, Some("k"), BODY);
    assert_problem(&response, 409, "conflict");
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(post(&host, Some("k"), BODY).status, 201);
}

#[test]
fn a_malformed_key_is_refused_before_anything_happens() {
    let host = FakeHost::new();
    for key in ["", "\"\"", "\"a", "a b", &"a".repeat(256)] {
        assert_problem(&post(&host, Some(key), BODY), 400, "invalid-header");
    }
    assert_problem(&post(&host, Some("k"), "{}"), 422, "invalid-content");
    assert_eq!(host.calls.take(), [""; 0]);
}
