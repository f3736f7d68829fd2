//! The format: every line that a recorder writes matches `docs/tape.schema.json`, and lines of earlier versions stay readable.

use crate::{
    cases::{case_folders, name},
    support::{guests::REFERENCE, in_process::runtime, json_schema, recording, workspace},
};
use contract::limits::Limits;
use observation::Case;
use serde_json::Value;
use service::Recorder;
use std::{fs, sync::Arc};
use storage::MemoryStorage;
use tape::{Exchange, RecordOptions, Redaction, TapePolicy, TapeReader, is_tape};

fn schema() -> Value {
    let path = workspace().join("docs/tape.schema.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn every_recorded_case_fits_the_schema() {
    let runtime = runtime(REFERENCE, Limits::default());
    let schema = schema();
    let plain = recording::recorder();
    let mut options = RecordOptions::new(TapePolicy::ALL);
    options.text_bytes_max = 60;
    options.withhold_seed = true;
    options.redaction = Redaction::credentials()
        .with_fields(["/name", "/items/*/name"])
        .unwrap();
    let other = Recorder::new(options);
    for folder in case_folders() {
        let case = Case::load(&folder).unwrap();
        for recorder in [&plain, &other] {
            let line =
                recording::case(&case, &runtime, Arc::new(MemoryStorage::new()), recorder).await;
            let Some(line) = line else {
                assert!(
                    recording::is_refused(&case),
                    "{} left no line",
                    name(&folder)
                );
                continue;
            };
            assert!(is_tape(&line) && !line.contains(&b'\n'));
            let value: Value = serde_json::from_slice(&line).unwrap();
            let complaint = json_schema::complaint(&schema, &value);
            assert_eq!(complaint, None, "{}: {value:#}", name(&folder));
            Exchange::read(&line).unwrap();
        }
    }
}

/// The golden tape was written by the first release with the format. It is never written again.
#[test]
fn tapes_of_version_1_stay_readable() {
    let text = fs::read(workspace().join("tests/tapes/version-1.tape")).unwrap();
    let schema = schema();
    let mut reader = TapeReader::new(text.as_slice());
    let mut count = 0;
    while let Some(line) = reader.next_tape().unwrap() {
        let exchange = Exchange::read(&line.bytes).unwrap();
        assert_eq!(exchange.version, 1);
        assert!(exchange.event.is_some() && exchange.seed.is_some());
        let value: Value = serde_json::from_slice(&line.bytes).unwrap();
        assert_eq!(
            json_schema::complaint(&schema, &value),
            None,
            "line {}",
            line.number
        );
        count += 1;
    }
    assert!(count >= 8, "only {count} lines");
}

/// Every member of the schema is explained in the documentation.
#[test]
fn the_documentation_names_every_member() {
    let text = fs::read_to_string(workspace().join("docs/tape.md")).unwrap();
    let mut names = Vec::new();
    collect(&schema(), &mut names);
    for name in names {
        assert!(
            text.contains(&format!("`{name}`")),
            "docs/tape.md does not explain `{name}`"
        );
    }
}

fn collect(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (keyword, rule) in members {
                if keyword == "properties" {
                    names.extend(rule.as_object().unwrap().keys().cloned());
                }
                collect(rule, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}
