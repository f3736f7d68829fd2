//! The report for CI systems: JUnit XML. One test for each case and for each event or request that is not as expected; the others of a file
//! are one test, which passes, so that failures count each difference exactly once. If too much would have to be kept until the end, a file
//! has one additional test, which counts the rest.

use super::{EntryVerdict, FailedInputs, LeftOut, Report, ReportEntry, Totals, json::name};
use crate::exit::CommandError;
use contract::text::{printable, printable_lines};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use replay as tape;
use std::path::Path;

/// Memory for all tests; further ones are counted.
const TESTS_BYTES_MAX: usize = 64 << 20;
/// Memory for a test besides its texts.
const TEST_BYTES: usize = 1 << 10;

/// Collects everything, and prints at the end, because the format begins with its counts.
pub struct Junit<P> {
    print: P,
    suite: TestSuite,
    bytes: usize,
    left_out: LeftOut,
    failed: FailedInputs,
}

impl<P: FnMut(&[u8]) -> Result<(), CommandError>> Junit<P> {
    /// Passes the whole document to `print`.
    pub fn new(print: P) -> Self {
        Self {
            print,
            suite: TestSuite::new("replay"),
            bytes: 0,
            left_out: LeftOut::default(),
            failed: FailedInputs::default(),
        }
    }

    /// A test for everything that was left out since the last file.
    fn add_left_out(&mut self, path: Option<&Path>, class: &str) {
        let left_out = std::mem::take(&mut self.left_out);
        let Some(name) = left_out.words(path) else {
            return;
        };
        let status = match left_out.failed {
            0 => TestCaseStatus::skipped(),
            failed => failure(
                &format!("{failed} failed, which are too many to list"),
                None,
            ),
        };
        self.add(&name, class, status);
    }

    fn add(&mut self, name: &str, class: &str, status: TestCaseStatus) {
        let mut test = TestCase::new(&*printable(name), status);
        test.set_classname(class);
        self.suite.add_test_case(test);
    }
}

impl<P: FnMut(&[u8]) -> Result<(), CommandError>> Report for Junit<P> {
    fn entry(&mut self, reported: &ReportEntry) -> Result<(), CommandError> {
        let class = match &reported.verdict {
            EntryVerdict::Tape { .. }
            | EntryVerdict::Unreadable(_)
            | EntryVerdict::Encrypted(_)
            | EntryVerdict::Cut => "request",
            EntryVerdict::Same
            | EntryVerdict::Blessed
            | EntryVerdict::Differs(_)
            | EntryVerdict::ServerError { .. }
            | EntryVerdict::Refused(_) => {
                if reported.is_case {
                    "case"
                } else {
                    "event"
                }
            }
        };
        if !self.left_out.tells(reported) {
            return Ok(());
        }
        if self.bytes > TESTS_BYTES_MAX {
            self.left_out.count(&reported.verdict);
            return Ok(());
        }
        let (name, status) = (reported.heading(), status(reported));
        self.bytes += TEST_BYTES + name.len() + text_bytes(&status) + reported.log.len();
        let mut test = TestCase::new(&*printable(&name), status);
        test.set_classname(class);
        if !reported.log.is_empty() {
            test.set_system_out(&*printable_lines(&reported.log));
        }
        self.suite.add_test_case(test);
        Ok(())
    }

    fn failed(&mut self, reason: &str) -> Result<(), CommandError> {
        self.failed.add(reason);
        Ok(())
    }

    fn file(&mut self, path: &Path, totals: &Totals) -> Result<(), CommandError> {
        let (count, class) = match totals.requests {
            0 => (totals.events, "events"),
            requests => (requests, "requests"),
        };
        // Differences were reported one by one.
        if totals.same > 0 {
            let name = format!(
                "{}: {} of {count} {class} as expected",
                path.display(),
                totals.same
            );
            self.add(&name, class, TestCaseStatus::success());
        }
        self.add_left_out(Some(path), class);
        Ok(())
    }

    fn finish(&mut self, _totals: &Totals) -> Result<(), CommandError> {
        self.add_left_out(None, "cases");
        let failed: Vec<String> = self.failed.lines().collect();
        for reason in failed {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(&*printable(&reason));
            self.add(&reason, "input", status);
        }
        let mut report = quick_junit::Report::new("host-cli replay");
        report.add_test_suite(std::mem::replace(&mut self.suite, TestSuite::new("replay")));
        let mut text = Vec::new();
        report.serialize(&mut text).map_err(|error| {
            CommandError::environment(format_args!("failed to write the JUnit report: {error}"))
        })?;
        (self.print)(&text)
    }
}

fn status(reported: &ReportEntry) -> TestCaseStatus {
    match &reported.verdict {
        EntryVerdict::Same | EntryVerdict::Blessed => TestCaseStatus::success(),
        EntryVerdict::Differs(differing) => {
            let lines: Vec<String> = differing
                .iter()
                .flat_map(|part| {
                    let name = reported.name_of(part.part);
                    let line = |line: String| one_line(&format!("{name} {line}"));
                    let lines: Vec<String> = part.differences().lines().map(line).collect();
                    lines
                })
                .collect();
            failure("differs from the expectation", Some(lines.join("\n")))
        }
        EntryVerdict::ServerError { status, response } => failure(
            &format!("answered with {status}"),
            Some(format!("{response:#}")),
        ),
        EntryVerdict::Refused(reason) => failure(&format!("refused: {reason}"), None),
        EntryVerdict::Unreadable(reason) => failure(&format!("not a request: {reason}"), None),
        EntryVerdict::Encrypted(reason) => failure(&format!("encrypted: {reason}"), None),
        EntryVerdict::Cut => TestCaseStatus::skipped(),
        EntryVerdict::Tape { comparison, .. } => {
            let mut notes: Vec<String> = comparison
                .notes
                .iter()
                .map(|note| one_line(&note.text))
                .collect();
            notes.extend(next_step(reported));
            match comparison.verdict {
                tape::Verdict::Same | tape::Verdict::EqualInEffect => TestCaseStatus::success(),
                verdict @ (tape::Verdict::Differs
                | tape::Verdict::Redacted
                | tape::Verdict::Unplayable) => failure(name(verdict), Some(notes.join("\n"))),
            }
        }
    }
}

fn text_bytes(status: &TestCaseStatus) -> usize {
    match status {
        TestCaseStatus::NonSuccess {
            message,
            description,
            ..
        } => [message, description]
            .into_iter()
            .flatten()
            .map(|text| text.as_str().len())
            .sum(),
        TestCaseStatus::Success { .. } | TestCaseStatus::Skipped { .. } => 0,
    }
}

/// One of several texts in a description; it cannot look like another line.
fn one_line(text: &str) -> String {
    printable(text).into_owned()
}

/// How to see more about a request that differs.
fn next_step(reported: &ReportEntry) -> Option<String> {
    let id = reported.shell_id()?;
    Some(format!("`--only {id} --trace` shows it step by step"))
}

fn failure(message: &str, description: Option<String>) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(&*printable(message));
    if let Some(description) = description {
        status.set_description(&*printable_lines(&description));
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::input::Place;
    use observation::{DifferingPart, Part, RequestLine};
    use serde_json::json;

    #[test]
    fn each_difference_is_one_failed_test() {
        let mut printed = Vec::new();
        let mut report = Junit::new(|bytes: &[u8]| {
            printed.extend_from_slice(bytes);
            Ok(())
        });
        let place = |path: &str| Place {
            path: Path::new(path).into(),
            line: None,
        };
        let differing = DifferingPart {
            part: Part::Response,
            expected: Some(json!({"status": 1})),
            actual: json!({"status": "<&\u{202e}"}),
        };
        let entries = [
            ReportEntry {
                is_case: true,
                request: Some(RequestLine {
                    method: "GET".to_owned(),
                    path: "/a".to_owned(),
                }),
                status_expected: Some(200),
                status_actual: Some(404),
                ..ReportEntry::unread(place("cases/a"), EntryVerdict::Differs(vec![differing]))
            },
            ReportEntry {
                is_case: true,
                ..ReportEntry::unread(place("cases/b"), EntryVerdict::Same)
            },
            ReportEntry::unread(place("day.jsonl"), EntryVerdict::Refused("SQS".to_owned())),
        ];
        for reported in &entries {
            report.entry(reported).unwrap();
        }
        let totals = Totals {
            events: 3,
            same: 2,
            refused: 1,
            ..Totals::default()
        };
        report.file(Path::new("day.jsonl"), &totals).unwrap();
        report.finish(&totals).unwrap();
        insta::assert_snapshot!(String::from_utf8(printed).unwrap(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="host-cli replay" tests="4" skipped="0" failures="2" errors="0">
            <testsuite name="replay" tests="4" skipped="0" errors="0" failures="2">
                <testcase name="GET /a 200 -&gt; 404 (cases/a)" classname="case">
                    <failure message="differs from the expectation">response.json /status: expected 1, got &quot;&lt;&amp;\u202e&quot;</failure>
                </testcase>
                <testcase name="cases/b" classname="case"/>
                <testcase name="day.jsonl" classname="event">
                    <failure message="refused: SQS"/>
                </testcase>
                <testcase name="day.jsonl: 2 of 3 events as expected" classname="events"/>
            </testsuite>
        </testsuites>
        "#);
    }

    fn bad_line(number: u64, verdict: EntryVerdict) -> ReportEntry {
        let place = Place {
            path: Path::new("day.tape").into(),
            line: Some(number),
        };
        ReportEntry::unread(place, verdict)
    }

    /// The report about entries of one file, and the bytes that were kept for it.
    fn reported(entries: impl Iterator<Item = ReportEntry>) -> (String, usize) {
        let mut printed = Vec::new();
        let mut report = Junit::new(|bytes: &[u8]| {
            printed.extend_from_slice(bytes);
            Ok(())
        });
        entries.for_each(|reported| report.entry(&reported).unwrap());
        report
            .file(Path::new("day.tape"), &Totals::default())
            .unwrap();
        report.finish(&Totals::default()).unwrap();
        let bytes = report.bytes;
        (String::from_utf8(printed).unwrap(), bytes)
    }

    #[test]
    fn lines_that_are_no_request_are_counted_behind_the_first_thousand() {
        let (text, _) = reported((1..=3_000).map(|number| bad_line(number, EntryVerdict::Cut)));
        assert!(
            text.contains(r#"tests="1001" skipped="1001" failures="0""#),
            "{}",
            &text[..300]
        );
        assert!(text.contains("day.tape: and 2000 more lines"));
        let (text, _) = reported((1..=3_000).map(|number| match number % 2 {
            0 => bad_line(number, EntryVerdict::Cut),
            _ => bad_line(number, EntryVerdict::Unreadable("no".to_owned())),
        }));
        assert!(
            text.contains(r#"tests="1001" skipped="500" failures="501""#),
            "{}",
            &text[..300]
        );
        assert!(text.contains("1000 failed, which are too many to list"));
    }

    #[test]
    fn cases_are_no_lines_and_are_counted_at_the_end() {
        let case = |number: u64| ReportEntry {
            is_case: true,
            ..bad_line(number, EntryVerdict::Refused("SQS".to_owned()))
        };
        let (text, _) = reported((1..=3_000).map(case));
        assert!(
            text.contains(r#"tests="3000" skipped="0" failures="3000""#),
            "{}",
            &text[..300]
        );
        let mut report = Junit::new(|_: &[u8]| Ok(()));
        report.bytes = TESTS_BYTES_MAX + 1;
        report.entry(&case(1)).unwrap();
        report.finish(&Totals::default()).unwrap();
        assert_eq!(report.left_out.failed, 0, "told");
    }

    #[test]
    fn what_is_kept_until_the_end_is_bounded() {
        let response = json!({"body": "x".repeat(1 << 20)});
        let (text, bytes) = reported((1..=100).map(|number| {
            let response = response.clone();
            bad_line(
                number,
                EntryVerdict::ServerError {
                    status: 500,
                    response,
                },
            )
        }));
        assert!(bytes < TESTS_BYTES_MAX + (2 << 20), "{bytes}");
        assert!(text.contains("day.tape: and 36 more lines"));
    }
}
