//! Arguments of `replay`, and of what else replays tapes.

use super::EnvironmentOption;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Run tapes, recorded events and case folders again, and show what differs
///
/// A path is a tape (as `serve --record` and Lambda hosts write them; `docs/tape.md`), an event (`*.json`), events in lines
/// (`*.jsonl`), a case folder (`event.json` with `response.json`, `before.json` and `after.json`), or a folder that holds any of these.
/// Tapes may be compressed (gzip), stand among other lines of a log, or come as `aws logs filter-log-events`, Logs Insights and the
/// CloudWatch console give them; `-` reads one from stdin.
///
/// Requests of tapes bring what the store told them, and are independent of each other. With the recorded guest they are replayed
/// strictly: every call and every byte of the answer has to be as it was. With another guest, what comes of them is compared: answer,
/// writes and their conditions, calls, log lines, work and memory; nothing is written anywhere.
///
/// Events of files run in order against one store; an answer of 500 or above and a refusal count as a difference. With `--mode live`,
/// events of tapes do the same, and status, headers and body are compared with what was recorded. Events whose
/// method is safe (GET, HEAD, OPTIONS) may run at the same time, any other runs alone: the outcome does not depend on `--jobs`.
/// Each case runs against a store of its own, of the kind that `--store` names, which is empty but for `before.json`; a table cannot be
/// one. The time is the event's own, or 2026-01-01T00:00:00Z.
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
    /// Where documents are kept: `memory`, `redb:FILE` or `dynamodb:TABLE[#NAMESPACE][@ENDPOINT]`
    #[arg(long, value_name = "STORE", default_value = "memory")]
    pub store: String,
    /// The guest to run: a component (.wasm), an image (.cwasm), or `embedded`, the items API in this program [default: `embedded` for
    /// the requests of a tape that it was recorded with; cases, events and other tapes need a name]
    #[arg(long, value_name = "GUEST")]
    pub guest: Option<PathBuf>,
    #[command(flatten)]
    pub tape: TapeArgs,
    /// Write what came out as what cases expect
    #[arg(long, conflicts_with = "ignore")]
    pub bless: bool,
    /// How the outcome is shown
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Events run at the same time [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// 64 hexadecimal digits from which the seeds of all events follow [default: zeros]
    #[arg(long, value_name = "HEX")]
    pub seed: Option<String>,
    /// Only every Nth case and request of a tape, beginning with the Ith: for several machines to share the work
    #[arg(long, value_name = "I/N")]
    pub shard: Option<String>,
}

/// How tapes are replayed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tapes")]
pub struct TapeArgs {
    /// How requests of tapes are replayed [default: strict for the recorded guest, state for another]
    #[arg(long, value_enum)]
    pub mode: Option<ModeName>,
    /// The recorded guest: what it does is what is expected of the other one, its work included [default: the guest in this program,
    /// where it is the recorded one]
    #[arg(long, value_name = "GUEST")]
    pub baseline: Option<PathBuf>,
    /// What a read returns when the tape has no answer: `live` asks the store that `--store` names, without writing to it [default: fail]
    #[arg(long, value_enum)]
    pub on_miss: Option<OnMissName>,
    /// Differences that do not count, of tapes, cases and live replays: `header:NAME`, or a place as reports name it (`/status`, `/headers/NAME`,
    /// `/body/updated_at`, `/writes/*/put/document/at`, `/stored/*/revision`); may be repeated. Tapes are then compared by state
    #[arg(long, value_name = "RULE")]
    pub ignore: Vec<String>,
    /// Run the recorded guest twice, with another seed and time: what then differs does not count
    #[arg(long)]
    pub detect_noise: bool,
    /// More work or memory than this many times the recorded guest's is a difference
    #[arg(long, value_name = "RATIO", default_value_t = 2.0)]
    pub cost_max: f64,
    /// The age identity that reads encrypted tapes
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    #[command(flatten)]
    pub environment: EnvironmentOption,
    /// Only requests whose id begins with this
    #[arg(long, value_name = "ID")]
    pub only: Option<String>,
    /// Print what happened in each request when it was recorded, step by step, before what differs now
    #[arg(long)]
    pub trace: bool,
    /// Write a report as one HTML file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people: what differs as a diff, then a summary
    Text,
    /// One JSON object: counts, and everything that differs
    Json,
    /// JUnit XML: one test for each case, one for each file of events, one for each event that differs
    Junit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeName {
    /// The store's answers come from the tape; every call and every byte of the answer has to be the same
    Strict,
    /// The guest runs on what the tape knows of the store; compared is what comes of it
    State,
    /// The events run against the store that `--store` names; compared are status, headers and body
    Live,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnMissName {
    /// The store is unavailable to the guest, and the request counts as different
    Fail,
    /// What is not known is not there
    Absent,
    /// What the store has that `--store` names
    Live,
}
