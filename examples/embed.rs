//! Runs a guest inside a program of one's own: `cargo run --release --example embed -- target/guest.wasm /items`.
//!
//! `cargo xtask guest` builds the reference guest that this command names.

use anyhow::Context as _;
use contract::{http::Scheme, seed::Seed};
use gateway::{
    EventKind, Origin,
    compose::{Incoming, compose},
};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use service::{Invocation, Service};
use std::{
    env,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use storage::{CursorKey, MemoryStorage, Tenant};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let component = arguments
        .next()
        .context("name a component, like guest.wasm")?;
    let target = arguments.next().unwrap_or_else(|| "/".to_owned());

    let engine = Engine::new(&EngineOptions::default())?;
    let guest = engine.load_file(Path::new(&component))?;
    let runtime = Runtime::new(&engine, &guest, RuntimeOptions::default())?;
    let storage = Tenant::new(
        Arc::new(MemoryStorage::new()),
        "embed".parse()?,
        CursorKey::new([0; 32]),
    );
    let service = Service::new(runtime, Arc::new(storage));

    // Time and seed come from here, so the same ones give the same answer again.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let received_at_ms = u64::try_from(now.as_millis())?;
    let invocation = Invocation {
        received_at_ms,
        seed: Seed::new([7; 32]),
        deadline: Instant::now() + Duration::from_secs(5),
        trace_header: None,
    };
    let incoming = Incoming {
        method: "GET",
        target: &target,
        headers: &[("host", "localhost")],
        body: b"",
        client_address: "127.0.0.1",
        scheme: Scheme::Http,
        request_id: "request-1",
        received_at_ms,
    };
    let event = compose(Origin::new(EventKind::HttpApi), &incoming).to_json();
    let answer = service.invoke(&event, invocation).await?;
    println!("{}", String::from_utf8(answer.payload)?);
    Ok(())
}
