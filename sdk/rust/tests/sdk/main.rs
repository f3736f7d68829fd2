//! The SDK as an application uses it: what a client sees of its rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod documents;
mod idempotency;
mod parameters;
mod paths;
mod responses;
mod rules;
mod trouble;
mod writes;
