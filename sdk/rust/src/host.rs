//! The host of a request: the imports of a component, or a store of a native program, such as a test. Both have the same methods, whose types mirror
//! `wit/storage.wit`, `wit/outgoing.wit`, `wit/secrets.wit` and `wit/log.wit`.
//!
//! No trait: a component imports what it calls, and a table of functions would call everything.

#[cfg(not(target_arch = "wasm32"))]
mod hmac;
#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{Host, Services, Values, Wait, never_wait};
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::Host;
