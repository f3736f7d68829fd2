//! Tapes of real requests: what a recorder writes, and that it matches the documentation.

mod changes;
mod format;
mod hostile;
mod privacy;
mod recording;
mod report;
mod state;
pub mod strict;
