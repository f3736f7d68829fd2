//! Passing events and responses without JSON gives the same result as with JSON.

use super::composed::INCOMING;
use contract::{
    http::{Response, Scheme},
    limits::{ALB_PAYLOAD_BYTES_MAX, LAMBDA_PAYLOAD_BYTES_MAX, Limits},
    seed::Seed,
};
use gateway::{
    EventError, EventKind, Origin, ParseContext, Reply, ResponseError,
    compose::{Incoming, compose},
    deliver::{BinaryMedia, deliver},
    parse, respond,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Names that gateways treat specially, frequently, and some invalid ones.
fn name() -> impl Strategy<Value = String> {
    let special = select(vec![
        "cookie",
        "Cookie",
        "host",
        "Host",
        "X-Forwarded-For",
        "x-forwarded-for",
        "x-forwarded-proto",
        "connection",
        "TE",
        "content-type",
        "Content-Type",
        "content-encoding",
        "user-agent",
        "set-cookie",
        "Set-Cookie",
        "content-length",
    ]);
    prop_oneof![
        6 => special.prop_map(str::to_owned),
        6 => "[a-cA-C]{1,2}",
        1 => any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[ -~]{0,12}",
        2 => select(vec!["text/plain", "image/png", "application/json", "gzip", "a=1; b=2;;c", "https", "http", "6.6.6.6"])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((name(), value()), 0..8)
}

fn target() -> impl Strategy<Value = String> {
    let path =
        prop_oneof![4 => "(/([a-z+]|%[2-7][0-9A-F]|%C3%A9|%FF){0,4}){1,3}", 1 => any::<String>()];
    let query = prop_oneof![
        2 => Just(String::new()),
        4 => r"\?([a-b]=([a-z+]|%[2-7][0-9A-F]|%FF){0,3}&?){0,4}",
        1 => any::<String>(),
    ];
    (path, query).prop_map(|(path, query)| path + &query)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        any::<String>().prop_map(String::into_bytes)
    ]
}

fn origin() -> impl Strategy<Value = Origin> {
    (select(EventKind::ALL.to_vec()), any::<bool>()).prop_map(|(kind, multi_value)| Origin {
        kind,
        multi_value: multi_value && kind == EventKind::Alb,
    })
}

fn short_limits() -> Limits {
    Limits {
        request_target_bytes_max: 30,
        request_headers_bytes_max: 300,
        request_body_bytes_max: 30,
        ..Limits::default()
    }
}

proptest! {
    #[test]
    fn an_event_taken_apart_is_its_json_parsed(
        origin in origin(),
        (method, target, headers, body) in ("([A-Z]{1,5}| ?[a-z\u{e9}]{0,2})", target(), fields(), body()),
        (client_address, request_id) in ("([0-9.]{0,9}|::1| )", "[!-~ ]{0,6}"),
        (is_https, is_short, received_at_ms) in any::<(bool, bool, u64)>(),
        base_path in option::of(select(vec!["/base", "a"])),
    ) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let incoming = Incoming {
            method: &method,
            target: &target,
            headers: &headers,
            body: &body,
            client_address: &client_address,
            scheme: if is_https { Scheme::Https } else { Scheme::Http },
            request_id: &request_id,
            received_at_ms,
        };
        let context = ParseContext { received_at_ms: 1, seed: &Seed::new([1; 32]), base_path };
        let limits = if is_short { short_limits() } else { Limits::default() };
        let event = compose(origin, &incoming);
        let parsed = parse(&event.to_json(), &context, &limits);
        prop_assert_eq!(event.into_event(&context, &limits).map_err(EventError::Http), parsed);
    }

    #[test]
    fn a_response_delivered_is_its_json_delivered(
        origin in origin(),
        (status, headers, body) in (prop_oneof![9 => 200_u16..=599, 1 => any::<u16>()], fields(), body()),
        accept in option::of(select(vec!["*/*", "image/png", "text/html, image/*"])),
        types in select(vec![&["*/*"][..], &["image/png"], &[]]),
    ) {
        let binary = BinaryMedia { accept, types };
        let response = Response { status, headers, body };
        let delivered = respond(&origin, response.clone()).map(|json| deliver(&origin, &json, &binary));
        prop_assert_eq!(Reply::new(&origin, response).map(|reply| reply.into_delivery(&binary)), delivered);
    }
}

#[test]
fn every_kind_passes_on_a_request_and_an_answer() {
    let context = ParseContext {
        received_at_ms: 1,
        seed: &Seed::new([1; 32]),
        base_path: None,
    };
    for kind in EventKind::ALL {
        let event = compose(Origin::new(kind), &INCOMING);
        let event = event.into_event(&context, &Limits::default()).unwrap();
        assert_eq!(event.origin, Origin::new(kind));
        assert_eq!(event.request.body, INCOMING.body);
        let response = Response {
            status: 201,
            headers: vec![("set-cookie".to_owned(), "a=1".to_owned())],
            body: b"\xff".to_vec(),
        };
        let binary = BinaryMedia {
            accept: None,
            types: &["*/*"],
        };
        let delivery = Reply::new(&event.origin, response)
            .unwrap()
            .into_delivery(&binary);
        assert_eq!((delivery.status, &*delivery.body), (201, &b"\xff"[..]));
        assert_eq!(
            delivery.headers[0],
            ("set-cookie".to_owned(), "a=1".to_owned())
        );
    }
}

/// Without writing JSON unless the response is that large.
#[test]
fn an_answer_is_too_large_for_its_gateway_exactly_where_its_json_is() {
    let binary = BinaryMedia {
        accept: None,
        types: &[],
    };
    for (kind, bytes_max) in [
        (EventKind::HttpApi, LAMBDA_PAYLOAD_BYTES_MAX),
        (EventKind::Alb, ALB_PAYLOAD_BYTES_MAX),
    ] {
        let origin = Origin::new(kind);
        // What surrounds a body takes less than 200 bytes; a control character takes six.
        for (byte, count, fits) in [
            (b'a', bytes_max - 200, true),
            (b'a', bytes_max, false),
            (1, bytes_max / 6 - 200, true),
            (1, bytes_max / 6, false),
        ] {
            let response = Response {
                status: 200,
                headers: Vec::new(),
                body: vec![byte; count],
            };
            let json = respond(&origin, response.clone());
            let delivered = Reply::new(&origin, response).map(|reply| reply.into_delivery(&binary));
            assert_eq!(json.is_ok(), fits);
            match (json, delivered) {
                (Ok(_), Ok(delivery)) => assert_eq!(delivery.body.len(), count),
                (Err(ResponseError::TooLarge { bytes, .. }), Err(error)) => {
                    assert_eq!(error, ResponseError::TooLarge { bytes, bytes_max });
                }
                (json, delivered) => panic!("{json:?} but {delivered:?}"),
            }
        }
    }
}
