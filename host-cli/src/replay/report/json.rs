//! The outcome for programs: one JSON object, written as it comes, so that a long replay needs no memory for it.
//!
//! `{"differences": [{"path", "line"?, "verdict", ...}], "cases", "events", "same", "blessed", "differing", "server_errors",
//! "refused", "requests", "equal_in_effect", "redacted", "unplayable", "unreadable", "cut"}`; `verdict` is `differs` (with `mismatches`: `file` and its `differences`, each with `pointer`, `expected` and
//! `actual`, absent where there is nothing), `server-error` (with `status` and `response`), `refused` or `unreadable` (with `reason`), or
//! `cut`. Requests of tapes have their `id` and `notes` in words as well, and the verdicts `differs`, `equal-in-effect`, `redacted` and
//! `unplayable`.

use super::{Report, Totals, Verdict};
use crate::{exit::Failure, replay::input::Place};
use host_core::{
    replay::{Difference, Mismatch},
    tape::replay as tape,
};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Prints as it goes.
pub struct Json<P> {
    print: P,
    is_first: bool,
}

impl<P: FnMut(&[u8]) -> Result<(), Failure>> Json<P> {
    /// Passes the pieces of the object to `print`.
    pub fn new(print: P) -> Self {
        Self {
            print,
            is_first: true,
        }
    }
}

impl<P: FnMut(&[u8]) -> Result<(), Failure>> Report for Json<P> {
    fn verdict(&mut self, place: &Place, _is_case: bool, verdict: &Verdict) -> Result<(), Failure> {
        let detail = match verdict {
            Verdict::Same | Verdict::Blessed => return Ok(()),
            Verdict::Differs(mismatches) => {
                let mismatches: Vec<Value> = mismatches.iter().map(mismatch).collect();
                json!({"verdict": "differs", "mismatches": mismatches})
            }
            Verdict::ServerError { status, response } => {
                json!({"verdict": "server-error", "status": status, "response": response})
            }
            Verdict::Refused(reason) => json!({"verdict": "refused", "reason": reason}),
            Verdict::Unreadable(reason) => json!({"verdict": "unreadable", "reason": reason}),
            Verdict::Cut => json!({"verdict": "cut"}),
            Verdict::Tape { id, comparison, .. } => {
                let mismatches: Vec<Value> = comparison.mismatches.iter().map(mismatch).collect();
                let notes: Vec<&str> = comparison
                    .notes
                    .iter()
                    .map(|note| note.0.as_str())
                    .collect();
                json!({"verdict": name(comparison.verdict), "id": id, "notes": notes, "mismatches": mismatches})
            }
        };
        let mut entry = Map::new();
        entry.insert("path".to_owned(), place.path.to_string_lossy().into());
        if let Some(line) = place.line {
            entry.insert("line".to_owned(), line.into());
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
        (self.print)(format!("{start}{}", Value::Object(entry)).as_bytes())
    }

    fn file(&mut self, _path: &Path, _totals: &Totals) -> Result<(), Failure> {
        Ok(())
    }

    fn finish(&mut self, totals: &Totals) -> Result<(), Failure> {
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
            cut,
        } = totals;
        let text = format!(
            "{start}],\n\"cases\":{cases},\"events\":{events},\"same\":{same},\"blessed\":{blessed},\
             \"differing\":{differing},\"server_errors\":{server_errors},\"refused\":{refused},\
             \"requests\":{requests},\"equal_in_effect\":{equal_in_effect},\"redacted\":{redacted},\
             \"unplayable\":{unplayable},\"unreadable\":{unreadable},\"cut\":{cut}}}\n"
        );
        (self.print)(text.as_bytes())
    }
}

/// A verdict in one word.
pub(super) fn name(verdict: tape::Verdict) -> &'static str {
    match verdict {
        tape::Verdict::Same => "same",
        tape::Verdict::EqualInEffect => "equal-in-effect",
        tape::Verdict::Differs => "differs",
        tape::Verdict::Redacted => "redacted",
        tape::Verdict::Unplayable => "unplayable",
    }
}

fn mismatch(mismatch: &Mismatch) -> Value {
    let differences: Vec<Value> = mismatch.differences().into_iter().map(difference).collect();
    json!({"file": mismatch.file, "differences": differences})
}

fn difference(difference: Difference) -> Value {
    let mut entry = Map::new();
    entry.insert("pointer".to_owned(), difference.pointer.into());
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

    fn rendered(verdicts: &[Verdict]) -> Value {
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
            report.verdict(&place, false, verdict).unwrap();
        }
        report.finish(&totals).unwrap();
        serde_json::from_slice(&printed).unwrap()
    }

    #[test]
    fn it_is_one_object_with_and_without_differences() {
        assert_eq!(rendered(&[])["differences"], json!([]));
        let mismatch = Mismatch {
            file: "response.json",
            expected: Some(json!({"a": null})),
            actual: json!({"b": 1}),
        };
        let report = rendered(&[
            Verdict::Same,
            Verdict::Differs(vec![mismatch]),
            Verdict::Refused("x".into()),
        ]);
        assert_eq!(report["same"], 1);
        assert_eq!(report["refused"], 1);
        assert_eq!(
            report["differences"][0],
            json!({"path": "day.jsonl", "line": 2, "verdict": "differs", "mismatches": [{
                "file": "response.json",
                "differences": [{"pointer": "/a", "expected": null}, {"pointer": "/b", "actual": 1}],
            }]})
        );
        assert_eq!(report["differences"][1]["reason"], "x");
    }
}
