//! The API on a store in memory: one file for each part of its contract, one test for each rule.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read what they or the hosts wrote"
)]

mod client;
mod creating;
mod failures;
mod listing;
mod protocol;
mod reading;
mod writing;
