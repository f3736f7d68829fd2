//! HTTP requests that guests send to other services.
//!
//! [`OutgoingHttp`] is the port: one method, which hosts implement with a client, recorders as a view that notes each exchange, and replays
//! with what a tape has. What a guest may call is decided before its request leaves the host. A request and its response are buffered,
//! because only then can they be recorded and replayed exactly.
//!
//! [`Grants`] say what a guest may call: exact origins, each with an optional path. [`ParsedRequest`] is a request that was read strictly;
//! what is sent is written anew from it. With the feature `client`, `Services` send such requests, for all guests of a host, with the client
//! of the crate `http_client`, and `GrantedClient` is one guest's view of it.
//!
//! ```
//! use outgoing::{Grants, OutgoingRequest, ParsedRequest};
//!
//! let grants: Grants = json::read(
//!     br#"[
//!         "https://api.example.com/v1",
//!         { "origin": "http://127.0.0.1:9000", "private_addresses": true }
//!     ]"#,
//! )?;
//! let get = |url: &str| {
//!     ParsedRequest::new(OutgoingRequest {
//!         method: "GET".to_owned(),
//!         url: url.to_owned(),
//!         headers: vec![("accept".to_owned(), "application/json".to_owned())],
//!         body: Vec::new(),
//!         timeout: None,
//!     })
//! };
//! assert!(grants.check(&get("https://api.example.com/v1/items?page=2")?).is_ok());
//! let refused = grants.check(&get("https://api.example.com/v1/%2e%2e/admin")?);
//! assert_eq!(refused.unwrap_err().name(), "not-granted");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`OutgoingError::Unreachable`] means that nothing was sent; as soon as a byte can have left, it is [`OutgoingError::OutcomeUnknown`]. All
//! else that the client promises, about redirects, repeats and connections, is in the documentation of `http_client`.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

#[cfg(feature = "client")]
mod client;
mod error;
mod fields;
mod grant;
mod grant_document;
mod grants;
mod message;
mod path;
mod port;
mod request;
mod services;
mod signing;

#[cfg(feature = "client")]
pub use self::client::{CLIENT_OPTIONS, GrantedClient, Services};
pub use self::{
    error::OutgoingError,
    grant::{Grant, GrantError},
    grants::Grants,
    message::{OutgoingRequest, OutgoingResponse},
    port::{NoOutgoing, OutgoingHttp, earlier, send_all},
    request::ParsedRequest,
    services::GrantServices,
    signing::{AwsScope, RequestSigner, UnsignedRequest},
};
