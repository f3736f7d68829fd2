//! POST on the list, with and without an `Idempotency-Key`.

use crate::client::{Client, NOW_MS, Response, assert_problem, json};
use tenon::store::StorageError;

const BODY: &str = r#"{"name":"A","price":1.50}"#;

fn post(client: &Client, key: Option<&str>, body: &str) -> Response {
    let mut headers = vec![("content-type", "application/json; charset=utf-8")];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    client.send("POST", "/items", &headers, body)
}

#[test]
fn post_creates_under_an_id_made_of_the_time() {
    let client = Client::new();
    let response = post(&client, None, BODY);
    assert_eq!(response.status, 201);
    let id = json(&response)["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("019b7ca9-8f2e-7") && id.len() == 36, "{id}");
    let location = format!("/items/{id}");
    assert_eq!(response.header("location"), Some(&*location));
    assert_eq!(client.calls(), ["put"]);
    let stored = client.get(&location);
    assert_eq!(
        (&stored.body, stored.header("etag")),
        (&response.body, response.header("etag"))
    );
    assert_ne!(post(&client, None, BODY).body, response.body);
}

#[test]
fn references_begin_with_the_base_path() {
    let mut client = Client::new();
    client.base_path = "/live/shop";
    let created = post(&client, Some("\"k\""), BODY);
    let id = json(&created)["id"].as_str().unwrap().to_owned();
    let location = format!("/live/shop/items/{id}");
    for response in [&created, &post(&client, Some("\"k\""), BODY)] {
        for name in ["location", "content-location"] {
            assert_eq!(response.header(name), Some(&*location), "{name}");
        }
    }
    let patch = [("content-type", "application/merge-patch+json")];
    let patched = client.send("PATCH", &format!("/items/{id}"), &patch, "{}");
    assert_eq!(patched.header("content-location"), Some(&*location));
    post(&client, None, BODY);
    let link = client.get("/items?limit=1");
    let link = link.header("link").expect("a link to the second page");
    assert!(link.starts_with("</live/shop/items?limit=1&"), "{link}");
}

#[test]
fn a_repeated_post_is_answered_the_same_and_does_nothing() {
    let client = Client::new();
    let first = post(&client, Some("\"k\""), BODY);
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (201, None)
    );
    assert_eq!(client.calls(), ["transact"]);
    client.set_time(NOW_MS + 1000);
    let second = post(&client, Some("k"), BODY);
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
    assert_eq!(client.len(), 1);
}

#[test]
fn a_record_is_small_whatever_was_created() {
    let client = Client::new();
    let body = format!(
        r#"{{"name":"A","attributes":{{"a":"{}"}}}}"#,
        "x".repeat(400_000)
    );
    let first = post(&client, Some("k"), &body);
    assert_eq!(post(&client, Some("k"), &body).body, first.body);
    let record = client.record_of_k().unwrap();
    assert!(record.as_str().len() < 300, "{record:?}");
}

/// Data that is stored must stay readable.
#[test]
fn a_record_has_the_layout_that_it_has_always_had() {
    let client = Client::new();
    let first = post(&client, Some("k"), BODY);
    let id = json(&first)["id"].as_str().unwrap().to_owned();
    let hash = "f4d43674ca5617f0b5fecd71d0fb7fa79cf66ba3a82f7155ca3ef523d79bfa85";
    let record = client.record_of_k().unwrap();
    assert_eq!(
        record.as_str(),
        format!(
            r#"{{"created_at":"2026-01-02T03:04:05.678Z","fingerprint":"{hash}","id":"{id}"}}"#
        )
    );

    // One of an earlier build.
    let client = Client::new();
    client.store_record_of_k(
        r#"{"created_at":"2026-01-01T00:00:00.000Z","fingerprint":"f4d43674ca5617f0b5fecd71d0fb7fa79cf66ba3a82f7155ca3ef523d79bfa85","id":"old"}"#,
    );
    let repeated = post(&client, Some("k"), BODY);
    assert_eq!(repeated.header("idempotency-replayed"), Some("true"));
    assert_eq!(repeated.header("location"), Some("/items/old"));
    assert_eq!(json(&repeated)["created_at"], "2026-01-01T00:00:00.000Z");
}

#[test]
fn a_replay_has_the_entity_tag_only_while_the_item_is_what_was_answered() {
    let client = Client::new();
    let first = post(&client, Some("k"), BODY);
    let location = first.header("location").unwrap().to_owned();
    let patch = [("content-type", "application/merge-patch+json")];
    client.send("PATCH", &location, &patch, r#"{"name":"B"}"#);
    let second = post(&client, Some("k"), BODY);
    assert_eq!((&second.body, second.header("etag")), (&first.body, None));
    client.send("DELETE", &location, &[], "");
    let third = post(&client, Some("k"), BODY);
    assert_eq!(
        (third.status, &third.body, third.header("etag")),
        (201, &first.body, None)
    );
}

#[test]
fn a_key_belongs_to_its_content() {
    let client = Client::new();
    post(&client, Some("k"), BODY);
    assert_problem(
        &post(&client, Some("k"), r#"{"name":"B"}"#),
        422,
        "idempotency-key-reused",
    );
    assert_eq!(client.len(), 1);
}

#[test]
fn a_key_belongs_to_its_caller() {
    let client = Client::new();
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
    ];
    for subject in [None, Some("alice"), Some("bob")] {
        let response = client.send_as(subject, "POST", "/items", &headers, BODY);
        assert_eq!(
            (response.status, response.header("idempotency-replayed")),
            (201, None),
            "{subject:?}"
        );
    }
    let repeated = client.send_as(Some("alice"), "POST", "/items", &headers, BODY);
    assert_eq!(repeated.header("idempotency-replayed"), Some("true"));
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let client = Client::new();
    post(&client, Some("k"), BODY);
    client.set_time(NOW_MS + 24 * 3_600_000 - 1000);
    assert_eq!(
        post(&client, Some("k"), BODY).header("idempotency-replayed"),
        Some("true")
    );
    client.set_time(NOW_MS + 24 * 3_600_000);
    assert_eq!(
        post(&client, Some("k"), BODY).header("idempotency-replayed"),
        None
    );
}

#[test]
fn a_key_in_progress_elsewhere_is_a_conflict() {
    let client = Client::new();
    client.fail_storage(StorageError::Conflict);
    let response = post(&client, Some("k"), BODY);
    assert_problem(&response, 409, "conflict");
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!(post(&client, Some("k"), BODY).status, 201);
}

#[test]
fn a_malformed_key_is_refused_before_anything_happens() {
    let client = Client::new();
    for key in ["", "\"\"", "\"a", "a b", &"a".repeat(256)] {
        assert_problem(&post(&client, Some(key), BODY), 400, "invalid-header");
    }
    assert_problem(&post(&client, Some("k"), "{}"), 422, "invalid-content");
    assert_eq!(client.calls(), [""; 0]);
}
