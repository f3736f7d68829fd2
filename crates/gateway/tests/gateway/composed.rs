//! Events composed from HTTP requests: the form of each kind, and that the guest gets the same request from all of them.

use super::{fields, parse_bytes};
use contract::http::{PathFidelity, Request, Scheme};
use gateway::{
    EventKind, Origin, REST_BINARY_TYPES,
    compose::{Incoming, compose, refused},
};
use serde_json::{Value, json};

pub const INCOMING: Incoming<'static> = Incoming {
    method: "POST",
    target: "/items/a%20b?b=2&a=1&b=3+%2B",
    headers: &[
        ("Host", "api.example:3000"),
        ("X-Many", "first"),
        ("x-many", "second"),
        ("Cookie", "c=1; d=2"),
        ("Content-Type", "application/json"),
        ("Connection", "keep-alive"),
    ],
    body: br#"{"a":1}"#,
    client_address: "203.0.113.7",
    scheme: Scheme::Http,
    request_id: "id-1",
    received_at_ms: 1_588_804_615_616,
};

fn event(origin: Origin, incoming: &Incoming<'_>) -> Value {
    serde_json::from_slice(&compose(origin, incoming).to_json()).unwrap()
}

fn guest_sees(origin: Origin, incoming: &Incoming<'_>) -> Request {
    let event = parse_bytes(&compose(origin, incoming).to_json()).unwrap();
    assert_eq!(event.origin, origin);
    event.request
}

#[test]
fn rest_events_have_both_maps_the_clients_case_and_nulls() {
    let event = event(Origin::new(EventKind::Rest), &INCOMING);
    assert_eq!(event["path"], "/items/a%20b");
    assert_eq!(event["requestContext"]["path"], "/items/a%20b");
    assert_eq!(event["pathParameters"], json!({"proxy": "items/a%20b"}));
    assert_eq!(
        event["queryStringParameters"],
        json!({"a": "1", "b": "3 +"})
    );
    assert_eq!(
        event["multiValueQueryStringParameters"],
        json!({"a": ["1"], "b": ["2", "3 +"]})
    );
    assert_eq!(event["headers"]["X-Many"], "second");
    assert_eq!(
        event["multiValueHeaders"]["X-Many"],
        json!(["first", "second"])
    );
    assert_eq!(event["headers"].get("Connection"), None);
    assert_eq!(event["body"], r#"{"a":1}"#);
    assert_eq!(
        event["requestContext"]["requestTime"],
        "06/May/2020:22:36:55 +0000"
    );
    assert_eq!(
        event["requestContext"]["requestTimeEpoch"],
        1_588_804_615_616_u64
    );

    let empty = Incoming {
        target: "/",
        headers: &[],
        body: b"",
        ..INCOMING
    };
    let event = super::composed::event(Origin::new(EventKind::Rest), &empty);
    for member in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ] {
        assert_eq!(event.get(member), Some(&Value::Null), "{member}");
    }
}

#[test]
fn http_api_events_have_a_decoded_path_a_raw_query_joined_headers_and_cookies_apart() {
    let event = event(Origin::new(EventKind::HttpApi), &INCOMING);
    assert_eq!(event["rawPath"], "/items/a b");
    assert_eq!(event["rawQueryString"], "b=2&a=1&b=3+%2B");
    assert_eq!(
        event["queryStringParameters"],
        json!({"a": "1", "b": "2,3 +"})
    );
    assert_eq!(event["headers"]["x-many"], "first,second");
    assert_eq!(event["headers"].get("cookie"), None);
    assert_eq!(event["cookies"], json!(["c=1", "d=2"]));
    assert_eq!(event["headers"]["x-forwarded-port"], "3000");

    let empty = Incoming {
        target: "/",
        headers: &[],
        body: b"",
        ..INCOMING
    };
    let event = super::composed::event(Origin::new(EventKind::HttpApi), &empty);
    for member in [
        "queryStringParameters",
        "cookies",
        "body",
        "pathParameters",
        "stageVariables",
    ] {
        assert_eq!(event.get(member), None, "{member}");
    }
}

#[test]
fn http_api_paths_are_decoded_twice_and_cut_at_an_encoded_question_mark() {
    let path = |target| {
        event(
            Origin::new(EventKind::HttpApi),
            &Incoming { target, ..INCOMING },
        )["rawPath"]
            .clone()
    };
    assert_eq!(path("/a%252Fb"), "/a/b");
    assert_eq!(path("/a%3Fb/c"), "/a");
    assert_eq!(path("/a%23b"), "/a#b");
    assert_eq!(path("/%FF"), "/\u{fffd}");
}

#[test]
fn function_url_events_keep_the_path_encoded_and_the_cookie_header() {
    let event = event(Origin::new(EventKind::FunctionUrl), &INCOMING);
    assert_eq!(event["rawPath"], "/items/a%20b");
    assert_eq!(event["headers"]["cookie"], "c=1; d=2");
    assert_eq!(event["cookies"], json!(["c=1", "d=2"]));
}

#[test]
fn load_balancer_events_have_one_kind_of_map_and_encoded_values() {
    let multi = event(
        Origin {
            kind: EventKind::Alb,
            multi_value: true,
        },
        &INCOMING,
    );
    assert_eq!(
        multi["multiValueQueryStringParameters"],
        json!({"a": ["1"], "b": ["2", "3+%2B"]})
    );
    assert_eq!(
        multi["multiValueHeaders"]["x-many"],
        json!(["first", "second"])
    );
    assert_eq!(multi.get("headers"), None);
    let single = event(
        Origin {
            kind: EventKind::Alb,
            multi_value: false,
        },
        &INCOMING,
    );
    assert_eq!(
        single["queryStringParameters"],
        json!({"a": "1", "b": "3+%2B"})
    );
    assert_eq!(single["headers"]["x-many"], "second");
    assert_eq!(single.get("multiValueHeaders"), None);
}

#[test]
fn bodies_that_are_not_text_go_in_base64() {
    let encoded = |kind, content_type: &str, body: &[u8]| {
        let headers = [("content-type", content_type)];
        event(
            Origin::new(kind),
            &Incoming {
                headers: &headers,
                body,
                ..INCOMING
            },
        )["isBase64Encoded"]
            == true
    };
    for kind in [EventKind::HttpApi, EventKind::FunctionUrl, EventKind::Alb] {
        assert!(!encoded(kind, "text/plain", b"a"));
        assert!(encoded(kind, "image/png", b"a"));
        assert!(encoded(kind, "application/x-www-form-urlencoded", b"a=b"));
        assert!(encoded(kind, "text/plain", b"\xff"));
    }
}

#[test]
fn a_rest_api_gives_its_binary_types_in_base64_and_all_else_as_text() {
    let body = |content_type: &str, body: &[u8]| {
        let headers = [("content-type", content_type)];
        let incoming = Incoming {
            headers: &headers,
            body,
            ..INCOMING
        };
        let event = event(Origin::new(EventKind::Rest), &incoming);
        let is_base64 = event["isBase64Encoded"] == true;
        (event["body"].as_str().map(str::to_owned), is_base64)
    };
    for media_type in REST_BINARY_TYPES {
        assert_eq!(body(media_type, b"a"), (Some("YQ==".into()), true));
        let with_parameter = format!("{media_type}; a=b");
        assert_eq!(body(&with_parameter, b"\xff"), (Some("/w==".into()), true));
    }
    for media_type in ["application/yaml", "application/pdf", "*/*", ""] {
        assert_eq!(body(media_type, b"a"), (Some("a".into()), false));
        assert_eq!(
            body(media_type, b"a\xff"),
            (Some("a\u{fffd}".into()), false)
        );
    }
}

#[test]
fn an_http_api_refuses_what_it_cannot_decode_twice() {
    // Measured on AWS by others.
    for (path, is_refused) in [
        ("/capture/plain", false),
        ("/capture/space%20value", false),
        ("/capture/question%3Fvalue", false),
        ("/capture/percent%25done", true),
        ("/capture/hash%23value", false),
        ("/capture/slash%2Fvalue", false),
        ("/capture/literal%252Fvalue", false),
        ("/capture/literal%253Fvalue", false),
        ("/capture/literal%2525value", false),
        ("/100%25", true),
        ("/100%254", true),
        ("/a?b=100%25", false),
    ] {
        let answer = refused(EventKind::HttpApi, path);
        assert_eq!(
            answer.map(|answer| answer.status),
            is_refused.then_some(400),
            "{path}"
        );
        for kind in [EventKind::Rest, EventKind::FunctionUrl, EventKind::Alb] {
            assert_eq!(refused(kind, path), None);
        }
    }
}

#[test]
fn forwarded_headers_are_the_gateways_own() {
    let headers = [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "1"),
    ];
    for kind in EventKind::ALL {
        let request = guest_sees(
            Origin::new(kind),
            &Incoming {
                headers: &headers,
                ..INCOMING
            },
        );
        assert_eq!(
            request.headers.get("x-forwarded-for"),
            Some("6.6.6.6, 203.0.113.7")
        );
        assert_eq!(request.headers.get("x-forwarded-proto"), Some("http"));
        assert_eq!(request.headers.get("x-forwarded-port"), Some("80"));
        assert_eq!(
            request.context.client_address.as_deref(),
            Some("203.0.113.7")
        );
    }
}

/// A request of which no kind of event loses anything.
#[test]
fn the_same_request_reaches_the_guest_alike_through_every_kind() {
    let incoming = Incoming {
        target: "/items/a%20b?a=1&a=2&b=%20x",
        headers: &[
            ("accept", "*/*"),
            ("cookie", "c=1; d=2"),
            ("host", "api.example"),
            ("content-type", "text/plain"),
        ],
        ..INCOMING
    };
    let reference = guest_sees(Origin::new(EventKind::Rest), &incoming);
    assert_eq!(reference.path, "/items/a%20b");
    assert_eq!(reference.query, "a=1&a=2&b=%20x");
    assert_eq!(reference.body, incoming.body);
    assert_eq!(reference.context.scheme, Scheme::Http);
    assert_eq!(reference.context.authority, "api.example");
    for kind in EventKind::ALL {
        let mut request = guest_sees(Origin::new(kind), &incoming);
        let fidelity = if kind == EventKind::HttpApi {
            PathFidelity::DecodedByGateway
        } else {
            PathFidelity::Encoded
        };
        assert_eq!(request.context.path_fidelity, fidelity);
        request.context.path_fidelity = PathFidelity::Encoded;
        if kind == EventKind::Alb {
            // Load balancers have no request id.
            request
                .context
                .request_id
                .clone_from(&reference.context.request_id);
        }
        let mut headers = fields(&request);
        headers.sort_unstable();
        let mut expected = fields(&reference);
        expected.sort_unstable();
        assert_eq!(headers, expected, "{kind}");
        request.headers = reference.headers.clone();
        assert_eq!(request, reference, "{kind}");
    }
}

#[test]
fn only_headers_treat_the_name_cookie_their_own_way() {
    let incoming = Incoming {
        target: "/?cookie=1&cookie=2",
        headers: &[("cookie", "c=1"), ("cookie", "d=2")],
        ..INCOMING
    };
    let event = event(Origin::new(EventKind::FunctionUrl), &incoming);
    assert_eq!(event["queryStringParameters"], json!({"cookie": "1,2"}));
    assert_eq!(event["headers"]["cookie"], "c=1; d=2");
}

#[test]
fn fields_that_connection_names_end_at_the_gateway() {
    let incoming = Incoming {
        headers: &[
            ("Host", "a"),
            ("Connection", "close, X-Hop"),
            ("connection", "host,authorization"),
            ("x-hop", "1"),
            ("Authorization", "Bearer t"),
            ("x-stays", "1"),
        ],
        ..INCOMING
    };
    for kind in EventKind::ALL {
        let request = guest_sees(Origin::new(kind), &incoming);
        assert_eq!(request.headers.get("x-hop"), None, "{kind}");
        assert_eq!(request.headers.get("authorization"), None, "{kind}");
        assert_eq!(request.headers.get("x-stays"), Some("1"), "{kind}");
        assert_eq!(request.context.authority, "a", "{kind}");
    }
}

#[test]
fn a_clients_trace_goes_on_in_one_field_with_one_root() {
    let root = "Root=1-aaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbbb";
    let ours = |sent: &'static [(&'static str, &'static str)]| {
        let incoming = Incoming {
            headers: sent,
            ..INCOMING
        };
        EventKind::ALL.map(|kind| {
            let request = guest_sees(Origin::new(kind), &incoming);
            let values: Vec<_> = request.headers.values("x-amzn-trace-id").collect();
            assert_eq!(values.len(), 1, "{kind}: {values:?}");
            values[0].to_owned()
        })
    };
    let sent = &[(
        "X-Amzn-Trace-Id",
        "Root=1-aaaaaaaa-bbbbbbbbbbbbbbbbbbbbbbbb",
    )];
    assert!(ours(sent).iter().all(|value| value == root));
    for value in ours(&[
        ("x-amzn-trace-id", "nonsense"),
        ("x-amzn-trace-id", "Root="),
    ]) {
        assert!(value.starts_with("Root=1-5eb3"), "{value}");
    }
}

/// The size at which Lambda refuses it, whatever the gateway accepts.
#[test]
fn an_event_is_too_large_exactly_where_its_json_is() {
    for kind in EventKind::ALL {
        for (byte, content_type, count) in [
            (b'a', "text/plain", 6_280_000),
            (b'a', "text/plain", 6_300_000),
            (b'"', "text/plain", 3_100_000),
            (b'"', "text/plain", 3_200_000),
            (0xff, "image/png", 4_700_000),
            (0xff, "image/png", 4_750_000),
            (b'a', "text/plain", 1_000),
        ] {
            let body = vec![byte; count];
            let incoming = Incoming {
                headers: &[("host", "a"), ("content-type", content_type)],
                body: &body,
                ..INCOMING
            };
            let event = compose(Origin::new(kind), &incoming);
            let bytes = event.to_json().len();
            let expected = if bytes > 6 << 20 { Err(bytes) } else { Ok(()) };
            assert_eq!(event.check_size(), expected, "{kind}: {count}");
        }
    }
}
