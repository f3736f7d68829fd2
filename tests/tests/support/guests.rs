//! The guests that the build script has built.

/// The reference guest.
pub const REFERENCE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));
/// Copies all that it can read to wherever it can write.
pub const COPIER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/copier.wasm"));
/// Calls the host while it is brought up.
pub const EAGER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/eager.wasm"));
/// Breaks one bound or rule a request.
pub const HOSTILE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hostile.wasm"));
/// Uses std and every function of the WIT.
pub const PLAIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plain.wasm"));
/// Asks for the network.
pub const SOCKETS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sockets.wasm"));
/// The reference guest with one planted change.
pub const VARIANT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/variant.wasm"));
