//! The HTTP/1.1 client of the hosts, for services of AWS and for those that guests call: one TLS stack, and one answer to the question whether
//! a request can have been sent.
//!
//! [`HttpClient::send`] takes a request without its origin and gives the whole response. What a client may be asked to connect to is decided
//! by [`Addresses`](contract::address::Addresses), after the name was resolved.
//!
//! - A request is sent once. It is repeated only if the server had closed a kept connection before a byte of the request was written.
//! - [`SendError::NotSent`] means that nothing was sent; as soon as a byte can have left, it is [`SendError::Unknown`].
//! - A connection is opened only to an address that was checked, so that names whose addresses change gain nothing.
//! - Redirects are responses. Bodies are not decompressed. There are no cookies, and no proxies of the environment. Interim responses (1xx)
//!   and trailers are left out, a change of the protocol (101) is an error.
//! - A response is whole or an error: one whose announced length was not reached, or that a cut TLS connection ended, is never returned.
//! - Nothing runs between requests; a request whose future is dropped closes its connection.
//!
//! ```no_run
//! use bytes::Bytes;
//! use contract::{address::Addresses, origin::Origin};
//! use http_client::{ClientOptions, HttpClient, Target, Wait};
//! use std::time::{Duration, Instant};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = HttpClient::new(ClientOptions::default());
//! let (origin, target) = Origin::split("https://api.example.com/v1/items?page=2")?;
//! let request = http::Request::get(target).body(Bytes::new())?;
//! let wait = Wait::Until(Instant::now() + Duration::from_secs(10));
//! let target = Target { origin, addresses: Addresses::Public };
//! let response = client.send(&target, request, 1 << 20, wait).await?;
//! println!("{} with {} bytes", response.status(), response.body().len());
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

mod client;
mod connect;
mod connection;
mod error;
mod options;
mod pool;
mod resolve;
mod response;
mod tls;
mod wait;
mod wire;

pub use self::{
    client::HttpClient,
    error::{RefusedAddress, SendError, with_causes},
    options::ClientOptions,
    pool::Target,
    resolve::{Resolve, SystemResolver},
    response::authenticates_connection,
    tls::Authorities,
    wait::Wait,
};
