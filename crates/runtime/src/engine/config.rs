//! The engine's configuration. Everything that affects the machine code is in [`shared`], so that an image from one binary loads in
//! another; the rest configures the memory of instances.

#[cfg(feature = "compiler")]
use contract::compatibility::Target;
use contract::limits::{GUEST_MEMORY_BYTES_CEILING, GUEST_STACK_BYTES, GUEST_TABLE_ELEMENTS_MAX};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig, Result};

/// The size of an engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Concurrent instances; further requests wait. Each takes 4 GiB of address space, but not of memory.
    pub instances_max: u32,
    /// Threads that run guests concurrently. Each gets its own pool, with its share of the instances; every guest is loaded for each pool.
    pub pools: u32,
    /// Creates instances before their requests, one more on each pool, and drops them after the responses, so that requests wait only for
    /// the guest itself. For hosts that call [`run_deferred`](crate::engine::Engine::run_deferred) after each response; instances are kept
    /// until then.
    pub prewarmed: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            instances_max: 16,
            pools: 1,
            prewarmed: false,
        }
    }
}

/// Memory that a slot keeps mapped between requests, so that a small guest causes no page faults. A megabyte covers what the reference
/// guest uses with a large margin; more would only take longer to clear.
const KEEP_RESIDENT_BYTES: usize = 1024 * 1024;

/// The configuration for guests from a pool.
pub(super) fn pooled(slots: u32, metered: bool) -> Result<Config> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots * CORE_INSTANCES_MAX)
        .total_memories(slots * MEMORIES_MAX)
        .total_tables(slots * TABLES_MAX)
        .total_stacks(slots)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .table_elements(GUEST_TABLE_ELEMENTS_MAX)
        .max_memory_size(GUEST_MEMORY_BYTES_CEILING)
        .max_unused_warm_slots(slots)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(64 * 1024)
        .async_stack_keep_resident(64 * 1024)
        // Clears only the pages that a guest wrote to, if the kernel can report them (Linux 6.7).
        .pagemap_scan(wasmtime::Enabled::Auto);
    let mut config = shared()?;
    config
        .consume_fuel(metered)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Ok(config)
}

/// Core modules in one component: the guest itself, its adapters, and the small ones that the component encoder adds. A Python component has
/// one for each of its shared libraries, about 40 together. A place that stays empty takes a few bytes.
const CORE_INSTANCES_MAX: u32 = 64;

/// Linear memories in one component. Interpreters have more than one: for the code between them and the WIT interface, and for their
/// replacement of WASI.
const MEMORIES_MAX: u32 = 4;

/// Function tables in one component, for the same reason.
const TABLES_MAX: u32 = 4;

/// The configuration for guests without a pool.
pub(super) fn on_demand(metered: bool) -> Result<Config> {
    let mut config = shared()?;
    config
        .consume_fuel(metered)
        .allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Ok(config)
}

/// The configuration for compiling only.
#[cfg(feature = "compiler")]
pub(super) fn compiling(target: Target, metered: bool) -> Result<Config> {
    let mut config = shared()?;
    config.target(target.triple())?.consume_fuel(metered);
    Ok(config)
}

/// The triple of this machine, which wasmtime compares with the one that it was built for. Images do not depend on the C library.
#[cfg(feature = "compiler")]
fn native_triple(target: Target) -> &'static str {
    match target {
        Target::X86_64 if cfg!(target_env = "musl") => "x86_64-unknown-linux-musl",
        Target::Aarch64 if cfg!(target_env = "musl") => "aarch64-unknown-linux-musl",
        other => other.triple(),
    }
}

fn shared() -> Result<Config> {
    let mut config = Config::new();
    // Naming the target, even if it is this machine, keeps this machine's CPU extensions out of the code.
    #[cfg(feature = "compiler")]
    if let Some(target) = Target::HOST {
        config.target(native_triple(target))?;
    }
    // A result must not depend on the CPU that a guest happens to run on.
    #[cfg(feature = "compiler")]
    config.cranelift_nan_canonicalization(true);
    config
        .epoch_interruption(true)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(GUEST_STACK_BYTES + HOST_STACK_BYTES)
        .relaxed_simd_deterministic(true)
        // Only debuggers and native backtraces need it, and it is a seventh of an image, which every start reads and registers.
        .native_unwind_info(false)
        .generate_address_map(false)
        // Set explicitly although some are off by default: a compiler with other defaults would make images that this host refuses.
        .wasm_component_model(true)
        .wasm_simd(true)
        .wasm_relaxed_simd(true)
        .wasm_bulk_memory(true)
        .wasm_multi_value(true)
        .wasm_tail_call(true)
        // The code that wasmtime itself generates between parts of a component that have separate memories.
        .wasm_multi_memory(true)
        .wasm_memory64(false)
        .concurrency_support(false);
    Ok(config)
}

/// Space on a request's stack for the host functions that a guest calls.
const HOST_STACK_BYTES: usize = 512 * 1024;

#[cfg(test)]
#[cfg(feature = "compiler")]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};
    use std::hash::{Hash, Hasher};

    /// A standard library hasher over a digest that is stable between runs.
    struct Sha(Sha256);

    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            let digest = self.0.clone().finalize();
            u64::from_be_bytes(std::array::from_fn(|index| digest[index]))
        }
    }

    fn computed(target: Target) -> String {
        let engine = wasmtime::Engine::new(&compiling(target, false).unwrap()).unwrap();
        let mut hasher = Sha(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    #[test]
    fn the_names_are_those_of_the_configuration() {
        let targets = [Target::X86_64, Target::Aarch64];
        assert_eq!(
            targets.map(computed),
            targets.map(Target::compatibility),
            "images have changed: put these names into `compatibility.rs`"
        );
    }
}
