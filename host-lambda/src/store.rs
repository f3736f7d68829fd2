//! The guest's view of the table: opened at init or, should the table be out of reach then, by the first call that finds it back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use storage::{
    Call, CursorKey, Namespace, Storage, StorageError, StorageRequest, StorageResponse, Tenant,
};
use storage_dynamodb::{CursorKeyError, DynamoDbStorage};
use tokio::{sync::OnceCell, time::timeout};

/// What a call may spend on opening the store: the rest of the request's time is for the guest to say that it did not work.
const OPEN_DURATION_MAX: Duration = Duration::from_secs(2);

/// A store that is opened once. Until then every call fails with the reason, so that the guest answers as it does whenever its store is
/// down, and goes on answering what needs no store.
pub struct Store {
    backend: Arc<DynamoDbStorage>,
    namespace: Namespace,
    opened: OnceCell<Tenant>,
}

impl Store {
    /// Nothing is sent yet.
    pub fn new(backend: Arc<DynamoDbStorage>, namespace: Namespace) -> Self {
        Self {
            backend,
            namespace,
            opened: OnceCell::new(),
        }
    }

    /// Takes the key that signs cursors from the table, which connects to it.
    pub async fn open(&self, deadline: Instant) -> Result<&Tenant, CursorKeyError> {
        let view = |cursor_key: CursorKey| {
            let backend: Arc<dyn Storage> = self.backend.clone();
            Tenant::new(backend, self.namespace.clone(), cursor_key)
        };
        let open = || async { self.backend.cursor_key(Some(deadline)).await.map(view) };
        self.opened.get_or_try_init(open).await
    }

    /// The store for a call, opened if it was not yet.
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
        // Another request may be at it already: then this one waits, and no longer than if it tried itself.
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
                // It was no write of the guest's.
                StorageError::OutcomeUnknown => StorageError::Unavailable,
                error => error,
            }
        })
    }
}

#[async_trait::async_trait]
impl Storage for Store {
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError> {
        self.of(call).await?.perform(call, request).await
    }
}
