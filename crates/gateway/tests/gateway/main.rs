//! Gateway events: single rules, the shared corpus, and properties over generated input.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read what they or the hosts wrote"
)]
#![allow(clippy::unwrap_used)] // clippy recognises tests by their attribute, but not their helpers

mod alb;
mod callers;
mod composed;
mod corpus;
mod delivered;
mod direct;
mod http_api;
mod identity;
mod invariants;
mod properties;
mod refused;
mod rest;

use contract::{http::Request, limits::Limits, seed::Seed};
use gateway::{Event, EventError, ParseContext, RefusedError, parse};
use serde_json::Value;

const RECEIVED_AT_MS: u64 = 1_700_000_000_123;

fn parse_with(event: &[u8], base_path: Option<&str>, limits: &Limits) -> Result<Event, EventError> {
    let seed = Seed::new([1; 32]);
    parse(
        event,
        &ParseContext {
            received_at_ms: RECEIVED_AT_MS,
            seed: &seed,
            base_path,
        },
        limits,
    )
}

fn parse_bytes(event: &[u8]) -> Result<Event, EventError> {
    parse_with(event, None, &Limits::default())
}

fn request(event: &Value) -> Request {
    match parse_bytes(event.to_string().as_bytes()) {
        Ok(event) => event.request,
        Err(rejection) => panic!("{rejection}"),
    }
}

/// The refusal of something that is HTTP.
fn refusal(event: &Value) -> RefusedError {
    match parse_bytes(event.to_string().as_bytes()) {
        Err(EventError::Http(refusal)) => *refusal,
        other => panic!("not refused as HTTP: {other:?}"),
    }
}

/// `base` with some members replaced or added, recursively, including `null`.
fn with(mut base: Value, changes: Value) -> Value {
    fn merge(base: &mut Value, changes: Value) {
        match (base, changes) {
            (Value::Object(base), Value::Object(changes)) => {
                for (name, change) in changes {
                    merge(base.entry(name).or_insert(Value::Null), change);
                }
            }
            (base, change) => *base = change,
        }
    }
    merge(&mut base, changes);
    base
}

fn fields(request: &Request) -> Vec<(&str, &str)> {
    request.headers.iter().collect()
}
