//! The report for programs: one JSON object, written as it is produced, so that a long replay needs no memory for it.
//!
//! `{"differences": [{"path", "line"?, "verdict", ...}], "cases", "events", "same", "blessed", "differing", "server_errors", "refused",
//! "requests", "equal_in_effect", "redacted", "unplayable", "unreadable", "encrypted", "cut", "failed_inputs"}`; `verdict` is `differs`
//! (with `mismatches`: `file` and its `differences`, each with `pointer`, `item` (`partition` and `sort`, if the place is in an item),
//! `expected` and `actual`, absent if there is no value, and `more` if there are more than 1,000 or more than 1 MiB of them), `server-error` (with `status` and `response`), `refused` or `unreadable` (with
//! `reason`), `encrypted` (with `reason`), or `cut`. If method and path are known, `request` has them with `status_expected` and
//! `status_actual`. Requests of tapes also have their `id` and `notes`, and the verdicts `differs`, `equal-in-effect`, `redacted` and
//! `unplayable`. `failed_inputs` says, in one sentence each, which inputs could not be read or run completely.

use super::{EntryVerdict, FailedInputs, Report, ReportEntry, Totals};
use crate::exit::CommandError;
use contract::text::printable;
use observation::{Difference, DifferenceList, DifferingPart, ItemKey};
use replay as tape;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Bytes of the differences of one part that are listed, their pointers and values; the first is listed however long it is.
const PART_BYTES_MAX: usize = 1 << 20;

/// Prints immediately.
pub struct Json<P> {
    print: P,
    is_first: bool,
    failed: FailedInputs,
}

impl<P: FnMut(&[u8]) -> Result<(), CommandError>> Json<P> {
    /// Passes the pieces of the object to `print`.
    pub fn new(print: P) -> Self {
        Self {
            print,
            is_first: true,
            failed: FailedInputs::default(),
        }
    }
}

impl<P: FnMut(&[u8]) -> Result<(), CommandError>> Report for Json<P> {
    fn entry(&mut self, reported: &ReportEntry) -> Result<(), CommandError> {
        let detail = match &reported.verdict {
            EntryVerdict::Same | EntryVerdict::Blessed => return Ok(()),
            EntryVerdict::Differs(differing) => {
                json!({"verdict": "differs", "mismatches": mismatches(reported, differing)})
            }
            EntryVerdict::ServerError { status, response } => {
                json!({"verdict": "server-error", "status": status, "response": response})
            }
            EntryVerdict::Refused(reason) => json!({"verdict": "refused", "reason": reason}),
            EntryVerdict::Unreadable(reason) => json!({"verdict": "unreadable", "reason": reason}),
            EntryVerdict::Encrypted(reason) => json!({"verdict": "encrypted", "reason": reason}),
            EntryVerdict::Cut => json!({"verdict": "cut"}),
            EntryVerdict::Tape { id, comparison, .. } => {
                let mismatches = mismatches(reported, &comparison.differing);
                let notes: Vec<&str> = comparison
                    .notes
                    .iter()
                    .map(|note| note.text.as_str())
                    .collect();
                json!({"verdict": name(comparison.verdict), "id": id, "notes": notes, "mismatches": mismatches})
            }
        };
        let place = &reported.place;
        let mut entry = Map::new();
        entry.insert("path".to_owned(), place.path.to_string_lossy().into());
        if let Some(line) = place.line {
            entry.insert("line".to_owned(), line.into());
        }
        if let Some(request) = &reported.request {
            let mut members = Map::new();
            members.insert("method".to_owned(), request.method.as_str().into());
            members.insert("path".to_owned(), request.path.as_str().into());
            for (name, status) in [
                ("status_expected", reported.status_expected),
                ("status_actual", reported.status_actual),
            ] {
                if let Some(status) = status {
                    members.insert(name.to_owned(), status.into());
                }
            }
            entry.insert("request".to_owned(), members.into());
        }
        if let Value::Object(detail) = detail {
            entry.extend(detail);
        }
        let start = if self.is_first {
            "{\"differences\":[\n"
        } else {
            ",\n"
        };
        self.is_first = false;
        // The same JSON, without terminal control characters.
        let entry = Value::Object(entry).to_string();
        (self.print)(format!("{start}{}", printable(&entry)).as_bytes())
    }

    fn failed(&mut self, reason: &str) -> Result<(), CommandError> {
        self.failed.add(reason);
        Ok(())
    }

    fn file(&mut self, _path: &Path, _totals: &Totals) -> Result<(), CommandError> {
        Ok(())
    }

    fn finish(&mut self, totals: &Totals) -> Result<(), CommandError> {
        let start = if self.is_first {
            "{\"differences\":["
        } else {
            ""
        };
        let Totals {
            cases,
            events,
            same,
            blessed,
            differing,
            server_errors,
            refused,
            requests,
            equal_in_effect,
            redacted,
            unplayable,
            unreadable,
            encrypted,
            cut,
        } = totals;
        let failed_inputs: Vec<String> = self.failed.lines().collect();
        let failed_inputs = json!(failed_inputs).to_string();
        let failed_inputs = printable(&failed_inputs);
        let text = format!(
            "{start}],\n\"cases\":{cases},\"events\":{events},\"same\":{same},\"blessed\":{blessed},\
             \"differing\":{differing},\"server_errors\":{server_errors},\"refused\":{refused},\
             \"requests\":{requests},\"equal_in_effect\":{equal_in_effect},\"redacted\":{redacted},\
             \"unplayable\":{unplayable},\"unreadable\":{unreadable},\"encrypted\":{encrypted},\"cut\":{cut},\"failed_inputs\":{failed_inputs}}}\n"
        );
        (self.print)(text.as_bytes())
    }
}

/// The name of a verdict.
pub(super) fn name(verdict: tape::Verdict) -> &'static str {
    match verdict {
        tape::Verdict::Same => "same",
        tape::Verdict::EqualInEffect => "equal-in-effect",
        tape::Verdict::Differs => "differs",
        tape::Verdict::Redacted => "redacted",
        tape::Verdict::Unplayable => "unplayable",
    }
}

/// Parts that differ, each with its places.
fn mismatches(reported: &ReportEntry, differing: &[DifferingPart]) -> Vec<Value> {
    let entry = |part: &DifferingPart| {
        let DifferenceList {
            mut first,
            mut more,
        } = part.differences();
        let kept = within_bound(&first);
        more += first.len() - kept;
        first.truncate(kept);
        let differences: Vec<Value> = first.into_iter().map(difference).collect();
        let mut entry = json!({"file": reported.name_of(part.part), "differences": differences});
        if more > 0 {
            entry["more"] = more.into();
        }
        entry
    };
    differing.iter().map(entry).collect()
}

/// How many differences are listed, at least one.
fn within_bound(differences: &[Difference]) -> usize {
    let mut bytes = 0;
    let bytes_of = |difference: &Difference| {
        let values = [&difference.expected, &difference.actual];
        let values = values.into_iter().flatten();
        let values: usize = values.map(|value| value.to_string().len()).sum();
        difference.pointer.len() + values
    };
    let is_within = |difference: &&Difference| {
        bytes += bytes_of(difference);
        bytes <= PART_BYTES_MAX
    };
    let within = differences.iter().take_while(is_within).count();
    within.max(1).min(differences.len())
}

fn difference(difference: Difference) -> Value {
    let mut entry = Map::new();
    entry.insert("pointer".to_owned(), difference.pointer.into());
    if let Some(ItemKey { partition, sort }) = difference.item {
        let item = json!({"partition": partition, "sort": sort});
        entry.insert("item".to_owned(), item);
    }
    for (name, value) in [
        ("expected", difference.expected),
        ("actual", difference.actual),
    ] {
        if let Some(value) = value {
            entry.insert(name.to_owned(), value);
        }
    }
    Value::Object(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::input::Place;
    use observation::{Part, RequestLine};

    fn rendered(verdicts: &[EntryVerdict]) -> Value {
        let mut printed = Vec::new();
        let mut report = Json::new(|bytes: &[u8]| {
            printed.extend_from_slice(bytes);
            Ok(())
        });
        let place = Place {
            path: Path::new("day.jsonl").into(),
            line: Some(2),
        };
        let mut totals = Totals::default();
        for verdict in verdicts {
            totals.add(verdict);
            let request = RequestLine {
                method: "PUT".to_owned(),
                path: "/a\u{202e}b".to_owned(),
            };
            let reported = ReportEntry {
                request: Some(request),
                status_expected: Some(201),
                ..ReportEntry::unread(place.clone(), verdict.clone())
            };
            report.entry(&reported).unwrap();
        }
        report.finish(&totals).unwrap();
        assert!(!String::from_utf8_lossy(&printed).contains('\u{202e}'));
        serde_json::from_slice(&printed).unwrap()
    }

    #[test]
    fn the_differences_of_one_part_have_a_bound() {
        let long = "x".repeat(PART_BYTES_MAX / 8);
        let members = |last: &str| -> Value {
            let members = ["a", "b", "c", "d", "e", "f"];
            let member = |name: &str| (name.to_owned(), format!("{long}{last}").into());
            members
                .into_iter()
                .map(member)
                .collect::<Map<_, _>>()
                .into()
        };
        let differing = DifferingPart {
            part: Part::Outgoing,
            expected: Some(members("1")),
            actual: members("2"),
        };
        let report = rendered(&[EntryVerdict::Differs(vec![differing])]);
        let mismatch = &report["differences"][0]["mismatches"][0];
        assert_eq!(mismatch["differences"].as_array().unwrap().len(), 3);
        assert_eq!(mismatch["more"], 3);
    }

    #[test]
    fn it_is_one_object_with_and_without_differences() {
        assert_eq!(rendered(&[])["differences"], json!([]));
        let differing = DifferingPart {
            part: Part::Response,
            expected: Some(json!({"a": null})),
            actual: json!({"b": 1}),
        };
        let report = rendered(&[
            EntryVerdict::Same,
            EntryVerdict::Differs(vec![differing]),
            EntryVerdict::Refused("x".into()),
        ]);
        assert_eq!(report["same"], 1);
        assert_eq!(report["refused"], 1);
        assert_eq!(
            report["differences"][0],
            json!({"path": "day.jsonl", "line": 2, "verdict": "differs", "request": {"method": "PUT", "path": "/a\u{202e}b", "status_expected": 201}, "mismatches": [{
                "file": "response",
                "differences": [{"pointer": "/a", "expected": null}, {"pointer": "/b", "actual": 1}],
            }]})
        );
        assert_eq!(report["differences"][1]["reason"], "x");
        assert_eq!(report["failed_inputs"], json!([]));
    }
}
