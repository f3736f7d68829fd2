//! Arguments of the commands for daily work on a project.

use super::{guest::GuestOptions, server::ServerOptions};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Build and serve the project, and show on each save what it changes
///
/// Runs `build` of tenon.toml, serves the component, and watches what `watch` names. After a change it builds again. The new guest takes over
/// between two requests; while a build fails, the guest before keeps serving. Then the last 100 requests run on the new guest, on what they
/// saw of the store when they were answered, and what would now be answered or written differently is shown in groups.
///
/// With `--guest FILE`, nothing is built: the guest is replaced when its file changes.
///
/// Each request has one line on stderr: time, number, method, path and query, status, duration, storage calls and their time, guest; what the
/// guest logs is below it. Type `d N` and Enter to see what differs for request N in full, `t N` to make a case of it, `p` for a page with all of them,
/// `r` to build again, `q` to quit.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli dev
  host-cli dev --listen 127.0.0.1:0 --store memory
  host-cli dev --secret stripe-key=file:test.key --log-level debug
  host-cli dev --guest target/guest.wasm")]
pub struct DevArgs {
    #[command(flatten)]
    pub server: ServerOptions,
    #[command(flatten)]
    pub guest: GuestOptions,
}

/// Build the project and run its cases
///
/// Runs `build` of tenon.toml, then each case in the folder that `cases` in section `[test]` names (`cases` by default), and shows what
/// differs from its expectation. With `--guest FILE`, nothing is built. Each case runs in memory; `docs/cases.md` describes the files.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli test
  host-cli test bookings/create bookings/list
  host-cli test bookings --bless
  host-cli test --junit report.xml --ignore header:date")]
pub struct TestArgs {
    /// Names of cases, or of folders of them [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Write the actual results as the expectations of the cases
    #[arg(long, conflicts_with = "ignore")]
    pub bless: bool,
    /// Also write a report in JUnit's format
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// A difference to ignore: `header:NAME`, or a place as reports print it, like `/body/updated_at`; may be repeated
    #[arg(long, value_name = "RULE")]
    pub ignore: Vec<String>,
    #[command(flatten)]
    pub guest: GuestOptions,
}

/// Work with tapes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli tape cases today.tape --only 6f1c --output cases")]
pub struct TapeCommandArgs {
    #[command(subcommand)]
    pub command: TapeCommand,
}

#[derive(Debug, Subcommand)]
pub enum TapeCommand {
    Cases(TapeCasesArgs),
}

/// Make cases of recorded requests
///
/// Each request becomes a folder with its event, what it saw of the store before, its response, what it left behind, and its time and seed, so
/// that the guest that answered it passes. No case is made where the recording does not show enough of the store for that: the reason is
/// printed, and the exit code is 1. What looks like credentials is redacted, also if the tape is not, and is named.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli tape cases today.tape --only 6f1c
  host-cli tape cases today.tape --only 6f1c --name create/conflict
  host-cli tape cases encrypted.tape --identity key.txt --output cases")]
pub struct TapeCasesArgs {
    /// The tape; `-` reads stdin
    #[arg(value_name = "TAPE")]
    pub tape: PathBuf,
    /// Only requests whose id begins with this; may be repeated
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// Folder of the cases [default: that of tenon.toml, otherwise `cases`]
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Name of the case, if it is one request [default: its method and path]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Keep credentials as they were sent, if the tape has them; by default they are redacted, because cases are committed
    #[arg(long)]
    pub as_sent: bool,
    /// File with the age identity that decrypts encrypted tapes
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
}
