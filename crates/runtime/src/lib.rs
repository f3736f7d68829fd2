//! Runs guests: [compiles and loads](engine) components, creates one instance for each request, and implements its WIT interfaces.
//!
//! No instance serves two requests. Time, seed, deadline, store, other services and secrets of a request come from the caller; a guest that traps, loops or exceeds a
//! limit ends its own request, never the process. Only [`engine`] configures wasmtime, and only its loader deserialises native code.
//!
//! ```no_run
//! use contract::{http::Request, seed::Seed};
//! use outgoing::NoOutgoing;
//! use runtime::{Run, Runtime, RuntimeOptions, engine::{Engine, EngineOptions}};
//! use secrets::NoSecrets;
//! use std::{path::Path, sync::Arc, time::{Duration, Instant}};
//! use storage::MemoryStorage;
//!
//! # async fn example(request: Request) -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(&EngineOptions::default())?;
//! let guest = engine.load_file(Path::new("guest.cwasm"))?;
//! let runtime = Runtime::new(&engine, &guest, RuntimeOptions::default())?;
//! let run = Run {
//!     storage: Arc::new(MemoryStorage::new()),
//!     outgoing: Arc::new(NoOutgoing),
//!     secrets: Arc::new(NoSecrets),
//!     seed: Seed::new([7; 32]),
//!     deadline: Instant::now() + Duration::from_secs(5),
//!     trace_header: None,
//! };
//! match runtime.handle(request, run).await.result {
//!     Ok(response) => println!("status {}", response.status),
//!     Err(failure) => println!("{failure}"),
//! }
//! # Ok(())
//! # }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

pub mod engine;
mod imports;
mod options;
mod pool;
mod runtime;
mod world;

pub use self::{
    imports::{is_outgoing, is_outgoing_of_wasi, is_secrets, is_storage},
    runtime::*,
    world::World,
};
