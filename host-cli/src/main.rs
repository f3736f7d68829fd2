//! The local host: serves, invokes and replays a guest.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]

mod args;
mod aws;
mod build;
mod commands;
mod contract_files;
mod deployed;
mod dev;
mod executor;
mod exit;
mod guest;
mod identity;
mod input;
mod nearest;
mod output;
mod ownership;
mod project;
mod release;
mod replacement;
mod replay;
mod seed;
mod serve;
mod signals;
mod stale;
mod store;
mod template;
mod time;

use clap::Parser;
use std::process::ExitCode;

/// A request makes a few hundred small allocations; with this allocator, `serve` and `replay` are 10 % faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // clap itself ends with 0 after `--help` and `--version` and with 2 for an invalid command line.
    let arguments = args::Arguments::parse();
    match commands::run(arguments) {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            output::failure(&failure);
            failure.exit_code()
        }
    }
}
