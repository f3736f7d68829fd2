//! The client: HTTP/1.1 over TCP and TLS, with connections that are kept for later requests.

mod connect;
mod connection;
mod failure;
mod granted;
mod http_client;
mod pool;
mod resolve;
mod response;
mod services;
mod tls;
mod wire;

pub use self::{
    granted::GrantedClient,
    http_client::HttpClient,
    resolve::{Resolve, SystemResolver},
    services::Services,
};
