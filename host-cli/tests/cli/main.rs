//! The program as its users see it: arguments in, exit code, stdout, stderr and HTTP out.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read what they or the hosts wrote"
)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod compatibility;
mod dev;
mod flood;
mod foreign_files;
mod gates;
mod guide;
mod http;
mod identity;
mod new;
mod program;
mod project;
mod pull;
mod release;
mod release_trust;
mod replay;
mod serve;
mod serve_access;
mod store;
mod store_sockets;
mod table;
mod tape_cases;
mod tape_inputs;
mod tape_reports;
mod tapes;
mod terminal;
mod tools;
