//! Strict replay: what was recorded is reproduced, byte for byte, and what was changed on the tape is not.

use crate::{
    cases::{case_folders, name},
    support::{
        fresh_folder,
        guests::{HOSTILE, REFERENCE},
        host_cli,
        in_process::{NOW_MS, memory_service, runtime},
        recording::{self, event, http_event, recorder},
        table::Table,
    },
};
use contract::{limits::Limits, seed::Seed};
use observation::Case;
use replay::{CaseStore, Comparison, Mode, ReplayGuest, ReplayOptions, Replayer, Verdict};
use runtime::Runtime;
use serde_json::{Value, json, value::RawValue};
use service::Recorder;
use std::{collections::HashMap, fs, sync::Arc};
use storage::{MemoryStorage, Storage};
use storage_redb::RedbStorage;
use tape::{Exchange, RecordOptions, Redaction, TapePolicy};

pub fn replayer(runtime: &Runtime, mode: Mode) -> Replayer {
    Replayer {
        guest: ReplayGuest::new(runtime.clone()),
        metered: None,
        baseline: None,
        live: None,
        live_services: None,
        live_secrets: None,
        options: ReplayOptions {
            mode: Some(mode),
            ..ReplayOptions::default()
        },
    }
}

pub async fn replay(replayer: &Replayer, line: &[u8]) -> Comparison {
    let line: Arc<[u8]> = line.into();
    replayer
        .replay(&line, &Exchange::read(&line).unwrap())
        .await
}

/// Every case, recorded on both local stores.
pub async fn recorded_cases(
    test: &str,
    runtime: &Runtime,
    recorder: &Recorder,
) -> Vec<(String, Vec<u8>)> {
    let folder = fresh_folder(&format!("tape-cases-{test}"));
    let mut lines = Vec::new();
    for (number, case_folder) in case_folders().iter().enumerate() {
        let case = Case::load(case_folder).unwrap();
        let redb = RedbStorage::open(folder.join(format!("{number}.redb"))).unwrap();
        let stores: [(&str, Arc<dyn CaseStore>); 2] = [
            ("memory", Arc::new(MemoryStorage::new())),
            ("redb", Arc::new(redb)),
        ];
        for (store_name, store) in stores {
            let line = recording::case(&case, runtime, store, recorder).await;
            assert_eq!(line.is_none(), recording::is_refused(&case));
            let Some(line) = line else {
                continue;
            };
            lines.push((format!("{} on {store_name}", name(case_folder)), line));
        }
    }
    lines
}

/// The outcome of a case's line with the recorded guest.
fn expected_verdict(line: &[u8]) -> Verdict {
    match recording::lacks_body(line) {
        true => Verdict::Unplayable,
        false => Verdict::Same,
    }
}

#[tokio::test]
async fn every_case_recorded_on_every_store_replays_here_and_in_another_process() {
    let runtime = runtime(REFERENCE, Limits::default());
    let lines = recorded_cases("process", &runtime, &recorder()).await;
    let strict = replayer(&runtime, Mode::Strict);
    let mut text = Vec::new();
    let (without_body, lines): (Vec<_>, Vec<_>) = lines
        .into_iter()
        .partition(|(_, line)| recording::lacks_body(line));
    assert!(!without_body.is_empty() && without_body.len() * 10 < lines.len());
    for (name, line) in &without_body {
        let comparison = replay(&strict, line).await;
        assert_eq!(
            comparison.verdict,
            Verdict::Unplayable,
            "{name}: {comparison:#?}"
        );
    }
    for (name, line) in &lines {
        let comparison = replay(&strict, line).await;
        let redacted = Exchange::read(line).unwrap().is_redacted();
        let expected = [Verdict::Same, Verdict::Redacted];
        assert!(
            expected[..1 + usize::from(redacted)].contains(&comparison.verdict),
            "{name}: {comparison:#?}"
        );
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let path = fresh_folder("tape-process").join("cases.tape");
    fs::write(&path, text).unwrap();
    // The tests record log lines from `debug` on; so does the program here.
    for mode in ["strict", "state"] {
        let output = host_cli::command()
            .args(["replay", "--mode", mode])
            .arg(&path)
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{mode}: {stdout}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let all = format!("{} requests: {} as expected\n", lines.len(), lines.len());
        assert_eq!(stdout, all, "{mode}");
    }
}

#[test]
fn every_case_recorded_on_dynamodb_replays_here() {
    let table = Table::start();
    let runtime = runtime(REFERENCE, Limits::default());
    let strict = replayer(&runtime, Mode::Strict);
    let storage: Arc<dyn Storage> = Arc::new(table.storage());
    let recorder = recorder();
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for case_folder in case_folders() {
        let case = Case::load(&case_folder).unwrap();
        table.clear();
        table.fill("local", &case.before);
        let recorded = recording::case_on(&case, &runtime, storage.clone(), &recorder);
        let Some(line) = tokio.block_on(recorded) else {
            assert!(recording::is_refused(&case));
            continue;
        };
        let comparison = tokio.block_on(replay(&strict, &line));
        let name = name(&case_folder);
        let expected = expected_verdict(&line);
        assert_eq!(comparison.verdict, expected, "{name}: {comparison:#?}");
    }
}

#[tokio::test]
async fn what_replays_strictly_is_the_same_in_state_mode() {
    let runtime = runtime(REFERENCE, Limits::default());
    let state = replayer(&runtime, Mode::State);
    for (name, line) in recorded_cases("state", &runtime, &recorder()).await {
        let comparison = replay(&state, &line).await;
        let expected = expected_verdict(&line);
        assert_eq!(comparison.verdict, expected, "{name}: {comparison:#?}");
    }
}

#[tokio::test]
async fn long_texts_and_withheld_seeds_replay_as_far_as_they_can() {
    let runtime = runtime(REFERENCE, Limits::default());
    let service = memory_service(&runtime);
    let mut options = RecordOptions::new(TapePolicy::ALL);
    options.text_bytes_max = 300;
    let recorder = Recorder::new(options.clone());
    let strict = replayer(&runtime, Mode::Strict);
    // A response beyond the limit is compared by its digest.
    let contract = http_event("GET", "/openapi.json", &[], b"");
    let line = event(&service, &recorder, &contract, NOW_MS, Seed::new([1; 32]))
        .await
        .unwrap();
    assert!(line.len() < 4000, "{}", String::from_utf8_lossy(&line));
    assert_eq!(replay(&strict, &line).await.verdict, Verdict::Same);
    let text = str::from_utf8(&line).unwrap();
    let other = with(text, "/omitted/0/sha256", &json!("0".repeat(64)));
    let comparison = replay(&strict, other.as_bytes()).await;
    assert_eq!(comparison.verdict, Verdict::Differs);
    // A body beyond it cannot be passed to the guest again.
    let tags: Vec<String> = (10..20).map(|tag| tag.to_string().repeat(20)).collect();
    let body = json!({"name": "long", "tags": tags}).to_string();
    let headers = [("content-type", "application/json")];
    let put = http_event("PUT", "/items/long", &headers, body.as_bytes());
    let line = event(&service, &recorder, &put, NOW_MS, Seed::new([2; 32]))
        .await
        .unwrap();
    let comparison = replay(&strict, &line).await;
    assert_eq!(comparison.verdict, Verdict::Unplayable);
    assert!(
        comparison.notes[0].text.contains("body is not on the tape"),
        "{comparison:?}"
    );
    // Nor can a document that was read.
    let get = http_event("GET", "/items/long", &[], b"");
    let line = event(&service, &recorder, &get, NOW_MS, Seed::new([3; 32]))
        .await
        .unwrap();
    let comparison = replay(&strict, &line).await;
    assert_eq!(comparison.verdict, Verdict::Unplayable);
    assert!(
        comparison.notes[0].text.contains("call 1"),
        "{comparison:?}"
    );

    options.text_bytes_max = usize::MAX;
    options.withhold_seed = true;
    let recorder = Recorder::new(options);
    let line = event(&service, &recorder, &get, NOW_MS, Seed::new([3; 32]))
        .await
        .unwrap();
    let comparison = replay(&strict, &line).await;
    assert_eq!(comparison.verdict, Verdict::Unplayable);
    assert!(
        comparison.notes[0].text.contains("seed was withheld"),
        "{comparison:?}"
    );
    let state = replayer(&runtime, Mode::State);
    assert_eq!(replay(&state, &line).await.verdict, Verdict::Same);
}

/// The text of a line with another value in one place, and every other byte unchanged.
pub fn with(line: &str, pointer: &str, value: &Value) -> String {
    let mut place = line;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let found: &RawValue = if place.starts_with('{') {
            let members: HashMap<String, &RawValue> = serde_json::from_str(place).unwrap();
            members[&token]
        } else {
            let elements: Vec<&RawValue> = serde_json::from_str(place).unwrap();
            elements[token.parse::<usize>().unwrap()]
        };
        place = found.get();
    }
    let start = place.as_ptr() as usize - line.as_ptr() as usize;
    format!("{}{value}{}", &line[..start], &line[start + place.len()..])
}

#[tokio::test]
async fn what_redaction_changes_is_attributed_to_it() {
    let runtime = runtime(REFERENCE, Limits::default());
    let service = memory_service(&runtime);
    let mut options = RecordOptions::new(TapePolicy::ALL);
    options.redaction = Redaction::credentials()
        .with_headers(["idempotency-key"])
        .with_fields(["/name", "/items/*/name"])
        .unwrap();
    let recorder = Recorder::new(options);
    let strict = replayer(&runtime, Mode::Strict);
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Bearer x"),
    ];
    let put = http_event("PUT", "/items/a", &headers, br#"{"name":"lamp"}"#);
    // A guest that only passes the value on passes the replacement on.
    let line = event(&service, &recorder, &put, NOW_MS, Seed::new([1; 32]))
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&line).contains("lamp"));
    let comparison = replay(&strict, &line).await;
    assert_eq!(comparison.verdict, Verdict::Same, "{comparison:#?}");
    // One that computes with it gives another result.
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "\"k-1\""),
    ];
    let post = http_event("POST", "/items", &headers, br#"{"name":"lamp"}"#);
    let line = event(&service, &recorder, &post, NOW_MS, Seed::new([2; 32]))
        .await
        .unwrap();
    let comparison = replay(&strict, &line).await;
    assert_eq!(comparison.verdict, Verdict::Redacted, "{comparison:#?}");
    let notes: Vec<_> = comparison
        .notes
        .iter()
        .map(|note| note.text.as_str())
        .collect();
    assert!(
        notes
            .iter()
            .any(|note| note.contains("is caused by the redaction of")
                && note.contains("dempotency")),
        "{notes:?}"
    );
}

#[tokio::test]
async fn failures_replay_as_failures() {
    let runtime = runtime(HOSTILE, Limits::default());
    let service = memory_service(&runtime);
    let strict = replayer(&runtime, Mode::Strict);
    for target in [
        "/trap",
        "/memory",
        "/stack",
        "/storage-calls",
        "/header?x",
        "/logs",
        "/random",
        "/clock",
    ] {
        let line = event(
            &service,
            &recorder(),
            &http_event("GET", target, &[], b""),
            NOW_MS,
            Seed::new([5; 32]),
        )
        .await
        .unwrap();
        let comparison = replay(&strict, &line).await;
        assert_eq!(
            comparison.verdict,
            Verdict::Same,
            "{target}: {comparison:#?}"
        );
    }
}
