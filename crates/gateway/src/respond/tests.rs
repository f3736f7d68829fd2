//! Which responses a guest may send, and what each kind of gateway gets.

use super::*;
use serde_json::{Value, json};

fn answer(kind: EventKind, fields: &[(&str, &str)], body: &[u8]) -> Result<Value, ResponseError> {
    answer_to(Origin::new(kind), 200, fields, body)
}

fn answer_to(
    origin: Origin,
    status: u16,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<Value, ResponseError> {
    let headers = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let encoded = respond(
        &origin,
        Response {
            status,
            headers,
            body: body.to_vec(),
        },
    )?;
    Ok(serde_json::from_slice(&encoded).unwrap())
}

const FIELDS: &[(&str, &str)] = &[
    ("Set-Cookie", "a=1"),
    ("vary", "x"),
    ("set-cookie", "b=2"),
    ("Vary", "y"),
    ("content-type", "text/plain"),
];

#[test]
fn rest_answers_list_every_value() {
    assert_eq!(
        answer(EventKind::Rest, FIELDS, b"hi").unwrap(),
        json!({
            "statusCode": 200,
            "multiValueHeaders": {"content-type": ["text/plain"], "set-cookie": ["a=1", "b=2"], "vary": ["x", "y"]},
            "body": "hi",
            "isBase64Encoded": false,
        })
    );
}

#[test]
fn http_api_and_function_url_answers_join_values_and_list_cookies() {
    for kind in [EventKind::HttpApi, EventKind::FunctionUrl] {
        assert_eq!(
            answer(kind, FIELDS, b"hi").unwrap(),
            json!({
                "statusCode": 200,
                "headers": {"content-type": "text/plain", "vary": "x, y"},
                "cookies": ["a=1", "b=2"],
                "body": "hi",
                "isBase64Encoded": false,
            })
        );
    }
}

#[test]
fn load_balancer_answers_take_the_form_of_the_request_and_describe_the_status() {
    let multi = answer_to(
        Origin {
            kind: EventKind::Alb,
            multi_value: true,
        },
        404,
        FIELDS,
        b"",
    )
    .unwrap();
    assert_eq!(multi["statusDescription"], "404 Not Found");
    assert_eq!(
        multi["multiValueHeaders"]["set-cookie"],
        json!(["a=1", "b=2"])
    );
    assert_eq!(multi.get("headers"), None);
    let single = answer_to(
        Origin {
            kind: EventKind::Alb,
            multi_value: false,
        },
        200,
        FIELDS,
        b"",
    )
    .unwrap();
    assert_eq!(
        single["headers"],
        json!({"content-type": "text/plain", "set-cookie": "a=1", "Set-cookie": "b=2", "vary": "x, y"})
    );
    assert_eq!(single.get("multiValueHeaders"), None);
    assert_eq!(single.get("cookies"), None);
}

#[test]
fn bodies_that_are_not_text_go_in_base64() {
    let encoded = |fields: &[(&str, &str)], body: &[u8]| {
        let answer = answer(EventKind::HttpApi, fields, body).unwrap();
        (
            answer["body"].as_str().unwrap().to_owned(),
            answer["isBase64Encoded"].as_bool().unwrap(),
        )
    };
    assert_eq!(encoded(&[], b"\xff"), ("/w==".into(), true));
    assert_eq!(
        encoded(&[("content-type", "text/plain")], b"\xff"),
        ("/w==".into(), true)
    );
    // Text passes every gateway unchanged, whatever its declared type.
    for fields in [
        &[("content-type", "application/yaml")][..],
        &[("content-type", "application/x-ndjson")],
        &[("content-type", "image/png")],
        &[("content-encoding", "")],
        &[("content-encoding", "br")],
    ] {
        assert_eq!(encoded(fields, b"ab"), ("ab".into(), false), "{fields:?}");
    }
    assert_eq!(encoded(&[], "é\0".as_bytes()), ("é\0".into(), false));
    assert_eq!(
        encoded(&[("content-type", "image/png")], b""),
        (String::new(), false)
    );
}

#[test]
fn what_http_does_not_allow_is_refused() {
    let kind = EventKind::Rest;
    for status in [0, 99, 100, 101, 199, 600, u16::MAX] {
        assert_eq!(
            answer_to(Origin::new(kind), status, &[], b""),
            Err(ResponseError::Status(status))
        );
    }
    assert_eq!(
        answer(kind, &[("X-A", "b\r\nset-cookie: c")], b""),
        Err(ResponseError::Field(FieldError::Value("x-a".into())))
    );
    assert_eq!(
        answer(kind, &[("x a", "b")], b""),
        Err(ResponseError::Field(FieldError::Name("x a".into())))
    );
    for name in CONNECTION_FIELDS {
        let name = name.to_ascii_uppercase();
        assert_eq!(
            answer(kind, &[(&name, "b")], b""),
            Err(ResponseError::ConnectionField(name.to_ascii_lowercase()))
        );
    }
}

#[test]
fn content_length_is_the_hosts_and_bodiless_statuses_have_no_body() {
    for status in [204, 205, 304] {
        let answer = answer_to(
            Origin::new(EventKind::Rest),
            status,
            &[("Content-Length", "7")],
            b"dropped",
        )
        .unwrap();
        assert_eq!(answer["multiValueHeaders"], json!({}));
        assert_eq!(answer["body"], "", "{status}");
    }
}

#[test]
fn cookies_that_a_load_balancer_cannot_be_given_are_refused_not_dropped() {
    let answer = |count: usize, multi_value| {
        let cookies = vec![("set-cookie", "a=1"); count];
        let origin = Origin {
            kind: EventKind::Alb,
            multi_value,
        };
        answer_to(origin, 200, &cookies, b"")
    };
    let given = answer(512, false).unwrap();
    assert_eq!(given["headers"].as_object().unwrap().len(), 512);
    let (count, count_max) = (513, 512);
    assert_eq!(
        answer(513, false),
        Err(ResponseError::TooManyCookies { count, count_max })
    );
    assert!(answer(513, true).is_ok());
}

#[test]
fn an_answer_over_the_gateways_limit_is_refused() {
    let body = vec![b'a'; LAMBDA_PAYLOAD_BYTES_MAX];
    for (kind, bytes_max) in [
        (EventKind::HttpApi, LAMBDA_PAYLOAD_BYTES_MAX),
        (EventKind::Alb, ALB_PAYLOAD_BYTES_MAX),
    ] {
        let Err(ResponseError::TooLarge {
            bytes,
            bytes_max: limit,
        }) = answer(kind, &[], &body)
        else {
            panic!("{kind} took it")
        };
        assert!(bytes > body.len());
        assert_eq!(limit, bytes_max);
    }
    // The frame around the body takes 63 bytes.
    let fits = &body[..LAMBDA_PAYLOAD_BYTES_MAX - 100];
    assert_eq!(
        answer(EventKind::HttpApi, &[], fits).unwrap()["body"]
            .as_str()
            .unwrap()
            .len(),
        fits.len()
    );
}

#[test]
fn the_length_of_a_body_that_is_left_out_is_known_and_not_sent() {
    let origin = Origin::new(EventKind::HttpApi);
    let reply = |lengths: &[&str], body: &[u8]| {
        let fields = lengths
            .iter()
            .map(|length| ("Content-Length".to_owned(), (*length).to_owned()));
        let response = Response {
            status: 200,
            headers: fields.collect(),
            body: body.to_vec(),
        };
        Reply::new(&origin, response).unwrap()
    };
    let empty = |status| {
        let headers = vec![("content-length".to_owned(), "5".to_owned())];
        let response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        Reply::new(&origin, response).unwrap().declared_length()
    };
    // RFC 9110, 8.6: never with 204.
    assert_eq!((empty(200), empty(204)), (Some(5), None));
    for (lengths, body, expected) in [
        (&[][..], "", None),
        (&["0"], "", Some(0)),
        (&["38"], "", Some(38)),
        (&["2"], "hi", None),
        (&["x"], "", None),
        (&["1", "2"], "", None),
    ] {
        let reply = reply(lengths, body.as_bytes());
        assert_eq!(reply.declared_length(), expected, "{lengths:?}");
        let sent = String::from_utf8(reply.into_json()).unwrap();
        assert!(!sent.to_lowercase().contains("content-length"), "{sent}");
    }
}
