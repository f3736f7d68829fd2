//! The outcome for CI systems: JUnit XML. A test for each case and for each event or request that is not as expected; the others of a
//! file are one test, which passes, so that failures count what differs and nothing twice. Of what is too much to be kept until the end,
//! a file has one test more, which counts it.

use super::{Finding, LeftOut, Report, Totals, Verdict, json::name};
use crate::exit::Failure;
use contract::text::{printable, printable_lines};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use replay as tape;
use std::path::Path;

/// What all tests may take; further ones are counted.
const TESTS_BYTES_MAX: usize = 64 << 20;
/// What a test takes beside its texts.
const TEST_BYTES: usize = 1 << 10;

/// Collects, and prints at the end: the format wants its counts first.
pub struct Junit<P> {
    print: P,
    suite: TestSuite,
    bytes: usize,
    left_out: LeftOut,
}

impl<P: FnMut(&[u8]) -> Result<(), Failure>> Junit<P> {
    /// Passes the whole document to `print`.
    pub fn new(print: P) -> Self {
        Self {
            print,
            suite: TestSuite::new("replay"),
            bytes: 0,
            left_out: LeftOut::default(),
        }
    }

    /// A test for all that was left out since the last file.
    fn add_left_out(&mut self, path: Option<&Path>, class: &str) {
        let left_out = std::mem::take(&mut self.left_out);
        let Some(name) = left_out.words(path) else {
            return;
        };
        let status = match left_out.failed {
            0 => TestCaseStatus::skipped(),
            failed => failure(
                &format!("{failed} failed that are too many to be listed"),
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

impl<P: FnMut(&[u8]) -> Result<(), Failure>> Report for Junit<P> {
    fn verdict(&mut self, finding: &Finding) -> Result<(), Failure> {
        let class = match &finding.verdict {
            Verdict::Tape { .. }
            | Verdict::Unreadable(_)
            | Verdict::Encrypted(_)
            | Verdict::Cut => "request",
            Verdict::Same
            | Verdict::Blessed
            | Verdict::Differs(_)
            | Verdict::ServerError { .. }
            | Verdict::Refused(_) => {
                if finding.is_case {
                    "case"
                } else {
                    "event"
                }
            }
        };
        if !self.left_out.tells(finding) {
            return Ok(());
        }
        if self.bytes > TESTS_BYTES_MAX {
            self.left_out.count(&finding.verdict);
            return Ok(());
        }
        let (name, status) = (finding.heading(), status(finding));
        self.bytes += TEST_BYTES + name.len() + text_bytes(&status);
        self.add(&name, class, status);
        Ok(())
    }

    fn file(&mut self, path: &Path, totals: &Totals) -> Result<(), Failure> {
        let (count, class) = match totals.requests {
            0 => (totals.events, "events"),
            requests => (requests, "requests"),
        };
        // What is not the same has been told, one by one.
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

    fn finish(&mut self, _totals: &Totals) -> Result<(), Failure> {
        self.add_left_out(None, "cases");
        let mut report = quick_junit::Report::new("host-cli replay");
        report.add_test_suite(std::mem::replace(&mut self.suite, TestSuite::new("replay")));
        let mut text = Vec::new();
        report.serialize(&mut text).map_err(|error| {
            Failure::environment(format_args!("failed to write the JUnit report: {error}"))
        })?;
        (self.print)(&text)
    }
}

fn status(finding: &Finding) -> TestCaseStatus {
    match &finding.verdict {
        Verdict::Same | Verdict::Blessed => TestCaseStatus::success(),
        Verdict::Differs(differing) => {
            let lines: Vec<String> = differing
                .iter()
                .flat_map(|part| {
                    let name = finding.name_of(part.part);
                    let line = |line: String| one_line(&format!("{name} {line}"));
                    let lines: Vec<String> = part.differences().lines().map(line).collect();
                    lines
                })
                .collect();
            failure("differs from what is expected", Some(lines.join("\n")))
        }
        Verdict::ServerError { status, response } => failure(
            &format!("answered with {status}"),
            Some(format!("{response:#}")),
        ),
        Verdict::Refused(reason) => failure(&format!("refused: {reason}"), None),
        Verdict::Unreadable(reason) => failure(&format!("not a request: {reason}"), None),
        Verdict::Encrypted(reason) => failure(&format!("encrypted: {reason}"), None),
        Verdict::Cut => TestCaseStatus::skipped(),
        Verdict::Tape { comparison, .. } => {
            let mut notes: Vec<String> = comparison
                .notes
                .iter()
                .map(|note| one_line(&note.0))
                .collect();
            notes.extend(next_step(finding));
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

/// Of several that a description joins: a text cannot look like another line.
fn one_line(text: &str) -> String {
    printable(text).into_owned()
}

/// How to see more of a request that differs.
fn next_step(finding: &Finding) -> Option<String> {
    let id = finding.shell_id()?;
    Some(format!("`--only {id} --trace` shows its course"))
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
        let findings = [
            Finding {
                is_case: true,
                request: Some(RequestLine {
                    method: "GET".to_owned(),
                    path: "/a".to_owned(),
                }),
                status_expected: Some(200),
                status_actual: Some(404),
                ..Finding::unread(place("cases/a"), Verdict::Differs(vec![differing]))
            },
            Finding {
                is_case: true,
                ..Finding::unread(place("cases/b"), Verdict::Same)
            },
            Finding::unread(place("day.jsonl"), Verdict::Refused("SQS".to_owned())),
        ];
        for finding in &findings {
            report.verdict(finding).unwrap();
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
                    <failure message="differs from what is expected">response.json /status: expected 1, got &quot;&lt;&amp;\u202e&quot;</failure>
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

    fn bad_line(number: u64, verdict: Verdict) -> Finding {
        let place = Place {
            path: Path::new("day.tape").into(),
            line: Some(number),
        };
        Finding::unread(place, verdict)
    }

    /// The document on findings of one file, and the bytes that were kept for it.
    fn reported(findings: impl Iterator<Item = Finding>) -> (String, usize) {
        let mut printed = Vec::new();
        let mut report = Junit::new(|bytes: &[u8]| {
            printed.extend_from_slice(bytes);
            Ok(())
        });
        findings.for_each(|finding| report.verdict(&finding).unwrap());
        report
            .file(Path::new("day.tape"), &Totals::default())
            .unwrap();
        report.finish(&Totals::default()).unwrap();
        let bytes = report.bytes;
        (String::from_utf8(printed).unwrap(), bytes)
    }

    #[test]
    fn lines_that_are_no_request_are_counted_behind_the_first_thousand() {
        let (text, _) = reported((1..=3_000).map(|number| bad_line(number, Verdict::Cut)));
        assert!(
            text.contains(r#"tests="1001" skipped="1001" failures="0""#),
            "{}",
            &text[..300]
        );
        assert!(text.contains("day.tape: and 2000 more lines"));
        let (text, _) = reported((1..=3_000).map(|number| match number % 2 {
            0 => bad_line(number, Verdict::Cut),
            _ => bad_line(number, Verdict::Unreadable("no".to_owned())),
        }));
        assert!(
            text.contains(r#"tests="1001" skipped="500" failures="501""#),
            "{}",
            &text[..300]
        );
        assert!(text.contains("1000 failed that are too many to be listed"));
    }

    #[test]
    fn cases_are_no_lines_and_are_counted_at_the_end() {
        let case = |number: u64| Finding {
            is_case: true,
            ..bad_line(number, Verdict::Refused("SQS".to_owned()))
        };
        let (text, _) = reported((1..=3_000).map(case));
        assert!(
            text.contains(r#"tests="3000" skipped="0" failures="3000""#),
            "{}",
            &text[..300]
        );
        let mut report = Junit::new(|_: &[u8]| Ok(()));
        report.bytes = TESTS_BYTES_MAX + 1;
        report.verdict(&case(1)).unwrap();
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
                Verdict::ServerError {
                    status: 500,
                    response,
                },
            )
        }));
        assert!(bytes < TESTS_BYTES_MAX + (2 << 20), "{bytes}");
        assert!(text.contains("day.tape: and 36 more lines"));
    }
}
