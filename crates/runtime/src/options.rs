//! The options of a guest, and the inputs of a run besides its request.

use contract::{limits::Limits, log::LogLevel, seed::Seed};
use outgoing::OutgoingHttp;
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
    /// Whether the guest may import `tenon:handler/outgoing`: it has grants, or a replay answers.
    pub has_outgoing: bool,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            environment: Environment::from([]),
            log_level: LogLevel::Info,
            has_outgoing: false,
        }
    }
}

/// The inputs of a request's run, besides the request itself.
pub struct Run {
    /// The guest's view of the store.
    pub storage: Arc<dyn Storage>,
    /// What sends its requests to other services.
    pub outgoing: Arc<dyn OutgoingHttp>,
    /// Source of everything random.
    pub seed: Seed,
    /// When the response must be ready.
    pub deadline: Instant,
    /// A trace header for calls to the store, see [`Call::trace_header`](storage::Call::trace_header).
    pub trace_header: Option<String>,
}
