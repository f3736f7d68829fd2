//! Reports of a replay. Every format gets the same calls, in the order of the input.

pub mod html;
pub mod json;
pub mod junit;
mod pretty;
pub mod text;

use super::input::Place;
use crate::exit::CommandError;
use contract::{count::counted, text::printable};
use observation::{AFTER_FILE, DifferingPart, Part, RESPONSE_FILE, RequestLine};
use replay as tape;
use std::path::Path;

/// The result of one event or case.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryVerdict {
    /// As expected; for an event without an expectation: a status below 500.
    Same,
    /// The case's files now contain the actual results.
    Blessed,
    /// A case differs from its expectation.
    Differs(Vec<DifferingPart>),
    /// An event was answered with 500 or above.
    ServerError {
        /// The status.
        status: u16,
        /// The Lambda response in readable form.
        response: serde_json::Value,
    },
    /// This host does not answer such an event.
    Refused(String),
    /// The replay of a recorded request differs in some way.
    Tape {
        /// The request's id.
        id: String,
        /// The differences.
        comparison: Box<tape::Comparison>,
        /// What happened when it was recorded, as text; empty unless requested.
        trace: String,
    },
    /// A line of a tape is not a request.
    Unreadable(String),
    /// A line of a tape is encrypted, and the given identity cannot read it: the reason.
    Encrypted(String),
    /// A line of a tape is incomplete.
    Cut,
}

/// Characters of an id that distinguish it from others.
const ID_CHARACTERS_SHOWN: usize = 13;

/// A verdict with its subject.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportEntry {
    /// The source of the event, the case or the request.
    pub place: Place,
    /// Whether it is a case.
    pub is_case: bool,
    /// Method and path, if they are known.
    pub request: Option<RequestLine>,
    /// The recorded or expected status.
    pub status_expected: Option<u16>,
    /// The actual status.
    pub status_actual: Option<u16>,
    /// What the guest logged and why the host answered in its place, a line each; empty if that is not known, or shown as a difference.
    pub log: String,
    /// The verdict.
    pub verdict: EntryVerdict,
}

/// The first characters of an id, if they can be used on a command line without quotes.
pub fn shell_id(id: &str) -> Option<&str> {
    let end = id
        .find(|character: char| !(character.is_ascii_alphanumeric() || "-_=".contains(character)))
        .unwrap_or(id.len())
        .min(ID_CHARACTERS_SHOWN);
    (end > 0 && !id.starts_with('-')).then(|| &id[..end])
}

impl ReportEntry {
    /// A verdict about an input that could not be read as a request.
    pub fn unread(place: Place, verdict: EntryVerdict) -> Self {
        Self {
            place,
            is_case: false,
            request: None,
            status_expected: None,
            status_actual: None,
            log: String::new(),
            verdict,
        }
    }

    /// The name of a part that differs: for a case, the file with the expectation.
    pub fn name_of(&self, part: Part) -> &'static str {
        match part {
            Part::Response if self.is_case => RESPONSE_FILE,
            Part::Stored if self.is_case => AFTER_FILE,
            part => part.name(),
        }
    }

    /// The id of a tape's request.
    pub fn id(&self) -> Option<&str> {
        match &self.verdict {
            EntryVerdict::Tape { id, .. } => Some(id),
            EntryVerdict::Same
            | EntryVerdict::Blessed
            | EntryVerdict::Differs(_)
            | EntryVerdict::ServerError { .. }
            | EntryVerdict::Refused(_)
            | EntryVerdict::Unreadable(_)
            | EntryVerdict::Encrypted(_)
            | EntryVerdict::Cut => None,
        }
    }

    /// The first characters of the id, if they can be used on a command line without quotes.
    pub fn shell_id(&self) -> Option<&str> {
        self.id().and_then(shell_id)
    }

    /// Whether a case now expects that the server fails, which is seldom meant.
    pub fn expects_server_error(&self) -> bool {
        self.verdict == EntryVerdict::Blessed && self.status_actual >= Some(500)
    }

    /// Method, path and statuses, then the place: in one line without terminal control characters.
    pub fn heading(&self) -> String {
        let place = &self.place;
        let id = self.id().map_or(String::new(), |id| format!(", id {id}"));
        let Some(RequestLine { method, path }) = &self.request else {
            return printable(&format!("{place}{id}")).into_owned();
        };
        let status = match (self.status_expected, self.status_actual) {
            (Some(expected), Some(actual)) if expected != actual => {
                format!(" {expected} -> {actual}")
            }
            (Some(status), _) | (None, Some(status)) => format!(" {status}"),
            (None, None) => String::new(),
        };
        printable(&format!("{method} {path}{status} ({place}{id})")).into_owned()
    }
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
    /// Requests of tapes.
    pub requests: u64,
    /// Equal in response and writes, but not in everything.
    pub equal_in_effect: u64,
    /// Differ because of what was redacted.
    pub redacted: u64,
    /// The tape lacks what a replay needs.
    pub unplayable: u64,
    /// Lines that are not requests.
    pub unreadable: u64,
    /// Lines that are encrypted to other recipients.
    pub encrypted: u64,
    /// Incomplete lines, which are skipped.
    pub cut: u64,
}

impl Totals {
    /// Counts a verdict.
    pub fn add(&mut self, verdict: &EntryVerdict) {
        match verdict {
            EntryVerdict::Same => self.same += 1,
            EntryVerdict::Blessed => self.blessed += 1,
            EntryVerdict::Differs(_) => self.differing += 1,
            EntryVerdict::ServerError { .. } => self.server_errors += 1,
            EntryVerdict::Refused(_) => self.refused += 1,
            EntryVerdict::Tape { comparison, .. } => match comparison.verdict {
                tape::Verdict::Same => self.same += 1,
                tape::Verdict::EqualInEffect => self.equal_in_effect += 1,
                tape::Verdict::Differs => self.differing += 1,
                tape::Verdict::Redacted => self.redacted += 1,
                tape::Verdict::Unplayable => self.unplayable += 1,
            },
            EntryVerdict::Unreadable(_) => self.unreadable += 1,
            EntryVerdict::Encrypted(_) => self.encrypted += 1,
            EntryVerdict::Cut => self.cut += 1,
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
        self.requests += other.requests;
        self.equal_in_effect += other.equal_in_effect;
        self.redacted += other.redacted;
        self.unplayable += other.unplayable;
        self.unreadable += other.unreadable;
        self.encrypted += other.encrypted;
        self.cut += other.cut;
    }

    /// Whether nothing is reported as different.
    pub fn is_clean(&self) -> bool {
        let unexpected = self.differing + self.server_errors + self.refused;
        unexpected + self.redacted + self.unplayable + self.unreadable + self.encrypted == 0
    }
}

/// Number of lines of a file that are not requests which a report lists; further ones are counted. Only a report that is printed
/// immediately, and so keeps nothing, lists all of them.
const BAD_LINES_TOLD_MAX: u64 = 1_000;

/// Number of inputs that could not be read or run which a report names; further ones are counted.
const FAILED_INPUTS_TOLD_MAX: usize = 1_000;

/// Inputs that could not be read or run.
#[derive(Default)]
struct FailedInputs {
    first: Vec<String>,
    more: u64,
}

impl FailedInputs {
    fn add(&mut self, reason: &str) {
        if self.first.len() < FAILED_INPUTS_TOLD_MAX {
            self.first.push(reason.to_owned());
        } else {
            self.more += 1;
        }
    }

    /// One line for each, and one for the number of further ones.
    fn lines(&self) -> impl Iterator<Item = String> {
        let more = (self.more > 0)
            .then(|| format!("and {}", counted(self.more, "more input", "more inputs")));
        self.first.iter().cloned().chain(more)
    }
}

/// Counts what a report leaves out of a file.
#[derive(Default)]
struct LeftOut {
    bad_lines: u64,
    /// Failures.
    failed: u64,
    /// Incomplete lines.
    cut: u64,
}

impl LeftOut {
    /// Whether a verdict is listed by itself; counts it if not. Cases are always listed.
    fn tells(&mut self, reported: &ReportEntry) -> bool {
        let verdict = &reported.verdict;
        match verdict {
            _ if reported.is_case => true,
            EntryVerdict::Unreadable(_)
            | EntryVerdict::Encrypted(_)
            | EntryVerdict::Refused(_)
            | EntryVerdict::Cut => {
                self.bad_lines += 1;
                let is_told = self.bad_lines <= BAD_LINES_TOLD_MAX;
                if !is_told {
                    self.count(verdict);
                }
                is_told
            }
            EntryVerdict::Same
            | EntryVerdict::Blessed
            | EntryVerdict::Differs(_)
            | EntryVerdict::ServerError { .. }
            | EntryVerdict::Tape { .. } => true,
        }
    }

    fn count(&mut self, verdict: &EntryVerdict) {
        match verdict {
            EntryVerdict::Cut => self.cut += 1,
            _ => self.failed += 1,
        }
    }

    /// What was left out of the file that ends, as text; at the end, of cases.
    fn words(&self, path: Option<&Path>) -> Option<String> {
        let count = self.failed + self.cut;
        let (one, many) = match path {
            Some(_) => ("line", "lines"),
            None => ("case", "cases"),
        };
        let what = if count == 1 { one } else { many };
        let file = path.map_or(String::new(), |path| format!("{}: ", path.display()));
        (count > 0).then(|| format!("{file}and {count} more {what}"))
    }
}

/// A format of reports.
pub trait Report {
    /// A case, whatever its verdict; or an event or request whose verdict is not `Same`.
    fn entry(&mut self, reported: &ReportEntry) -> Result<(), CommandError>;

    /// A request of a tape, if details are requested.
    fn detail(&mut self, _detail: &html::Detail) -> Result<(), CommandError> {
        Ok(())
    }

    /// An input could not be read or run completely: the reason.
    fn failed(&mut self, reason: &str) -> Result<(), CommandError>;

    /// The end of a file of events.
    fn file(&mut self, path: &Path, totals: &Totals) -> Result<(), CommandError>;

    /// The end of the replay.
    fn finish(&mut self, totals: &Totals) -> Result<(), CommandError>;
}

/// Two reports of the same replay.
pub struct Both<'a>(pub &'a mut dyn Report, pub Option<&'a mut dyn Report>);

impl Report for Both<'_> {
    fn entry(&mut self, reported: &ReportEntry) -> Result<(), CommandError> {
        self.0.entry(reported)?;
        self.1
            .as_mut()
            .map_or(Ok(()), |report| report.entry(reported))
    }

    fn detail(&mut self, detail: &html::Detail) -> Result<(), CommandError> {
        self.0.detail(detail)?;
        self.1
            .as_mut()
            .map_or(Ok(()), |report| report.detail(detail))
    }

    fn failed(&mut self, reason: &str) -> Result<(), CommandError> {
        self.0.failed(reason)?;
        self.1
            .as_mut()
            .map_or(Ok(()), |report| report.failed(reason))
    }

    fn file(&mut self, path: &Path, totals: &Totals) -> Result<(), CommandError> {
        self.0.file(path, totals)?;
        self.1
            .as_mut()
            .map_or(Ok(()), |report| report.file(path, totals))
    }

    fn finish(&mut self, totals: &Totals) -> Result<(), CommandError> {
        self.0.finish(totals)?;
        self.1
            .as_mut()
            .map_or(Ok(()), |report| report.finish(totals))
    }
}
