//! Compares the course of a run, which is not part of its effect: storage calls, log lines, and cost.

use super::{
    difference::DifferingPart,
    observation::{Observation, ObservedCall, Part},
};
use json::{self, Value};
use std::collections::HashMap;

/// Characters of a call or log line in a sentence.
const LINE_CHARACTERS_MAX: usize = 120;
/// The part of a call's arguments that is written or required, as opposed to the item's key.
const WRITTEN: [&str; 4] = ["document", "precondition", "index", "expires_at"];

/// Calls or log lines that differ from the expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct CourseChange {
    /// Both sides in full.
    pub part: DifferingPart,
    /// The change, in a sentence.
    pub note: String,
}

/// How the storage calls changed; `None` if they are equal, or not known for both runs.
pub fn calls_change(expected: &Observation, actual: &Observation) -> Option<CourseChange> {
    let texts = |calls: &[ObservedCall]| calls.iter().map(ObservedCall::to_string).collect();
    let (expected, actual) = (expected.calls.as_ref()?, actual.calls.as_ref()?);
    let change = || change(Part::Calls, texts(expected), texts(actual));
    (expected != actual).then(change)
}

/// How the log lines changed; `None` if they are equal, or not known for both runs.
pub fn logs_change(expected: &Observation, actual: &Observation) -> Option<CourseChange> {
    let (expected, actual) = (expected.logs.as_ref()?, actual.logs.as_ref()?);
    let change = || change(Part::Logs, expected.clone(), actual.clone());
    (expected != actual).then(change)
}

/// Whether two runs called the same functions for the same items, whatever they wrote.
pub fn has_same_outline(expected: &Observation, actual: &Observation) -> bool {
    let outlines = |observation: &Observation| -> Vec<_> {
        let calls = observation.calls.iter().flatten();
        calls
            .map(|call| {
                let arguments = json::value(call.arguments.as_bytes());
                let mut arguments = arguments.unwrap_or_default();
                strip_written(&mut arguments);
                (call.function, arguments)
            })
            .collect()
    };
    outlines(expected) == outlines(actual)
}

fn strip_written(arguments: &mut Value) {
    match arguments {
        Value::Object(members) => {
            for name in WRITTEN {
                members.remove(name);
            }
            members.values_mut().for_each(strip_written);
        }
        Value::Array(elements) => elements.iter_mut().for_each(strip_written),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A sentence for each cost of a run that is more than `ratio_max` times the expected one.
pub fn cost_notes(expected: &Observation, actual: &Observation, ratio_max: f64) -> Vec<String> {
    let (expected, actual) = (expected.cost, actual.cost);
    let bytes = |bytes: Option<usize>| bytes.map(|bytes| bytes as u64);
    let costs = [
        ("work", expected.work, actual.work),
        (
            "memory",
            bytes(expected.memory_bytes_peak),
            bytes(actual.memory_bytes_peak),
        ),
    ];
    let note = |(what, expected, actual): (&str, Option<u64>, Option<u64>)| {
        let (expected, actual) = (expected?, actual?);
        let ratio = actual as f64 / expected as f64;
        (expected > 0 && ratio > ratio_max)
            .then(|| format!("it takes {ratio:.1} times the {what}: {actual}, was {expected}"))
    };
    costs.into_iter().filter_map(note).collect()
}

fn change(part: Part, expected: Vec<String>, actual: Vec<String>) -> CourseChange {
    CourseChange {
        note: sentence(part.name(), &expected, &actual),
        part: DifferingPart {
            part,
            expected: Some(expected.into()),
            actual: actual.into(),
        },
    }
}

/// How a list of calls or log lines changed.
fn sentence(what: &str, expected: &[String], actual: &[String]) -> String {
    let (new, gone) = (beyond(actual, expected), beyond(expected, actual));
    if new.is_empty() && gone.is_empty() {
        return format!("the same {what} occur in another order");
    }
    let mut parts = Vec::new();
    for (label, list) in [("new", new), ("gone", gone)] {
        if let Some(first) = list.first() {
            let first: String = first.chars().take(LINE_CHARACTERS_MAX).collect();
            parts.push(match list.len() - 1 {
                0 => format!("{label}: `{first}`"),
                more => format!("{label}: `{first}` and {more} more"),
            });
        }
    }
    format!("the {what} changed: {}", parts.join("; "))
}

/// What `these` have in addition to `those`.
fn beyond<'a>(these: &'a [String], those: &[String]) -> Vec<&'a String> {
    let mut counts: HashMap<&String, usize> = HashMap::new();
    for one in those {
        *counts.entry(one).or_default() += 1;
    }
    let is_more = |one: &&String| match counts.get_mut(*one) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        Some(_) | None => true,
    };
    these.iter().filter(is_more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::StorageFunction;

    fn logs(lines: &[&str]) -> Observation {
        Observation {
            logs: Some(lines.iter().map(|line| (*line).to_owned()).collect()),
            ..Observation::default()
        }
    }

    #[test]
    fn how_lines_changed_is_one_sentence() {
        let note = |expected: &[&str], actual: &[&str]| {
            logs_change(&logs(expected), &logs(actual)).map(|change| change.note)
        };
        assert_eq!(note(&["a", "b"], &["a", "b"]), None);
        for (expected, actual, sentence) in [
            (
                &["a", "b"][..],
                &["b", "a"][..],
                "the same logs occur in another order",
            ),
            (
                &["a"],
                &["a", "a", "c"],
                "the logs changed: new: `a` and 1 more",
            ),
            (
                &["a", "b"],
                &["c"],
                "the logs changed: new: `c`; gone: `a` and 1 more",
            ),
        ] {
            assert_eq!(note(expected, actual).as_deref(), Some(sentence));
        }
        // Unknown costs are not compared.
        assert_eq!(logs_change(&logs(&["a"]), &Observation::default()), None);
    }

    #[test]
    fn the_outline_of_calls_leaves_out_what_is_written() {
        let put = |arguments: &str| Observation {
            calls: Some(vec![ObservedCall {
                function: StorageFunction::Put,
                arguments: arguments.to_owned(),
            }]),
            ..Observation::default()
        };
        let one = put(r#"{"key":{"sort":"a"},"document":{"n":1},"precondition":"absent"}"#);
        let other = put(r#"{"key":{"sort":"a"},"document":{"n":2}}"#);
        let elsewhere = put(r#"{"key":{"sort":"b"},"document":{"n":1}}"#);
        assert!(has_same_outline(&one, &other) && !has_same_outline(&one, &elsewhere));
        assert!(calls_change(&one, &other).is_some() && calls_change(&one, &one).is_none());
    }

    #[test]
    fn a_cost_is_told_where_it_is_more_than_allowed_and_known_of_both() {
        let cost = |work, memory_bytes_peak| {
            let mut observation = Observation::default();
            observation.cost.work = work;
            observation.cost.memory_bytes_peak = memory_bytes_peak;
            observation
        };
        let expected = cost(Some(100), Some(1000));
        let notes = |actual: Observation| cost_notes(&expected, &actual, 2.0);
        assert_eq!(notes(cost(Some(200), None)), [""; 0]);
        assert_eq!(
            notes(cost(Some(250), Some(3000))),
            [
                "it takes 2.5 times the work: 250, was 100",
                "it takes 3.0 times the memory: 3000, was 1000"
            ]
        );
        assert_eq!(
            cost_notes(&cost(Some(0), None), &cost(Some(9), None), 2.0),
            [""; 0]
        );
    }
}
