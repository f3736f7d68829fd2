//! The context of a storage call besides its arguments.

use super::{Precondition, Revision, is_expired};
use contract::{outcome::StorageReport, seed::Seed};
use rand_chacha::{ChaCha12Rng, rand_core::Rng};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

/// What a storage call needs to know about its request. It is injected, so that a replay has the same time and makes the same revisions.
#[derive(Debug)]
pub struct Call {
    /// The request's time in milliseconds since the Unix epoch; decides what has expired.
    pub now_ms: u64,
    /// When the request must be over, if that is known. Retries stop here.
    pub deadline: Option<Instant>,
    /// A trace header that the store's own calls pass on (AWS: `X-Amzn-Trace-Id`).
    pub trace_header: Option<String>,
    seed: Seed,
    /// Created at first use, because most requests write nothing.
    revisions: Mutex<Option<Box<ChaCha12Rng>>>,
    /// Created at first use as well.
    backoffs: Mutex<Option<Box<ChaCha12Rng>>>,
    /// Writes whose precondition named a state that no longer existed.
    lost_races: AtomicU32,
    report: Mutex<StorageReport>,
}

impl Call {
    /// For a request at `now_ms` with its own `seed`.
    pub fn new(now_ms: u64, seed: &Seed, deadline: Option<Instant>) -> Self {
        Self {
            now_ms,
            deadline,
            trace_header: None,
            seed: seed.clone(),
            revisions: Mutex::default(),
            backoffs: Mutex::default(),
            lost_races: AtomicU32::new(0),
            report: Mutex::default(),
        }
    }

    /// The same context as part of a trace.
    #[must_use]
    pub fn with_trace_header(mut self, trace_header: Option<String>) -> Self {
        self.trace_header = trace_header;
        self
    }

    /// Lets a backend add to the report for the operator.
    pub fn report(&self, add: impl FnOnce(&mut StorageReport)) {
        add(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The report for the operator, at the end of the request.
    pub fn into_report(self) -> StorageReport {
        self.report
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The next revision. A backend takes one for each put, in the order of the operations, before it knows whether the precondition holds,
    /// because some stores must send it along.
    pub fn next_revision(&self) -> Revision {
        let mut random = self
            .revisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let random = random.get_or_insert_with(|| Box::new(self.seed.revisions()));
        Revision(format!(
            "{:08x}{:016x}",
            random.next_u32(),
            random.next_u64()
        ))
    }

    /// Random numbers for the delay before a retry.
    pub fn next_backoff(&self) -> u32 {
        let mut random = self.backoffs.lock().unwrap_or_else(PoisonError::into_inner);
        let random = random.get_or_insert_with(|| Box::new(self.seed.backoffs()));
        random.next_u32()
    }

    /// Records that a precondition did not hold. Only one that named a state indicates concurrent writers of the same item.
    pub fn count_lost_race(&self, precondition: &Precondition) {
        if matches!(precondition, Precondition::Revision(_)) {
            self.lost_races.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many writes of this request lost against a concurrent one.
    pub fn lost_races(&self) -> u32 {
        self.lost_races.load(Ordering::Relaxed)
    }

    /// Whether an item with this expiry counts as deleted.
    pub fn is_expired(&self, expires_at: Option<u64>) -> bool {
        is_expired(expires_at, self.now_ms)
    }
}
