//! What a guest gets beside its requests, and what a run follows from beside its request.

use contract::{limits::Limits, log::LogLevel, seed::Seed};
use std::{sync::Arc, time::Instant};
use storage::Storage;

/// Environment variables that the operator gives to a guest.
pub type Environment = Arc<[(String, String)]>;

/// What a guest gets beside its requests.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// Bounds of one request.
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

/// What a request's run follows from, beside the request itself.
pub struct Run {
    /// The guest's view of the store.
    pub storage: Arc<dyn Storage>,
    /// Source of everything random.
    pub seed: Seed,
    /// When the answer has to be there.
    pub deadline: Instant,
    /// What calls to the store carry on, see [`Call::trace_header`](storage::Call::trace_header).
    pub trace_header: Option<String>,
}
