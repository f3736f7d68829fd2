//! REST API events (payload format 1.0): what FACTS and the recordings show, one test for each rule.

use super::{fields, parse_bytes, parse_with, refusal, request, with};
use contract::{
    http::{PathFidelity, Scheme},
    limits::Limits,
};
use gateway::EventKind;
use serde_json::{Value, json};

pub fn event(changes: Value) -> Value {
    let base = json!({
        "resource": "/{proxy+}",
        "path": "/items",
        "httpMethod": "GET",
        "headers": null,
        "multiValueHeaders": null,
        "queryStringParameters": null,
        "multiValueQueryStringParameters": null,
        "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "domainName": "abc.execute-api.eu-central-1.amazonaws.com",
            "stage": "prod",
            "path": "/prod/items",
            "requestId": "11111111-2222",
            "requestTimeEpoch": 1_722_641_683_000_u64,
            "identity": {"sourceIp": "203.0.113.7", "userArn": null, "apiKey": "secret"},
        },
        "body": null,
        "isBase64Encoded": false,
    });
    with(base, changes)
}

#[test]
fn path_stays_percent_encoded_and_has_no_stage() {
    let request = request(&event(json!({"path": "/a%2Fb/c%20d+e//f/"})));
    assert_eq!(request.path, "/a%2Fb/c%20d+e//f/");
    assert_eq!(request.context.path_fidelity, PathFidelity::Encoded);
}

#[test]
fn path_that_begins_like_the_stage_stays_whole() {
    assert_eq!(
        request(&event(json!({"path": "/prod/items"}))).path,
        "/prod/items"
    );
}

#[test]
fn path_bytes_no_client_can_send_are_encoded() {
    assert_eq!(
        request(&event(json!({"path": "/é ?#%zz"}))).path,
        "/%C3%A9%20%3F%23%zz"
    );
}

#[test]
fn query_is_encoded_again_from_all_decoded_values() {
    let request = request(&event(json!({
        "queryStringParameters": {"a": "2", "plus": "x y"},
        "multiValueQueryStringParameters": {"plus": ["x y"], "a": ["1", "2"], "e&": ["=+é"], "empty": [""]},
    })));
    // Maps keep the event's order, which serde_json sorted here.
    assert_eq!(request.query, "a=1&a=2&e%26=%3D%2B%C3%A9&empty=&plus=x%20y");
}

#[test]
fn single_query_map_serves_where_there_is_no_multi_map() {
    assert_eq!(
        request(&event(json!({"queryStringParameters": {"a": "1"}}))).query,
        "a=1"
    );
    assert_eq!(request(&event(json!({}))).query, "");
}

#[test]
fn every_value_of_a_repeated_header_is_kept_in_order() {
    let request = request(&event(json!({
        "headers": {"X-Many": "second", "tEsT": "v"},
        "multiValueHeaders": {"X-Many": ["first", "second"], "tEsT": ["v"]},
    })));
    assert_eq!(
        fields(&request),
        [("x-many", "first"), ("x-many", "second"), ("test", "v")]
    );
}

#[test]
fn single_header_map_serves_where_there_is_no_multi_map() {
    assert_eq!(
        fields(&request(&event(json!({"headers": {"X-One": "1"}})))),
        [("x-one", "1")]
    );
}

#[test]
fn empty_maps_and_body_are_null() {
    let request = request(&event(json!({})));
    assert_eq!(fields(&request), []);
    assert_eq!(request.body, b"");
}

#[test]
fn body_is_decoded_only_when_flagged() {
    assert_eq!(
        request(&event(json!({"body": "YQ==", "isBase64Encoded": true}))).body,
        b"a"
    );
    assert_eq!(
        request(&event(json!({"body": "YQ", "isBase64Encoded": true}))).body,
        b"a"
    );
    assert_eq!(
        request(&event(json!({"body": "YQ==", "isBase64Encoded": null}))).body,
        b"YQ=="
    );
    assert_eq!(
        request(&event(json!({"body": "", "isBase64Encoded": true}))).body,
        b""
    );
}

#[test]
fn bad_base64_is_answered_with_400() {
    let refusal = refusal(&event(json!({"body": "a*b", "isBase64Encoded": true})));
    assert_eq!(refusal.status, 400);
    assert!(
        refusal.detail.contains("`body` is not base64"),
        "{}",
        refusal.detail
    );
    assert_eq!(refusal.request_id, "11111111-2222");
}

#[test]
fn context_comes_from_request_context_where_headers_are_silent() {
    let event = parse_bytes(event(json!({})).to_string().as_bytes()).unwrap();
    let context = event.request.context;
    assert_eq!(event.origin.kind, EventKind::Rest);
    assert_eq!(event.time_epoch_ms, Some(1_722_641_683_000));
    assert_eq!(context.request_id, "11111111-2222");
    assert_eq!(context.received_at_ms, super::RECEIVED_AT_MS);
    assert_eq!(context.scheme, Scheme::Https);
    assert_eq!(
        context.authority,
        "abc.execute-api.eu-central-1.amazonaws.com"
    );
    assert_eq!(context.client_address.as_deref(), Some("203.0.113.7"));
    assert_eq!(context.identity, None);
}

#[test]
fn host_and_forwarded_proto_headers_come_first() {
    let headers = json!({"Host": ["shop.example:8443"], "X-Forwarded-Proto": ["https", "http"]});
    let context = request(&event(json!({"multiValueHeaders": headers}))).context;
    assert_eq!(context.authority, "shop.example:8443");
    assert_eq!(
        context.scheme,
        Scheme::Http,
        "the gateway's own word is the last"
    );
}

#[test]
fn times_that_are_seconds_or_unreadable_do_no_harm() {
    let time = |time: Value| {
        let event = event(json!({"requestContext": {"requestTimeEpoch": time}}));
        parse_bytes(event.to_string().as_bytes())
            .unwrap()
            .time_epoch_ms
    };
    assert_eq!(time(json!(1_706_439_946)), Some(1_706_439_946_000));
    for unreadable in [json!("soon"), json!(-1), json!(1.5), json!(null), json!([])] {
        assert_eq!(time(unreadable), None);
    }
}

#[test]
fn unusable_request_ids_are_replaced() {
    for id in [
        json!(""),
        json!("a b"),
        json!("é"),
        json!("a\n"),
        json!("x".repeat(257)),
        json!(null),
    ] {
        let request = request(&event(json!({"requestContext": {"requestId": id}})));
        assert_eq!(request.context.request_id.len(), 32, "made from the seed");
    }
    let longest = "x".repeat(256);
    let request = request(&event(json!({"requestContext": {"requestId": longest}})));
    assert_eq!(request.context.request_id, longest);
}

/// Base path and path that a guest gets.
fn split(changes: Value, base_path: Option<&str>) -> (String, String) {
    let event = event(changes).to_string();
    let request = parse_with(event.as_bytes(), base_path, &Limits::default())
        .unwrap()
        .request;
    (request.context.base_path, request.path)
}

#[test]
fn what_precedes_the_path_in_the_url_is_the_base_path() {
    let base = |path: &str, client_path: Value, base_path: Option<&str>| {
        let context = json!({"path": client_path});
        split(json!({"path": path, "requestContext": context}), base_path)
    };
    for (path, client_path, expected) in [
        ("/items", json!("/live/items"), "/live"),
        ("/items/", json!("/live/items/"), "/live"),
        ("/", json!("/live/"), "/live"),
        ("/", json!("/live"), "/live"),
        ("/", json!("/live//"), "/live"),
        ("/a%2Fb", json!("/live/a%2Fb"), "/live"),
        ("/items", json!("/items"), ""),
        ("/", json!("/"), ""),
        ("/", json!(""), ""),
        ("/items", json!("/other"), ""),
        ("/items", json!("live/items"), ""),
        ("/items", json!("//evil.example/items"), ""),
        ("/items", json!("/a b/é/items"), "/a%20b/%C3%A9"),
        ("/items", json!(null), ""),
    ] {
        let (base_path, rest) = base(path, client_path.clone(), None);
        assert_eq!((&*base_path, &*rest), (expected, path), "{client_path}");
    }
    let (base_path, path) = base("/shop/items", json!("/live/shop/items"), Some("/shop"));
    assert_eq!((&*base_path, &*path), ("/live/shop", "/items"));
    let (base_path, path) = base("/shop/items", json!("/shop/items"), Some("/shop"));
    assert_eq!((&*base_path, &*path), ("/shop", "/items"));
    let (base_path, path) = base("/items", json!("/live/items"), Some("/shop"));
    assert_eq!((&*base_path, &*path), ("/live", "/items"));
}

#[test]
fn base_path_of_a_custom_domain_is_taken_off_where_configured() {
    let path = |path: &str, base_path: Option<&str>| {
        let event = event(json!({"path": path})).to_string();
        parse_with(event.as_bytes(), base_path, &Limits::default())
            .unwrap()
            .request
            .path
    };
    assert_eq!(path("/shop/items", Some("/shop")), "/items");
    assert_eq!(path("/shop/items", Some("shop/")), "/items");
    assert_eq!(path("/shop", Some("/shop")), "/");
    assert_eq!(path("/shopping", Some("/shop")), "/shopping");
    assert_eq!(path("/shop/items", Some("/")), "/shop/items");
    assert_eq!(path("/shop/items", None), "/shop/items");
}

#[test]
fn payload_1_0_of_an_http_api_has_a_named_stage_in_its_path() {
    let one = |changes: Value| {
        request(&with(
            event(json!({"version": "1.0", "path": "/prod/items"})),
            changes,
        ))
    };
    assert_eq!(one(json!({})).path, "/items");
    assert_eq!(
        one(json!({})).context.path_fidelity,
        PathFidelity::DecodedByGateway
    );
    assert_eq!(one(json!({})).context.base_path, "/prod");
    let custom = one(json!({"requestContext": {"domainName": "shop.example"}}));
    assert_eq!((&*custom.context.base_path, &*custom.path), ("", "/items"));
}

#[test]
fn payload_1_0_may_have_lost_the_encoding_of_its_path() {
    for (path, expected) in [
        ("/100%", "/100%25"),
        ("/100%/a%2Fb", "/100%25/a%2Fb"),
        ("/é x", "/%C3%A9%20x"),
    ] {
        let changes =
            json!({"version": "1.0", "path": path, "requestContext": {"stage": "$default"}});
        assert_eq!(request(&event(changes)).path, expected);
    }
}

#[test]
fn a_path_that_had_to_be_encoded_was_not_as_the_client_sent_it() {
    for (path, expected, fidelity) in [
        ("/[a]|{b}^", "/[a]|{b}^", PathFidelity::Encoded),
        ("/a%2Fb", "/a%2Fb", PathFidelity::Encoded),
        ("/é", "/%C3%A9", PathFidelity::DecodedByGateway),
        ("/a b", "/a%20b", PathFidelity::DecodedByGateway),
        ("/a#b", "/a%23b", PathFidelity::DecodedByGateway),
    ] {
        let request = request(&event(json!({"path": path})));
        assert_eq!(
            (&*request.path, request.context.path_fidelity),
            (expected, fidelity)
        );
    }
}

#[test]
fn a_rest_api_that_names_payload_1_0_keeps_its_stage_beside_the_path() {
    let context = json!({"stage": "live", "path": "/live/items", "domainName": null});
    let changes = json!({"version": "1.0", "path": "/items", "requestContext": context});
    let (base_path, path) = split(changes, None);
    assert_eq!((&*base_path, &*path), ("/live", "/items"));
}

#[test]
fn empty_maps_of_all_values_do_not_hide_those_of_the_last_ones() {
    let request = request(&event(json!({
        "headers": {"X-A": "1", "Host": "h"},
        "multiValueHeaders": null,
        "queryStringParameters": {"a": "1"},
        "multiValueQueryStringParameters": null,
    })));
    assert_eq!(
        (request.headers.get("x-a"), &*request.query),
        (Some("1"), "a=1")
    );
    let mut event = event(json!({}));
    event["headers"] = json!({"X-A": "1", "Host": "h"});
    event["multiValueHeaders"] = json!({});
    event["queryStringParameters"] = json!({"a": "1"});
    event["multiValueQueryStringParameters"] = json!({});
    let request = super::request(&event);
    assert_eq!(request.headers.get("x-a"), Some("1"));
    assert_eq!(request.context.authority, "h");
    assert_eq!(request.query, "a=1");
}

#[test]
fn a_client_address_is_an_address_or_nothing() {
    for (source, expected) in [
        (" 203.0.113.5", Some("203.0.113.5")),
        ("2001:db8::1 ", Some("2001:db8::1")),
        ("test-invoke-source-ip", None),
        ("", None),
        (" ", None),
        ("203.0.113.5, 203.0.113.6", None),
    ] {
        let context = json!({"identity": {"sourceIp": source}});
        let request = request(&event(json!({"requestContext": context})));
        assert_eq!(
            request.context.client_address.as_deref(),
            expected,
            "{source:?}"
        );
    }
}

#[test]
fn a_path_without_its_slash_is_what_the_console_sends() {
    assert_eq!(request(&event(json!({"path": "items"}))).path, "/items");
}

#[test]
fn a_time_that_cannot_be_read_does_not_hide_the_other() {
    let context = json!({"timeEpoch": "soon", "requestTimeEpoch": 1_583_348_638});
    let event = event(json!({"requestContext": context})).to_string();
    let event = parse_bytes(event.as_bytes()).unwrap();
    assert_eq!(event.time_epoch_ms, Some(1_583_348_638_000));
}
