//! One storage call on a tape: the function's name, its arguments and its result, as JSON. [`read`] reads what [`write`] writes.

pub mod read;
pub mod write;

pub use read::{RecordedArguments, read_arguments};
pub use storage::StorageFunction;

#[cfg(test)]
mod tests;
