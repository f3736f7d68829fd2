//! Releases: what gets in, what does not, and that requests never notice.

mod attacks;
mod aws;
mod canary;
mod interrupted;
mod live;
mod routes;
pub mod s3_server;
pub mod site;
mod swap;
