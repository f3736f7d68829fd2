//! Instances made before their requests come, and let go of after the answers are out: of what a component adds to a request, half need
//! not be waited for. Only for hosts with a moment after each answer, who then call [`Engine::run_deferred`].
//!
//! A prewarmed instance has run nothing but its own start, in which every call to the host would have trapped: no answer can depend on when it was
//! made. A guest that does call the host at its start gets its instances with its requests, as without prewarmed instances.

use super::{Origin, State, bound};
use crate::{
    bindings::Platform,
    engine::{Engine, InstancePool, Permit},
};
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Store, Trap};

/// Time for a guest's start where nobody waits for it; nearly all take microseconds.
const START_DURATION_MAX: Duration = Duration::from_millis(50);

/// What a pool keeps between requests.
pub(crate) struct PrewarmedInstances {
    ready: Mutex<Option<PrewarmedInstance>>,
    used: Mutex<Vec<Used>>,
    /// Room in the pool for one prewarmed instance beside all requests.
    room: Arc<Semaphore>,
}

/// An instance that waits for its request.
struct PrewarmedInstance {
    origin: Origin,
    store: Store<State>,
    instance: Platform,
    _room: OwnedSemaphorePermit,
}

/// What an answered request leaves: an instance, and its permit, in the order in which they go.
struct Used {
    _store: Store<State>,
    _permit: Permit,
    origin: Origin,
}

impl PrewarmedInstances {
    pub(crate) fn new() -> Self {
        Self {
            ready: Mutex::default(),
            used: Mutex::default(),
            room: Arc::new(Semaphore::new(1)),
        }
    }

    /// The instance that waits for a request to this guest.
    pub(super) fn take(&self, origin: &Origin) -> Option<(Store<State>, Platform)> {
        let waiting = lock(&self.ready).take_if(|waiting| waiting.origin.is(origin))?;
        Some((waiting.store, waiting.instance))
    }

    /// Lets go of an instance later.
    pub(super) fn defer_drop(&self, store: Store<State>, permit: Permit, origin: Origin) {
        lock(&self.used).push(Used {
            _store: store,
            _permit: permit,
            origin,
        });
    }

    /// Lets go of what was used.
    pub(crate) fn drop_deferred(&self) {
        drop(mem::take(&mut *lock(&self.used)));
    }

    /// Lets go of what was used, and makes an instance of the guest that answered last: it is the likeliest to be asked next.
    async fn run_deferred(&self, pool: &InstancePool, number: usize) {
        let used = mem::take(&mut *lock(&self.used));
        let Some(origin) = used.last().map(|used| used.origin.clone()) else {
            return;
        };
        drop(used);
        {
            let mut ready = lock(&self.ready);
            if ready
                .as_ref()
                .is_some_and(|waiting| waiting.origin.is(&origin))
            {
                return;
            }
            *ready = None;
        }
        if origin.guest.calls_at_start.load(Ordering::Relaxed) {
            return;
        }
        // Where there is none, another thread makes one.
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            return;
        };
        match make(pool, number, &origin).await {
            Ok((store, instance)) => {
                *lock(&self.ready) = Some(PrewarmedInstance {
                    origin,
                    store,
                    instance,
                    _room: room,
                });
            }
            // It took long, which on a machine that stood still says nothing of the guest.
            Err(error) if error.downcast_ref() == Some(&Trap::Interrupt) => {}
            Err(_) => origin.guest.calls_at_start.store(true, Ordering::Relaxed),
        }
    }
}

/// Brings an instance up. Fails if its start calls the host, traps, or takes long.
async fn make(
    pool: &InstancePool,
    number: usize,
    origin: &Origin,
) -> wasmtime::Result<(Store<State>, Platform)> {
    let mut store = origin.store(pool, State::idle(&origin.options));
    let _ticking = pool.ticker.start();
    bound(&mut store, Instant::now() + START_DURATION_MAX);
    let instance = origin.instance(number, &mut store).await?;
    Ok((store, instance))
}

impl Engine {
    /// Does what requests put off, see [`EngineOptions::prewarmed`](crate::engine::EngineOptions::prewarmed). To be called after each answer.
    pub async fn run_deferred(&self) {
        for (number, pool) in self.pools().iter().enumerate() {
            if let Some(prewarmed) = &pool.prewarmed {
                prewarmed.run_deferred(pool, number).await;
            }
        }
    }

    /// Instances that wait for their requests.
    pub fn prewarmed(&self) -> usize {
        let prewarmed = self
            .pools()
            .iter()
            .filter_map(|pool| pool.prewarmed.as_ref());
        prewarmed
            .filter(|prewarmed| lock(&prewarmed.ready).is_some())
            .count()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
