//! One storage call on a tape: the function's name, its arguments and its result, as JSON. What [`write`] writes, [`read`] reads.

pub(super) mod read;
pub(super) mod write;

pub use crate::storage::StorageFunction;
pub use read::{RecordedArguments, read_arguments};

#[cfg(test)]
mod tests;
