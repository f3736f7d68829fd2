//! A guest's view of a table that may be out of reach when its host starts: opened then, or by the first call that reaches it.

use crate::{CursorKeyError, DynamoDbStorage};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use storage::{
    Call, CursorKey, Namespace, Storage, StorageError, StorageRequest, StorageResponse, Tenant,
};
use tokio::{sync::OnceCell, time::timeout};

/// The time that a call may use to open the store: the rest of the request's time is reserved for the guest to report the failure.
const OPEN_DURATION_MAX: Duration = Duration::from_secs(2);

/// A store that is opened once. Until then every call fails with the reason, so that the guest answers as it does whenever its store is
/// down, and still answers what needs no store.
pub struct LazyTenant {
    backend: Arc<DynamoDbStorage>,
    namespace: Namespace,
    opened: OnceCell<Tenant>,
}

impl LazyTenant {
    /// Nothing is sent yet.
    pub fn new(backend: Arc<DynamoDbStorage>, namespace: Namespace) -> Self {
        Self {
            backend,
            namespace,
            opened: OnceCell::new(),
        }
    }

    /// Reads the key that seals cursors from the table, which connects to it.
    pub async fn open(&self, deadline: Instant) -> Result<&Tenant, CursorKeyError> {
        let view = |cursor_key: CursorKey| {
            let backend: Arc<dyn Storage> = self.backend.clone();
            Tenant::new(backend, self.namespace.clone(), cursor_key)
        };
        let open = || async { self.backend.cursor_key(Some(deadline)).await.map(view) };
        self.opened.get_or_try_init(open).await
    }

    /// The store for a call, opened if necessary.
    async fn of(&self, call: &Call) -> Result<&Tenant, StorageError> {
        match self.opened.get() {
            Some(opened) => Ok(opened),
            None => self.open_for(call).await,
        }
    }

    async fn open_for(&self, call: &Call) -> Result<&Tenant, StorageError> {
        let now = Instant::now();
        let left = call.deadline.map_or(OPEN_DURATION_MAX, |deadline| {
            deadline.saturating_duration_since(now)
        });
        let duration = OPEN_DURATION_MAX.min(left / 2);
        // Another request may be opening it: then this one waits, but no longer than its own attempt would take.
        let Ok(opened) = timeout(duration, self.open(now + duration)).await else {
            call.report(|report| report.add_fault("the store did not open in time"));
            return Err(StorageError::Unavailable);
        };
        opened.map_err(|CursorKeyError { error, faults, .. }| {
            call.report(|report| {
                for fault in faults {
                    report.add_fault(fault);
                }
            });
            match error {
                // Not the guest's write, so its outcome is not unknown.
                StorageError::OutcomeUnknown => StorageError::Unavailable,
                error => error,
            }
        })
    }
}

#[async_trait::async_trait]
impl Storage for LazyTenant {
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError> {
        self.of(call).await?.perform(call, request).await
    }
}
