//! Pools of instances, one for each thread that runs guests.

use super::{Engine, EngineOptions, config, ticker::Ticker};
use crate::runtime::PrewarmedInstances;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A wasmtime engine with a pool of its own. Threads keep to theirs while it has room: memory that an instance wrote on one core reaches
/// another core slowly, and pools hand out first what was given back last, by whomever.
pub(crate) struct InstancePool {
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) ticker: Ticker,
    /// Whether work is counted.
    pub(crate) metered: bool,
    /// Whether instances come from a pool.
    pub(super) pooled: bool,
    /// One permit for each instance that may live at a time.
    instances: Arc<Semaphore>,
    /// Where instances are made ahead.
    pub(crate) prewarmed: Option<PrewarmedInstances>,
}

/// Permission for one instance of a pool to live.
pub(crate) struct Permit {
    /// Which.
    pub(crate) pool: usize,
    _permit: Option<OwnedSemaphorePermit>,
}

impl InstancePool {
    /// With room for `instances_max` requests at a time.
    pub(super) fn new(
        instances_max: u32,
        options: &EngineOptions,
        metered: bool,
    ) -> wasmtime::Result<Self> {
        let slots = instances_max + u32::from(options.prewarmed);
        let (wasmtime, pooled) = match wasmtime::Engine::new(&config::pooled(slots, metered)?) {
            Ok(engine) => (engine, true),
            Err(_) => (wasmtime::Engine::new(&config::on_demand(metered)?)?, false),
        };
        Ok(Self {
            ticker: Ticker::new(wasmtime.weak()),
            wasmtime,
            metered,
            pooled,
            instances: Arc::new(Semaphore::new(instances_max as usize)),
            prewarmed: options.prewarmed.then(PrewarmedInstances::new),
        })
    }
}

impl Engine {
    /// Waits until an instance may live: on the thread's own pool, on any other that has room, else on its own again.
    pub(crate) async fn acquire(&self) -> Permit {
        let pools = self.pools();
        let own = number_of_thread() % pools.len();
        let permit = self.try_acquire(own).or_else(|| {
            // Answers may be out after which nobody has run what was deferred.
            let prewarmed = pools.iter().filter_map(|pool| pool.prewarmed.as_ref());
            prewarmed.for_each(PrewarmedInstances::drop_deferred);
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

    /// On this pool, or on any other that has room.
    fn try_acquire(&self, own: usize) -> Option<Permit> {
        let pools = self.pools();
        (own..pools.len()).chain(0..own).find_map(|pool| {
            let permit = pools[pool].instances.clone().try_acquire_owned().ok()?;
            Some(Permit {
                pool,
                _permit: Some(permit),
            })
        })
    }
}

/// Threads count themselves when they first run a guest.
fn number_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineOptions;

    #[tokio::test]
    async fn a_full_lane_gives_way_to_another_and_then_waits() {
        let options = EngineOptions {
            instances_max: 4,
            pools: 2,
            ..EngineOptions::default()
        };
        let engine = Engine::new(&options).unwrap();
        let mut permits = Vec::new();
        for _ in 0..4 {
            permits.push(engine.acquire().await);
        }
        let mut pools: Vec<usize> = permits.iter().map(|permit| permit.pool).collect();
        assert_eq!(pools[0], pools[1], "a thread keeps to its pool");
        pools.sort_unstable();
        assert_eq!(pools, [0, 0, 1, 1]);
        let mut next = Box::pin(engine.acquire());
        let waits = std::future::poll_fn(|context| {
            std::task::Poll::Ready(next.as_mut().poll(context).is_pending())
        });
        assert!(waits.await);
        permits.clear();
        next.await;
    }
}
