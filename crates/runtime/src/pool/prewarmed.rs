//! Instances made before their requests come, and let go of after the answers are out: of what a component adds to a request, half need
//! not be waited for. Only for hosts with a moment after each answer, who then call [`Engine::run_deferred`](crate::engine::Engine::run_deferred).
//!
//! A prewarmed instance has run nothing but its own start, in which every call to the host would have trapped: no answer can depend on when it was
//! made. A guest that does call the host at its start gets its instances with its requests, as without prewarmed instances.

use super::{InstancePool, InstanceSource, Permit, bound};
use crate::imports::{HostContext, bindings::Platform};
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Store, Trap};

/// Time for a guest's start where nobody waits for it; nearly all take microseconds.
const START_DURATION_MAX: Duration = Duration::from_millis(50);

/// What a pool keeps between requests.
pub(super) struct PrewarmedInstances {
    ready: Mutex<Option<PrewarmedInstance>>,
    used: Mutex<Vec<Used>>,
    /// Room in the pool for one prewarmed instance beside all requests.
    room: Arc<Semaphore>,
}

/// An instance that waits for its request.
struct PrewarmedInstance {
    source: InstanceSource,
    store: Store<HostContext>,
    instance: Platform,
    _room: OwnedSemaphorePermit,
}

/// What an answered request leaves: an instance, and its permit, in the order in which they go.
struct Used {
    _store: Store<HostContext>,
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

    /// The instance that waits for a request to this guest.
    pub(super) fn take(&self, source: &InstanceSource) -> Option<(Store<HostContext>, Platform)> {
        let waiting = lock(&self.ready).take_if(|waiting| waiting.source.is(source))?;
        Some((waiting.store, waiting.instance))
    }

    /// Lets go of an instance later.
    pub(super) fn defer_drop(
        &self,
        store: Store<HostContext>,
        permit: Permit,
        source: InstanceSource,
    ) {
        lock(&self.used).push(Used {
            _store: store,
            _permit: permit,
            source,
        });
    }

    /// Whether an instance waits for its request.
    pub(super) fn is_ready(&self) -> bool {
        lock(&self.ready).is_some()
    }

    /// Lets go of what was used.
    pub(super) fn drop_deferred(&self) {
        drop(mem::take(&mut *lock(&self.used)));
    }

    /// Lets go of what was used, and makes an instance of the guest that answered last: it is the likeliest to be asked next.
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
        // Where there is none, another thread makes one.
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
            // It took long, which on a machine that stood still says nothing of the guest.
            Err(error) if error.downcast_ref() == Some(&Trap::Interrupt) => {}
            Err(_) => source.note_call_at_start(),
        }
    }
}

/// Brings an instance up. Fails if its start calls the host, traps, or takes long.
async fn make(
    pool: &InstancePool,
    number: usize,
    source: &InstanceSource,
) -> wasmtime::Result<(Store<HostContext>, Platform)> {
    let mut store = source.store(pool, source.idle_context());
    let _ticking = pool.start_ticking();
    bound(&mut store, Instant::now() + START_DURATION_MAX);
    let instance = source.instance(number, &mut store).await?;
    Ok((store, instance))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
