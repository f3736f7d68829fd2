//! Releases on AWS: artifacts in S3 ([`S3Artifacts`]) and channels in a DynamoDB table ([`TableChannels`]).
//!
//! ```no_run
//! use release::ArtifactStore as _;
//! use release_aws::{S3Artifacts, S3Location};
//! use storage_dynamodb::{Credentials, SharedCredentialsProvider};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = SharedCredentialsProvider::new(Credentials::new("local", "local", None, None, "local"));
//! let location = S3Location::new("s3://releases/items", "eu-central-1", None, credentials)?;
//! let published = S3Artifacts::new(location).published().await?;
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

mod s3;
mod table;

pub use self::{
    s3::{LocationError, S3Artifacts, S3Location, S3Request},
    table::TableChannels,
};
