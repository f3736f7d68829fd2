//! A guest where it stands: with its view of the store, its bounds, and how its last requests went.

use super::Fault;
use crate::{
    http::Request,
    runtime::{Failure, Runtime, Usage},
    storage::Storage,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout_at,
};

/// A guest on its view of the store.
pub struct Stand {
    pub(super) runtime: Runtime,
    pub(super) storage: Arc<dyn Storage>,
    duration_max: Option<Duration>,
    turns: Option<Arc<Semaphore>>,
    outcomes: Outcomes,
}

impl Stand {
    /// A guest answering from `storage`, which is its own view of the store.
    pub fn new(runtime: Runtime, storage: Arc<dyn Storage>) -> Self {
        Self {
            runtime,
            storage,
            duration_max: None,
            turns: None,
            outcomes: Outcomes::default(),
        }
    }

    /// Ends each request of this guest after so long, however late its invocation's deadline is.
    #[must_use]
    pub fn with_duration_max(mut self, duration_max: Duration) -> Self {
        self.duration_max = Some(duration_max);
        self
    }

    /// Lets only so many requests of all guests that share `turns` run at a time.
    #[must_use]
    pub fn with_turns(mut self, turns: Arc<Semaphore>) -> Self {
        self.turns = Some(turns);
        self
    }

    /// The guest.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Its view of the store.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// How its last requests went.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Why this guest does not get a request that others might. Everything else was checked when the event was taken apart.
    pub(super) fn refuses(&self, request: &Request) -> Option<String> {
        let bytes_max = self.runtime.limits().request_body_bytes_max;
        (request.body.len() > bytes_max)
            .then(|| format!("body takes more than the {bytes_max} bytes allowed"))
    }

    pub(super) fn deadline(&self, of_invocation: Instant) -> Instant {
        match self.duration_max {
            Some(duration_max) => of_invocation.min(Instant::now() + duration_max),
            None => of_invocation,
        }
    }

    /// Waits for this request's turn, where turns are taken.
    pub(super) async fn turn(
        &self,
        deadline: Instant,
    ) -> Result<Option<SemaphorePermit<'_>>, Failure> {
        let Some(turns) = &self.turns else {
            return Ok(None);
        };
        match timeout_at(deadline.into(), turns.acquire()).await {
            // The semaphore is never closed.
            Ok(turn) => Ok(turn.ok()),
            Err(_) => Err(Failure::Busy),
        }
    }

    pub(super) fn note(&self, fault: Option<&Fault>, usage: &Usage) {
        self.outcomes
            .note(fault.is_some_and(|fault| is_the_guests(fault, usage)));
    }
}

/// Whether another version of the guest might have done better.
fn is_the_guests(fault: &Fault, usage: &Usage) -> bool {
    match fault {
        Fault::Guest(Failure::Trap(_) | Failure::Memory(_) | Failure::Stopped(_))
        | Fault::Response(_) => true,
        // A store that does not answer lets every guest run out of time.
        Fault::Guest(Failure::Deadline) => usage.storage_duration < usage.total_duration / 2,
        Fault::Guest(Failure::Busy) | Fault::Refused(_) | Fault::Unrouted | Fault::Panic(_) => {
            false
        }
    }
}

/// Requests that [`Outcomes`] remembers.
pub const OUTCOMES_KEPT: u32 = 20;

/// How the last `OUTCOMES_KEPT` requests went: one bit each, so that counting is one atomic operation.
#[derive(Debug, Default)]
pub struct Outcomes(AtomicU32);

impl Outcomes {
    /// Adds one, forgets the oldest.
    pub fn note(&self, failed: bool) {
        let shift = |bits: u32| ((bits << 1) | u32::from(failed)) & ((1 << OUTCOMES_KEPT) - 1);
        // Nothing to change where all went well and goes on to: the usual case costs one read.
        if failed || self.0.load(Ordering::Relaxed) != 0 {
            self.0.update(Ordering::Relaxed, Ordering::Relaxed, shift);
        }
    }

    /// Failures among those remembered.
    pub fn failures(&self) -> u32 {
        self.0.load(Ordering::Relaxed).count_ones()
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_outcomes_count_and_older_ones_do_not() {
        let outcomes = Outcomes::default();
        outcomes.note(true);
        outcomes.note(false);
        outcomes.note(true);
        assert_eq!(outcomes.failures(), 2);
        for _ in 0..OUTCOMES_KEPT - 1 {
            outcomes.note(false);
        }
        assert_eq!(outcomes.failures(), 1);
        outcomes.note(false);
        assert_eq!(outcomes.failures(), 0);
    }

    #[test]
    fn only_what_another_version_might_do_better_counts() {
        let slow_store = Usage {
            total_duration: Duration::from_secs(10),
            storage_duration: Duration::from_secs(9),
            ..Usage::default()
        };
        let deadline = Fault::Guest(Failure::Deadline);
        assert!(is_the_guests(
            &deadline,
            &Usage {
                storage_duration: Duration::ZERO,
                ..slow_store
            }
        ));
        assert!(!is_the_guests(&deadline, &slow_store));
        assert!(is_the_guests(
            &Fault::Guest(Failure::Trap("unreachable".into())),
            &slow_store
        ));
        assert!(!is_the_guests(&Fault::Guest(Failure::Busy), &slow_store));
    }
}
