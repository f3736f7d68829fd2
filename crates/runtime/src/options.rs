//! The options of a guest, and the inputs of a run besides its request.

use contract::{limits::Limits, log::LogLevel, seed::Seed};
use std::{sync::Arc, time::Instant};
use storage::Storage;

/// Environment variables that the operator gives to a guest.
pub type Environment = Arc<[(String, String)]>;

/// The options of a guest, which are the same for all its requests.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// Limits of one request.
    pub limits: Limits,
    /// What `wasi:cli/environment` returns.
    pub environment: Environment,
    /// Less severe guest log lines are dropped.
    pub log_level: LogLevel,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            environment: Environment::from([]),
            log_level: LogLevel::Info,
        }
    }
}

/// The inputs of a request's run, besides the request itself.
pub struct Run {
    /// The guest's view of the store.
    pub storage: Arc<dyn Storage>,
    /// Source of everything random.
    pub seed: Seed,
    /// When the response must be ready.
    pub deadline: Instant,
    /// A trace header for calls to the store, see [`Call::trace_header`](storage::Call::trace_header).
    pub trace_header: Option<String>,
}
