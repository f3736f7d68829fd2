//! Instances that are created before their requests, and dropped after the responses are sent: of the time that a component adds to a
//! request, half can be moved out of it this way. Only for hosts with idle time after each response, which then call
//! [`Engine::run_deferred`](crate::engine::Engine::run_deferred).
//!
//! A prewarmed instance has run only its start function, in which every call to the host would have trapped, so no response can depend on
//! when it was created. If a guest's start function does call the host, its instances are created with their requests, as without
//! prewarming.

use super::{Instance, InstancePool, InstanceSource, Permit, bound};
use crate::imports::RequestState;
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Store, Trap};

/// Time limit for a guest's start function in advance; nearly all take microseconds.
const START_DURATION_MAX: Duration = Duration::from_millis(50);

/// What a pool keeps between requests.
pub(super) struct PrewarmedInstances {
    ready: Mutex<Option<PrewarmedInstance>>,
    used: Mutex<Vec<Used>>,
    /// The permit for one prewarmed instance, in addition to those for requests.
    room: Arc<Semaphore>,
}

/// The prewarmed instance.
struct PrewarmedInstance {
    source: InstanceSource,
    store: Store<RequestState>,
    instance: Instance,
    _room: OwnedSemaphorePermit,
}

/// What an answered request leaves: an instance, and its permit, in the order in which they are dropped.
struct Used {
    _store: Store<RequestState>,
    _permit: Permit,
    source: InstanceSource,
}

impl PrewarmedInstances {
    pub(super) fn new() -> Self {
        Self {
            ready: Mutex::default(),
            used: Mutex::default(),
            room: Arc::new(Semaphore::new(1)),
        }
    }

    /// The prewarmed instance, if it is of this guest.
    pub(super) fn take(&self, source: &InstanceSource) -> Option<(Store<RequestState>, Instance)> {
        let waiting = lock(&self.ready).take_if(|waiting| waiting.source.is(source))?;
        Some((waiting.store, waiting.instance))
    }

    /// Defers dropping an instance.
    pub(super) fn defer_drop(
        &self,
        store: Store<RequestState>,
        permit: Permit,
        source: InstanceSource,
    ) {
        lock(&self.used).push(Used {
            _store: store,
            _permit: permit,
            source,
        });
    }

    /// Whether a prewarmed instance exists.
    pub(super) fn is_ready(&self) -> bool {
        lock(&self.ready).is_some()
    }

    /// Drops used instances.
    pub(super) fn drop_deferred(&self) {
        drop(mem::take(&mut *lock(&self.used)));
    }

    /// Drops used instances, and creates one of the guest that answered last, because it is the most likely to be called next.
    pub(super) async fn run_deferred(&self, pool: &InstancePool, number: usize) {
        let used = mem::take(&mut *lock(&self.used));
        let Some(source) = used.last().map(|used| used.source.clone()) else {
            return;
        };
        drop(used);
        {
            let mut ready = lock(&self.ready);
            if ready
                .as_ref()
                .is_some_and(|waiting| waiting.source.is(&source))
            {
                return;
            }
            *ready = None;
        }
        if source.calls_at_start() {
            return;
        }
        // If the permit is taken, another thread is creating one.
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            return;
        };
        match make(pool, number, &source).await {
            Ok((store, instance)) => {
                *lock(&self.ready) = Some(PrewarmedInstance {
                    source,
                    store,
                    instance,
                    _room: room,
                });
            }
            // A long start may be caused by a machine that stood still, and says nothing about the guest.
            Err(error) if error.downcast_ref() == Some(&Trap::Interrupt) => {}
            Err(_) => source.note_call_at_start(),
        }
    }
}

/// Creates an instance. Fails if its start function calls the host, traps, or takes too long.
async fn make(
    pool: &InstancePool,
    number: usize,
    source: &InstanceSource,
) -> wasmtime::Result<(Store<RequestState>, Instance)> {
    let mut store = source.store(pool, source.idle_context());
    let _ticking = pool.start_ticking();
    bound(&mut store, Instant::now() + START_DURATION_MAX);
    let instance = source.instance(number, &mut store).await?;
    Ok((store, instance))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
