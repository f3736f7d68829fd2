//! Instances made before their requests come, and let go of after the answers are out: of what a component adds to a request, half need
//! not be waited for. Only for hosts with a moment after each answer, who then call [`Engine::tidy`].
//!
//! A spare has run nothing but its own start, in which every call to the host would have trapped: no answer can depend on when it was
//! made. A guest that does call the host at its start gets its instances with its requests, as without spares.

use super::{Origin, State, bound};
use crate::{
    bindings::Platform,
    engine::{Engine, Lane, Place},
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

/// What a lane keeps between requests.
pub(crate) struct Spares {
    ready: Mutex<Option<Spare>>,
    used: Mutex<Vec<Used>>,
    /// Room in the pool for one spare beside all requests.
    room: Arc<Semaphore>,
}

/// An instance that waits for its request.
struct Spare {
    origin: Origin,
    store: Store<State>,
    instance: Platform,
    _room: OwnedSemaphorePermit,
}

/// What an answered request leaves: an instance, and leave for it to live, in the order in which they go.
struct Used {
    _store: Store<State>,
    _place: Place,
    origin: Origin,
}

impl Spares {
    pub(crate) fn new() -> Self {
        Self {
            ready: Mutex::default(),
            used: Mutex::default(),
            room: Arc::new(Semaphore::new(1)),
        }
    }

    /// The instance that waits for a request to this guest.
    pub(super) fn take(&self, origin: &Origin) -> Option<(Store<State>, Platform)> {
        let spare = lock(&self.ready).take_if(|spare| spare.origin.is(origin))?;
        Some((spare.store, spare.instance))
    }

    /// Lets go of an instance later.
    pub(super) fn put_off(&self, store: Store<State>, place: Place, origin: Origin) {
        lock(&self.used).push(Used {
            _store: store,
            _place: place,
            origin,
        });
    }

    /// Lets go of what was used.
    pub(crate) fn let_go(&self) {
        drop(mem::take(&mut *lock(&self.used)));
    }

    /// Lets go of what was used, and makes an instance of the guest that answered last: it is the likeliest to be asked next.
    async fn tidy(&self, lane: &Lane, number: usize) {
        let used = mem::take(&mut *lock(&self.used));
        let Some(origin) = used.last().map(|used| used.origin.clone()) else {
            return;
        };
        drop(used);
        {
            let mut ready = lock(&self.ready);
            if ready.as_ref().is_some_and(|spare| spare.origin.is(&origin)) {
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
        match make(lane, number, &origin).await {
            Ok((store, instance)) => {
                *lock(&self.ready) = Some(Spare {
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
    lane: &Lane,
    number: usize,
    origin: &Origin,
) -> wasmtime::Result<(Store<State>, Platform)> {
    let mut store = origin.store(lane, State::idle(&origin.options));
    let _ticking = lane.ticker.start();
    bound(&mut store, Instant::now() + START_DURATION_MAX);
    let instance = origin.instance(number, &mut store).await?;
    Ok((store, instance))
}

impl Engine {
    /// Does what requests put off, see [`EngineOptions::spares`](crate::engine::EngineOptions::spares). To be called after each answer.
    pub async fn tidy(&self) {
        for (number, lane) in self.lanes().iter().enumerate() {
            if let Some(spares) = &lane.spares {
                spares.tidy(lane, number).await;
            }
        }
    }

    /// Instances that wait for their requests.
    pub fn spares(&self) -> usize {
        let spares = self.lanes().iter().filter_map(|lane| lane.spares.as_ref());
        spares
            .filter(|spares| lock(&spares.ready).is_some())
            .count()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
