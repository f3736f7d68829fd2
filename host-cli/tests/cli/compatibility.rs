//! `tests/compatibility/v1/`: what the first version wrote is read, served, replayed and verified by this one, and what a later version may
//! write is refused with the message that `docs/compatibility.md` gives. A failure here breaks a promise: the files are never made again.

mod configuration;
mod guest;
mod kept;
mod outputs;
mod releases;
mod stores;
mod tapes;
