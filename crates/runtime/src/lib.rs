//! Runs guests: compiles and loads components, instantiates one for each request, and gives it what its WIT interfaces promise.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod bindings;
pub mod engine;
mod imports;
mod runtime;
mod wasi;

pub use self::runtime::*;
