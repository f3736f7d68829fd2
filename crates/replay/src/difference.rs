//! Where two runs differ, less what does not count, and in words.

use super::Playback;
use json::Value;
use observation::{Difference, DifferenceList, IgnoreRule, Mismatch};
use std::collections::BTreeSet;

/// Differences of one kind that are told one by one; further ones are counted.
const TOLD_MAX: usize = 5;
/// Characters of a value that are told.
const VALUE_CHARACTERS_MAX: usize = 80;

/// What does not count.
pub(super) struct Rules<'a> {
    ignore: &'a [IgnoreRule],
    noise: BTreeSet<String>,
    /// Partitions in which keys are made at random.
    noisy_partitions: BTreeSet<String>,
}

impl<'a> Rules<'a> {
    pub(super) fn new(ignore: &'a [IgnoreRule]) -> Self {
        Self {
            ignore,
            noise: BTreeSet::new(),
            noisy_partitions: BTreeSet::new(),
        }
    }

    /// What differed between two runs of one guest differs always.
    pub(super) fn add_noise(&mut self, noise: Option<Differences>) {
        let Some(noise) = noise else {
            return;
        };
        if noise.response.more > 0 {
            // Not all of them are known.
            self.noise.insert("/body".to_owned());
        }
        for difference in noise.response.first {
            self.noise.insert(difference.pointer);
        }
        for write in noise.writes {
            match write {
                WriteDifference::At(_, differences) => {
                    if differences.more > 0 {
                        self.noise.insert("/writes".to_owned());
                    }
                    self.noise.extend(
                        differences
                            .first
                            .into_iter()
                            .map(|difference| difference.pointer),
                    );
                }
                WriteDifference::New(entry) | WriteDifference::Gone(entry) => {
                    self.noisy_partitions.extend(partition(&entry));
                }
            }
        }
    }

    fn counts(&self, place: &str) -> bool {
        let is_noise = self.noise.iter().any(|noise| {
            place
                .strip_prefix(noise.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        !is_noise && !self.ignore.iter().any(|rule| rule.covers(place))
    }
}

/// Where two runs differ.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// In `/status`, `/headers/...` and `/body/...`.
    response: DifferenceList,
    writes: Vec<WriteDifference>,
    fault: Option<String>,
}

#[derive(Debug)]
enum WriteDifference {
    New(Value),
    Gone(Value),
    /// An item is written otherwise; pointers begin with `/writes/N`.
    At(Value, DifferenceList),
}

impl Differences {
    pub(super) fn between(expected: &Playback, actual: &Playback, rules: &Rules<'_>) -> Self {
        let response = Mismatch::between("response", Some(&expected.response), &actual.response)
            .map(|mismatch| mismatch.differences_where(|place| rules.counts(place)))
            .unwrap_or_default();
        let is_told = !response.first.is_empty() && expected.fault != actual.fault;
        Self {
            response,
            writes: write_differences(&expected.writes, &actual.writes, rules),
            fault: actual.fault.clone().filter(|_| is_told),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.response.first.is_empty() && self.writes.is_empty()
    }

    /// In words, one sentence for each thing that changed.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.fault.iter().cloned().collect();
        notes.extend(told(&self.response, |difference| {
            let (place, change) = (&difference.pointer, change(difference));
            match place
                .strip_prefix('/')
                .and_then(|place| place.split_once('/'))
            {
                None => format!("{}: {change}", place.trim_start_matches('/')),
                Some(("headers", name)) => {
                    format!("header `{}`: {change}", name.trim_end_matches("/0"))
                }
                Some((_, _)) => format!("{place}: {change}"),
            }
        }));
        notes.extend(self.writes.iter().flat_map(WriteDifference::notes));
        notes
    }

    /// Both sides in full, equal where differences do not count.
    pub(super) fn mismatches(&self, expected: &Playback, actual: &Playback) -> Vec<Mismatch> {
        let mut mismatches = Vec::new();
        if !self.response.first.is_empty() {
            let first: BTreeSet<&str> = self
                .response
                .first
                .iter()
                .map(|difference| difference.pointer.as_str())
                .collect();
            // Where there are more, those that are known do not stand for all.
            let counts = |place: &str| self.response.more > 0 || first.contains(place);
            let all = Mismatch::between("response", Some(&expected.response), &actual.response);
            mismatches.extend(all.and_then(|mut mismatch| {
                mismatch
                    .without_where(|place| !counts(place))
                    .then_some(mismatch)
            }));
        }
        if !self.writes.is_empty() {
            mismatches.extend(Mismatch::between(
                "writes",
                Some(&expected.writes),
                &actual.writes,
            ));
        }
        mismatches
    }
}

impl WriteDifference {
    fn notes(&self) -> Vec<String> {
        match self {
            Self::New(entry) => vec![format!("new: {}", write_in_words(entry))],
            Self::Gone(entry) => vec![format!("gone: {}", write_in_words(entry))],
            Self::At(entry, differences) => told(differences, |difference| {
                // `/writes/N/put/document/...`
                let place: Vec<&str> = difference.pointer.splitn(4, '/').collect();
                let place = place.get(3).copied().unwrap_or_default();
                let change = change(difference);
                let key = key_in_words(entry);
                if place.starts_with("preconditions") {
                    format!("the write of {key} has another condition: {change}")
                } else {
                    format!("the write of {key}, `/{place}`: {change}")
                }
            }),
        }
    }
}

/// The first few in words, and how many more there are.
fn told(differences: &DifferenceList, tell: impl Fn(&Difference) -> String) -> Vec<String> {
    let first = &differences.first;
    let mut notes: Vec<String> = first.iter().take(TOLD_MAX).map(tell).collect();
    let more = differences.more + first.len().saturating_sub(TOLD_MAX);
    if more > 0 {
        notes.push(format!("and {more} more places"));
    }
    notes
}

fn change(difference: &Difference) -> String {
    let short = |value: &Value| {
        let text = value.to_string();
        match text.char_indices().nth(VALUE_CHARACTERS_MAX) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    };
    match (&difference.expected, &difference.actual) {
        (Some(expected), Some(actual)) => format!("{}, was {}", short(actual), short(expected)),
        (Some(expected), None) => format!("gone, was {}", short(expected)),
        (None, Some(actual)) => format!("new, {}", short(actual)),
        (None, None) => String::new(),
    }
}

fn write_in_words(entry: &Value) -> String {
    let key = key_in_words(entry);
    if entry.get("deleted").is_some() {
        format!("a deletion of {key}")
    } else if entry.get("checked").is_some() {
        format!("a check of {key}")
    } else {
        format!("a write of {key}")
    }
}

fn key_in_words(entry: &Value) -> String {
    let part = |name: &str| entry["key"][name].as_str().unwrap_or_default().to_owned();
    format!("`{}` / `{}`", part("partition"), part("sort"))
}

fn partition(entry: &Value) -> Option<String> {
    entry["key"]["partition"].as_str().map(str::to_owned)
}

/// Pairs writes by their keys. In partitions whose keys are random, what is left is paired in its order.
fn write_differences(expected: &Value, actual: &Value, rules: &Rules<'_>) -> Vec<WriteDifference> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut rest: Vec<Option<Value>> = list(actual).into_iter().map(Some).collect();
    let mut differences = Vec::new();
    let mut unpaired = Vec::new();
    for (number, expected) in list(expected).into_iter().enumerate() {
        let same_key = |entry: &&mut Option<Value>| {
            entry
                .as_ref()
                .is_some_and(|entry| entry["key"] == expected["key"])
        };
        match rest.iter_mut().find(same_key).and_then(Option::take) {
            Some(actual) => differences.extend(paired(number, expected, &actual, rules)),
            None => unpaired.push((number, expected)),
        }
    }
    for (number, mut expected) in unpaired {
        let of =
            partition(&expected).filter(|partition| rules.noisy_partitions.contains(partition));
        let other = of.and_then(|partition| {
            let same = |entry: &&mut Option<Value>| {
                entry
                    .as_ref()
                    .is_some_and(|entry| entry["key"]["partition"] == *partition)
            };
            rest.iter_mut().find(same).and_then(Option::take)
        });
        match other {
            Some(actual) => {
                expected["key"] = actual["key"].clone();
                differences.extend(paired(number, expected, &actual, rules));
            }
            None if rules.counts(&format!("/writes/{number}")) => {
                differences.push(WriteDifference::Gone(expected));
            }
            None => {}
        }
    }
    differences.extend(rest.into_iter().flatten().map(WriteDifference::New));
    differences
}

fn paired(
    number: usize,
    expected: Value,
    actual: &Value,
    rules: &Rules<'_>,
) -> Option<WriteDifference> {
    let mismatch = Mismatch::between("write", Some(&expected), actual)?;
    let base = format!("/writes/{number}");
    let differences = mismatch.differences_below(&base, |place| rules.counts(place));
    (!differences.first.is_empty()).then_some(WriteDifference::At(expected, differences))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn playback(response: Value, writes: Value) -> Playback {
        Playback {
            response,
            writes,
            ..Playback::default()
        }
    }

    fn put(sort: &str, document: Value, precondition: &str) -> Value {
        json!({"key": {"partition": "items", "sort": sort}, "put": {"document": document}, "preconditions": [precondition]})
    }

    fn notes(expected: &Playback, actual: &Playback, ignore: &[&str]) -> Vec<String> {
        let ignore: Vec<IgnoreRule> = ignore.iter().map(|rule| rule.parse().unwrap()).collect();
        Differences::between(expected, actual, &Rules::new(&ignore)).notes()
    }

    #[test]
    fn what_changed_is_said_in_words() {
        let expected = playback(
            json!({"status": 200, "headers": {"etag": ["a"]}, "body": {"name": "lamp", "size": 1}}),
            json!([
                put("a", json!({"n": 1}), "absent"),
                put("b", json!({}), "none")
            ]),
        );
        let actual = playback(
            json!({"status": 201, "headers": {"etag": ["b"]}, "body": {"name": "lamp"}}),
            json!([
                put("a", json!({"n": 2}), "none"),
                put("c", json!({}), "none")
            ]),
        );
        assert_eq!(
            notes(&expected, &actual, &[]),
            [
                "/body/size: gone, was 1",
                "header `etag`: \"b\", was \"a\"",
                "status: 201, was 200",
                "the write of `items` / `a` has another condition: \"none\", was \"absent\"",
                "the write of `items` / `a`, `/put/document/n`: 2, was 1",
                "gone: a write of `items` / `b`",
                "new: a write of `items` / `c`",
            ]
        );
    }

    #[test]
    fn what_a_rule_covers_does_not_count() {
        let expected = playback(
            json!({"status": 200, "headers": {"date": ["a"]}, "body": {"at": 1}}),
            json!([put("a", json!({"at": 1}), "none")]),
        );
        let actual = playback(
            json!({"status": 200, "headers": {"date": ["b"]}, "body": {"at": 2}}),
            json!([put("a", json!({"at": 2}), "none")]),
        );
        let rules = ["header:date", "/body/at", "/writes/*/put/document/at"];
        assert_eq!(notes(&expected, &actual, &rules), [""; 0]);
        assert_eq!(notes(&expected, &actual, &rules[1..]).len(), 1);
        // The diff shows what counts only.
        let rule = ["/body/at".parse().unwrap()];
        let differences = Differences::between(&expected, &actual, &Rules::new(&rule));
        let mismatch = &differences.mismatches(&expected, &actual)[0];
        assert_eq!(mismatch.actual["body"]["at"], 1);
        assert_eq!(mismatch.actual["headers"]["date"][0], "b");
    }

    #[test]
    fn noise_of_one_guest_does_not_count_for_another() {
        let run = |id: &str, name: &str| {
            playback(
                json!({"status": 201, "headers": {"location": [id]}, "body": {"id": id, "name": name}}),
                json!([put(id, json!({"id": id, "name": name}), "absent")]),
            )
        };
        let noise = Differences::between(&run("1", "x"), &run("2", "x"), &Rules::new(&[]));
        let mut rules = Rules::new(&[]);
        rules.add_noise(Some(noise));
        let notes =
            |actual: &Playback| Differences::between(&run("1", "x"), actual, &rules).notes();
        // A random key is noise; so is what hangs on it only where it was seen to differ.
        assert_eq!(notes(&run("1", "x")), [""; 0]);
        assert!(notes(&run("3", "y")).contains(&"/body/name: \"y\", was \"x\"".to_owned()));
        assert!(
            !notes(&run("3", "y"))
                .iter()
                .any(|note| note.contains("new:"))
        );
    }
}
