//! The measured requests: a GET of one item and a POST of one, each with one storage call.

use anyhow::ensure;
use contract::{
    http::{Request, Response, Scheme},
    limits::Limits,
    seed::Seed,
};
use gateway::{self, EventKind, Origin, compose};
use outgoing::NoOutgoing;
use runtime::{Run, Runtime};
use secrets::NoSecrets;
use service::Invocation;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use storage::{CursorKey, MemoryStorage, Namespace, Storage, Tenant};

/// The item that GET reads.
pub const ITEM_PATH: &str = "/items/bench";
/// What PUT and POST write.
pub const ITEM: &str =
    r#"{"name":"A solid oak chair","price":129.5,"tags":["oak","chair"],"category":"furniture"}"#;
/// The time of every request.
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
    event_with(&[], method, path, body)
}

/// The same with further headers.
pub fn event_with(headers: &[(&str, &str)], method: &str, path: &str, body: &str) -> Vec<u8> {
    compose::compose(
        Origin::new(EventKind::HttpApi),
        &compose::Incoming {
            method,
            target: path,
            headers: &[HEADERS, headers].concat(),
            body: body.as_bytes(),
            client_address: "203.0.113.7",
            scheme: Scheme::Https,
            request_id: "bench-request-0001",
            received_at_ms: RECEIVED_AT_MS,
        },
    )
    .to_json()
}

/// The same as the guest gets it.
pub fn request(method: &str, path: &str, body: &str) -> anyhow::Result<Request> {
    let seed = seed(0);
    let context = gateway::ParseContext {
        received_at_ms: RECEIVED_AT_MS,
        seed: &seed,
        base_path: None,
    };
    Ok(gateway::parse(&event(method, path, body), &context, &Limits::default())?.request)
}

/// A separate seed for each request, because ids and revisions must differ.
pub fn seed(number: u64) -> Seed {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Seed::new(bytes)
}

/// What a service needs to know about a request besides its event.
pub fn invocation(number: u64) -> Invocation {
    Invocation {
        received_at_ms: RECEIVED_AT_MS,
        seed: seed(number),
        deadline: Instant::now() + Duration::from_secs(10),
        trace_header: None,
    }
}

/// A guest's response, in a new instance.
pub async fn answer(
    runtime: &Runtime,
    request: Request,
    storage: &Arc<dyn Storage>,
    number: u64,
) -> anyhow::Result<Response> {
    let run = Run {
        storage: storage.clone(),
        outgoing: Arc::new(NoOutgoing),
        secrets: Arc::new(NoSecrets),
        seed: seed(number),
        deadline: Instant::now() + Duration::from_secs(10),
        trace_header: None,
    };
    Ok(runtime.handle(request, run).await.result?)
}

/// Its duration; the response is checked afterwards.
pub async fn timed(
    runtime: &Runtime,
    request: &Request,
    storage: &Arc<dyn Storage>,
    number: u64,
) -> anyhow::Result<Duration> {
    let request = request.clone();
    let started = Instant::now();
    let response = answer(runtime, request, storage, number).await?;
    let elapsed = started.elapsed();
    check(&response)?;
    Ok(elapsed)
}

/// Fails if a response is not the expected one.
pub fn check(response: &Response) -> anyhow::Result<()> {
    ensure!(
        (200..300).contains(&response.status),
        "answered {}",
        response.status
    );
    Ok(())
}

/// An empty store as a guest sees it.
pub fn storage() -> anyhow::Result<Arc<dyn Storage>> {
    view(Arc::new(MemoryStorage::new()))
}

/// The same with the item that GET reads.
pub fn seeded() -> anyhow::Result<Arc<dyn Storage>> {
    let storage = storage()?;
    let put = request("PUT", ITEM_PATH, ITEM)?;
    check(&native::handle(put, &storage, &seed(u64::MAX)))?;
    Ok(storage)
}

/// A guest's view of a store.
pub fn view(storage: Arc<dyn Storage>) -> anyhow::Result<Arc<dyn Storage>> {
    let namespace: Namespace = "items".parse()?;
    Ok(Arc::new(Tenant::new(
        storage,
        namespace,
        CursorKey::new([0; 32]),
    )))
}

/// Runs a future on this thread.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
