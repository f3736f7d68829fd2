//! Rules for all resources: methods, media types, CORS, the documents.

use crate::client::{Client, assert_problem, json};

const RESOURCES: [(&str, &str); 4] = [
    ("/items", "GET, HEAD, POST, OPTIONS"),
    ("/items/a", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
    ("/health", "GET, HEAD, OPTIONS"),
    ("/openapi.json", "GET, HEAD, OPTIONS"),
];

#[test]
fn a_method_that_a_resource_does_not_know_is_405_with_allow() {
    let client = Client::new();
    for (path, allow) in RESOURCES {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "QUERY",
        ] {
            let response = client.send(
                method,
                path,
                &[("content-type", "application/json")],
                r#"{"name":"A"}"#,
            );
            let is_known = allow.split(", ").any(|known| known == method);
            assert_eq!(response.status != 405, is_known, "{method} {path}");
            if !is_known {
                assert_problem(&response, 405, "method-not-allowed");
                assert_eq!(response.header("allow"), Some(allow));
            }
        }
    }
}

#[test]
fn options_tells_the_methods() {
    let client = Client::new();
    for (path, allow) in RESOURCES {
        let response = client.send("OPTIONS", path, &[], "");
        assert_eq!(
            (response.status, response.header("allow")),
            (204, Some(allow))
        );
        assert_eq!(response.header("access-control-allow-methods"), None);
    }
}

#[test]
fn a_preflight_request_is_told_what_a_browser_may_send() {
    let client = Client::new();
    let headers = [
        ("origin", "https://example.com"),
        ("access-control-request-method", "PATCH"),
    ];
    let response = client.send("OPTIONS", "/items/a", &headers, "");
    assert_eq!(response.status, 204);
    assert_eq!(
        response.header("access-control-allow-methods"),
        Some(RESOURCES[1].1)
    );
    let allowed = response.header("access-control-allow-headers").unwrap();
    for name in [
        "content-type",
        "if-match",
        "if-none-match",
        "idempotency-key",
        "authorization",
    ] {
        assert!(allowed.split(", ").any(|allowed| allowed == name), "{name}");
    }
    assert_eq!(response.header("access-control-allow-credentials"), None);
}

#[test]
fn every_answer_has_the_common_headers() {
    let client = Client::new();
    for (method, path) in [
        ("GET", "/items"),
        ("GET", "/none"),
        ("OPTIONS", "/items"),
        ("PUT", "/health"),
        ("HEAD", "/items/a"),
    ] {
        let response = client.send(method, path, &[], "");
        assert_eq!(
            response.header("access-control-allow-origin"),
            Some("*"),
            "{method} {path}"
        );
        assert!(
            response
                .header("access-control-expose-headers")
                .unwrap()
                .contains("etag")
        );
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        assert!(response.header("cache-control").is_some());
    }
}

#[test]
fn no_representation_but_json_can_be_had() {
    let client = Client::new();
    for path in ["/items", "/items/a", "/health", "/openapi.json"] {
        assert_problem(
            &client.send("GET", path, &[("accept", "text/html")], ""),
            406,
            "not-acceptable",
        );
    }
    let accept = [("accept", "text/html"), ("accept", "application/*;q=0.5")];
    assert_eq!(client.send("GET", "/health", &accept, "").status, 200);
    let post = [
        ("accept", "text/html"),
        ("content-type", "application/json"),
    ];
    assert_problem(
        &client.send("POST", "/items", &post, r#"{"name":"A"}"#),
        406,
        "not-acceptable",
    );
    assert_eq!(client.calls(), [""; 0]);
}

#[test]
fn post_tells_its_media_type() {
    let response = Client::new().send("POST", "/items", &[("content-type", "text/plain")], "x");
    assert_problem(&response, 415, "unsupported-media-type");
    assert_eq!(response.header("accept-post"), Some("application/json"));
}

#[test]
fn what_has_no_route_is_not_found() {
    let client = Client::new();
    for path in ["/", "/items/", "/items/a/b", "/item", "/health/"] {
        assert_problem(&client.get(path), 404, "not-found");
    }
}

#[test]
fn health_does_not_ask_the_store() {
    let client = Client::new();
    assert_eq!(json(&client.get("/health"))["status"], "ok");
    assert_eq!(client.calls(), [""; 0]);
}

#[test]
fn the_contract_names_the_methods_that_there_are() {
    let document = json(&Client::new().get("/openapi.json"));
    assert_eq!(document["openapi"], "3.1.0");
    for (path, allow) in RESOURCES {
        let operations = document["paths"][path.replace("/a", "/{id}")]
            .as_object()
            .expect("a path of the contract");
        let mut documented: Vec<_> = operations
            .keys()
            .filter(|name| *name != "parameters")
            .map(|name| name.to_uppercase())
            .collect();
        let mut allowed: Vec<_> = allow
            .split(", ")
            .filter(|method| *method != "OPTIONS")
            .map(str::to_owned)
            .collect();
        documented.sort();
        allowed.sort();
        assert_eq!(documented, allowed, "{path}");
    }
}
