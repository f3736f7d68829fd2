//! HTTP API and function URL events (payload format 2.0), one test for each rule.

use super::{fields, parse_bytes, parse_with, request, with};
use contract::{
    http::{PathFidelity, Scheme},
    limits::Limits,
};
use gateway::EventKind;
use serde_json::{Value, json};

pub fn event(changes: Value) -> Value {
    let base = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/items",
        "rawQueryString": "",
        "headers": {"host": "abc.execute-api.eu-central-1.amazonaws.com", "x-forwarded-proto": "https"},
        "requestContext": {
            "domainName": "abc.execute-api.eu-central-1.amazonaws.com",
            "http": {"method": "GET", "path": "/items", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
            "timeEpoch": 1_583_348_638_390_u64,
        },
        "isBase64Encoded": false,
    });
    with(base, changes)
}

pub fn url_event(changes: Value) -> Value {
    let domain = "abc.lambda-url.eu-central-1.on.aws";
    let base = json!({"headers": {"host": domain}, "requestContext": {"domainName": domain}});
    with(event(base), changes)
}

#[test]
fn decoded_path_is_encoded_again_and_marked() {
    let request = request(&event(json!({"rawPath": "/my/path-with space/100%/é?#"})));
    assert_eq!(request.path, "/my/path-with%20space/100%25/%C3%A9%3F%23");
    assert_eq!(request.query, "", "a `?` in the path begins no query");
    assert_eq!(
        request.context.path_fidelity,
        PathFidelity::DecodedByGateway
    );
}

/// Base path and path that a guest gets.
fn split(raw_path: &str, context: Value, base_path: Option<&str>) -> (String, String) {
    let event = event(json!({"rawPath": raw_path, "requestContext": context})).to_string();
    let request = parse_with(event.as_bytes(), base_path, &Limits::default())
        .unwrap()
        .request;
    (request.context.base_path, request.path)
}

#[test]
fn named_stage_is_taken_off_the_path_and_told_as_base_path() {
    for (raw_path, base_path, path) in [
        ("/Prod/my/path", "/Prod", "/my/path"),
        ("/Prod", "/Prod", "/"),
        ("/Prod/Prod/x", "/Prod", "/Prod/x"),
        ("/Production", "", "/Production"),
    ] {
        let found = split(raw_path, json!({"stage": "Prod"}), None);
        assert_eq!((&*found.0, &*found.1), (base_path, path), "{raw_path}");
    }
    let found = split("/Prod/shop/x", json!({"stage": "Prod"}), Some("/shop"));
    assert_eq!((&*found.0, &*found.1), ("/Prod/shop", "/x"));
    let found = split("/Prod/x", json!({"stage": "Prod"}), Some("/shop"));
    assert_eq!((&*found.0, &*found.1), ("/Prod", "/x"));
}

#[test]
fn stage_of_a_custom_domain_is_in_the_path_but_not_in_the_url() {
    let context = json!({"stage": "production", "domainName": "app.example.com"});
    for (raw_path, path) in [
        ("/production/login", "/login"),
        ("/production", "/"),
        ("/production/production/x", "/production/x"),
        ("/productions", "/productions"),
        ("/login", "/login"),
    ] {
        let found = split(raw_path, context.clone(), None);
        assert_eq!((&*found.0, &*found.1), ("", path), "{raw_path}");
    }
}

#[test]
fn key_of_a_custom_domain_is_in_the_url_whether_or_not_it_is_in_the_path() {
    for stage in ["production", "$default"] {
        let context = json!({"stage": stage, "domainName": "app.example.com"});
        for raw_path in ["/login", "/v1/login"] {
            let found = split(raw_path, context.clone(), Some("/v1"));
            assert_eq!((&*found.0, &*found.1), ("/v1", "/login"), "{raw_path}");
        }
    }
}

#[test]
fn default_stage_is_never_in_the_path() {
    assert_eq!(
        request(&event(json!({"rawPath": "/$default/x"}))).path,
        "/$default/x"
    );
}

#[test]
fn raw_query_string_is_kept_as_sent() {
    let query = "b=2&a=1&a=%20+%2B&c&=&d[]=1";
    let request = request(&event(
        json!({"rawQueryString": query, "queryStringParameters": {"a": "wrong"}}),
    ));
    assert_eq!(request.query, query);
}

#[test]
fn parameters_serve_where_a_hand_made_event_has_no_raw_query() {
    let mut event = event(json!({"queryStringParameters": {"a": "1 2"}}));
    event.as_object_mut().unwrap().remove("rawQueryString");
    assert_eq!(request(&event).query, "a=1%202");
}

#[test]
fn duplicates_joined_by_commas_stay_joined() {
    let request = request(&event(json!({"headers": {"x-many": "first,second"}})));
    assert_eq!(request.headers.get("x-many"), Some("first,second"));
}

#[test]
fn cookies_come_back_as_one_header() {
    let request = request(&event(
        json!({"headers": {"a": "1"}, "cookies": ["c1=v1", "c2=v2; x"]}),
    ));
    assert_eq!(request.headers.get("cookie"), Some("c1=v1; c2=v2; x"));
    let cookies: Vec<_> = fields(&request)
        .into_iter()
        .filter(|(name, _)| *name == "cookie")
        .collect();
    assert_eq!(cookies.len(), 1);
}

#[test]
fn absent_members_are_empty() {
    let request = request(&event(
        json!({"headers": null, "cookies": [], "body": null}),
    ));
    assert_eq!(fields(&request), []);
    assert_eq!(request.body, b"");
    assert_eq!(
        request.context.authority,
        "abc.execute-api.eu-central-1.amazonaws.com"
    );
}

#[test]
fn context_comes_from_http() {
    let event = parse_bytes(event(json!({})).to_string().as_bytes()).unwrap();
    assert_eq!(event.origin.kind, EventKind::HttpApi);
    assert_eq!(event.time_epoch_ms, Some(1_583_348_638_390));
    assert_eq!(event.request.method, "GET");
    assert_eq!(event.request.context.request_id, "JKJaXmPLvHcESHA=");
    assert_eq!(
        event.request.context.client_address.as_deref(),
        Some("203.0.113.7")
    );
    assert_eq!(event.request.context.scheme, Scheme::Https);
}

#[test]
fn function_url_is_told_by_its_domain_and_keeps_its_path_encoded() {
    let event = parse_bytes(
        url_event(json!({"rawPath": "/a%2Fb%20c/100%25"}))
            .to_string()
            .as_bytes(),
    )
    .unwrap();
    assert_eq!(event.origin.kind, EventKind::FunctionUrl);
    assert_eq!(event.request.path, "/a%2Fb%20c/100%25");
    assert_eq!(event.request.context.path_fidelity, PathFidelity::Encoded);
}

#[test]
fn function_url_cookies_are_not_doubled() {
    let request = request(&url_event(
        json!({"headers": {"cookie": "a=1; b=2"}, "cookies": ["a=1", "b=2"]}),
    ));
    let cookies: Vec<_> = fields(&request)
        .into_iter()
        .filter(|(name, _)| *name == "cookie")
        .collect();
    assert_eq!(cookies, [("cookie", "a=1; b=2")]);
}

#[test]
fn function_url_bodies_that_are_not_text_come_in_base64() {
    let request = request(&url_event(json!({"body": "AP8=", "isBase64Encoded": true})));
    assert_eq!(request.body, [0, 255]);
}

#[test]
fn header_names_of_emulators_become_lower_case() {
    assert_eq!(
        fields(&request(&event(json!({"headers": null, "cookies": null})))),
        []
    );
    let request = request(&with(
        event(json!({})),
        json!({"headers": {"User-Agent": "x"}}),
    ));
    assert_eq!(request.headers.get("user-agent"), Some("x"));
}

#[test]
fn a_client_address_is_trimmed() {
    let context = json!({"http": {"sourceIp": " 203.0.113.5"}});
    let request = request(&event(json!({"requestContext": context})));
    assert_eq!(
        request.context.client_address.as_deref(),
        Some("203.0.113.5")
    );
}
