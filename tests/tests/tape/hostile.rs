//! Damaged and malicious tapes: a clear message, no panic, bounded memory.

use super::strict::{replay, replayer};
use crate::support::{
    fresh_folder,
    guests::REFERENCE,
    host_cli,
    in_process::{NOW_MS, memory_service, runtime},
    recording::{event, http_event, recorder},
};
use contract::{limits::Limits, seed::Seed};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use replay::Mode;
use serde_json::{Value, json};
use std::{
    fs,
    time::{Duration, Instant},
};
use tape::Exchange;

async fn line() -> Vec<u8> {
    let service = memory_service(&runtime(REFERENCE, Limits::default()));
    let headers = [("content-type", "application/json")];
    let put = http_event("PUT", "/items/a", &headers, br#"{"name":"lamp"}"#);
    event(&service, &recorder(), &put, NOW_MS, Seed::new([1; 32]))
        .await
        .unwrap()
}

#[tokio::test]
async fn every_truncation_is_known_as_one() {
    let line = line().await;
    for length in 1..line.len() {
        let error = Exchange::read(&line[..length]).unwrap_err();
        assert!(error.is_cut(), "{length}: {error}");
    }
}

/// Each member replaced by each kind of value: an error, or a verdict, always with a message.
#[tokio::test]
async fn wrong_types_are_errors_and_never_panic() {
    let runtime = runtime(REFERENCE, Limits::default());
    let modes = [
        replayer(&runtime, Mode::Strict),
        replayer(&runtime, Mode::State),
    ];
    let original: Value = serde_json::from_slice(&line().await).unwrap();
    let mut pointers = Vec::new();
    collect(&original, String::new(), &mut pointers);
    let deep: String = ["[".repeat(100), "]".repeat(100)].concat();
    let deep: Value = serde_json::from_str(&deep).unwrap();
    for pointer in pointers
        .iter()
        .filter(|pointer| !pointer.starts_with("/event/"))
    {
        for value in [
            json!(null),
            json!(-1),
            json!(1.5),
            json!("x"),
            json!([]),
            json!({}),
            json!(true),
            deep.clone(),
        ] {
            let mut changed = original.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            let text = changed.to_string();
            if Exchange::read(text.as_bytes()).is_err() {
                continue;
            }
            for replayer in &modes {
                let comparison = replay(replayer, text.as_bytes()).await;
                let is_told =
                    comparison.verdict == replay::Verdict::Same || !comparison.notes.is_empty();
                assert!(is_told, "{pointer}: {comparison:?}");
            }
        }
    }
}

fn collect(value: &Value, pointer: String, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        found.push(pointer.clone());
        collect(child, pointer, found);
    }
}

/// Bytes changed, removed, repeated and exchanged at random, reproducibly: what can still be read as an exchange is replayed to a verdict.
#[tokio::test]
async fn random_damage_never_panics() {
    let runtime = runtime(REFERENCE, Limits::default());
    let modes = [
        replayer(&runtime, Mode::Strict),
        replayer(&runtime, Mode::State),
    ];
    let original = line().await;
    let mut random = ChaCha12Rng::seed_from_u64(1);
    let mut below = |bound: usize| random.next_u32() as usize % bound;
    let mut read = 0;
    for _ in 0..1_500 {
        let mut line = original.clone();
        for _ in 0..=below(3) {
            let (at, other) = (below(line.len()), below(line.len()));
            match below(5) {
                0 => line[at] = below(256) as u8,
                1 => line[at] = b"0123456789abcdef{}[],:\"tfn"[below(26)],
                2 => drop(line.remove(at)),
                3 => line.swap(at, other),
                _ => {
                    let end = (at + below(40)).min(line.len());
                    let piece = line[at..end].to_vec();
                    line.splice(other..other, piece);
                }
            }
        }
        if Exchange::read(&line).is_ok() {
            read += 1;
            for replayer in &modes {
                replay(replayer, &line).await;
            }
        }
    }
    assert!(read > 200, "only {read} could be read");
}

#[tokio::test]
async fn the_program_goes_on_after_lines_that_are_none() {
    let good = String::from_utf8(line().await).unwrap();
    let later = good.replacen("{\"tenon_tape\":1", "{\"tenon_tape\":2", 1);
    let not_text = b"{\"tenon_tape\":1,\"id\":\"\xff\xfe\"}".as_slice();
    let deep = format!("{{\"tenon_tape\":1,\"event\":{}", "[".repeat(200_000));
    let wrong = "{\"tenon_tape\":1,\"calls\":5}";
    let mut text = Vec::new();
    for line in [
        good.as_bytes(),
        later.as_bytes(),
        not_text,
        deep.as_bytes(),
        wrong.as_bytes(),
        good.as_bytes(),
        &good.as_bytes()[..200],
    ] {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let path = fresh_folder("tape-hostile").join("hostile.tape");
    fs::write(&path, text).unwrap();
    let output = host_cli::command()
        .arg("replay")
        .arg(&path)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for words in [
        "version 2, this program reads up to 1",
        "not UTF-8 from byte",
        "expected a list of at most",
        "2 as expected",
        "incomplete",
    ] {
        assert!(stdout.contains(words), "`{words}` is not in:\n{stdout}");
    }
}

/// A replay does not wait for a call without a result, nor for a duration in the line.
#[tokio::test]
async fn a_line_ends_at_once_whatever_it_says_about_results_and_durations() {
    let runtime = runtime(REFERENCE, Limits::default());
    let mut changed: Value = serde_json::from_slice(&line().await).unwrap();
    changed["host"]["limits"] = json!({"request_duration_ms_max": u64::MAX});
    for (number, call) in changed["calls"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .enumerate()
    {
        assert!(
            call.as_object_mut().unwrap().remove("result").is_some(),
            "{number}"
        );
    }
    for (fault, words) in [
        (json!(null), "has no result"),
        (json!({"kind": "deadline", "detail": "x"}), ""),
        (json!({"kind": "busy", "detail": "x"}), ""),
    ] {
        changed["fault"] = fault.clone();
        for mode in [Mode::Strict, Mode::State] {
            let started = Instant::now();
            let text = changed.to_string();
            let comparison = replay(&replayer(&runtime, mode), text.as_bytes()).await;
            let elapsed = started.elapsed();
            assert!(
                elapsed < Duration::from_secs(10),
                "{fault} {mode:?}: {elapsed:?}"
            );
            if mode == Mode::Strict {
                let notes = format!("{:?}", comparison.notes);
                assert!(notes.contains(words), "{fault}: {comparison:#?}");
            }
        }
    }
}
