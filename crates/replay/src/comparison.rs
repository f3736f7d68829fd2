//! The result of a replay.

use observation::{Cost, DifferingPart};
use std::fmt;
use tape::Exchange;

/// Largest number of redacted places in a note.
const PLACES_SHOWN_MAX: usize = 3;

/// The verdict of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing differs.
    Same,
    /// Response and writes are the same; calls or log lines are not.
    EqualInEffect,
    /// Something differs.
    Differs,
    /// Something differs because of what was redacted: the guest is the recorded one.
    Redacted,
    /// The tape lacks what a replay needs.
    Unplayable,
}

/// The outcome of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The verdict.
    pub verdict: Verdict,
    /// The status of the guest's response now; `None` if there is none.
    pub status: Option<u16>,
    /// What differs and why, most important first.
    pub notes: Vec<Note>,
    /// The parts that differ, in full.
    pub differing: Vec<DifferingPart>,
    /// The cost of the runs, if whole runs were compared.
    pub costs: Option<ComparedCosts>,
    /// Whether the host answered instead of the guest, now and in what was expected: that both are the same says nothing about the guest. Only
    /// in state mode.
    pub is_of_host: bool,
}

/// The cost of two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparedCosts {
    /// The expected one.
    pub expected: Cost,
    /// The actual one.
    pub actual: Cost,
}

/// One remark about a replay, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// One line.
    pub text: String,
    /// Whether it is about the guest's environment, which may be the same for all requests of a tape.
    pub is_about_environment: bool,
}

impl Note {
    pub(super) fn about_environment(text: String) -> Self {
        Self {
            text,
            is_about_environment: true,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Self {
            text,
            is_about_environment: false,
        }
    }
}

impl Comparison {
    /// Without notes and differences.
    pub(super) fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            status: None,
            notes: Vec::new(),
            differing: Vec::new(),
            costs: None,
            is_of_host: false,
        }
    }

    pub(super) fn unplayable(reason: impl Into<String>) -> Self {
        Self {
            notes: vec![Note::from(reason.into())],
            ..Self::new(Verdict::Unplayable)
        }
    }
}

/// Why a difference may have another cause than the guest: the tape does not contain the values of its variables.
pub(super) fn environment_note(exchange: &Exchange<'_>) -> Option<Note> {
    let host = &exchange.host;
    if host.environment_names.is_empty() || host.environment.is_some() {
        return None;
    }
    let names: Vec<&str> = host.environment_names.iter().map(|name| &**name).collect();
    Some(Note::about_environment(format!(
        "the values of `{}` are not on the tape: those given by `--env` may differ from the recorded ones",
        names.join("`, `")
    )))
}

/// What was redacted, as part of a sentence.
pub(super) fn redacted_places(exchange: &Exchange<'_>) -> String {
    let places: Vec<&str> = exchange
        .redacted
        .iter()
        .flat_map(|redacted| redacted.left_out.iter().chain(&redacted.at))
        .map(|place| &**place)
        .collect();
    shown_places(&places)
}

/// The first of some places, as part of a sentence.
pub(super) fn shown_places<T: AsRef<str>>(places: &[T]) -> String {
    let shown = places.iter().take(PLACES_SHOWN_MAX);
    let shown: Vec<&str> = shown.map(AsRef::as_ref).collect();
    let more = places.len() - shown.len();
    let named = format!("`{}`", shown.join("`, `"));
    match more {
        0 => named,
        _ => format!("{named} and {more} more"),
    }
}
