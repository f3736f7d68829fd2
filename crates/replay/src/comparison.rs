//! What came of a replay.

use observation::{Cost, DifferingPart};
use std::fmt;
use tape::Exchange;

/// Places of redaction that a note names.
const PLACES_SHOWN_MAX: usize = 3;

/// The outcome of a replay in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing differs.
    Same,
    /// Answer and writes are the same; calls or log lines are not.
    EqualInEffect,
    /// Something differs.
    Differs,
    /// Something differs, and it follows from what was redacted: the guest is the recorded one.
    Redacted,
    /// The tape lacks what a replay needs.
    Unplayable,
}

/// The outcome of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// In a word.
    pub verdict: Verdict,
    /// The status that the guest answers now; `None` where it did not answer.
    pub status: Option<u16>,
    /// What differs and why, most important first.
    pub notes: Vec<Note>,
    /// What was compared and is not the same, in full.
    pub differing: Vec<DifferingPart>,
    /// What the runs took, where whole runs were compared.
    pub costs: Option<ComparedCosts>,
}

/// What two runs took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparedCosts {
    /// What is expected.
    pub expected: Cost,
    /// The run in question.
    pub actual: Cost,
}

/// One remark about a replay, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(pub String);

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Comparison {
    /// Without notes, and nothing that differs.
    pub(super) fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            status: None,
            notes: Vec::new(),
            differing: Vec::new(),
            costs: None,
        }
    }

    pub(super) fn unplayable(reason: impl Into<String>) -> Self {
        Self {
            notes: vec![Note(reason.into())],
            ..Self::new(Verdict::Unplayable)
        }
    }
}

/// Why a difference may not be the guest's: the tape does not say what its variables held.
pub(super) fn environment_note(exchange: &Exchange<'_>) -> Option<Note> {
    let host = &exchange.host;
    if host.environment_names.is_empty() || host.environment.is_some() {
        return None;
    }
    let names: Vec<&str> = host.environment_names.iter().map(|name| &**name).collect();
    Some(Note(format!(
        "the values of `{}` are not on the tape: what `--guest-env` gives may be others than were recorded",
        names.join("`, `")
    )))
}

/// What was redacted, for a sentence.
pub(super) fn redacted_places(exchange: &Exchange<'_>) -> String {
    let places: Vec<&str> = exchange
        .redacted
        .iter()
        .flat_map(|redacted| redacted.left_out.iter().chain(&redacted.at))
        .map(|place| &**place)
        .collect();
    let shown: Vec<&str> = places.iter().take(PLACES_SHOWN_MAX).copied().collect();
    let more = places.len() - shown.len();
    let named = format!("`{}`", shown.join("`, `"));
    match more {
        0 => named,
        _ => format!("{named} and {more} more"),
    }
}
