//! Local development: builds and serves a guest, replaces it when its sources change, and shows what that changes for the requests of the
//! session.
//!
//! One thread rebuilds: it waits for changes, runs the build, prepares the new guest and lets it serve, as a channel's guests are replaced
//! (`rollout::ReplaceableGuest`). The requests of the session are kept as lines of tape in memory; the new guest gets them again.

pub mod chain;
pub mod changes;
pub mod keys;
pub mod rebuild;
pub mod requests;
pub mod screen;
pub mod watch;
