//! The store of a test, and what a test can do to it.

use crate::store::StorageError;
use alloc::{boxed::Box, collections::VecDeque, sync::Arc, vec::Vec};
use core::{future::Future, mem, pin::Pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use storage::{
    Call, Consistency, CursorKey, Key, MemoryStorage, Namespace, Precondition, PutOptions, Storage,
    StorageExt as _, StorageRequest, StorageResponse, Tenant,
};

/// The store in memory with the rules of the hosts, in which calls fail and other requests interfere when a test says so.
pub(super) struct TestStore {
    tenant: Tenant,
    plan: Mutex<Plan>,
}

#[derive(Default)]
struct Plan {
    failures: VecDeque<storage::StorageError>,
    races: u32,
    calls: Vec<&'static str>,
}

impl TestStore {
    pub(super) fn new() -> Self {
        Self {
            tenant: Tenant::new(
                Arc::new(MemoryStorage::new()),
                Namespace::local(),
                CursorKey::new([0; 32]),
            ),
            plan: Mutex::default(),
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fail(&self, error: StorageError) {
        self.plan().failures.push_back(error.into());
    }

    pub(super) fn lose_races(&self, writes: u32) {
        self.plan().races = writes;
    }

    pub(super) fn take_calls(&self) -> Vec<&'static str> {
        mem::take(&mut self.plan().calls)
    }

    /// Writes an item again as it is: what another request could do.
    async fn interfere(&self, call: &Call, key: &Key) -> Result<(), storage::StorageError> {
        let Some(item) = self.tenant.get(call, key, Consistency::Strong).await? else {
            return Ok(());
        };
        let options = PutOptions {
            precondition: Precondition::None,
            index: item.index,
            expires_at: item.expires_at,
        };
        self.tenant.put(call, key, &item.document, &options).await?;
        Ok(())
    }

    async fn respond(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, storage::StorageError> {
        let races = {
            let mut plan = self.plan();
            plan.calls.push(request.function().as_str());
            if let Some(error) = plan.failures.pop_front() {
                return Err(error);
            }
            plan.races
        };
        for (key, _) in request.preconditions().into_iter().take(races as usize) {
            self.plan().races -= 1;
            self.interfere(call, key).await?;
        }
        self.tenant.perform(call, request).await
    }
}

/// As `async_trait` expands it.
impl Storage for TestStore {
    fn perform<'a, 'b, 'c>(
        &'a self,
        call: &'b Call,
        request: StorageRequest,
    ) -> Pin<Box<dyn Future<Output = Result<StorageResponse, storage::StorageError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.respond(call, request))
    }
}
