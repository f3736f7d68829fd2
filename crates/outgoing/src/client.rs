//! Sends requests of guests, with the client of `http_client`.

mod granted;
mod http_message;
mod services;

pub use self::{
    granted::GrantedClient,
    services::{CLIENT_OPTIONS, Services},
};
