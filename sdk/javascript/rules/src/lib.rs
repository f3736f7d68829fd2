//! The store of tests in JavaScript: a module without a component's types, which `WebAssembly.instantiate` loads.
//!
//! A call is one JSON text, `call::Question`, and so is its result, `{"ok": ...}` or `{"error": ...}`, in the shapes in which a component in
//! JavaScript has them. One instance of the module is one store.

mod abi;
mod answer;
mod call;
mod store;

pub use store::Store;
