//! HTTP requests that guests send to other services.
//!
//! [`OutgoingHttp`] is the port: one method, which hosts implement with a client, recorders as a view that notes each exchange, and replays
//! with what a tape has. What a guest may call is decided before its request leaves the host. A request and its response are buffered,
//! because only then can they be recorded and replayed exactly.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod error;
mod message;
mod port;

pub use self::{
    error::OutgoingError,
    message::{OutgoingRequest, OutgoingResponse},
    port::{NoOutgoing, OutgoingHttp},
};
