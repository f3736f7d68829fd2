//! A guest that any team could have written runs unchanged, and finds every function of the WIT as documented, on every store.

use crate::support::{
    fresh_folder,
    guests::PLAIN,
    in_process::{get, memory_service, response, runtime, service},
    workspace,
};
use contract::limits::Limits;
use serde_json::{Value, json};
use service::Service;
use std::{collections::BTreeSet, fs, sync::Arc};
use storage::{Storage, memory::MemoryStorage};
use storage_redb::RedbStorage;

#[tokio::test]
async fn every_function_of_the_wit_does_what_it_says_on_every_store() {
    let runtime = runtime(PLAIN, Limits::default());
    let redb = RedbStorage::open(fresh_folder("plain").join("items.redb")).unwrap();
    let stores: [(&str, Arc<dyn Storage>); 2] = [
        ("memory", Arc::new(MemoryStorage::new())),
        ("redb", Arc::new(redb)),
    ];
    for (name, store) in stores {
        let report = report(&service(&runtime, store), "/wit").await;
        for (function, expected) in expected().as_object().unwrap() {
            assert_eq!(&report[function], expected, "{function} on {name}");
        }
        assert_eq!(names(&report), names(&expected()));
    }
}

/// What `wit/` specifies for the calls in `tests/guests/plain/src/storage_use.rs`.
fn expected() -> Value {
    json!({
        "log.write": ["written"],
        "storage.put": [
            "done",
            r#"precondition failed on {"n":1}"#,
            "done",
            r#"precondition failed on {"n":3}"#,
            "done",
            "done",
            "invalid",
            "invalid",
            "too-large",
        ],
        "storage.get": [r#"{"n":3}"#, r#"{"n":3}"#, "none"],
        "storage.get-many": [r#"{"n":5}, none, {"n":3}"#, "invalid", "invalid"],
        "storage.query": [
            "a b and more",
            "c",
            "invalid",
            "invalid",
            "b",
            "b a",
            "b c",
            "a b",
            "invalid",
            "invalid",
        ],
        "storage.query-index": ["c b a", "b c", ""],
        "storage.delete": [r#"precondition failed on {"n":1}"#, "done", "precondition failed on none", "done"],
        "storage.transact": [
            "done: put - -",
            "done: put - -",
            r#"precondition 0 failed on {"n":6}"#,
            "invalid",
            r#"precondition 1 failed on {"n":3}"#,
            "invalid",
            "invalid",
            "invalid",
            r#"{"n":6}"#,
        ],
    })
}

#[test]
fn no_function_of_the_wit_is_forgotten() {
    let mut functions = BTreeSet::new();
    for file in fs::read_dir(workspace().join("wit")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let mut interface = "";
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("interface ") {
                interface = rest.trim_end_matches(" {");
            } else if let Some((name, _)) = line.trim().split_once(": func(") {
                functions.insert(format!("{interface}.{name}"));
            }
        }
    }
    // The guest exports this one.
    assert!(functions.remove("handler.handle"), "{functions:?}");
    // This one needs a grant: `outgoing.rs`.
    assert!(functions.remove("outgoing.send"), "{functions:?}");
    // These need a secret: `secrets.rs`.
    for function in ["secrets.sign", "secrets.verify", "secrets.reveal"] {
        assert!(functions.remove(function), "{functions:?}");
    }
    assert_eq!(names(&expected()), functions);
}

#[tokio::test]
async fn std_works_in_the_sealed_world() {
    let service = memory_service(&runtime(PLAIN, Limits::default()));
    assert_eq!(
        report(&service, "/std").await,
        json!({
            "env": ["0 variables, 0 arguments"],
            "hash map": ["2 entries"],
            "monotonic clock": ["does not run backwards"],
            "print": ["done"],
            "sleep": ["returned"],
            "stdin": ["0 bytes"],
            "wall clock": ["stands at the request's time"],
        })
    );
}

async fn report(service: &Service, path: &str) -> Value {
    let response = response(&get(service, path).await);
    assert_eq!(response["statusCode"], 200, "{response}");
    serde_json::from_str(response["body"].as_str().unwrap()).unwrap()
}

fn names(report: &Value) -> BTreeSet<String> {
    report.as_object().unwrap().keys().cloned().collect()
}
