//! Serving over HTTP/1.1: connections, their bounds, and the path of a request to the guest and back.

pub mod access;
pub mod authority;
pub mod background;
mod body;
pub mod clients;
pub mod examples;
pub mod exchange;
mod framing;
mod function_name;
mod head;
pub mod lines;
pub mod listener;
pub mod remark;
pub mod server;
pub mod session;
mod session_lines;
pub mod tape;
pub mod turns;
mod wire;
pub mod workers;
