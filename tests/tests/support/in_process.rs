//! A guest in this process, called with events.

use contract::{http::Scheme, limits::Limits, log::LogLevel, outcome::Answer, seed::Seed};
use gateway::{
    EventKind, Origin,
    compose::{Incoming, compose},
};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use serde_json::Value;
use service::{Invocation, Service};
use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};
use storage::{CursorKey, Namespace, Storage, Tenant, memory::MemoryStorage};

/// When requests arrive, unless a test says otherwise.
pub const NOW_MS: u64 = 1_700_000_000_123;

/// The id that all requests have.
pub const REQUEST_ID: &str = "one-of-the-tests";

/// The engine of all tests.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(&EngineOptions::default()).unwrap())
}

/// A guest, ready for requests.
pub fn runtime(guest: &[u8], limits: Limits) -> Runtime {
    let guest = engine().load(guest).unwrap();
    let options = RuntimeOptions {
        limits,
        log_level: LogLevel::Debug,
        ..RuntimeOptions::default()
    };
    Runtime::new(engine(), &guest, options).unwrap()
}

/// A guest with its own store.
pub fn service(runtime: &Runtime, store: Arc<dyn Storage>) -> Service {
    Service::new(
        runtime.clone(),
        Arc::new(Tenant::new(
            store,
            Namespace::local(),
            CursorKey::new([0; 32]),
        )),
    )
}

/// The same with an empty memory store.
pub fn memory_service(runtime: &Runtime) -> Service {
    service(runtime, Arc::new(MemoryStorage::new()))
}

/// Sends a GET request.
pub async fn get(service: &Service, target: &str) -> Answer {
    get_within(service, target, Seed::new([1; 32]), Duration::from_secs(20)).await
}

/// Sends a request with content; `seed` distinguishes it from others.
pub async fn send(
    service: &Service,
    (method, target): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
    seed: Seed,
) -> Value {
    let request = Request {
        method,
        target,
        headers: &[&[("host", "localhost")], headers].concat(),
        body,
    };
    response(&send_within(service, request, seed, Duration::from_secs(60)).await)
}

/// Sends a GET request that must be answered in time.
pub async fn get_within(service: &Service, target: &str, seed: Seed, duration: Duration) -> Answer {
    let request = Request {
        method: "GET",
        target,
        headers: &[("host", "localhost")],
        body: b"",
    };
    send_within(service, request, seed, duration).await
}

struct Request<'a> {
    method: &'a str,
    target: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

async fn send_within(
    service: &Service,
    request: Request<'_>,
    seed: Seed,
    duration: Duration,
) -> Answer {
    let incoming = Incoming {
        method: request.method,
        target: request.target,
        headers: request.headers,
        body: request.body,
        client_address: "192.0.2.1",
        scheme: Scheme::Https,
        request_id: REQUEST_ID,
        received_at_ms: NOW_MS,
    };
    let event = compose(Origin::new(EventKind::HttpApi), &incoming).to_json();
    let invocation = Invocation {
        received_at_ms: NOW_MS,
        seed,
        deadline: Instant::now() + duration,
        trace_header: None,
    };
    service.invoke(&event, invocation).await.unwrap()
}

/// Status, headers and body for the gateway.
pub fn response(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.payload).unwrap()
}
