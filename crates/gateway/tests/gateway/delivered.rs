//! How gateways deliver a function's response, one test for each rule. The REST rules were recorded on AWS (FACTS); most of the others come
//! from AWS's documentation.

use gateway::{
    EventKind, Origin,
    deliver::{BinaryMedia, Delivery, deliver},
};
use serde_json::{Value, json};

const NO_BINARY: BinaryMedia<'_> = BinaryMedia {
    accept: None,
    types: &[],
};

fn from(kind: EventKind, response: &Value) -> Delivery {
    deliver(
        &Origin::new(kind),
        response.to_string().as_bytes(),
        &NO_BINARY,
    )
}

#[track_caller]
fn assert_fault(kind: EventKind, response: &Value, status: u16) {
    let delivery = from(kind, response);
    assert_eq!(delivery.status, status, "{response}");
    assert!(delivery.fault.is_some(), "{response}");
}

#[track_caller]
fn assert_answer(
    kind: EventKind,
    response: Value,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) {
    let delivery = from(kind, &response);
    assert_eq!(delivery.fault, None, "{response}");
    assert_eq!(delivery.status, status);
    let got: Vec<_> = delivery
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(got, headers);
    assert_eq!(String::from_utf8_lossy(&delivery.body), body);
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn rest_refuses_unknown_members_empty_objects_and_bare_values() {
    for response in [
        json!({"statusCode": 200, "cookies": []}),
        json!({}),
        json!("text"),
        json!(null),
        json!([]),
        json!(1),
    ] {
        assert_fault(EventKind::Rest, &response, 502);
    }
    let delivery = from(EventKind::Rest, &json!({}));
    assert_eq!(delivery.body, br#"{"message": "Internal server error"}"#);
}

#[test]
fn rest_takes_a_status_as_string_and_none_at_all() {
    assert_answer(
        EventKind::Rest,
        json!({"statusCode": "201"}),
        201,
        &[JSON],
        "",
    );
    assert_answer(
        EventKind::Rest,
        json!({"headers": {"a": "b"}}),
        200,
        &[("a", "b"), JSON],
        "",
    );
    for status in [
        json!("x"),
        json!(99),
        json!(600),
        json!(200.5),
        json!({}),
        json!(true),
    ] {
        assert_fault(EventKind::Rest, &json!({"statusCode": status}), 502);
    }
}

#[test]
fn rest_joins_headers_and_multi_value_headers() {
    let response = json!({"headers": {"Test": "solo", "flag": true, "n": 1.50}, "multiValueHeaders": {"test": ["m1", "m2"]}});
    let headers = [
        ("test", "m1"),
        ("test", "m2"),
        ("Test", "solo"),
        ("flag", "true"),
        ("n", "1.5"),
        JSON,
    ];
    assert_answer(EventKind::Rest, response, 200, &headers, "");
    assert_answer(
        EventKind::Rest,
        json!({"statusCode": 200, "headers": null}),
        200,
        &[JSON],
        "",
    );
    assert_fault(
        EventKind::Rest,
        &json!({"multiValueHeaders": {"a": "b"}}),
        502,
    );
}

#[test]
fn rest_says_application_json_where_the_function_says_nothing() {
    assert_answer(
        EventKind::Rest,
        json!({"statusCode": 200, "body": "<p>"}),
        200,
        &[JSON],
        "<p>",
    );
    let html = json!({"statusCode": 200, "headers": {"Content-Type": "text/html"}});
    assert_answer(
        EventKind::Rest,
        html,
        200,
        &[("Content-Type", "text/html")],
        "",
    );
}

#[test]
fn rest_decodes_base64_only_if_the_first_accepted_type_is_binary() {
    let response = json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": true}).to_string();
    let body = |accept, types: &[&str]| {
        deliver(
            &Origin::new(EventKind::Rest),
            response.as_bytes(),
            &BinaryMedia { accept, types },
        )
        .body
    };
    assert_eq!(body(None, &[]), b"aGk=");
    assert_eq!(body(Some("image/png"), &["image/png"]), b"hi");
    assert_eq!(
        body(Some("image/png;q=0.5, text/html"), &["image/*"]),
        b"hi"
    );
    assert_eq!(body(Some("text/html, image/png"), &["image/png"]), b"aGk=");
    assert_eq!(body(None, &["*/*"]), b"hi");
}

#[test]
fn bad_base64_is_a_fault() {
    let response = json!({"statusCode": 200, "body": "a*b", "isBase64Encoded": true});
    for (kind, status) in [
        (EventKind::HttpApi, 500),
        (EventKind::FunctionUrl, 502),
        (EventKind::Alb, 502),
    ] {
        assert_fault(kind, &response, status);
    }
}

#[test]
fn http_api_infers_a_response_from_what_has_no_status() {
    for kind in [EventKind::HttpApi, EventKind::FunctionUrl] {
        assert_answer(kind, json!({"a": [1]}), 200, &[JSON], r#"{"a":[1]}"#);
        assert_answer(kind, json!("hello"), 200, &[JSON], "hello");
        assert_answer(kind, json!({}), 200, &[JSON], "{}");
        assert_answer(kind, json!([1]), 200, &[JSON], "[1]");
    }
}

#[test]
fn http_api_sets_a_cookie_for_each_of_cookies() {
    let response = json!({"statusCode": 200, "headers": {"content-type": "a/b"}, "cookies": ["c=1", "d=2"], "body": "x"});
    let headers = [
        ("content-type", "a/b"),
        ("set-cookie", "c=1"),
        ("set-cookie", "d=2"),
    ];
    assert_answer(EventKind::HttpApi, response, 200, &headers, "x");
}

#[test]
fn each_kind_has_its_own_default_type() {
    let answer = json!({"statusCode": 200, "body": "x"});
    let of = |kind| from(kind, &answer).headers.pop().unwrap().1;
    assert_eq!(of(EventKind::Rest), "application/json");
    assert_eq!(of(EventKind::HttpApi), "text/plain; charset=utf-8");
    assert_eq!(of(EventKind::FunctionUrl), "application/json");
    assert_eq!(of(EventKind::Alb), "application/octet-stream");
    assert_eq!(
        from(EventKind::HttpApi, &json!({"statusCode": 204})).headers,
        []
    );
}

#[test]
fn malformed_answers_of_an_http_api_are_a_500() {
    for response in [
        json!({"statusCode": "x"}),
        json!({"statusCode": 200, "headers": []}),
        json!({"statusCode": 200, "body": {}}),
    ] {
        assert_fault(EventKind::HttpApi, &response, 500);
    }
    let broken = deliver(&Origin::new(EventKind::HttpApi), b"{", &NO_BINARY);
    assert_eq!(broken.status, 500);
}

#[test]
fn load_balancers_read_only_the_headers_of_their_form() {
    let response = json!({"statusCode": 200, "headers": {"a": "single"}, "multiValueHeaders": {"a": ["m1", "m2"]}}).to_string();
    let headers = |multi_value| {
        let delivery = deliver(
            &Origin {
                kind: EventKind::Alb,
                multi_value,
            },
            response.as_bytes(),
            &NO_BINARY,
        );
        delivery
            .headers
            .into_iter()
            .filter(|(name, _)| name == "a")
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
    };
    assert_eq!(headers(true), ["m1", "m2"]);
    assert_eq!(headers(false), ["single"]);
    assert_fault(EventKind::Alb, &json!({"body": "x"}), 502);
}

#[test]
fn invalid_headers_are_a_fault() {
    let response = json!({"statusCode": 200, "headers": {"a": "b\r\nset-cookie: c"}, "multiValueHeaders": {"a": ["b\nc"]}});
    for kind in EventKind::ALL {
        let status = if kind == EventKind::HttpApi { 500 } else { 502 };
        assert_fault(kind, &response, status);
    }
}
