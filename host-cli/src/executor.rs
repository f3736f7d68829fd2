//! The threads that commands run on.

use crate::exit::CommandError;
use tokio::runtime::{Builder, Runtime};

/// A runtime with `count` threads that run guests.
pub fn workers(count: usize) -> Result<Runtime, CommandError> {
    Builder::new_multi_thread()
        .worker_threads(count)
        .enable_all()
        .build()
        .map_err(|error| {
            CommandError::environment(format_args!("failed to start threads: {error}"))
        })
}
