//! The report for people: a diff for everything that differs, one line at the end.

use super::{EntryVerdict, Report, ReportEntry, Totals, pretty::Pretty};
use crate::exit::CommandError;
use contract::{
    count::counted,
    text::{Printable, printable},
};
use observation::DifferingPart;
use replay as tape;
use similar::{ChangeTag, TextDiff};
use std::{collections::BTreeSet, fmt::Write, path::Path};

/// Unchanged lines around a change.
const CONTEXT_LINES: usize = 3;

/// Bytes of one part of an observation that are compared line by line, on either side. The author of a tape or a case decides how long it is.
const PART_BYTES_MAX: usize = 1 << 20;

/// Differing places that are named where a part is longer.
const PLACES_MAX: usize = 5;

/// Prints immediately.
pub struct Text<P> {
    colours: Colours,
    print: P,
    /// Notes about the environment that were printed: the same ones are true of every request of a tape.
    said: BTreeSet<String>,
}

/// Terminal sequences, empty without colour. Everything that they mark is also marked by a character.
#[derive(Clone, Copy)]
struct Colours {
    bold: &'static str,
    red: &'static str,
    green: &'static str,
    cyan: &'static str,
    plain: &'static str,
}

const NO_COLOURS: Colours = Colours {
    bold: "",
    red: "",
    green: "",
    cyan: "",
    plain: "",
};
const COLOURS: Colours = Colours {
    bold: "\x1b[1m",
    red: "\x1b[31m",
    green: "\x1b[32m",
    cyan: "\x1b[36m",
    plain: "\x1b[0m",
};

impl<P: FnMut(&[u8]) -> Result<(), CommandError>> Text<P> {
    /// Passes the text to `print`.
    pub fn new(colour: bool, print: P) -> Self {
        Self {
            colours: if colour { COLOURS } else { NO_COLOURS },
            print,
            said: BTreeSet::new(),
        }
    }
}

impl<P: FnMut(&[u8]) -> Result<(), CommandError>> Report for Text<P> {
    fn entry(&mut self, reported: &ReportEntry) -> Result<(), CommandError> {
        let Colours { bold, plain, .. } = self.colours;
        let place = reported.heading();
        let text = match &reported.verdict {
            EntryVerdict::Same => return Ok(()),
            EntryVerdict::Blessed => {
                let mut text = format!("{bold}blessed{plain} {place}\n");
                if reported.expects_server_error() {
                    text.push_str("  warning: the case now expects that the server fails\n");
                    log(&mut text, reported);
                }
                text
            }
            EntryVerdict::Differs(differing) => {
                let mut text = format!("{bold}differs{plain} {place}\n");
                for part in differing {
                    diff(&mut text, self.colours, reported.name_of(part.part), part);
                }
                log(&mut text, reported);
                text
            }
            EntryVerdict::ServerError { status, response } => {
                let body = response.get("body").unwrap_or(&serde_json::Value::Null);
                let body = Printable(body);
                let mut text = format!("{bold}answered with {status}{plain} {place}\n  {body}\n");
                log(&mut text, reported);
                text
            }
            EntryVerdict::Refused(reason) => {
                let reason = printable(reason);
                format!("{bold}refused{plain} {place}\n  {reason}\n")
            }
            EntryVerdict::Unreadable(reason) => {
                let reason = printable(reason);
                format!("{bold}not a request{plain} {place}\n  {reason}\n")
            }
            EntryVerdict::Encrypted(reason) => {
                let reason = printable(reason);
                format!("{bold}encrypted{plain} {place}\n  {reason}\n")
            }
            EntryVerdict::Cut => format!("{bold}incomplete{plain} {place}\n"),
            EntryVerdict::Tape {
                comparison, trace, ..
            } => {
                let verdict = match comparison.verdict {
                    tape::Verdict::Same => "same",
                    tape::Verdict::EqualInEffect => "equal in effect",
                    tape::Verdict::Differs => "differs",
                    tape::Verdict::Redacted => "differs because of redaction",
                    tape::Verdict::Unplayable => "cannot be replayed",
                };
                let mut text = format!("{bold}{verdict}{plain} {place}\n{trace}");
                let is_new = |note: &&tape::Note| {
                    !note.is_about_environment || self.said.insert(note.text.clone())
                };
                let new: Vec<_> = comparison.notes.iter().filter(is_new).collect();
                for note in &new {
                    let _ = writeln!(text, "  {}", Printable(note));
                }
                if new.is_empty() && !comparison.notes.is_empty() {
                    let _ = writeln!(text, "  for the reason above");
                }
                for part in &comparison.differing {
                    diff(&mut text, self.colours, reported.name_of(part.part), part);
                }
                text
            }
        };
        (self.print)(text.as_bytes())
    }

    /// Failures are reported on stderr.
    fn failed(&mut self, _reason: &str) -> Result<(), CommandError> {
        Ok(())
    }

    fn file(&mut self, _path: &Path, _totals: &Totals) -> Result<(), CommandError> {
        Ok(())
    }

    fn finish(&mut self, totals: &Totals) -> Result<(), CommandError> {
        (self.print)(summary(totals).as_bytes())
    }
}

fn summary(totals: &Totals) -> String {
    let mut subjects = Vec::new();
    for (count, one, many) in [
        (totals.cases, "case", "cases"),
        (totals.events, "event", "events"),
        (totals.requests, "request", "requests"),
    ] {
        if count > 0 {
            subjects.push(counted(count, one, many));
        }
    }
    if subjects.is_empty() && totals.cut == 0 {
        return String::new(); // the failure itself says why nothing could be replayed
    }
    if subjects.is_empty() {
        subjects.push("nothing".to_owned());
    }
    let mut text = format!("{}: {} as expected", subjects.join(" and "), totals.same);
    for (count, what) in [
        (totals.blessed, "blessed"),
        (totals.differing, "differing"),
        (totals.server_errors, "answered with 500 or above"),
        (totals.refused, "refused"),
        (totals.equal_in_effect, "equal in effect"),
        (totals.redacted, "differing because of redaction"),
        (totals.unplayable, "that cannot be replayed"),
        (totals.unreadable, "no request"),
        (totals.encrypted, "encrypted"),
        (totals.cut, "incomplete"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text.push('\n');
    text
}

/// What the guest logged.
fn log(text: &mut String, reported: &ReportEntry) {
    if reported.log.is_empty() {
        return;
    }
    text.push_str("  logged:\n");
    for line in reported.log.lines() {
        let _ = writeln!(text, "    {}", printable(line));
    }
}

fn diff(text: &mut String, colours: Colours, name: &str, part: &DifferingPart) {
    let Some(expected) = &part.expected else {
        let _ = writeln!(
            text,
            "  there is no `{name}` with the expectation; `--bless` writes it:"
        );
        let actual = Pretty::of(&part.actual, PART_BYTES_MAX);
        for line in actual.text.lines() {
            let line = printable(line);
            let _ = writeln!(text, "  {}+{line}{}", colours.green, colours.plain);
        }
        if actual.more > 0 {
            let _ = writeln!(
                text,
                "  ... {}",
                counted(actual.more, "more byte", "more bytes")
            );
        }
        return;
    };
    let expected = Pretty::of(expected, PART_BYTES_MAX);
    let actual = Pretty::of(&part.actual, PART_BYTES_MAX);
    let diff = TextDiff::from_lines(&expected.text, &actual.text);
    let _ = writeln!(text, "  --- {name}, expected\n  +++ {name}, actual");
    for hunk in diff
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .iter_hunks()
    {
        let _ = writeln!(text, "  {}{}{}", colours.cyan, hunk.header(), colours.plain);
        for change in hunk.iter_changes() {
            let (sign, colour) = match change.tag() {
                ChangeTag::Equal => (' ', ""),
                ChangeTag::Delete => ('-', colours.red),
                ChangeTag::Insert => ('+', colours.green),
            };
            let end = if colour.is_empty() { "" } else { colours.plain };
            let line = printable(change.value().trim_end_matches('\n'));
            let _ = writeln!(text, "  {colour}{sign}{line}{end}");
        }
    }
    if expected.more > 0 || actual.more > 0 {
        let (expected, actual) = (expected.more, actual.more);
        let _ = writeln!(
            text,
            "  ... {} of what was expected, and {actual} of what came, are not shown; the first differences:",
            counted(expected, "more byte", "more bytes")
        );
        for line in part.differences().first_lines(PLACES_MAX) {
            let _ = writeln!(text, "  {}", printable(&line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::input::Place;
    use observation::{Part, RequestLine};
    use serde_json::json;

    fn rendered(colour: bool) -> String {
        let mut printed = Vec::new();
        let mut report = Text::new(colour, |bytes: &[u8]| {
            printed.extend_from_slice(bytes);
            Ok(())
        });
        let case = Place {
            path: Path::new("cases/create").into(),
            line: None,
        };
        let event = Place {
            path: Path::new("day.jsonl").into(),
            line: Some(7),
        };
        let expected = json!({"status": 201, "headers": {"etag": ["a"]}, "body": {"name": "lamp"}});
        let actual = json!({"status": 200, "headers": {"etag": ["a"]}, "body": {"name": "lamp"}});
        let differing = vec![
            DifferingPart {
                part: Part::Response,
                expected: Some(expected),
                actual,
            },
            DifferingPart {
                part: Part::Stored,
                expected: None,
                actual: json!([]),
            },
        ];
        let server_error = EntryVerdict::ServerError {
            status: 500,
            response: json!({"body": {"title": "broken"}}),
        };
        let mut totals = Totals {
            cases: 1,
            events: 3,
            ..Totals::default()
        };
        let request = |method: &str, path: &str| {
            Some(RequestLine {
                method: method.to_owned(),
                path: path.to_owned(),
            })
        };
        let refused = EntryVerdict::Refused("an SQS event is not an HTTP request".to_owned());
        for reported in [
            ReportEntry {
                is_case: true,
                request: request("POST", "/items"),
                status_expected: Some(201),
                status_actual: Some(200),
                ..ReportEntry::unread(case, EntryVerdict::Differs(differing))
            },
            ReportEntry {
                request: request("GET", "/items/a"),
                ..ReportEntry::unread(event.clone(), server_error)
            },
            ReportEntry::unread(event.clone(), refused),
            ReportEntry::unread(event, EntryVerdict::Same),
        ] {
            totals.add(&reported.verdict);
            report.entry(&reported).unwrap();
        }
        report.finish(&totals).unwrap();
        String::from_utf8(printed).unwrap()
    }

    #[test]
    fn what_differs_is_shown_as_a_diff() {
        insta::assert_snapshot!(rendered(false), @r#"
        differs POST /items 201 -> 200 (cases/create)
          --- response.json, expected
          +++ response.json, actual
          @@ -7,5 +7,5 @@
                 "a"
               ]
             },
          -  "status": 201
          +  "status": 200
           }
          there is no `after.json` with the expectation; `--bless` writes it:
          +[]
        answered with 500 GET /items/a (day.jsonl:7)
          {"title":"broken"}
        refused day.jsonl:7
          an SQS event is not an HTTP request
        1 case and 3 events: 1 as expected, 1 differing, 1 answered with 500 or above, 1 refused
        "#);
    }

    /// Each element is on a line of its own, behind two blanks for each level: a short text is a long diff.
    #[test]
    fn what_is_true_of_the_environment_of_a_whole_tape_is_said_once() {
        let mut printed = Vec::new();
        let mut report = Text::new(false, |bytes: &[u8]| {
            printed.extend_from_slice(bytes);
            Ok(())
        });
        for (line, has_more) in [(1, true), (2, true), (3, false)] {
            let place = Place {
                path: Path::new("day.tape").into(),
                line: Some(line),
            };
            let of_request = tape::Note::from("/status: expected 200, got 500".to_owned());
            let of_environment = tape::Note {
                text: "the guest had another environment".to_owned(),
                is_about_environment: true,
            };
            let notes = [has_more.then_some(of_request), Some(of_environment)];
            let comparison = tape::Comparison {
                verdict: tape::Verdict::Differs,
                status: None,
                notes: notes.into_iter().flatten().collect(),
                differing: Vec::new(),
                costs: None,
                is_of_host: false,
            };
            let verdict = EntryVerdict::Tape {
                id: "a".to_owned(),
                comparison: Box::new(comparison),
                trace: String::new(),
            };
            report.entry(&ReportEntry::unread(place, verdict)).unwrap();
        }
        insta::assert_snapshot!(String::from_utf8(printed).unwrap(), @r"
        differs day.tape:1, id a
          /status: expected 200, got 500
          the guest had another environment
        differs day.tape:2, id a
          /status: expected 200, got 500
        differs day.tape:3, id a
          for the reason above
        ");
    }

    #[test]
    fn the_diff_of_one_part_has_a_bound() {
        let deep = |element: &str| {
            let elements = vec![element; 100_000].join(",");
            let text = format!("{}{elements}{}", "[".repeat(100), "]".repeat(100));
            json::value(text.as_bytes()).unwrap()
        };
        for expected in [None, Some(deep("1"))] {
            let part = DifferingPart {
                part: Part::Outgoing,
                expected,
                actual: deep("2"),
            };
            let mut text = String::new();
            diff(&mut text, NO_COLOURS, "outgoing requests", &part);
            assert!(text.len() < 4 * PART_BYTES_MAX, "{}", text.len());
            let end: Vec<&str> = text.lines().rev().take(PLACES_MAX + 2).collect();
            let end = end.join("\n");
            assert!(end.contains(" more bytes"), "{end}");
            if part.expected.is_some() {
                assert!(end.contains("/0/0/4: expected 1, got 2"), "{end}");
                assert!(end.contains("and 99995 more differences"), "{end}");
            }
        }
    }

    #[test]
    fn colour_only_repeats_what_the_signs_say() {
        let coloured = rendered(true);
        assert!(
            coloured.contains("\x1b[31m-  \"status\": 201\x1b[0m"),
            "{coloured}"
        );
        let mut stripped = coloured;
        for sequence in ["\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[0m"] {
            stripped = stripped.replace(sequence, "");
        }
        assert_eq!(stripped, rendered(false));
    }
}
