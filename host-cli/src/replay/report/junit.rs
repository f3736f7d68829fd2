//! The outcome for CI systems: JUnit XML. A test for each case, for each file of events, and for each event that differs.

use super::{Report, Totals, Verdict, json::name};
use crate::{exit::Failure, replay::input::Place};
use host_core::{replay::Difference, tape::replay as tape};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::path::Path;

/// Collects, and prints at the end: the format wants its counts first.
pub struct Junit<P> {
    print: P,
    suite: TestSuite,
}

impl<P: FnMut(&[u8]) -> Result<(), Failure>> Junit<P> {
    /// Passes the whole document to `print`.
    pub fn new(print: P) -> Self {
        Self {
            print,
            suite: TestSuite::new("replay"),
        }
    }

    fn add(&mut self, name: &str, class: &str, status: TestCaseStatus) {
        let mut test = TestCase::new(name, status);
        test.set_classname(class);
        self.suite.add_test_case(test);
    }
}

impl<P: FnMut(&[u8]) -> Result<(), Failure>> Report for Junit<P> {
    fn verdict(&mut self, place: &Place, is_case: bool, verdict: &Verdict) -> Result<(), Failure> {
        let class = match verdict {
            Verdict::Tape { .. } | Verdict::Unreadable(_) | Verdict::Cut => "request",
            _ if is_case => "case",
            _ => "event",
        };
        let name = match verdict {
            Verdict::Tape { id, .. } => format!("{place} {id}"),
            _ => place.to_string(),
        };
        self.add(&name, class, status(verdict));
        Ok(())
    }

    fn file(&mut self, path: &Path, totals: &Totals) -> Result<(), Failure> {
        let status = if totals.is_clean() {
            TestCaseStatus::success()
        } else {
            let (count, what) = match totals.requests {
                0 => (totals.events, "events"),
                requests => (requests, "requests"),
            };
            let unexpected = count - totals.same - totals.equal_in_effect;
            failure(
                &format!("{unexpected} of {count} {what} are not as expected"),
                None,
            )
        };
        let class = if totals.requests > 0 {
            "requests"
        } else {
            "events"
        };
        self.add(&path.to_string_lossy(), class, status);
        Ok(())
    }

    fn finish(&mut self, _totals: &Totals) -> Result<(), Failure> {
        let mut report = quick_junit::Report::new("host-cli replay");
        report.add_test_suite(self.suite.clone());
        let mut text = Vec::new();
        report.serialize(&mut text).map_err(|error| {
            Failure::environment(format_args!("failed to write the JUnit report: {error}"))
        })?;
        (self.print)(&text)
    }
}

fn status(verdict: &Verdict) -> TestCaseStatus {
    match verdict {
        Verdict::Same | Verdict::Blessed => TestCaseStatus::success(),
        Verdict::Differs(mismatches) => {
            let lines: Vec<String> = mismatches
                .iter()
                .flat_map(|mismatch| {
                    let line = |difference: Difference| format!("{}{difference}", mismatch.file);
                    mismatch.differences().into_iter().map(line)
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
        Verdict::Cut => TestCaseStatus::skipped(),
        Verdict::Tape { comparison, .. } => {
            let notes: Vec<&str> = comparison
                .notes
                .iter()
                .map(|note| note.0.as_str())
                .collect();
            match comparison.verdict {
                tape::Verdict::Same | tape::Verdict::EqualInEffect => TestCaseStatus::success(),
                verdict @ (tape::Verdict::Differs
                | tape::Verdict::Redacted
                | tape::Verdict::Unplayable) => failure(name(verdict), Some(notes.join("\n"))),
            }
        }
    }
}

fn failure(message: &str, description: Option<String>) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message);
    if let Some(description) = description {
        status.set_description(description);
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use host_core::replay::Mismatch;
    use serde_json::json;

    #[test]
    fn each_difference_is_a_failed_test() {
        let mut printed = Vec::new();
        let mut report = Junit::new(|bytes: &[u8]| {
            printed.extend_from_slice(bytes);
            Ok(())
        });
        let place = Place {
            path: Path::new("cases/a").into(),
            line: None,
        };
        let mismatch = Mismatch {
            file: "response.json",
            expected: Some(json!({"x": 1})),
            actual: json!({"x": "<&"}),
        };
        report
            .verdict(&place, true, &Verdict::Differs(vec![mismatch]))
            .unwrap();
        report.verdict(&place, true, &Verdict::Same).unwrap();
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
        <testsuites name="host-cli replay" tests="3" skipped="0" failures="2" errors="0">
            <testsuite name="replay" tests="3" skipped="0" errors="0" failures="2">
                <testcase name="cases/a" classname="case">
                    <failure message="differs from what is expected">response.json/x: expected 1, got &quot;&lt;&amp;&quot;</failure>
                </testcase>
                <testcase name="cases/a" classname="case"/>
                <testcase name="day.jsonl" classname="events">
                    <failure message="1 of 3 events are not as expected"/>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }
}
