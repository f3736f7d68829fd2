//! What is changed on a tape does not replay strictly, and is found where it is.

use super::strict::{recorded_cases, replay, replayer, with};
use crate::support::{
    guests::{HOSTILE, REFERENCE},
    in_process::{NOW_MS, memory_service, runtime},
    recording::{event, http_event, recorder},
};
use contract::{limits::Limits, seed::Seed};
use replay::{Mode, Verdict};
use serde_json::{Value, json};
use tape::Exchange;

/// Leaves of a value: pointers to everything that is not an object or an array.
fn leaves(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                leaves(
                    value,
                    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                leaves(value, format!("{pointer}/{index}"), found);
            }
        }
        _ => found.push(pointer),
    }
}

/// Another value, of the same type if possible.
fn other(value: &Value, pointer: &str) -> Value {
    match value {
        Value::String(text) => match text.as_str() {
            "strong" => "eventual".into(),
            "eventual" => "strong".into(),
            "ascending" => "descending".into(),
            "descending" => "ascending".into(),
            "none" | "absent" if pointer.ends_with("precondition") => "present".into(),
            "present" => "absent".into(),
            "all" => json!({"prefix": "x"}),
            text => format!("{text}x").into(),
        },
        Value::Number(number) => (number.as_u64().unwrap_or(1) + 1).into(),
        Value::Bool(value) => (!value).into(),
        _ => json!({"document": {"name": "planted"}, "revision": "r"}),
    }
}

#[tokio::test]
async fn every_change_of_arguments_results_time_or_seed_is_found_and_placed() {
    let runtime = runtime(REFERENCE, Limits::default());
    let strict = replayer(&runtime, Mode::Strict);
    let (mut count, mut unnoticed) = (0, Vec::new());
    for (name, line) in recorded_cases("changes", &runtime, &recorder()).await {
        if name.ends_with("redb") || Exchange::read(&line).unwrap().is_redacted() {
            continue;
        }
        let text = str::from_utf8(&line).unwrap();
        let original: Value = serde_json::from_str(text).unwrap();
        for (number, call) in original["calls"].as_array().unwrap().iter().enumerate() {
            let mut pointers = Vec::new();
            leaves(
                &call["arguments"],
                format!("/calls/{number}/arguments"),
                &mut pointers,
            );
            leaves(
                &call["result"],
                format!("/calls/{number}/result"),
                &mut pointers,
            );
            for pointer in pointers {
                let leaf = original.pointer(&pointer).unwrap();
                let changed = with(text, &pointer, &other(leaf, &pointer));
                let comparison = replay(&strict, changed.as_bytes()).await;
                if comparison.verdict == Verdict::Same {
                    unnoticed.push(format!("{name}: {pointer}"));
                    continue;
                }
                let note = &comparison.notes[0].text;
                if pointer.contains("/arguments/") {
                    assert!(
                        note.contains(&format!("call {}", number + 1)),
                        "{name}: {pointer}: {note}"
                    );
                }
                assert!(!note.is_empty());
                count += 1;
            }
        }
    }
    assert_eq!(unnoticed, [""; 0]);
    assert!(count > 300, "only {count} changes were tried");
}

#[tokio::test]
async fn another_time_or_seed_is_found() {
    let runtime = runtime(REFERENCE, Limits::default());
    let service = memory_service(&runtime);
    let strict = replayer(&runtime, Mode::Strict);
    let headers = [("content-type", "application/json")];
    let put = http_event("PUT", "/items/a", &headers, br#"{"name":"lamp"}"#);
    let line = event(&service, &recorder(), &put, NOW_MS, Seed::new([1; 32]))
        .await
        .unwrap();
    let text = str::from_utf8(&line).unwrap();
    for (pointer, value, place) in [
        ("/received_at_ms", json!(NOW_MS + 1000), "_at"),
        ("/seed", json!("02".repeat(32)), "seed"),
        ("/response/statusCode", json!(200), "response"),
        ("/response/body", json!("{}"), "response"),
        ("/guest", json!("0".repeat(64)), "digest"),
        ("/usage/total_us", json!(1), "digest"),
    ] {
        let changed = with(text, pointer, &value);
        let comparison = replay(&strict, changed.as_bytes()).await;
        assert_eq!(
            comparison.verdict,
            Verdict::Differs,
            "{pointer}: {comparison:#?}"
        );
        assert!(
            comparison.notes[0].text.contains(place),
            "{pointer}: {comparison:#?}"
        );
    }
    // Calls that were removed, added or reordered.
    let fewer = with(text, "/calls", &json!([]));
    let comparison = replay(&strict, fewer.as_bytes()).await;
    assert!(
        comparison.notes[0].text.contains("the tape has 0 calls"),
        "{comparison:?}"
    );
    let original: Value = serde_json::from_str(text).unwrap();
    let call = &original["calls"][0];
    let more = with(text, "/calls", &json!([call, call]));
    let comparison = replay(&strict, more.as_bytes()).await;
    assert!(
        comparison.notes[0].text.contains("no further call"),
        "{comparison:?}"
    );
}

/// Strict means byte for byte, also where two log lines look the same when they are shown.
#[tokio::test]
async fn a_log_line_whose_attribute_moved_into_its_message_is_found() {
    let runtime = runtime(HOSTILE, Limits::default());
    let service = memory_service(&runtime);
    let logging = http_event("GET", "/greed/log-value?3", &[], b"");
    let line = event(&service, &recorder(), &logging, NOW_MS, Seed::new([1; 32]))
        .await
        .unwrap();
    let text = str::from_utf8(&line).unwrap();
    let recorded: Value = serde_json::from_str(text).unwrap();
    let first = &recorded["logs"][0];
    assert_eq!(first["message"], "");
    let message = format!(" k={}", first["attributes"]["k"]);
    let moved = json!({"level": first["level"], "message": message, "after": first["after"]});
    let changed = with(text, "/logs/0", &moved);
    let strict = replayer(&runtime, Mode::Strict);
    let comparison = replay(&strict, changed.as_bytes()).await;
    assert_eq!(comparison.verdict, Verdict::Differs, "{comparison:#?}");
    let is_told = |note: &str| note.contains("log lines differ");
    assert!(
        comparison.notes.iter().any(|note| is_told(&note.text)),
        "{:?}",
        comparison.notes
    );
}
