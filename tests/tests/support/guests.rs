//! The guests built by the build script.

/// The reference guest.
pub const REFERENCE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));
/// Copies everything it can read to everywhere it can write.
pub const COPIER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/copier.wasm"));
/// Calls the host in its start function.
pub const EAGER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/eager.wasm"));
/// Sends requests to other services.
pub const FETCHER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/fetcher.wasm"));
/// Breaks one limit or rule per request.
pub const HOSTILE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hostile.wasm"));
/// A component of `wasi:http` that does with `wasi:keyvalue` what its requests say.
pub const KEYVALUE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keyvalue.wasm"));
/// The guest of the project template: three routes over the SDK.
pub const NOTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/notes.wasm"));
/// Panics in a handler over the SDK.
pub const PANICS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/panics.wasm"));
/// Uses std and every function of the WIT.
pub const PLAIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plain.wasm"));
/// Uses secrets, and sends requests to other services.
pub const SIGNER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/signer.wasm"));
/// Imports sockets.
pub const SOCKETS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sockets.wasm"));
/// A component of `wasi:http` with what Spin's components import.
pub const SPIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/spin.wasm"));
/// The reference guest with one planted change.
pub const VARIANT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/variant.wasm"));
/// A component of `wasi:http`.
pub const PROXY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/proxy.wasm"));
