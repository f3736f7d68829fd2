//! Properties of every event, whatever it contains. Shared with the fuzz target.

use contract::{
    http::{Request, Response, is_field_value, is_token},
    limits::Limits,
    seed::Seed,
};
use gateway::{
    Event, EventError, ParseContext,
    deliver::{BinaryMedia, deliver},
    parse, respond,
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Parses `event` and checks all properties of the result.
pub fn check(event: &[u8]) -> Result<Event, EventError> {
    let (seed, limits) = (Seed::new([1; 32]), Limits::default());
    let context = ParseContext {
        received_at_ms: 1_700_000_000_123,
        seed: &seed,
        base_path: Some("/base"),
    };
    let outcome = parse(event, &context, &limits);
    match &outcome {
        Ok(Event {
            request, origin, ..
        }) => {
            check_request(request, &limits);
            let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
            let response = Response {
                status: 201,
                headers,
                body: b"done".to_vec(),
            };
            let answer = respond(origin, response).expect("a valid response is encoded");
            let delivery = deliver(
                origin,
                &answer,
                &BinaryMedia {
                    accept: None,
                    types: &[],
                },
            );
            assert_eq!(
                (delivery.fault, delivery.status, &*delivery.body),
                (None, 201, &b"done"[..])
            );
        }
        Err(EventError::Http(refusal)) => {
            assert!([400, 413, 414, 431].contains(&refusal.status));
            assert!(!refusal.detail.is_empty());
            check_request_id(&refusal.request_id);
            let answer =
                respond(&refusal.origin, refusal.response()).expect("a refusal is encoded");
            let delivery = deliver(
                &refusal.origin,
                &answer,
                &BinaryMedia {
                    accept: None,
                    types: &[],
                },
            );
            assert_eq!((delivery.fault, delivery.status), (None, refusal.status));
        }
        Err(EventError::NotJson { problem, .. }) => assert!(!problem.to_string().is_empty()),
        Err(EventError::NotHttp(foreign)) => assert!(!foreign.hint().is_empty()),
    }
    outcome
}

fn check_request(request: &Request, limits: &Limits) {
    let is_visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(is_token(&request.method));
    assert!(request.path.starts_with('/'));
    assert!(
        is_visible(&request.path) && !request.path.contains(['?', '#']),
        "{}",
        request.path
    );
    assert!(
        is_visible(&request.query) && !request.query.contains('#'),
        "{}",
        request.query
    );
    assert!(request.path.len() + request.query.len() <= limits.request_target_bytes_max);
    let mut bytes = 0;
    for (name, value) in request.headers.iter() {
        assert!(
            is_token(name) && name == name.to_ascii_lowercase(),
            "{name}"
        );
        assert!(is_field_value(value), "{value:?}");
        bytes += name.len() + value.len();
    }
    assert!(bytes <= limits.request_headers_bytes_max);
    assert_eq!(
        request.headers.as_str().lines().count(),
        request.headers.iter().count()
    );
    assert!(request.body.len() <= limits.request_body_bytes_max);
    check_request_id(&request.context.request_id);
    if let Some(identity) = &request.context.identity {
        // Raw values, because claims may be nested arbitrarily deep.
        let claims: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(&identity.claims).expect("claims are one JSON object");
        assert!(
            identity
                .subject
                .as_ref()
                .is_none_or(|subject| !subject.is_empty()),
            "{claims:?}"
        );
    }
    assert!(
        request
            .context
            .client_address
            .as_ref()
            .is_none_or(|address| !address.is_empty() && is_visible(address))
    );
}

fn check_request_id(id: &str) {
    assert!(
        (1..=256).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()),
        "{id:?}"
    );
}
