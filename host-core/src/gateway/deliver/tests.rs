use super::*;
use crate::gateway::{EventKind, Origin};
use proptest::prelude::*;

/// Values of a response's members, the good ones most often.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\"[a-z \u{e9}]{0,4}\"",
        1 => Just(r#""a\"b\u00e9""#.to_owned()),
        1 => Just(r#""aGk=""#.to_owned()),
        1 => Just(r#""b\nc""#.to_owned()),
        1 => prop::sample::select(vec!["null", "true", "7", "1.50", "1e400", "[]", "{}", r#"["a"]"#])
            .prop_map(str::to_owned),
    ]
}

fn status() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_u32..100_000).prop_map(|status| status.to_string()),
        4 => (200_u32..600).prop_map(|status| status.to_string()),
        1 => prop::sample::select(vec![r#""201""#, "200.0", "2e2", "-1", "null", "{}", "true"])
            .prop_map(str::to_owned),
    ]
}

fn headers() -> impl Strategy<Value = String> {
    let member = (r#""([a-z-]{1,3}|a b|x\\u002dy)""#, value());
    let members = prop::collection::vec(member, 0..4).prop_map(|members| {
        let members: Vec<String> = members
            .into_iter()
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    });
    prop_oneof![8 => members, 1 => value()]
}

fn response() -> impl Strategy<Value = String> {
    let flag =
        prop::sample::select(vec!["true", "false", "null", "\"true\""]).prop_map(str::to_owned);
    // An escape in a name is JSON like any other.
    let name = prop::sample::select(vec![r#""statusCode""#, r#""\u0073tatusCode""#]);
    let members = (
        prop::option::weighted(
            0.9,
            (name, status()).prop_map(|(name, json)| format!("{name}:{json}")),
        ),
        prop::option::of(headers().prop_map(|json| format!(r#""headers":{json}"#))),
        prop::option::weighted(
            0.2,
            headers().prop_map(|json| format!(r#""multiValueHeaders":{json}"#)),
        ),
        prop::option::of(value().prop_map(|json| format!(r#""body":{json}"#))),
        prop::option::of(flag.prop_map(|json| format!(r#""isBase64Encoded":{json}"#))),
        prop::option::weighted(0.1, value().prop_map(|json| format!(r#""other":{json}"#))),
    );
    members.prop_map(|(status, headers, lists, body, flag, other)| {
        let members: Vec<String> = [status, headers, lists, body, flag, other]
            .into_iter()
            .flatten()
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn what_is_read_as_plain_is_read_alike_leniently(response in response(), multi_value: bool) {
        for kind in EventKind::ALL {
            let origin = Origin { kind, multi_value };
            let binary = BinaryMedia { accept: None, types: &["*/*"] };
            let read = read_as::<Plain>(&origin, response.as_bytes(), &binary);
            if read.is_ok() {
                prop_assert_eq!(read, read_as::<Lenient>(&origin, response.as_bytes(), &binary));
            }
        }
    }
}

#[test]
fn a_usual_response_is_read_in_one_pass() {
    let response =
        br#"{"statusCode":200,"headers":{"a":"b"},"body":"{\"c\":1}","isBase64Encoded":false}"#;
    let binary = BinaryMedia {
        accept: None,
        types: &[],
    };
    for kind in EventKind::ALL {
        let delivery = read_as::<Plain>(&Origin::new(kind), response, &binary).unwrap();
        assert_eq!(
            (delivery.status, &*delivery.body),
            (200, &br#"{"c":1}"#[..])
        );
    }
}
