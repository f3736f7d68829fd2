//! The API against an in-memory host: one file for each part of its contract, one test for each rule.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read what they or the hosts wrote"
)]

mod creating;
mod failures;
mod host;
mod listing;
mod protocol;
mod reading;
mod writing;
