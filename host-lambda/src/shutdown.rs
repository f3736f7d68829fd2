//! Shutdown: requests in flight are answered, then the process ends. Lambda sends SIGTERM if an extension is registered or several
//! invocations share a process; otherwise it freezes and kills the process, which needs no preparation, because each line is written before
//! its response is sent.

use std::{future::Future, io, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::timeout,
};

/// Time for requests in flight; Lambda kills the process after 500 ms (AWS: Lambda execution environment, shutdown phase).
const DRAIN_DURATION_MAX: Duration = Duration::from_millis(400);

/// Counts invocations from their event until their response is sent.
#[derive(Clone)]
pub struct InFlight(Arc<watch::Sender<usize>>);

impl Default for InFlight {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

/// One invocation in flight, until it is dropped.
pub struct InFlightGuard(Arc<watch::Sender<usize>>);

impl InFlight {
    /// Adds one invocation.
    pub fn enter(&self) -> InFlightGuard {
        self.0.send_modify(|count| *count += 1);
        InFlightGuard(self.0.clone())
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Waits for SIGTERM or SIGINT, and then for the invocations in flight. The signals are caught from this call on.
pub fn stopped(in_flight: InFlight) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let mut count = in_flight.0.subscribe();
        let _ = timeout(DRAIN_DURATION_MAX, count.wait_for(|count| *count == 0)).await;
    })
}
