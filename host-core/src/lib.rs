//! What every Tenon host shares.
//!
//! A host receives a gateway event, [`gateway`] turns it into an [`http::Request`], [`runtime`] lets the guest answer it against a
//! [`storage::Storage`], and [`gateway`] turns the [`http::Response`] into what the gateway expects. [`service`] is that whole
//! path in one call; a host adds only where events come from and where answers go.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

#[cfg(feature = "runtime")]
mod bindings;
#[cfg(feature = "runtime")]
mod imports;
#[cfg(feature = "runtime")]
mod wasi;

pub mod answer;
mod calendar;
#[cfg(any(feature = "runtime", feature = "release-documents"))]
pub mod compatibility;
pub mod digest;
#[cfg(feature = "runtime")]
pub mod engine;
pub mod files;
pub mod gateway;
mod hexadecimal;
pub mod http;
pub mod json;
pub mod limits;
pub mod log;
#[cfg(any(feature = "dynamodb", feature = "s3"))]
mod plain_endpoint;
pub mod problem;
#[cfg(feature = "release-documents")]
#[cfg_attr(
    not(feature = "release"),
    expect(dead_code, reason = "where nothing runs, documents are only read")
)]
pub mod release;
pub mod replay;
#[cfg(feature = "runtime")]
pub mod runtime;
pub mod seed;
#[cfg(feature = "runtime")]
pub mod service;
pub mod storage;
#[cfg_attr(
    not(feature = "runtime"),
    expect(
        dead_code,
        unused_imports,
        reason = "where nothing runs, nothing is replayed"
    )
)]
pub mod tape;
#[cfg(feature = "runtime")]
pub mod telemetry;
pub mod text;
