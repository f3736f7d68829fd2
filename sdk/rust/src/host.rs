//! The host of a request: the imports of a component, or the store in memory of a native test. Both have the same methods, whose types mirror
//! `wit/storage.wit` and `wit/log.wit`.
//!
//! No trait: a component imports what it calls, and a table of functions would call everything.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::Host;
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::Host;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::TestHost;
