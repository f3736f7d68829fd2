//! Pools of instances, one for each thread that runs guests.

use super::{Engine, EngineOptions, config, ticker::Ticker};
use crate::runtime::Spares;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A wasmtime engine with a pool of its own. Threads keep to theirs while it has room: memory that an instance wrote on one core reaches
/// another core slowly, and pools hand out first what was given back last, by whomever.
pub(crate) struct Lane {
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) ticker: Ticker,
    /// Whether work is counted.
    pub(crate) metered: bool,
    /// Whether instances come from a pool.
    pub(super) pooled: bool,
    /// One permit for each instance that may live at a time.
    instances: Arc<Semaphore>,
    /// Where instances are made ahead.
    pub(crate) spares: Option<Spares>,
}

/// Leave for an instance to live on a lane.
pub(crate) struct Place {
    /// Which.
    pub(crate) lane: usize,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Lane {
    /// With room for `instances_max` requests at a time.
    pub(super) fn new(
        instances_max: u32,
        options: &EngineOptions,
        metered: bool,
    ) -> wasmtime::Result<Self> {
        let slots = instances_max + u32::from(options.spares);
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
            spares: options.spares.then(Spares::new),
        })
    }
}

impl Engine {
    /// Waits until an instance may live: on the thread's own lane, on any other that has room, else on its own again.
    pub(crate) async fn place(&self) -> Place {
        let lanes = self.lanes();
        let own = number_of_thread() % lanes.len();
        let place = self.free_place(own).or_else(|| {
            // Answers may be out after which nobody has tidied.
            let spares = lanes.iter().filter_map(|lane| lane.spares.as_ref());
            spares.for_each(Spares::let_go);
            self.free_place(own)
        });
        match place {
            Some(place) => place,
            None => Place {
                lane: own,
                _permit: lanes[own].instances.clone().acquire_owned().await.ok(), // it is never closed
            },
        }
    }

    /// On this lane, or on any other that has room.
    fn free_place(&self, own: usize) -> Option<Place> {
        let lanes = self.lanes();
        (own..lanes.len()).chain(0..own).find_map(|lane| {
            let permit = lanes[lane].instances.clone().try_acquire_owned().ok()?;
            Some(Place {
                lane,
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
            lanes: 2,
            ..EngineOptions::default()
        };
        let engine = Engine::new(&options).unwrap();
        let mut places = Vec::new();
        for _ in 0..4 {
            places.push(engine.place().await);
        }
        let mut lanes: Vec<usize> = places.iter().map(|place| place.lane).collect();
        assert_eq!(lanes[0], lanes[1], "a thread keeps to its lane");
        lanes.sort_unstable();
        assert_eq!(lanes, [0, 0, 1, 1]);
        let mut next = Box::pin(engine.place());
        let waits = std::future::poll_fn(|context| {
            std::task::Poll::Ready(next.as_mut().poll(context).is_pending())
        });
        assert!(waits.await);
        places.clear();
        next.await;
    }
}
