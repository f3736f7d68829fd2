//! Generated input: nothing panics, and each kind of event keeps what it can represent.

use super::{alb, composed::INCOMING, corpus, http_api, invariants::check, parse_bytes, rest};
use contract::http::{Request, Scheme};
use gateway::{
    EventKind, Origin,
    compose::{Incoming, compose},
};
use percent_encoding::percent_decode_str;
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::{Index, select},
};
use serde_json::{Map, Value, json};
use std::{fs, sync::LazyLock};

/// Names with a meaning in events, so that generated trees get past the first check.
const NAMES: &[&str] = &[
    "version",
    "type",
    "methodArn",
    "httpMethod",
    "path",
    "rawPath",
    "rawQueryString",
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "cookies",
    "body",
    "isBase64Encoded",
    "requestContext",
    "elb",
    "connectionId",
    "http",
    "method",
    "sourceIp",
    "stage",
    "domainName",
    "requestId",
    "timeEpoch",
    "authorizer",
    "jwt",
    "claims",
    "scopes",
    "lambda",
    "iam",
    "cognitoIdentity",
    "identityId",
    "identity",
    "userArn",
    "principalId",
    "sub",
    "Records",
    "host",
    "x-forwarded-for",
    "x-forwarded-proto",
];

/// Texts at the edge of a rule.
const TEXTS: &[&str] = &[
    "",
    "/",
    "/base",
    "//",
    "/%",
    "/%2F?x",
    "GET",
    "2.0",
    "1.0",
    "$default",
    "a.lambda-url.b",
    "a.execute-api.b",
    "é\u{0}\n",
    "====",
    "YQ==",
    "[::1]:80",
    "1.2.3.4:5",
    ", ,",
    ":",
    "a: b\nc",
    "https",
    "}",
    "null",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![select(TEXTS).prop_map(str::to_owned), any::<String>()]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let name = prop_oneof![9 => select(NAMES).prop_map(str::to_owned), 1 => text()];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(name.clone(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Composed events of every kind, hand-made ones with authorizers, and the corpus if it exists.
static REAL: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut events: Vec<Value> = EventKind::ALL
        .into_iter()
        .map(|kind| {
            serde_json::from_slice(&compose(Origin::new(kind), &INCOMING).to_json()).unwrap()
        })
        .collect();
    let authorizer = json!({"requestContext": {"authorizer": {"jwt": {"claims": {"sub": "u"}, "scopes": ["a"]}}}});
    events.push(http_api::event(authorizer));
    events.push(http_api::url_event(
        json!({"requestContext": {"authorizer": {"iam": {"userArn": "a"}}}}),
    ));
    events.push(rest::event(
        json!({"requestContext": {"authorizer": {"principalId": "p"}}}),
    ));
    events.push(alb::event(
        json!({"headers": {"x-forwarded-for": "1.2.3.4"}}),
    ));
    let paths = corpus::folder().into_iter().flat_map(|folder| {
        corpus::manifest(&folder)
            .into_iter()
            .map(move |(path, _)| folder.join(path))
    });
    events.extend(paths.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()));
    events
});

/// All places in a tree, as JSON pointers.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    places.push(at.to_owned());
    let mut below = |name: &str, value: &Value| {
        let name = name.replace('~', "~0").replace('/', "~1");
        self::places(value, &format!("{at}/{name}"), places);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| below(name, value)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| below(&index.to_string(), value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn mutate(event: &mut Value, place: &Index, change: Value) {
    let mut all = Vec::new();
    places(event, "", &mut all);
    if let Some(value) = event.pointer_mut(place.get::<String>(&all)) {
        *value = change;
    }
}

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z][A-Za-z0-9-]{0,10}"
}

/// A field value that survives trimming.
fn field_value() -> impl Strategy<Value = String> {
    "([!-~]([ -~]{0,10}[!-~])?)?"
}

/// A path of valid encoding.
fn path() -> impl Strategy<Value = String> {
    "(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[2-7][0-9A-F]|%C3%A9){0,6}){1,4}"
}

fn query() -> impl Strategy<Value = String> {
    vec(("[a-cA-C]{0,2}", "([a-z0-9+]|%[2-7][0-9A-F]){0,4}"), 0..5).prop_map(|pairs| {
        pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("&")
    })
}

/// A client's request: method, target, headers, body.
type Sent = (String, String, Vec<(String, String)>, Vec<u8>);

fn sent() -> impl Strategy<Value = Sent> {
    let name = token().prop_filter("a gateway changes these", |name| {
        let name = name.to_ascii_lowercase();
        !name.starts_with("x-")
            && ![
                "cookie",
                "host",
                "te",
                "trailer",
                "upgrade",
                "connection",
                "keep-alive",
            ]
            .contains(&&*name)
    });
    let cookie = "[a-z]=[a-z0-9]{1,3}(; [a-z]=[a-z0-9]{1,3}){0,2}"
        .prop_map(|value| ("Cookie".to_owned(), value));
    let headers = (
        vec((name, field_value()), 0..6),
        proptest::option::of(cookie),
    )
        .prop_map(|(mut headers, cookie)| {
            headers.extend(cookie);
            headers
        });
    let body = prop_oneof![
        vec(any::<u8>(), 0..40),
        any::<String>().prop_map(String::into_bytes)
    ];
    (
        token(),
        (path(), query()).prop_map(|(path, query)| format!("{path}?{query}")),
        headers,
        body,
    )
}

fn through(origin: Origin, (method, target, headers, body): &Sent) -> Request {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let incoming = Incoming {
        method,
        target,
        headers: &headers,
        body,
        ..INCOMING
    };
    check(&compose(origin, &incoming).to_json())
        .unwrap()
        .request
}

/// Fields by name, the values of each in order, without what gateways add.
fn grouped(fields: impl Iterator<Item = (String, String)>) -> Vec<(String, Vec<String>)> {
    let mut groups = std::collections::BTreeMap::<_, Vec<_>>::new();
    for (name, value) in fields.filter(|(name, _)| !name.starts_with("x-")) {
        groups.entry(name).or_default().push(value);
    }
    groups.into_iter().collect()
}

fn owned(request: &Request) -> impl Iterator<Item = (String, String)> {
    request
        .headers
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// Decoded parameters by name, the values of each in order. `+` is a space if the query is as the client sent it.
fn parameters(query: &str) -> Vec<(String, Vec<String>)> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut groups = std::collections::BTreeMap::<_, Vec<_>>::new();
    for (name, value) in pairs {
        groups.entry(decode(name)).or_default().push(decode(value));
    }
    groups.into_iter().collect()
}

proptest! {
    #[test]
    fn any_bytes_give_a_value_or_a_rejection(bytes in vec(any::<u8>(), 0..300)) {
        let _ = check(&bytes);
    }

    #[test]
    fn any_json_gives_a_value_or_a_rejection(value in json_value()) {
        let _ = check(value.to_string().as_bytes());
    }

    #[test]
    fn mutated_real_events_give_a_value_or_a_rejection(
        event in any::<Index>(),
        changes in vec((any::<Index>(), json_value()), 1..4),
    ) {
        let mut event = event.get(&REAL).clone();
        for (place, change) in changes {
            mutate(&mut event, &place, change);
        }
        let _ = check(event.to_string().as_bytes());
    }

    #[test]
    fn real_events_with_wrong_bytes_give_a_value_or_a_rejection(
        event in any::<Index>(),
        changes in vec((any::<Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<Index>()),
    ) {
        let mut bytes = event.get(&REAL).to_string().into_bytes();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = check(&bytes);
    }

    #[test]
    fn wrong_types_name_their_field(event in any::<Index>(), place in any::<Index>()) {
        let mut event = event.get(&REAL[..8]).clone();
        mutate(&mut event, &place, json!({"wrong": 7}));
        if let Err(gateway::EventError::Http(refusal)) = parse_bytes(event.to_string().as_bytes()) {
            prop_assert!(refusal.detail.contains("event field `"), "{}", refusal.detail);
        }
    }

    /// REST and load balancer: everything except the order of different names. Function URL: everything except repetition of headers. HTTP
    /// API: the same, and also not the spelling of the path. See the table in `gateway`.
    #[test]
    fn what_a_kind_can_keep_survives_the_way_to_the_guest(sent in sent()) {
        let (method, target, headers, body) = &sent;
        let (path, query) = target.split_once('?').unwrap();
        let headers = grouped(headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
        let joined = headers.iter().map(|(name, values)| (name.clone(), vec![values.join(",")])).collect::<Vec<_>>();
        for kind in EventKind::ALL {
            let request = through(Origin::new(kind), &sent);
            prop_assert_eq!(&request.method, method);
            // A REST API sends only its binary types in base64.
            let text = String::from_utf8_lossy(body);
            let body = if kind == EventKind::Rest { text.as_bytes() } else { body };
            prop_assert_eq!(&*request.body, body);
            prop_assert_eq!(request.context.client_address.as_deref(), Some(INCOMING.client_address));
            prop_assert_eq!(request.context.scheme, Scheme::Http);
            let got = grouped(owned(&request));
            match kind {
                EventKind::Rest | EventKind::Alb => prop_assert_eq!(&got, &headers),
                EventKind::HttpApi | EventKind::FunctionUrl => prop_assert_eq!(&got, &joined),
            }
            match kind {
                EventKind::HttpApi => {
                    let decoded = percent_decode_str(&request.path).decode_utf8_lossy().into_owned();
                    let once = percent_decode_str(path).decode_utf8_lossy().into_owned();
                    let twice = percent_decode_str(once.split('?').next().unwrap()).decode_utf8_lossy().into_owned();
                    prop_assert_eq!(decoded, twice);
                }
                EventKind::Rest | EventKind::FunctionUrl | EventKind::Alb => prop_assert_eq!(&request.path, path),
            }
            match kind {
                EventKind::HttpApi | EventKind::FunctionUrl => prop_assert_eq!(&request.query, query),
                EventKind::Rest | EventKind::Alb => prop_assert_eq!(parameters(&request.query), parameters(query)),
            }
        }
    }

    /// A load balancer without multi-value headers keeps the last of repeated ones.
    #[test]
    fn single_value_load_balancers_keep_the_last(sent in sent()) {
        let request = through(Origin { kind: EventKind::Alb, multi_value: false }, &sent);
        let last = |groups: Vec<(String, Vec<String>)>| -> Map<String, Value> {
            groups.into_iter().map(|(name, mut values)| (name, values.pop().into())).collect()
        };
        let (_, target, headers, _) = &sent;
        let headers = grouped(headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
        prop_assert_eq!(last(grouped(owned(&request))), last(headers));
        let query = target.split_once('?').unwrap().1;
        prop_assert_eq!(request.query.matches('=').count() >= 1, !query.is_empty());
    }
}
