//! What every Tenon host shares.
//!
//! A host receives a gateway event, [`gateway`] turns it into an [`http::Request`], [`runtime`] lets the guest answer it against a
//! [`storage::Storage`], and [`gateway`] turns the [`http::Response`] into what the gateway expects. [`service`] is that whole
//! path in one call; a host adds only where events come from and where answers go.
#![warn(missing_docs)]

mod bindings;
mod imports;
mod wasi;

pub mod digest;
pub mod engine;
pub mod gateway;
pub mod http;
pub mod limits;
pub mod problem;
pub mod replay;
pub mod runtime;
pub mod seed;
pub mod service;
pub mod storage;
