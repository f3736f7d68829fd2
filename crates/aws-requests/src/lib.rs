//! Signed requests to services of AWS that are called too rarely to have a client of their own: the SDK's client of one service takes longer to
//! build, and more memory, than everything here.
//!
//! Requests are signed with the SDK's signing code and sent with the hosts' own HTTP client. [`AwsService`] signs and sends one request;
//! [`JsonService`] calls operations of services that speak AWS JSON 1.1, and repeats what is worth repeating. [`AwsSigner`] signs outgoing
//! requests of guests, which others send, and [`sdk_client`] is the same HTTP client for clients of the SDK. Nothing here reads the
//! environment.
//!
//! ```no_run
//! use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
//! use aws_requests::{AwsService, JsonService};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = SharedCredentialsProvider::new(Credentials::new("local", "local", None, None, "local"));
//! let logs = AwsService::new("logs", "eu-central-1", None, &credentials);
//! let logs = JsonService::new(logs, "Logs_20140328");
//! let groups = logs.call("DescribeLogGroups", b"{}", 1 << 20).await?;
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

mod json_service;
mod own_services;
pub mod plain_endpoint;
mod sdk_client;
mod service;
mod signature;
mod signer;

pub use self::{
    json_service::{CallError, JsonService},
    own_services::OwnServices,
    sdk_client::sdk_client,
    service::{AwsRequest, AwsResponse, AwsService, SendError, domain},
    signer::AwsSigner,
};
pub use aws_smithy_runtime_api::client::http::SharedHttpClient;
