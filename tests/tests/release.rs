//! Releases: what is accepted, what is not, and that requests are never disturbed.

mod attacks;
mod aws;
mod canary;
mod interrupted;
mod live;
mod routes;
pub mod s3_server;
pub mod site;
mod swap;
