//! What a gate has found, as text.

use crate::{exit::CommandError, output, release::stores::word, replay::report::shell_id};
use ::replay::{self, GateCounts, GateDecision, GateResult};
use contract::{count::counted, text::printable};
use observation::{RequestLine, request_line};
use std::{fmt, path::Path};

/// Number of lines that are printed; further ones are only counted.
const SHOWN_MAX: usize = 50;

/// What a result is about.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// A file or the folder of a case.
    pub path: &'a Path,
    /// Counted from 1; only in files with several requests.
    pub line: Option<u64>,
    /// The event, if it can be read.
    pub event: Option<&'a [u8]>,
    /// The id of a recorded request.
    pub id: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// A file or folder as a whole.
    pub fn of(path: &'a Path) -> Self {
        Self {
            path,
            line: None,
            event: None,
            id: None,
        }
    }

    /// Method and path, then the place.
    fn heading(&self) -> String {
        let id = self.id.map_or(String::new(), |id| format!(", id {id}"));
        match self.event.and_then(request_line) {
            Some(RequestLine { method, path }) => format!("{method} {path} ({self}{id})"),
            None => format!("{self}{id}"),
        }
    }

    /// The command that shows it on the new guest; `None` if it was read from stdin.
    fn command(&self) -> Option<String> {
        let path = self
            .path
            .exists()
            .then(|| self.path.display().to_string())?;
        let only = match self.id {
            Some(id) => format!(" --only {} --trace", shell_id(id)?),
            None => String::new(),
        };
        Some(format!(
            "`host-cli replay {}{only} --guest GUEST.wasm`",
            word(&path)
        ))
    }
}

/// The place.
impl fmt::Display for Subject<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(formatter)?;
        match self.line {
            Some(line) => write!(formatter, ":{line}"),
            None => Ok(()),
        }
    }
}

/// What has been compared so far.
#[derive(Default)]
pub struct Results {
    counts: GateCounts,
    /// The place of the first incomplete line.
    first_cut: Option<String>,
    /// The place of the first request that the host answered.
    first_of_host: Option<String>,
    /// The first differences, which are printed.
    lines: Vec<String>,
    /// Differences that are not printed.
    lines_left: usize,
    /// The command that shows the first difference again.
    command: Option<String>,
}

impl Results {
    /// Adds a result.
    pub fn add(&mut self, subject: &Subject<'_>, result: GateResult) {
        self.counts.add(&result);
        match result {
            GateResult::Same | GateResult::OfOtherRoute => {}
            GateResult::Cut => {
                self.first_cut.get_or_insert_with(|| subject.to_string());
            }
            GateResult::OfHost => {
                self.first_of_host
                    .get_or_insert_with(|| subject.to_string());
            }
            GateResult::Differs(lines) => self.add_differences(subject, &lines),
        }
    }

    fn add_differences(&mut self, subject: &Subject<'_>, lines: &[String]) {
        if self.command.is_none() {
            self.command = subject.command();
        }
        let room = SHOWN_MAX.saturating_sub(self.lines.len());
        if room == 0 {
            self.lines_left += lines.len().max(1);
            return;
        }
        let heading = format!("differs {}", subject.heading());
        self.lines.push(printable(&heading).into_owned());
        let shown = lines.iter().take(room);
        self.lines
            .extend(shown.map(|line| printable(&format!("  {line}")).into_owned()));
        self.lines_left += lines.len().saturating_sub(room);
    }

    /// Adds the comparison of what two guests stored.
    pub fn add_stored(
        &mut self,
        path: &Path,
        events: &replay::GateEvents<'_>,
    ) -> Result<(), CommandError> {
        if let Some(result) = events.stored() {
            let result = result.map_err(CommandError::environment)?;
            self.add(&Subject::of(path), result);
        }
        Ok(())
    }

    /// Prints what differs, and decides.
    pub fn show(self) -> Result<bool, CommandError> {
        let mut text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        if self.lines_left > 0 {
            text.push_str(&format!("and {} more\n", self.lines_left));
        }
        output::text(&text)?;
        let remark = self.remark();
        output::remark(&(printable(&remark) + "\n"));
        if let Some(command) = &self.command {
            output::remark(&format!(
                "  hint: see the first difference with {command}, the new guest\n"
            ));
        }
        match self.counts.decision() {
            GateDecision::Pass => Ok(true),
            GateDecision::Differs => Ok(false),
            GateDecision::NothingCompared => Err(CommandError::refused(
                "not promoted: the gate compared nothing",
            )
            .hint(
                "give `--gate` a tape, events or cases with complete requests that a guest answers",
            )),
        }
    }

    /// The line about everything.
    fn remark(&self) -> String {
        let GateCounts {
            compared,
            differing,
            cut,
            of_host,
            of_other_routes,
        } = self.counts;
        let place = self.first_cut.as_deref().unwrap_or_default();
        let cut = match cut {
            0 => String::new(),
            1 => format!(", 1 line not compared because it is incomplete: {place}"),
            count => {
                format!(
                    ", {count} lines not compared because they are incomplete, the first: {place}"
                )
            }
        };
        let place = self.first_of_host.as_deref().unwrap_or_default();
        let of_host = match of_host {
            0 => String::new(),
            1 => format!(", 1 not counted because the host answered instead of a guest: {place}"),
            count => format!(
                ", {count} not counted because the host answered instead of a guest, the first: {place}"
            ),
        };
        let of_others = match of_other_routes {
            0 => String::new(),
            count => format!(
                ", {} not compared because another route answers",
                counted(count, "request", "requests")
            ),
        };
        let differ = if differing == 1 { "differs" } else { "differ" };
        format!("gate: {compared} compared, {differing} {differ}{cut}{of_host}{of_others}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_request_and_the_command_that_shows_it() {
        let file = std::env::temp_dir().join(format!("tenon-gate-{}.tape", std::process::id()));
        std::fs::write(&file, "").unwrap();
        let subject = Subject {
            path: &file,
            line: Some(3),
            event: Some(br#"{"httpMethod":"PUT","path":"/items/a"}"#),
            id: Some("6f1c-2"),
        };
        let mut results = Results::default();
        let lines = (1..=SHOWN_MAX).map(|line| format!("/body/{line}: expected 1, got 2"));
        results.add(&subject, GateResult::Differs(lines.collect()));
        results.add(&Subject::of(Path::new("absent")), GateResult::unusable("x"));
        results.add(&subject, GateResult::OfOtherRoute);
        let place = file.display();
        assert_eq!(
            results.lines[..2],
            [
                format!("differs PUT /items/a ({place}:3, id 6f1c-2)"),
                "  /body/1: expected 1, got 2".to_owned()
            ]
        );
        assert_eq!(
            (results.lines.len(), results.lines_left),
            (SHOWN_MAX + 1, 1)
        );
        assert_eq!(
            results.command.as_deref(),
            Some(&*format!(
                "`host-cli replay {place} --only 6f1c-2 --trace --guest GUEST.wasm`"
            ))
        );
        assert_eq!(
            results.remark(),
            "gate: 2 compared, 2 differ, 1 request not compared because another route answers"
        );
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn what_came_from_stdin_cannot_be_shown_again() {
        let subject = Subject {
            id: Some("6f1c"),
            ..Subject::of(Path::new("(stdin)"))
        };
        assert_eq!(subject.command(), None);
        assert_eq!(subject.heading(), "(stdin), id 6f1c");
    }
}
