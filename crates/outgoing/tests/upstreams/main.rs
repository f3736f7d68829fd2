//! The client against servers that misbehave, on this machine.
//!
//! Servers are threads that follow a script. Where a test waits for something that must not happen, it waits for an event that comes after it
//! instead of a time; times are limits only, wide enough for a busy machine.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod connections;
mod messages;
mod support;
mod tls;
