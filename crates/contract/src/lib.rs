//! The vocabulary that all other crates share: [requests and responses](http), the [seed] of a request, its [limits], [digests](digest) of
//! guests, [log lines](log), the [origins](origin) and [addresses](address) of servers, and the [outcome] of a request.
//!
//! Only types and rules live here. The crate does no input or output and has next to no dependencies.
//!
//! ```
//! use contract::{digest::Digest, limits::Limits, seed::Seed};
//!
//! let guest = Digest::of(b"a component");
//! assert!(guest.to_string().starts_with("626d"));
//!
//! // What a request may use; hosts, routes and tapes narrow it field by field.
//! let limits = Limits { storage_calls_max: 20, ..Limits::default() };
//! assert_eq!(limits.host_calls_max, 100_000);
//!
//! // Everything random in a request follows from its seed, so that a replay repeats it.
//! assert_eq!(Seed::new([7; 32]), Seed::new([7; 32]));
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

pub mod address;
pub mod calendar;
pub mod compatibility;
pub mod count;
pub mod deadline;
pub mod digest;
pub mod hexadecimal;
pub mod http;
pub mod limits;
pub mod log;
pub mod origin;
pub mod outcome;
pub mod seed;
pub mod text;
