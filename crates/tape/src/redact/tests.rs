//! Secrets are removed, everything else is kept, and the record says where.

use super::*;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

fn event(redaction: &Redaction, event: Value) -> (Value, Marks) {
    let text = event.to_string();
    let mut marks = Marks::default();
    let redacted = redaction
        .event(&text, &mut marks, &mut Secrets::default())
        .unwrap();
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
    assert_eq!(marks.headers(), ["authorization", "cookie", "x-api-key"]);
    let places = marks.places();
    assert_eq!(places.len(), 9, "{places:?}");
    assert!(places.contains(&"/event/headers/Authorization".to_owned()));
}

/// Each is searched elsewhere, although one replacement covers the word.
#[test]
fn every_value_in_an_encoded_word_is_looked_for() {
    for word in [
        "https%3A%2F%2Fa%3Ftoken%3DAAAAAAAAA%26session%3Da-long-s3cret",
        "%7B%0A%22password%22%3A%22AAAAAAAAAA%22%2C%0A%22token%22%3A%22a-long-s3cret%22%0A%7D",
        "%3Ca%20token%3D%22AAAAAAAAAA%22%20password%3D%22a-long-s3cret%22%3E",
    ] {
        assert_looked_for(&json!({
            "body": format!("d={word}"),
            "headers": {"content-type": "application/x-www-form-urlencoded"},
        }));
    }
}

/// Asserts that `a-long-s3cret` is removed from elsewhere in the line of this event.
fn assert_looked_for(event: &Value) {
    let mut secrets = Secrets::default();
    Redaction::credentials()
        .event(&event.to_string(), &mut Marks::default(), &mut secrets)
        .unwrap();
    let sweep = secrets.sweep().unwrap();
    assert_eq!(
        sweep.text("/items/a-long-s3cret").as_deref(),
        Some("/items/REDACTED"),
        "{event}"
    );
}

/// A file beside the credential makes the body binary.
#[test]
fn what_stands_in_a_body_that_is_no_text_is_looked_for() {
    let body = b"--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\na-long-s3cret\r\n--b\r\n\r\n\xff\xfe\r\n--b--";
    assert_looked_for(&json!({"body": STANDARD.encode(body), "isBase64Encoded": true}));
}

#[test]
fn a_pair_that_is_spelt_as_a_name_loses_its_value() {
    let (redacted, marks) = event(
        &Redaction::credentials(),
        json!({
            "queryStringParameters": {
                "token=a long s3cret": "", "token%3Da-long-s3cret": "", "otp=123456": "", "token:a-long-s3cret": "",
            },
            "multiValueQueryStringParameters": {
                "token=a long s3cret": [""], "token=another s3cret": [""], "a=b": [""],
            },
            "rawQueryString": "token%3Da%20long%20s3cret",
            "body": r#"{"https://a/?token=s3cret":1}"#,
        }),
    );
    let mut written = Vec::new();
    marks.write(&mut written);
    let written = String::from_utf8(written).unwrap();
    for text in [redacted.to_string(), written] {
        assert!(
            !text.contains("s3cret") && !text.contains("123456"),
            "{text}"
        );
    }
    let parameters = &redacted["multiValueQueryStringParameters"];
    assert_eq!(
        *parameters,
        json!({"token=REDACTED": ["REDACTED"], "token=REDACTED-2": ["REDACTED"], "a=b": [""]})
    );
    assert_eq!(redacted["body"], r#"{"https://a/?token=REDACTED":0}"#);
    assert!(
        marks
            .places()
            .contains(&"/event/queryStringParameters".to_owned())
    );
}

#[test]
fn what_holds_no_secret_keeps_its_spelling() {
    let text = r#"{ "headers" : {"a":1.50} , "body":null}"#;
    let mut marks = Marks::default();
    let redacted = Redaction::credentials().event(text, &mut marks, &mut Secrets::default());
    assert!(matches!(redacted, Some(Cow::Borrowed(_))));
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
        marks.places(),
        [
            "/event/body#/email",
            "/event/body#/people/0/age",
            "/event/body#/flag"
        ]
    );
    let encoded = STANDARD.encode(body);
    for encoded in [&*encoded, encoded.trim_end_matches('=')] {
        let (redacted, _) = event(
            &redaction,
            json!({"body": encoded, "isBase64Encoded": true}),
        );
        assert_eq!(redacted["body"], STANDARD.encode(expected));
    }
}

#[test]
fn answers_lose_their_cookies() {
    let response = r#"{"statusCode":200,"headers":{"etag":"x"},"cookies":["a=s3cret"],"multiValueHeaders":{"Set-Cookie":["s3cret"]},"body":""}"#;
    let mut marks = Marks::default();
    let redacted = Redaction::credentials().response(response, &mut marks, &mut Secrets::default());
    assert!(
        !redacted.contains("s3cret") && redacted.contains("\"etag\":\"x\""),
        "{redacted}"
    );
    assert_eq!(
        marks.places(),
        [
            "/response/cookies/0",
            "/response/multiValueHeaders/Set-Cookie/0"
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
fn what_cannot_be_read_is_left_out() {
    let redaction = Redaction::credentials().with_fields(["/email"]).unwrap();
    let json_type = json!({"content-type": "application/json"});
    let multipart =
        "--b\r\ncontent-disposition: form-data; name=\"password\"\r\n\r\ns3cret-value\r\n--b--";
    for (headers, body, is_base64) in [
        (&json_type, "\u{feff}{\"email\":\"s3cret-value\"}", false),
        (&json_type, "{\"email\":\"s3cret-value\",}", false),
        (&json!({}), "{\"email\":\"s3cret-value\"", false),
        (&json_type, "{\"email\":\"s3cret-value\"}", true),
        (&json_type, "/w==", true),
        (
            &json!({"Content-Type": "multipart/form-data; boundary=b"}),
            multipart,
            false,
        ),
        (
            &json!({"content-type": "text/xml"}),
            "<email>s3cret-value</email>",
            false,
        ),
        (
            &json!({"content-type": "application/json", "content-encoding": "gzip"}),
            "s3cret-value",
            false,
        ),
    ] {
        let text = json!({
            "headers": headers, "body": body, "isBase64Encoded": is_base64,
            "path": "/p/s3cret-value",
        });
        let text = text.to_string();
        let (mut marks, mut secrets) = Default::default();
        let redacted = redaction.event(&text, &mut marks, &mut secrets).unwrap();
        let value: Value = serde_json::from_str(&redacted).unwrap();
        assert_eq!(value["body"], Value::Null, "{body}");
        let mut said = Vec::new();
        marks.write(&mut said);
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(said["left_out"], json!(["/event/body"]), "{body}");
        if !is_base64 && body.contains("s3cret") && body != "s3cret-value" {
            let sweep = secrets.sweep().unwrap();
            let swept = without_copies(&redacted, &sweep, Message::Event, &mut marks).unwrap();
            assert!(swept.contains("/p/REDACTED"), "{body}: {swept}");
        }
    }
    // A request without such a name must not be lost.
    for (headers, body) in [
        (&json_type, "{\"name\":\"lamp\","),
        (
            &json!({"content-type": "application/xml"}),
            "<name>lamp</name>",
        ),
        (
            &json!({"content-type": "multipart/form-data; boundary=b"}),
            "--b\r\n\r\nlamp\r\n--b--",
        ),
    ] {
        let (kept, marks) = event(&redaction, json!({"headers": headers, "body": body}));
        assert_eq!((&kept["body"], marks), (&json!(body), Marks::default()));
    }
    // A name may be spelt in another way.
    for body in [
        "{\"\\u0065mail\":1,}",
        "e-mail=a;",
        "<e&#109;ail/>",
        "%65mail",
    ] {
        let headers = json!({"content-type": "application/xml"});
        let (redacted, _) = event(&redaction, json!({"headers": headers, "body": body}));
        assert_eq!(redacted["body"], Value::Null, "{body}");
    }
    let mut marks = Marks::default();
    let broken = "{\"headers\":{\"authorization\":\"s3cret\"},}";
    let event = redaction.event(broken, &mut marks, &mut Secrets::default());
    assert_eq!(event, None);
}

#[test]
fn names_follow_patterns_wherever_they_stand() {
    let (redacted, _) = event(
        &Redaction::credentials(),
        json!({
            "headers": {
                "x-access-token": "s3cret", "api-key": "s3cret", "x-vault-token": "s3cret",
                "x-signature": "s3cret", "sec-websocket-protocol": "s3cret",
                "referer": "https://a/b?x=1&code=s3cret", "x-original-url": "/b?token=s3cret",
                "link": "kept",
            },
            "queryStringParameters": {
                "jwt": "s3cret", "id_token_hint": "s3cret", "access_token[]": "s3cret",
                "SAMLResponse": "s3cret", "next": "https%3A%2F%2Fa%3Fkey%3Ds3cret", "q": "kept",
            },
            "rawQueryString": "passwd=s3cret&assertion=s3cret&key=s3cret",
            "stageVariables": {"dbPassword": "s3cret", "stage": "kept"},
            "requestContext": {
                "authorizer": {
                    "jwt": {"claims": {"sub": "kept", "token_use": "kept", "access_token": "s3cret"}},
                    "lambda": {"authorizationToken": "s3cret", "session": {"id": "s3cret"}},
                },
            },
            "body": "{\"password\":\"s3cret\",\"a\":[{\"Api-Key\":7777}],\"kept\":1}",
        }),
    );
    let text = redacted.to_string();
    assert!(!text.contains("s3cret") && !text.contains("7777"), "{text}");
    assert_eq!(text.matches("kept").count(), 6, "{text}");
    assert_eq!(
        redacted["requestContext"]["authorizer"]["lambda"]["session"],
        json!({})
    );
    let (form, _) = event(
        &Redaction::credentials(),
        json!({
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "body": "user=kept&client%5Fsecret=s3cret;s3cret",
        }),
    );
    assert_eq!(form["body"], "user=kept&client%5Fsecret=REDACTED");
}

#[test]
fn copies_go_with_what_they_are_copies_of() {
    let text = json!({
        "headers": {"authorization": "Basic dXNlcjpwYXNzLXdvcmQ=", "cookie": "sid=0123-4567-89"},
        "path": "/sessions/0123-4567-89",
        "rawPath": "/sessions/0%3123-4567-%38%39/x",
        "requestContext": {"authorizer": {"lambda": {"echo": "dXNlcjpwYXNzLXdvcmQ=", "0123-4567-89": 1}}},
        "body": STANDARD.encode("hello pass-word"),
        "isBase64Encoded": true,
    });
    let text = text.to_string();
    let (mut marks, mut secrets) = Default::default();
    let redacted = Redaction::credentials()
        .event(&text, &mut marks, &mut secrets)
        .unwrap();
    let sweep = secrets.sweep().unwrap();
    let swept = without_copies(&redacted, &sweep, Message::Event, &mut marks).unwrap();
    let swept: Value = serde_json::from_str(&swept).unwrap();
    assert_eq!(swept["path"], "/sessions/REDACTED");
    assert_eq!(swept["rawPath"], "/sessions/REDACTED/x");
    assert_eq!(
        swept["requestContext"]["authorizer"]["lambda"]["echo"],
        "REDACTED"
    );
    assert_eq!(swept["body"], STANDARD.encode("hello REDACTED"));
    // The names of kinds of calls are not copies of anything.
    let calls =
        r#"[{"call":"get","arguments":{"consistency":"eventual","key":{"sort":"eventual"}}}]"#;
    let mut secrets = Secrets::default();
    secrets.add("eventual");
    let sweep = secrets.sweep().unwrap();
    let swept = sweep
        .json(calls, Part::Calls, "/calls", &mut marks)
        .unwrap();
    assert_eq!(
        swept,
        calls.replace("\"sort\":\"eventual", "\"sort\":\"REDACTED")
    );
}

/// A body is JSON in a string, so escapes within it must be decoded twice.
#[test]
fn copies_in_bodies_go_however_they_are_escaped() {
    for (body, expected) in [
        (r#"{"a":"\u0030123-4567-89"}"#, r#"{"a":"REDACTED"}"#),
        (
            r#"{"a":["x 0123\u002D4567-89 y"],"b":1}"#,
            r#"{"a":["x REDACTED y"],"b":1}"#,
        ),
        (r#"{"0123\u002d4567-89":1}"#, r#"{"REDACTED":1}"#),
        (
            r#"{"a":"{\"b\":\"\\u0030123-4567-89\"}"}"#,
            r#"{"a":"{\"b\":\"REDACTED\"}"}"#,
        ),
        (
            "{\"a\":1}\n{\"a\":\"\\u0030123-4567-89\"}",
            "{\"a\":1}\n{\"a\":\"REDACTED\"}",
        ),
        ("it was &#48;123-4567-89", "it was REDACTED"),
        ("it was 0123%2d4567%2D89", "it was REDACTED"),
    ] {
        for is_base64 in [false, true] {
            let spelt = |text: &str| match is_base64 {
                true => STANDARD.encode(text),
                false => text.to_owned(),
            };
            let text = json!({
                "headers": {"cookie": "sid=0123-4567-89"},
                "body": spelt(body),
                "isBase64Encoded": is_base64,
            });
            let text = text.to_string();
            let (mut marks, mut secrets) = Default::default();
            let redacted = Redaction::credentials()
                .event(&text, &mut marks, &mut secrets)
                .unwrap();
            let sweep = secrets.sweep().unwrap();
            let swept = without_copies(&redacted, &sweep, Message::Event, &mut marks).unwrap();
            let swept: Value = serde_json::from_str(&swept).unwrap();
            assert_eq!(swept["body"], spelt(expected), "{body}");
        }
    }
}

/// Beyond the limit on JSON values nothing is searched, so nothing is kept.
#[test]
fn more_json_than_is_read_is_left_out() {
    let body = format!("[{}{{\"password\":\"s3cret\"}}]", "0,".repeat(250_000));
    let (redacted, _) = event(&Redaction::credentials(), json!({"body": body}));
    assert_eq!(redacted["body"], Value::Null);
    let (mut marks, mut secrets) = Default::default();
    let document = Redaction::credentials().document(&body, "/x", &mut marks, Some(&mut secrets));
    assert_eq!(document, "null");
}

#[test]
fn what_is_redacted_in_an_answer_or_a_message_is_looked_for_as_well() {
    let (mut marks, mut secrets) = Default::default();
    let rules = Redaction::credentials();
    let answer = r#"{"cookies":["sid=made-by-guest"],"body":""}"#;
    rules.response(answer, &mut marks, &mut secrets);
    rules.log_message("token=told-in-a-log", "/x", &mut marks, &mut secrets);
    let sweep = secrets.sweep().unwrap();
    for value in ["made-by-guest", "told-in-a-log"] {
        assert_eq!(sweep.text(value).as_deref(), Some("REDACTED"), "{value}");
    }
}

#[test]
fn more_values_than_can_be_looked_for_are_told() {
    let mut secrets = Secrets::default();
    for number in 0..2_000 {
        secrets.add(&format!("secret-{number}"));
    }
    assert!(secrets.sweep().is_none());
}

#[test]
fn log_lines_are_known_by_their_names() {
    let redaction = Redaction::credentials()
        .with_headers(["x-tenant"])
        .with_fields(["/email", "/a/b"])
        .unwrap();
    let (mut marks, mut secrets) = Default::default();
    for (key, value, expected) in [
        ("Authorization", "1", "\"REDACTED\""),
        ("email", "1", "\"REDACTED\""),
        ("X-Tenant", "1", "\"REDACTED\""),
        ("a", "{\"b\":1,\"c\":2}", "{\"b\":0,\"c\":2}"),
        ("b", "1", "1"),
        ("x", "{\"password\":\"s\"}", "{\"password\":\"REDACTED\"}"),
    ] {
        let redacted = redaction.attribute(key, value, "/x", &mut marks, &mut secrets);
        assert_eq!(redacted, expected, "{key}");
    }
    let message = redaction.log_message("GET /a?token=s3cret", "/x", &mut marks, &mut secrets);
    assert_eq!(message, "GET /a?token=REDACTED");
}

#[test]
fn documents_within_texts_go_where_they_may_name_a_credential() {
    for (event, secret) in [
        (
            r#"{"queryStringParameters":{"filter":"{\"token\":\"s3cret99abc\"}","a":"b"}}"#,
            "s3cret99abc",
        ),
        (
            r#"{"headers":{"x-user":"{\"pass\\u0077ord\":\"s3cret99abc\"}"}}"#,
            "s3cret99abc",
        ),
        (
            r#"{"requestContext":{"authorizer":{"data":"{\"secret\":\"s3cret99abc\"}"}}}"#,
            "s3cret99abc",
        ),
        (
            r#"{"headers":{"content-type":"application/json"},"body":"{\"soap\":\"<password>s3cret99abc</password>\"}"}"#,
            "s3cret99abc",
        ),
        (
            r#"{"headers":{"content-type":"application/json"},"body":"{\"payload\":\"{\\\"pass\\\\u0077ord\\\":\\\"s3cret99abc\\\"}\"}"}"#,
            "s3cret99abc",
        ),
    ] {
        let (mut marks, mut secrets) = (Marks::default(), Secrets::default());
        assert!(
            event.contains(secret) && json::check(event.as_bytes()).is_ok(),
            "{event}"
        );
        let redacted = Redaction::credentials().event(event, &mut marks, &mut secrets);
        assert!(!redacted.unwrap().contains(secret), "{event}");
        assert!(!marks.is_empty());
    }
    let plain = r#"{"queryStringParameters":{"filter":"{\"name\":\"lamp\"}"}}"#;
    let (mut marks, mut secrets) = (Marks::default(), Secrets::default());
    let redacted = Redaction::credentials().event(plain, &mut marks, &mut secrets);
    assert_eq!(redacted.unwrap(), plain);
}
