//! Releases: what gets in, what does not, and that requests never notice.

mod attacks;
mod aws;
mod canary;
mod live;
mod routes;
mod s3_server;
mod site;
mod swap;
