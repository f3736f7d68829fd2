//! What instances are created from: a linked guest and its options.

use super::InstancePool;
use crate::{
    imports::{
        self, RequestState,
        bindings::{
            Platform, PlatformPre,
            proxy::{Proxy, ProxyPre},
        },
    },
    options::RuntimeOptions,
    world::World,
};
use contract::{digest::Digest, limits::HOST_CALL_BYTES_MAX};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use wasmtime::{Store, UpdateDeadline, component::Component};

/// What instances are created from. Cheap to clone.
#[derive(Clone)]
pub(crate) struct InstanceSource {
    guest: Arc<LinkedGuest>,
    options: Arc<RuntimeOptions>,
}

/// A linked guest.
struct LinkedGuest {
    digest: Digest,
    /// One for each pool of the engine.
    pools: Box<[LinkedComponent]>,
    /// Its start function needs results that only a request has.
    calls_at_start: AtomicBool,
}

/// A component with its imports, by its world.
enum LinkedComponent {
    Handler(PlatformPre<RequestState>),
    WasiHttp(ProxyPre<RequestState>),
}

/// An instance of a guest, by its world.
pub(crate) enum Instance {
    Handler(Platform),
    WasiHttp(Proxy),
}

impl InstanceSource {
    /// Links a guest, whose components are in the order of the pools.
    pub(crate) fn link(
        pools: &[InstancePool],
        components: &[Component],
        digest: Digest,
        world: World,
        options: RuntimeOptions,
    ) -> wasmtime::Result<Self> {
        let linked = pools.iter().zip(components).map(|(pool, component)| {
            let linker = imports::linker(&pool.wasmtime, component, world)?;
            let linked = linker.instantiate_pre(component)?;
            Ok(match world {
                World::Handler => LinkedComponent::Handler(PlatformPre::new(linked)?),
                World::WasiHttp => LinkedComponent::WasiHttp(ProxyPre::new(linked)?),
            })
        });
        Ok(Self {
            guest: Arc::new(LinkedGuest {
                digest,
                pools: linked.collect::<wasmtime::Result<_>>()?,
                calls_at_start: AtomicBool::new(false),
            }),
            options: Arc::new(options),
        })
    }

    /// The same guest with other options.
    pub(crate) fn with_options(&self, options: RuntimeOptions) -> Self {
        Self {
            guest: self.guest.clone(),
            options: Arc::new(options),
        }
    }

    /// SHA-256 of the component.
    pub(crate) fn digest(&self) -> Digest {
        self.guest.digest
    }

    pub(crate) fn options(&self) -> &RuntimeOptions {
        &self.options
    }

    /// Whether instances of both are the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.guest, &other.guest) && Arc::ptr_eq(&self.options, &other.options)
    }

    pub(super) fn calls_at_start(&self) -> bool {
        self.guest.calls_at_start.load(Ordering::Relaxed)
    }

    pub(super) fn note_call_at_start(&self) {
        self.guest.calls_at_start.store(true, Ordering::Relaxed);
    }

    /// The context of an instance without a request.
    pub(super) fn idle_context(&self) -> RequestState {
        RequestState::idle(&self.options)
    }

    /// A wasmtime store without an instance.
    pub(crate) fn store(&self, pool: &InstancePool, context: RequestState) -> Store<RequestState> {
        let mut store = Store::new(&pool.wasmtime, context);
        store.limiter(|context| &mut context.meter);
        store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
        if pool.is_metered() {
            // Only for counting: a request is bounded by time. A metered engine consumes it.
            let _ = store.set_fuel(FUEL_MAX);
        }
        store
    }

    /// Creates an instance on this pool.
    pub(crate) async fn instance(
        &self,
        pool: usize,
        store: &mut Store<RequestState>,
    ) -> wasmtime::Result<Instance> {
        Ok(match &self.guest.pools[pool] {
            LinkedComponent::Handler(linked) => {
                Instance::Handler(linked.instantiate_async(store).await?)
            }
            LinkedComponent::WasiHttp(linked) => {
                Instance::WasiHttp(linked.instantiate_async(store).await?)
            }
        })
    }
}

/// Lets a guest run until `deadline`.
pub(crate) fn bound(store: &mut Store<RequestState>, deadline: Instant) {
    store.epoch_deadline_callback(move |_| {
        // Yielding lets other requests of this thread run, and the timeout around this one.
        Ok(if Instant::now() >= deadline {
            UpdateDeadline::Interrupt
        } else {
            UpdateDeadline::Yield(1)
        })
    });
    store.set_epoch_deadline(TICKS_UNTIL_FIRST_YIELD);
}

/// The first tick may come at once, so that with one, half of the requests that take half a tick would wait for all others of their thread
/// in between, and each of those keep its memory meanwhile.
const TICKS_UNTIL_FIRST_YIELD: u64 = 2;

/// More than any request can use in its time.
pub(crate) const FUEL_MAX: u64 = u64::MAX / 2;
