//! Releases on AWS: artifacts in S3, channels in a DynamoDB table.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod s3;
mod table;

pub use self::{
    s3::{InvalidLocation, S3Artifacts, S3Location, S3Request},
    table::TableChannels,
};
