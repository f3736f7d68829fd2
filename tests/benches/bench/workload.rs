//! The requests that are measured: a GET of one item and a POST of one, each with one storage call.

use host_core::{
    gateway::{self, EventKind, Origin, compose},
    http::{Request, Scheme},
    limits::Limits,
    seed::Seed,
    storage::{CursorKey, MemoryStorage, Namespace, Storage, Tenant},
};
use std::sync::Arc;

/// The item that GET reads.
pub const ITEM_PATH: &str = "/items/bench";
/// What PUT and POST write.
pub const ITEM: &str =
    r#"{"name":"A solid oak chair","price":129.5,"tags":["oak","chair"],"category":"furniture"}"#;
/// The instant of every request.
pub const RECEIVED_AT_MS: u64 = 1_767_225_600_000;

/// Headers of a browser behind an HTTP API.
const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/json, text/plain, */*"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-language", "en-GB,en;q=0.9"),
    ("cache-control", "no-cache"),
    ("content-type", "application/json"),
    ("host", "api.example.com"),
    ("origin", "https://example.com"),
    ("pragma", "no-cache"),
    ("referer", "https://example.com/"),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "same-site"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    ),
    (
        "x-amzn-trace-id",
        "Root=1-5e6722a7-cc56aabbccdd47ae02d4da47",
    ),
    ("x-forwarded-proto", "https"),
];

/// A gateway event for the workload.
pub fn event(method: &str, path: &str, body: &str) -> Vec<u8> {
    compose::compose(
        Origin::new(EventKind::HttpApi),
        &compose::Incoming {
            method,
            target: path,
            headers: HEADERS,
            body: body.as_bytes(),
            client_address: "203.0.113.7",
            scheme: Scheme::Https,
            request_id: "bench-request-0001",
            received_at_ms: RECEIVED_AT_MS,
        },
    )
}

/// The same as the guest gets it.
pub fn request(method: &str, path: &str, body: &str) -> anyhow::Result<Request> {
    let seed = seed(0);
    let arrival = gateway::Arrival {
        received_at_ms: RECEIVED_AT_MS,
        seed: &seed,
        base_path: None,
    };
    Ok(gateway::parse(&event(method, path, body), &arrival, &Limits::default())?.request)
}

/// A seed of its own for each request: ids and revisions must differ.
pub fn seed(number: u64) -> Seed {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Seed::new(bytes)
}

/// An empty store as a guest sees it.
pub fn storage() -> anyhow::Result<Arc<dyn Storage>> {
    let namespace: Namespace = "items".parse()?;
    Ok(Arc::new(Tenant::new(
        Arc::new(MemoryStorage::new()),
        namespace,
        CursorKey::new([0; 32]),
    )))
}
