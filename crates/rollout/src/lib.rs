//! Puts releases into service: follows a channel, prepares the guests that it names, and chooses one for each request.
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
mod sticky;

pub use self::{
    follow::{Follower, Following, NoGuest},
    prepare::{HostContext, PrepareError, Views},
    report::{ChannelReport, FollowError, Look},
};
