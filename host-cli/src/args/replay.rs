//! Arguments of `replay`, and of what else replays tapes.

use super::{guest::GuestOptions, store::store_help};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Replay tapes, recorded events and cases, and show what differs
///
/// A path is a tape (written by `serve --record` or a Lambda host; see `docs/tape.md`), an event (`*.json`), a file with one event per line
/// (`*.jsonl`), a case folder (`event.json` with `response.json`, `before.json` and `after.json`), or a folder that contains any of these.
/// Tapes may be compressed (gzip), mixed with other log lines, or exports of `aws logs filter-log-events`, Logs Insights and the CloudWatch
/// console; `-` reads a tape from stdin.
///
/// Requests of a tape contain the results of their storage calls, and are independent of each other. With the recorded guest they are
/// replayed strictly: every call and every byte of the response must be the same. With another guest, the outcomes are compared: response,
/// writes and their conditions, calls, log lines, work and memory; nothing is written to any store.
///
/// Events from files run in order against one store; a response of 500 or above and a refusal count as a difference. With `--mode live`,
/// the events of tapes also run that way, and status, headers and body are compared with the recording. Events whose method is safe (GET,
/// HEAD, OPTIONS) may run concurrently, any other runs alone: the outcome does not depend on `--jobs`. Each case runs on its own store, of
/// the kind given by `--store` (a DynamoDB table is not possible), which contains only `before.json`. The time is the event's own, or
/// 2026-01-01T00:00:00Z.
///
/// Without `--guest`, the guest is that of tenon.toml. Outside of a project, requests that were recorded with the embedded guest run on it,
/// and everything else needs `--guest`. Requests of tapes run with the recorded limits and log level.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli replay today.tape
  host-cli replay today.tape --guest next.wasm --report differences.html
  host-cli replay today.tape --only 6f1c --trace
  host-cli pull /aws/lambda/items --since 1h | host-cli replay -
  host-cli replay cases --guest mine.wasm --ignore header:date
  host-cli replay cases --guest mine.wasm --format junit > report.xml
  host-cli replay cases/create --guest mine.wasm --bless")]
pub struct ReplayArgs {
    /// Tapes, events, files of events, case folders, or folders of them
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    #[arg(long, value_name = "STORE", default_value = "memory", help = store_help(""))]
    pub store: String,
    /// Write the actual results as the expectations of the cases
    #[arg(long, conflicts_with = "ignore")]
    pub bless: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Number of events to run concurrently [default: one per processor]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// 64 hexadecimal digits from which the seeds of all events are derived [default: zeros]
    #[arg(long, value_name = "HEX")]
    pub seed: Option<String>,
    /// Run only every Nth case and request of a tape, beginning with the Ith, to share the work among several machines
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
    #[command(flatten)]
    pub guest: GuestOptions,
    #[command(flatten)]
    pub tape: TapeArgs,
}

/// How tapes are replayed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tapes")]
pub struct TapeArgs {
    /// How to replay requests of tapes [default: strict for the recorded guest, state for another]
    #[arg(long, value_enum)]
    pub mode: Option<ModeName>,
    /// The recorded guest: what it does now is the expectation, including its work [default: the embedded guest, if it is the recorded one]
    #[arg(long, value_name = "GUEST")]
    pub baseline: Option<PathBuf>,
    /// What the guest gets when the tape has no answer: `fail` and `absent` to a read; `live` reads the store given by `--store`, never
    /// writes to it, and sends a GET, HEAD or OPTIONS without a body to another service if that is granted, with the real secrets: only for
    /// tapes that you trust [default: fail]
    #[arg(long, value_enum)]
    pub on_miss: Option<OnMissName>,
    /// A difference to ignore in tapes, cases and live replays: `header:NAME`, or a place as reports print it (`/status`, `/headers/NAME`,
    /// `/body/updated_at`, `/writes/*/put/document/at`, `/stored/*/revision`); may be repeated. Tapes are then replayed in state mode
    #[arg(long, value_name = "RULE")]
    pub ignore: Vec<String>,
    /// Run the recorded guest twice, with another seed and time, and ignore what differs between the two runs
    #[arg(long)]
    pub detect_noise: bool,
    /// Report more work or memory than this many times the recorded guest's as a difference
    #[arg(long, value_name = "RATIO", default_value_t = 2.0)]
    pub cost_max: f64,
    /// File with the age identity that decrypts encrypted tapes
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Replay only requests whose id begins with this
    #[arg(long, value_name = "ID")]
    pub only: Option<String>,
    /// Before the differences of each request, print what happened when it was recorded, step by step
    #[arg(long)]
    pub trace: bool,
    /// Write a report as one HTML file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Text for people: differences, then a summary
    Text,
    /// One JSON object: counts and all differences
    Json,
    /// JUnit XML: one test for each case, one for each file of events, one for each event that differs
    Junit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeName {
    /// Storage results come from the tape; every call and every byte of the response must be the same
    Strict,
    /// The guest runs on what the tape reveals about the store; the outcomes are compared
    State,
    /// The events run against the store given by `--store`; status, headers and body are compared
    Live,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnMissName {
    /// The call returns `unavailable`, and the request counts as different
    Fail,
    /// The item does not exist
    Absent,
    /// The read is sent to the store given by `--store`
    Live,
}
