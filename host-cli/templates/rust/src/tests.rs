//! The API without a host: requests to `app()`, with the rules of the hosts and a store in memory.

use super::app;
use serde_json::json;
use tenon::{
    store::StorageError,
    test::{TestClient, TestResponse},
};

fn create(client: &TestClient, text: &str) -> TestResponse {
    client.post("/notes").json(&json!({"text": text})).send()
}

#[test]
fn a_created_note_can_be_read() {
    let client = app().test();
    let created = create(&client, "buy milk");
    assert_eq!(created.status(), 201);
    assert_eq!(created.value()["created_at"], "2026-01-01T00:00:00.000Z");

    let location = created.header("location").unwrap();
    let read = client.get(location).send();
    assert_eq!(read.status(), 200);
    assert_eq!(read.value(), created.value());

    let tag = read.header("etag").unwrap();
    let unchanged = client.get(location).header("if-none-match", tag).send();
    assert_eq!(unchanged.status(), 304);
}

#[test]
fn a_list_comes_in_pages() {
    let client = app().test();
    for text in ["a", "b", "c"] {
        client.advance(1);
        assert_eq!(create(&client, text).status(), 201);
    }
    let first = client.get("/notes?limit=2").send().value();
    assert_eq!(first["items"][1]["text"], "b");
    let cursor = first["next"].as_str().unwrap();
    let rest = client
        .get(&format!("/notes?limit=2&cursor={cursor}"))
        .send();
    assert_eq!(rest.value()["items"][0]["text"], "c");
    assert_eq!(rest.header("link"), None);
}

#[test]
fn a_note_that_breaks_a_rule_is_refused_with_its_place() {
    let client = app().test();
    for (content, pointer) in [
        (json!({"text": ""}), "/text"),
        (json!({"text": 7}), "/text"),
        (json!({"text": "a", "colour": "red"}), "/colour"),
        (json!({}), ""),
    ] {
        let refused = client.post("/notes").json(&content).send();
        assert_eq!(refused.status(), 422, "{content}");
        assert_eq!(
            refused.value()["errors"][0]["pointer"],
            pointer,
            "{content}"
        );
    }
}

#[test]
fn a_note_that_is_not_there_is_a_problem() {
    let response = app().test().get("/notes/unknown").send();
    assert_eq!(response.status(), 404);
    assert_eq!(response.value()["detail"], "there is no note `unknown`");
}

#[test]
fn a_store_in_trouble_asks_the_client_to_come_back() {
    let client = app().test();
    client.fail_storage(StorageError::Unavailable);
    let response = create(&client, "buy milk");
    assert_eq!(response.status(), 503);
    assert_eq!(response.header("retry-after"), Some("1"));
}
