//! The program as its users meet it: arguments in, exit code, stdout, stderr and HTTP out.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod program;
mod pull;
mod release;
mod replay;
mod serve;
mod table;
mod tapes;
mod tools;
