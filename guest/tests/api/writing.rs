//! PUT, PATCH and DELETE on an item.

use crate::client::{Client, NOW_MS, Response, assert_problem, json};

const JSON: (&str, &str) = ("content-type", "application/json");
const PATCH: (&str, &str) = ("content-type", "application/merge-patch+json");

fn tag(response: &Response) -> String {
    response.header("etag").expect("an entity tag").to_owned()
}

fn patch(client: &Client, headers: &[(&str, &str)], body: &str) -> Response {
    client.send("PATCH", "/items/a", &[&[PATCH], headers].concat(), body)
}

#[test]
fn put_creates_then_replaces_and_keeps_the_date_of_creation() {
    let client = Client::new();
    let created = client.put("a", r#"{"name":"A","category":"c"}"#);
    assert_eq!(
        (created.status, created.header("location")),
        (201, Some("/items/a"))
    );
    assert_eq!(created.header("content-location"), Some("/items/a"));
    client.set_time(NOW_MS + 1000);
    let replaced = client.put("a", r#"{"name":"B"}"#);
    assert_eq!((replaced.status, replaced.header("location")), (200, None));
    assert_ne!(tag(&created), tag(&replaced));
    let item = json(&replaced);
    assert_eq!(item["created_at"], "2026-01-02T03:04:05.678Z");
    assert_eq!(item["updated_at"], "2026-01-02T03:04:06.678Z");
    assert_eq!(
        item.get("category"),
        None,
        "a replacement leaves nothing behind"
    );
    let stored = client.get("/items/a");
    assert_eq!(
        (stored.body.as_slice(), tag(&stored)),
        (replaced.body.as_slice(), tag(&replaced))
    );
}

#[test]
fn a_put_that_creates_takes_one_call_and_one_that_replaces_two() {
    let client = Client::new();
    client.put("a", r#"{"name":"A"}"#);
    assert_eq!(client.calls(), ["put"]);
    client.put("a", r#"{"name":"B"}"#);
    assert_eq!(client.calls(), ["put", "put"]);
}

#[test]
fn put_with_if_none_match_star_only_creates() {
    let client = Client::new();
    let headers = [JSON, ("if-none-match", "*")];
    assert_eq!(
        client
            .send("PUT", "/items/a", &headers, r#"{"name":"A"}"#)
            .status,
        201
    );
    assert_problem(
        &client.send("PUT", "/items/a", &headers, r#"{"name":"B"}"#),
        412,
        "precondition-failed",
    );
    assert_eq!(json(&client.get("/items/a"))["name"], "A");
}

#[test]
fn put_with_if_match_only_replaces_the_state_it_names() {
    let client = Client::new();
    let put = |value: &str| {
        client.send(
            "PUT",
            "/items/a",
            &[JSON, ("if-match", value)],
            r#"{"name":"B"}"#,
        )
    };
    assert_problem(&put("*"), 412, "precondition-failed");
    assert_problem(&put("\"r1\""), 412, "precondition-failed");
    assert_eq!(client.len(), 0);
    let first = tag(&client.put("a", r#"{"name":"A"}"#));
    assert_problem(&put("\"x\""), 412, "precondition-failed");
    assert_problem(&put(&format!("W/{first}")), 412, "precondition-failed");
    let second = put(&format!("\"x\", {first}"));
    assert_eq!(second.status, 200);
    let refused = put(&first);
    assert_problem(&refused, 412, "precondition-failed");
    assert_eq!(
        tag(&refused),
        tag(&second),
        "a refusal names the state that is there"
    );
    assert_eq!(put("*").status, 200);
}

#[test]
fn put_refuses_ids_that_need_encoding() {
    let client = Client::new();
    for id in ["a%20b", "%C3%A9", "a.b", &"a".repeat(65)] {
        assert_problem(&client.put(id, r#"{"name":"A"}"#), 400, "invalid-id");
    }
}

#[test]
fn patch_merges_and_checks_the_result() {
    let client = Client::new();
    client.put(
        "a",
        r#"{"name":"A","price":1,"attributes":{"x":1,"y":{"z":2}}}"#,
    );
    client.set_time(NOW_MS + 1);
    let patched = patch(
        &client,
        &[],
        r#"{"price":null,"attributes":{"y":{"z":null,"w":3}}}"#,
    );
    assert_eq!(patched.status, 200);
    let item = json(&patched);
    assert_eq!(item["attributes"].to_string(), r#"{"x":1,"y":{"w":3}}"#);
    assert_eq!(
        (item.get("price"), item["updated_at"].as_str()),
        (None, Some("2026-01-02T03:04:05.679Z"))
    );
    assert_eq!(client.get("/items/a").body, patched.body);
    let problem = assert_problem(
        &patch(&client, &[], r#"{"name":null,"tags":"x"}"#),
        422,
        "invalid-content",
    );
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["pointer"])
        .collect();
    assert_eq!(pointers, ["/name", "/tags"]);
    assert_problem(&patch(&client, &[], "[]"), 422, "invalid-content");
    assert_eq!(client.get("/items/a").body, patched.body);
}

#[test]
fn patch_cannot_touch_what_the_service_sets() {
    let client = Client::new();
    client.put("a", r#"{"name":"A"}"#);
    for body in [
        r#"{"id":"b"}"#,
        r#"{"id":null}"#,
        r#"{"created_at":null}"#,
        r#"{"other":null}"#,
    ] {
        assert_problem(&patch(&client, &[], body), 422, "invalid-content");
    }
}

#[test]
fn patch_wants_its_media_type_and_an_item() {
    let client = Client::new();
    assert_problem(&patch(&client, &[], "{}"), 404, "not-found");
    assert_problem(
        &patch(&client, &[("if-match", "*")], "{}"),
        404,
        "not-found",
    );
    let response = client.send("PATCH", "/items/a", &[JSON], "{}");
    assert_problem(&response, 415, "unsupported-media-type");
    assert_eq!(
        response.header("accept-patch"),
        Some("application/merge-patch+json")
    );
}

#[test]
fn a_lost_race_is_run_again_unless_if_match_forbids_it() {
    let client = Client::new();
    let first = tag(&client.put("a", r#"{"name":"A"}"#));
    client.lose_races(2);
    assert_eq!(patch(&client, &[], r#"{"name":"B"}"#).status, 200);
    client.lose_races(2);
    assert_eq!(client.put("a", r#"{"name":"C"}"#).status, 200);
    let current = tag(&client.get("/items/a"));
    assert_ne!(current, first);
    client.lose_races(1);
    assert_problem(
        &patch(&client, &[("if-match", &current)], r#"{"name":"D"}"#),
        412,
        "precondition-failed",
    );
    let current = tag(&client.get("/items/a"));
    client.lose_races(1);
    let deleted = client.send("DELETE", "/items/a", &[("if-match", &current)], "");
    assert_problem(&deleted, 412, "precondition-failed");
    assert_eq!(json(&client.get("/items/a"))["name"], "C");
}

#[test]
fn the_last_write_wins_however_many_others_write() {
    let client = Client::new();
    client.put("a", r#"{"name":"A"}"#);
    client.lose_races(1_000_000);
    client.calls();
    let replaced = client.put("a", r#"{"name":"B"}"#);
    assert_eq!((replaced.status, client.calls().len()), (200, 3));
    let created_at = json(&replaced)["created_at"].clone();
    assert_eq!(created_at, "2026-01-02T03:04:05.678Z");
    let any = [JSON, ("if-match", "*")];
    let replaced = client.send("PUT", "/items/a", &any, r#"{"name":"C"}"#);
    assert_eq!(replaced.status, 200);
    let removed = client.send("DELETE", "/items/a", &[("if-match", "*")], "");
    assert_eq!(removed.status, 204);
}

#[test]
fn a_patch_comes_through_among_fifty_others() {
    let client = Client::new();
    client.put("a", r#"{"name":"A"}"#);
    client.calls();
    client.lose_races(50);
    assert_eq!(patch(&client, &[], r#"{"name":"B"}"#).status, 200);
    let puts = client.calls().into_iter().filter(|call| *call == "put");
    assert_eq!(puts.count(), 51);
}

#[test]
fn a_race_that_does_not_end_is_a_conflict() {
    let client = Client::new();
    client.put("a", r#"{"name":"A"}"#);
    let requests = [
        ("PATCH", PATCH, ("x-none", "")),
        ("PUT", JSON, ("if-none-match", "\"x\"")),
    ];
    for (method, content_type, condition) in requests {
        client.lose_races(1_000_000);
        let headers = [content_type, condition];
        let response = client.send(method, "/items/a", &headers, r#"{"name":"B"}"#);
        assert_problem(&response, 409, "conflict");
        assert_eq!(response.header("retry-after"), Some("1"));
    }
    client.lose_races(0);
    assert_eq!(json(&client.get("/items/a"))["name"], "A");
}

#[test]
fn delete_removes_once() {
    let client = Client::new();
    client.put("a", r#"{"name":"A"}"#);
    client.calls();
    let response = client.send("DELETE", "/items/a", &[], "");
    assert_eq!(
        (
            response.status,
            response.body.len(),
            response.header("content-type")
        ),
        (204, 0, None)
    );
    assert_eq!(client.calls(), ["delete"]);
    assert_problem(
        &client.send("DELETE", "/items/a", &[], ""),
        404,
        "not-found",
    );
    assert_problem(
        &client.send("DELETE", "/items/a", &[("if-match", "\"r1\"")], ""),
        404,
        "not-found",
    );
}

#[test]
fn delete_keeps_its_conditions() {
    let client = Client::new();
    let first = tag(&client.put("a", r#"{"name":"A"}"#));
    for headers in [
        ("if-match", "\"x\""),
        ("if-match", "\"x\", \"y\""),
        ("if-none-match", "*"),
        ("if-none-match", &first),
    ] {
        assert_problem(
            &client.send("DELETE", "/items/a", &[headers], ""),
            412,
            "precondition-failed",
        );
    }
    client.calls();
    assert_eq!(
        client
            .send("DELETE", "/items/a", &[("if-match", &first)], "")
            .status,
        204
    );
    assert_eq!(
        client.calls(),
        ["delete"],
        "one strong tag is the store's to check"
    );
    client.put("a", r#"{"name":"A"}"#);
    assert_eq!(
        client
            .send("DELETE", "/items/a", &[("if-match", "*")], "")
            .status,
        204
    );
}

#[test]
fn content_has_to_be_an_item_in_json() {
    let client = Client::new();
    for (body, status, code) in [
        ("", 400, "invalid-json"),
        ("{", 400, "invalid-json"),
        ("{\"name\":\"\u{1}\"}", 400, "invalid-json"),
        ("{\"name\":\"\\ud800\"}", 400, "invalid-json"),
        ("[]", 422, "invalid-content"),
        ("{}", 422, "invalid-content"),
        (r#"{"name":"A","x":1}"#, 422, "invalid-content"),
        (r#"{"name":"A","id":"a"}"#, 422, "invalid-content"),
    ] {
        assert_problem(&client.put("a", body), status, code);
    }
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[JSON, ("content-encoding", "gzip")],
    ] {
        let response = client.send("PUT", "/items/a", headers, r#"{"name":"A"}"#);
        assert_problem(&response, 415, "unsupported-media-type");
        assert!(
            response
                .header("accept")
                .or(response.header("accept-encoding"))
                .is_some()
        );
    }
    assert_eq!(client.len(), 0);
}
