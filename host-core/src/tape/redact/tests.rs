//! Secrets go, everything else stays, and the marks say where.

use super::*;
use serde_json::{Value, json};

fn event(redaction: &Redaction, event: Value) -> (Value, Marks) {
    let text = event.to_string();
    let mut marks = Marks::default();
    let redacted = redaction.event(&text, &mut marks);
    (serde_json::from_str(&redacted).unwrap(), marks)
}

#[test]
fn credentials_go_wherever_a_gateway_puts_them() {
    let (redacted, marks) = event(
        &Redaction::credentials(),
        json!({
            "headers": {"Authorization": "Bearer s3cret", "accept": "*/*", "X-API-Key": "s3cret"},
            "multiValueHeaders": {"Cookie": ["a=s3cret", "b=s3cret"], "accept": ["*/*"]},
            "cookies": ["session=s3cret"],
            "rawQueryString": "limit=2&access%5Ftoken=s3cret&x",
            "queryStringParameters": {"limit": "2", "access_token": "s3cret"},
            "multiValueQueryStringParameters": {"API_KEY": ["s3cret"]},
            "requestContext": {"identity": {"apiKey": "s3cret", "sourceIp": "192.0.2.1"}},
            "body": "kept",
        }),
    );
    assert!(!redacted.to_string().contains("s3cret"), "{redacted}");
    assert_eq!(redacted["headers"]["accept"], "*/*");
    assert_eq!(
        redacted["multiValueHeaders"]["Cookie"],
        json!(["REDACTED", "REDACTED"])
    );
    assert_eq!(
        redacted["rawQueryString"],
        "limit=2&access%5Ftoken=REDACTED&x"
    );
    assert_eq!(
        redacted["requestContext"]["identity"]["sourceIp"],
        "192.0.2.1"
    );
    assert_eq!(redacted["body"], "kept");
    assert_eq!(
        marks.headers.iter().collect::<Vec<_>>(),
        ["authorization", "cookie", "x-api-key"]
    );
    assert_eq!(marks.at.len(), 8, "{:?}", marks.at);
    assert!(
        marks
            .at
            .contains(&"/event/headers/Authorization".to_owned())
    );
}

#[test]
fn what_holds_no_secret_keeps_its_spelling() {
    let text = r#"{ "headers" : {"a":1.50} , "body":null}"#;
    let mut marks = Marks::default();
    let redacted = Redaction::credentials().event(text, &mut marks);
    assert!(matches!(redacted, Cow::Borrowed(_)));
    assert_eq!(marks, Marks::default());
}

#[test]
fn fields_go_from_bodies_in_text_and_in_base64() {
    let redaction = Redaction::nothing()
        .with_fields(["/email", "/people/*/age", "/flag"])
        .unwrap();
    let body = r#"{"email":"s3cret","people":[{"age":44,"name":"x"}],"flag":true}"#;
    let expected = r#"{"email":"REDACTED","people":[{"age":0,"name":"x"}],"flag":false}"#;
    let (redacted, marks) = event(&redaction, json!({"body": body, "isBase64Encoded": false}));
    assert_eq!(redacted["body"], expected);
    assert_eq!(
        marks.at,
        [
            "/event/body#/email",
            "/event/body#/people/0/age",
            "/event/body#/flag"
        ]
    );
    let encoded = STANDARD.encode(body);
    let (redacted, _) = event(
        &redaction,
        json!({"body": encoded, "isBase64Encoded": true}),
    );
    assert_eq!(redacted["body"], STANDARD.encode(expected));
    let (kept, marks) = event(&redaction, json!({"body": "email=s3cret"}));
    assert_eq!(
        (kept["body"].as_str(), marks),
        (Some("email=s3cret"), Marks::default())
    );
}

#[test]
fn answers_lose_their_cookies() {
    let response = r#"{"statusCode":200,"headers":{"etag":"x"},"cookies":["a=s3cret"],"multiValueHeaders":{"Set-Cookie":["s3cret"]},"body":""}"#;
    let mut marks = Marks::default();
    let redacted = Redaction::credentials().response(response, &mut marks);
    assert!(
        !redacted.contains("s3cret") && redacted.contains("\"etag\":\"x\""),
        "{redacted}"
    );
    assert_eq!(
        marks.at,
        [
            "/response/cookies",
            "/response/multiValueHeaders/Set-Cookie"
        ]
    );
}

#[test]
fn redacting_twice_is_redacting_once() {
    let redaction = Redaction::credentials()
        .with_fields(["/a", "/b", "/c", "/d"])
        .unwrap();
    let body = r#"{"a":"x","b":1,"c":[1],"d":{"e":2}}"#;
    let once = event(
        &redaction,
        json!({"headers": {"cookie": "x"}, "body": body}),
    );
    assert_eq!(event(&redaction, once.0.clone()), once);
}

#[test]
fn log_attributes_are_known_by_their_names() {
    let redaction = Redaction::credentials()
        .with_fields(["/email", "/a/b"])
        .unwrap();
    let mut marks = Marks::default();
    for (key, expected) in [
        ("Authorization", true),
        ("email", true),
        ("a", false),
        ("b", false),
    ] {
        assert_eq!(
            redaction.attribute(key, || "/x".to_owned(), &mut marks),
            expected,
            "{key}"
        );
    }
    assert_eq!(marks.at.len(), 2);
}
