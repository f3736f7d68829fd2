//! Puts releases into service: a [`Follower`] reads a channel while requests are answered, fetches and verifies what a new generation names,
//! prepares it completely, and only then lets it answer. For each request it chooses the guest of its path, and of its variant during a gradual
//! rollout; a circuit breaker takes a failing variant out of service. A [`ReplaceableGuest`] is replaced in the same way, without a channel.
//!
//! ```no_run
//! use rollout::{Follower, Following};
//! use service::Service;
//! use std::sync::Arc;
//!
//! # async fn example(following: Following, now_ms: u64) -> Result<(), Box<dyn std::error::Error>> {
//! let follower = Follower::start(following, now_ms).await?;
//! let service = Service::routed(Arc::new(follower));
//! # Ok(())
//! # }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod breaker;
mod fleet;
mod follow;
mod prepare;
mod report;
mod routing;
mod serving;
mod sticky;

pub use self::{
    follow::{Follower, Following, StartError},
    prepare::{HostContext, NamespaceStores, PrepareError},
    report::{ChannelReport, FollowError, Look, Serves},
    routing::route_of,
    serving::ReplaceableGuest,
};
