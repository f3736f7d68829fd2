//! What all other crates speak: requests and responses, the seed of a request, limits, digests, log lines, and what came of a request.
//!
//! Nothing here does anything: no input, no output, next to no dependencies.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

pub mod calendar;
pub mod compatibility;
pub mod digest;
pub mod hexadecimal;
pub mod http;
pub mod limits;
pub mod log;
pub mod outcome;
pub mod seed;
pub mod text;
