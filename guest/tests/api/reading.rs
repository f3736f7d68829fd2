//! GET and HEAD on an item.

use crate::client::{Client, assert_problem, json};

fn client_with_item() -> (Client, String) {
    let client = Client::new();
    let response = client.put("a", r#"{"name":"A","price":1.50}"#);
    let tag = response.header("etag").expect("an entity tag").to_owned();
    (client, tag)
}

#[test]
fn an_item_is_what_was_put_with_id_and_dates() {
    let (client, tag) = client_with_item();
    let response = client.get("/items/a");
    assert_eq!(response.status, 200);
    assert_eq!(response.header("etag"), Some(&*tag));
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("private, no-cache"));
    let text = String::from_utf8(response.body).unwrap();
    assert_eq!(
        text,
        r#"{"created_at":"2026-01-02T03:04:05.678Z","id":"a","name":"A","price":1.5,"updated_at":"2026-01-02T03:04:05.678Z"}"#
    );
}

#[test]
fn head_is_get_without_content() {
    let (client, _) = client_with_item();
    for target in [
        "/items/a",
        "/items",
        "/items/none",
        "/health",
        "/openapi.json",
        "/items?limit=x",
    ] {
        let (get, head) = (client.get(target), client.send("HEAD", target, &[], ""));
        assert_eq!(
            (head.status, &head.headers),
            (get.status, &get.headers),
            "{target}"
        );
        assert!(head.body.is_empty() && !get.body.is_empty(), "{target}");
    }
}

#[test]
fn if_none_match_answers_304_with_the_headers_of_200() {
    let (client, tag) = client_with_item();
    for value in [
        tag.clone(),
        format!("W/{tag}"),
        "*".into(),
        format!("\"x\", {tag}"),
    ] {
        for method in ["GET", "HEAD"] {
            let response = client.send(method, "/items/a", &[("if-none-match", &value)], "");
            assert_eq!(response.status, 304, "{method} {value}");
            assert!(response.body.is_empty());
            assert_eq!(response.header("etag"), Some(&*tag));
            assert_eq!(response.header("cache-control"), Some("private, no-cache"));
            assert_eq!(response.header("content-type"), None);
        }
    }
    assert_eq!(
        client
            .send("GET", "/items/a", &[("if-none-match", "\"x\"")], "")
            .status,
        200
    );
}

#[test]
fn if_match_on_a_read_is_checked_as_well() {
    let (client, tag) = client_with_item();
    assert_eq!(
        client
            .send("GET", "/items/a", &[("if-match", &tag)], "")
            .status,
        200
    );
    assert_problem(
        &client.send("GET", "/items/a", &[("if-match", "\"x\"")], ""),
        412,
        "precondition-failed",
    );
    assert_problem(
        &client.send("GET", "/items/a", &[("if-match", "x")], ""),
        400,
        "invalid-header",
    );
}

#[test]
fn what_is_not_there_is_404_whatever_the_conditions() {
    let client = Client::new();
    for headers in [&[][..], &[("if-match", "*")], &[("if-none-match", "*")]] {
        assert_problem(
            &client.send("GET", "/items/none", headers, ""),
            404,
            "not-found",
        );
    }
    assert_eq!(client.calls().len(), 3);
    assert_problem(&client.get("/items/a%20b"), 404, "not-found");
    assert_eq!(
        client.calls().len(),
        0,
        "an id that no item can have needs no store"
    );
}

#[test]
fn the_path_is_decoded_once() {
    let (client, _) = client_with_item();
    assert_eq!(json(&client.get("/items/%61"))["id"], "a");
    assert_problem(&client.get("/items/%2561"), 404, "not-found");
    assert_problem(&client.get("/items/%6"), 400, "invalid-path");
}
