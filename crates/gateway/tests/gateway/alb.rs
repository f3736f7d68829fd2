//! Load balancer events, one test for each rule.

use super::{fields, parse_bytes, request, with};
use contract::http::{PathFidelity, Scheme};
use gateway::{EventKind, Origin};
use serde_json::{Value, json};

pub fn event(changes: Value) -> Value {
    let base = json!({
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/a/b"}},
        "httpMethod": "GET",
        "path": "/items",
        "body": "",
        "isBase64Encoded": false,
    });
    with(base, changes)
}

#[test]
fn parameters_are_not_decoded_and_so_not_encoded_again() {
    let single = request(&event(
        json!({"queryStringParameters": {"my%20key": "%3Fa%3Db+c"}}),
    ));
    assert_eq!(single.query, "my%20key=%3Fa%3Db+c");
    let multi = request(&event(
        json!({"multiValueQueryStringParameters": {"k": ["%3Fa", "%3Fb", ""]}}),
    ));
    assert_eq!(multi.query, "k=%3Fa&k=%3Fb&k=");
}

#[test]
fn path_stays_as_sent() {
    let request = request(&event(json!({"path": "/a%2Fb%20c"})));
    assert_eq!(request.path, "/a%2Fb%20c");
    assert_eq!(request.context.path_fidelity, PathFidelity::Encoded);
}

#[test]
fn the_answer_takes_the_form_of_the_request() {
    let origin = |changes: Value| {
        parse_bytes(event(changes).to_string().as_bytes())
            .unwrap()
            .origin
    };
    assert_eq!(
        origin(json!({"headers": {"a": "b"}})),
        Origin {
            kind: EventKind::Alb,
            multi_value: false
        }
    );
    assert_eq!(
        origin(json!({"multiValueHeaders": {}})),
        Origin {
            kind: EventKind::Alb,
            multi_value: true
        }
    );
}

#[test]
fn multi_value_headers_keep_every_value() {
    let request = request(&event(
        json!({"multiValueHeaders": {"cookie": ["a=1", "b=2"], "x": ["y"]}}),
    ));
    assert_eq!(
        fields(&request),
        [("cookie", "a=1"), ("cookie", "b=2"), ("x", "y")]
    );
}

#[test]
fn health_checks_lack_host_and_more() {
    let request = request(&event(
        json!({"headers": {"user-agent": "ELB-HealthChecker/2.0"}}),
    ));
    assert_eq!(request.context.authority, "");
    assert_eq!(request.context.client_address, None);
    assert_eq!(request.context.scheme, Scheme::Http);
    assert_eq!(request.context.request_id.len(), 32);
    assert_eq!(
        parse_bytes(event(json!({})).to_string().as_bytes())
            .unwrap()
            .time_epoch_ms,
        None
    );
}

#[test]
fn client_is_the_last_forwarded_address() {
    let headers =
        json!({"x-forwarded-for": "6.6.6.6, 192.0.2.1", "x-forwarded-proto": "https", "host": "h"});
    let context = request(&event(json!({"headers": headers}))).context;
    assert_eq!(
        context.client_address.as_deref(),
        Some("192.0.2.1"),
        "the earlier ones are the client's own claim"
    );
    assert_eq!(context.scheme, Scheme::Https);
    assert_eq!(context.authority, "h");
}
