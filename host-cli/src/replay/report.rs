//! How the outcome of a replay is shown. Every format gets the same calls, in the order of the input.

pub mod json;
pub mod junit;
pub mod text;

use super::input::Place;
use crate::exit::Failure;
use host_core::replay::Mismatch;
use std::path::Path;

/// What became of one event or case.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// As expected; for an event without expectation: answered with less than 500.
    Same,
    /// The case's files now say what came out.
    Blessed,
    /// A case came out differently.
    Differs(Vec<Mismatch>),
    /// An event was answered with 500 or above.
    ServerError {
        /// The status.
        status: u16,
        /// The Lambda response, readable.
        response: serde_json::Value,
    },
    /// The event is not one that the host answers.
    Refused(String),
}

/// Counts over a whole replay, or over one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub cases: u64,
    pub events: u64,
    pub same: u64,
    pub blessed: u64,
    pub differing: u64,
    pub server_errors: u64,
    pub refused: u64,
}

impl Totals {
    /// Counts a verdict.
    pub fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Same => self.same += 1,
            Verdict::Blessed => self.blessed += 1,
            Verdict::Differs(_) => self.differing += 1,
            Verdict::ServerError { .. } => self.server_errors += 1,
            Verdict::Refused(_) => self.refused += 1,
        }
    }

    /// Adds another count.
    pub fn add_all(&mut self, other: &Self) {
        self.cases += other.cases;
        self.events += other.events;
        self.same += other.same;
        self.blessed += other.blessed;
        self.differing += other.differing;
        self.server_errors += other.server_errors;
        self.refused += other.refused;
    }

    /// Whether nothing is to be reported as different.
    pub fn is_clean(&self) -> bool {
        self.differing + self.server_errors + self.refused == 0
    }
}

/// A format of reporting.
pub trait Report {
    /// A case, whatever its verdict; or an event whose verdict is not `Same`.
    fn verdict(&mut self, place: &Place, is_case: bool, verdict: &Verdict) -> Result<(), Failure>;

    /// A file of events has come to its end.
    fn file(&mut self, path: &Path, totals: &Totals) -> Result<(), Failure>;

    /// The replay has come to its end.
    fn finish(&mut self, totals: &Totals) -> Result<(), Failure>;
}
