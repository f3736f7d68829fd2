//! The only module that configures wasmtime: compiles components to images, and loads both.

#[cfg(feature = "compiler")]
mod bounds;
mod config;
mod image;
mod inspect;
mod load;
mod load_error;
#[cfg(feature = "compiler")]
mod unsupported;

pub use config::EngineOptions;
pub use image::{IMAGE_SUFFIX, ImageError, is_image, is_image_name};
pub use inspect::{Import, Inspection};
pub use load::{Candidate, Guest};
pub use load_error::LoadError;

pub use contract::compatibility::{HANDLER, Target, WASMTIME};

use crate::pool::{InstancePool, PoolOptions, Pools};
use std::sync::Arc;

/// A configured wasmtime engine with its instance pools and their epoch tickers. One per process is enough; cloning is cheap.
#[derive(Clone)]
pub struct Engine {
    pools: Arc<Pools>,
    instances_max: usize,
}

/// The engine cannot be created on this machine.
#[derive(Debug, thiserror::Error)]
#[error("failed to configure the WebAssembly engine: {0:#}")]
pub struct EngineError(wasmtime::Error);

impl Engine {
    /// An engine that runs guests on this machine. If the address space for the pool is not available, instances are created on demand:
    /// slower, but otherwise the same, so that images load in both.
    pub fn new(options: &EngineOptions) -> Result<Self, EngineError> {
        Self::with_metering(options, false)
    }

    /// An engine that counts the work of guests, for replays that compare it. Its code is different, about 1.5 times as slow, and images
    /// for other engines do not load.
    pub fn metered(options: &EngineOptions) -> Result<Self, EngineError> {
        Self::with_metering(options, true)
    }

    fn with_metering(options: &EngineOptions, metered: bool) -> Result<Self, EngineError> {
        let count = options.pools.clamp(1, options.instances_max.max(1));
        let instances_max = options.instances_max.div_ceil(count);
        let pools = (0..count)
            .map(|_| pool(instances_max, options, metered))
            .collect::<wasmtime::Result<_>>()
            .map_err(EngineError)?;
        Ok(Self {
            pools: Arc::new(Pools::new(pools)),
            instances_max: options.instances_max as usize,
        })
    }

    /// Largest number of concurrent instances.
    pub fn instances_max(&self) -> usize {
        self.instances_max
    }

    /// Whether instances come from a pool.
    pub fn is_pooled(&self) -> bool {
        self.pools.all().iter().all(InstancePool::is_pooled)
    }

    /// Whether it counts the work of guests.
    pub fn is_metered(&self) -> bool {
        self.pools.all().iter().all(InstancePool::is_metered)
    }

    /// Runs the work that requests deferred, see [`EngineOptions::prewarmed`]. Call it after each response.
    pub async fn run_deferred(&self) {
        self.pools.run_deferred().await;
    }

    /// Number of prewarmed instances.
    pub fn prewarmed(&self) -> usize {
        self.pools.prewarmed()
    }

    pub(crate) fn pools(&self) -> &Pools {
        &self.pools
    }

    /// The engine for everything that is the same in all pools.
    fn wasmtime(&self) -> &wasmtime::Engine {
        &self.pools.all()[0].wasmtime // there is at least one
    }
}

/// A pool for `instances_max` concurrent requests.
fn pool(
    instances_max: u32,
    options: &EngineOptions,
    is_metered: bool,
) -> wasmtime::Result<InstancePool> {
    let slots = instances_max + u32::from(options.prewarmed);
    let (wasmtime, is_pooled) = match wasmtime::Engine::new(&config::pooled(slots, is_metered)?) {
        Ok(engine) => (engine, true),
        Err(_) => (
            wasmtime::Engine::new(&config::on_demand(is_metered)?)?,
            false,
        ),
    };
    Ok(InstancePool::new(PoolOptions {
        wasmtime,
        is_pooled,
        is_metered,
        instances_max,
        is_prewarmed: options.prewarmed,
    }))
}

/// Compiles a component into an image for `target`, which [`Engine::load_image`] of the same release loads.
#[cfg(feature = "compiler")]
pub fn compile(component: &[u8], target: Target) -> Result<Vec<u8>, LoadError> {
    compile_with(component, target, false)
}

/// The same for an [`Engine::metered`] of this machine's kind, which loads no other image.
#[cfg(feature = "compiler")]
pub fn compile_metered(component: &[u8], target: Target) -> Result<Vec<u8>, LoadError> {
    compile_with(component, target, true)
}

#[cfg(feature = "compiler")]
fn compile_with(component: &[u8], target: Target, metered: bool) -> Result<Vec<u8>, LoadError> {
    if is_image(component) {
        return Err(LoadError::AlreadyCompiled);
    }
    if load::is_core_module(component) {
        return Err(LoadError::CoreModule);
    }
    if !load::is_component(component) {
        return Err(LoadError::NotAComponent);
    }
    bounds::check(component)?;
    unsupported::check(component)?;
    let config = config::compiling(target, metered)
        .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    let engine =
        wasmtime::Engine::new(&config).map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    let code = engine
        .precompile_component(component)
        .map_err(|error| LoadError::Compile(format!("{error:#}")))?;
    Ok(image::seal(code, component, target))
}
