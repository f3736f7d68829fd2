//! One storage call on a tape: the function's name, its arguments and its result, as JSON. What [`write`] writes, [`read`] reads.

pub mod read;
pub mod write;

pub use read::{RecordedArguments, read_arguments};
pub use storage::StorageFunction;

#[cfg(test)]
mod tests;
