//! Any bytes as the files of a case: either a case whose entries a store returns unchanged and whose expectation can be compared, or an
//! error, never a panic.
#![no_main]

use observation::{
    AFTER_FILE, BEFORE_FILE, Case, DIFFERENCES_MAX, DifferingPart, INPUTS_FILE, IgnoreRule,
    Ignored, Part, RESPONSE_FILE, normal_response,
};
use serde_json::Value;
use std::path::Path;
use storage::{Entry, Namespace, Snapshot, memory::MemoryStorage};

/// Form feed separates the files: JSON never contains it, and text files may.
const SEPARATOR: u8 = 0x0c;

// Event, `before.json`, `response.json`, `after.json`, ignore rules, one per line, and `inputs.json`.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut files = bytes.split(|byte| *byte == SEPARATOR);
    let event = files.next().unwrap_or_default();
    let [before, response, after, rules, inputs] = std::array::from_fn(|_| files.next());
    let case = Case::from_files(Path::new("case"), event.to_owned(), |name| {
        let bytes = match name {
            BEFORE_FILE => before,
            RESPONSE_FILE => response,
            AFTER_FILE => after,
            INPUTS_FILE => inputs,
            _ => None,
        };
        Ok(bytes.map(<[u8]>::to_owned))
    });
    let Ok(case) = case else {
        return;
    };
    let rules = String::from_utf8_lossy(rules.unwrap_or_default());
    let rules: Vec<IgnoreRule> = rules
        .lines()
        .filter_map(|rule| rule.parse().ok())
        .take(8)
        .collect();
    let response = case.response.clone().map(normal_response);
    compare(Part::Response, response.as_ref(), &case.before, &rules);
    let Ok(entries) = case.entries_before() else {
        return;
    };
    let stored = Value::Array(stored(entries));
    compare(Part::Stored, case.after.as_ref(), &stored, &rules);
    // The contents of a store can be the initial state of the next case.
    let text = stored.to_string().into_bytes();
    let next = Case::from_files(Path::new("next"), b"{}".to_vec(), |name| {
        Ok((name == BEFORE_FILE).then(|| text.clone()))
    });
    let again = next.and_then(|next| next.entries_before());
    assert_eq!(Value::Array(self::stored(again.expect("entries"))), stored);
});

/// The contents of a store that was filled with these entries.
fn stored(entries: Vec<Entry>) -> Vec<Value> {
    let (store, namespace) = (MemoryStorage::new(), Namespace::local());
    store
        .load_namespace(&namespace, entries)
        .and_then(|()| store.namespace_entries(&namespace, 0))
        .expect("what memory stores")
        .iter()
        .map(|entry| entry.to_value().expect("a document that was read"))
        .collect()
}

/// Compares as a replay does.
fn compare(part: Part, expected: Option<&Value>, actual: &Value, rules: &[IgnoreRule]) {
    let compared = |rules| {
        let (ignored, actual) = (Ignored::by(rules), actual.clone());
        match expected {
            Some(expected) => DifferingPart::of(part, expected.clone(), actual, &ignored),
            None => DifferingPart::unexpected(part, actual, &ignored),
        }
    };
    let Some(differing) = compared(&[]) else {
        return;
    };
    let list = differing.differences();
    assert!((1..=DIFFERENCES_MAX).contains(&list.first.len()));
    assert!(list.lines().all(|line| !line.is_empty()));
    if let Some(differing) = compared(rules) {
        for difference in differing.differences().first {
            let is_covered = rules.iter().any(|rule| rule.covers(&difference.pointer));
            assert!(!is_covered, "{difference}");
        }
    }
}
