//! Pools of instances, one for each thread that runs guests.

mod prewarmed;
mod source;
mod ticker;

pub(crate) use source::{FUEL_MAX, Instance, InstanceSource, bound};

use crate::imports::RequestState;
use prewarmed::PrewarmedInstances;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use ticker::{Ticker, Ticking};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Store;

/// The pools of an engine; there is at least one.
pub(crate) struct Pools(Box<[InstancePool]>);

/// A wasmtime engine with its own pool. Threads use their own pool while it has room, because memory that one core wrote reaches another
/// core slowly, and pools hand out first what was returned last, by any thread.
pub(crate) struct InstancePool {
    pub(crate) wasmtime: wasmtime::Engine,
    ticker: Ticker,
    is_metered: bool,
    is_pooled: bool,
    /// One permit for each instance that may exist.
    instances: Arc<Semaphore>,
    /// The prewarmed instance, if prewarming is enabled.
    prewarmed: Option<PrewarmedInstances>,
}

/// The configuration of a pool.
pub(crate) struct PoolOptions {
    pub(crate) wasmtime: wasmtime::Engine,
    /// Whether instances come from a wasmtime pool.
    pub(crate) is_pooled: bool,
    /// Whether work is counted.
    pub(crate) is_metered: bool,
    /// Concurrent requests.
    pub(crate) instances_max: u32,
    /// Whether an instance is prewarmed.
    pub(crate) is_prewarmed: bool,
}

/// A permit for one instance of a pool.
pub(crate) struct Permit {
    /// The pool.
    pub(crate) pool: usize,
    _permit: Option<OwnedSemaphorePermit>,
}

impl InstancePool {
    pub(crate) fn new(options: PoolOptions) -> Self {
        Self {
            ticker: Ticker::new(options.wasmtime.weak()),
            wasmtime: options.wasmtime,
            is_metered: options.is_metered,
            is_pooled: options.is_pooled,
            instances: Arc::new(Semaphore::new(options.instances_max as usize)),
            prewarmed: options.is_prewarmed.then(PrewarmedInstances::new),
        }
    }

    /// Whether instances come from a wasmtime pool.
    pub(crate) fn is_pooled(&self) -> bool {
        self.is_pooled
    }

    /// Whether work is counted.
    pub(crate) fn is_metered(&self) -> bool {
        self.is_metered
    }

    /// Lets guests of this pool be interrupted until the returned value is dropped.
    pub(crate) fn start_ticking(&self) -> Ticking<'_> {
        self.ticker.start()
    }

    /// The prewarmed instance for a request to this guest, if there is one.
    pub(crate) fn take_prewarmed(
        &self,
        source: &InstanceSource,
    ) -> Option<(Store<RequestState>, Instance)> {
        self.prewarmed.as_ref()?.take(source)
    }

    /// Drops a request's instance and then its permit: at once, or later if instances are prewarmed. Returns what the host keeps of the
    /// request.
    pub(crate) fn release(
        &self,
        mut store: Store<RequestState>,
        permit: Permit,
        source: &InstanceSource,
    ) -> RequestState {
        match &self.prewarmed {
            Some(prewarmed) => {
                let context = std::mem::replace(store.data_mut(), source.idle_context());
                prewarmed.defer_drop(store, permit, source.clone());
                context
            }
            // The store owns the instance. If its permit were released earlier, the next request would find the pool full.
            None => {
                let context = store.into_data();
                drop(permit);
                context
            }
        }
    }
}

impl Pools {
    pub(crate) fn new(pools: Box<[InstancePool]>) -> Self {
        Self(pools)
    }

    pub(crate) fn all(&self) -> &[InstancePool] {
        &self.0
    }

    /// Waits for a permit: from the thread's own pool, from any other that has room, otherwise from its own again.
    pub(crate) async fn acquire(&self) -> Permit {
        let pools = self.all();
        let own = number_of_thread() % pools.len();
        let permit = self.try_acquire(own).or_else(|| {
            // Deferred work may be pending after a response, and holds permits.
            self.with_prewarmed()
                .for_each(PrewarmedInstances::drop_deferred);
            self.try_acquire(own)
        });
        match permit {
            Some(permit) => permit,
            None => Permit {
                pool: own,
                _permit: pools[own].instances.clone().acquire_owned().await.ok(), // it is never closed
            },
        }
    }

    /// A permit from this pool, or from any other that has room.
    fn try_acquire(&self, own: usize) -> Option<Permit> {
        let pools = self.all();
        (own..pools.len()).chain(0..own).find_map(|pool| {
            let permit = pools[pool].instances.clone().try_acquire_owned().ok()?;
            Some(Permit {
                pool,
                _permit: Some(permit),
            })
        })
    }

    /// Runs the work that requests deferred.
    pub(crate) async fn run_deferred(&self) {
        for (number, pool) in self.all().iter().enumerate() {
            if let Some(prewarmed) = &pool.prewarmed {
                prewarmed.run_deferred(pool, number).await;
            }
        }
    }

    /// Number of prewarmed instances.
    pub(crate) fn prewarmed(&self) -> usize {
        self.with_prewarmed()
            .filter(|prewarmed| prewarmed.is_ready())
            .count()
    }

    fn with_prewarmed(&self) -> impl Iterator<Item = &PrewarmedInstances> {
        self.all().iter().filter_map(|pool| pool.prewarmed.as_ref())
    }
}

/// A thread gets its number when it first runs a guest.
fn number_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

#[cfg(test)]
mod tests {
    use crate::engine::{Engine, EngineOptions};

    #[tokio::test]
    async fn a_full_pool_gives_way_to_another_and_then_waits() {
        let options = EngineOptions {
            instances_max: 4,
            pools: 2,
            ..EngineOptions::default()
        };
        let engine = Engine::new(&options).unwrap();
        let mut permits = Vec::new();
        for _ in 0..4 {
            permits.push(engine.pools().acquire().await);
        }
        let mut pools: Vec<usize> = permits.iter().map(|permit| permit.pool).collect();
        assert_eq!(pools[0], pools[1], "a thread keeps to its pool");
        pools.sort_unstable();
        assert_eq!(pools, [0, 0, 1, 1]);
        let mut next = Box::pin(engine.pools().acquire());
        let waits = std::future::poll_fn(|context| {
            std::task::Poll::Ready(next.as_mut().poll(context).is_pending())
        });
        assert!(waits.await);
        permits.clear();
        next.await;
    }
}
