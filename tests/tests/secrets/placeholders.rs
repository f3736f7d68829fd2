//! Placeholders on tapes without credentials: they stay, and a guest that names another secret differs.

use super::{PLANTED, Redaction, Script, Value, Verdict, has, line, signer, strict, text};
use crate::tape::strict::{replay, replayer};
use replay::Mode;
use serde_json::json;
use std::sync::Arc;

const STEPS: &str = "send GET http://pay.example/v1?key=__secret.api-key__ authorization Bearer+__secret.api-key__ token=__secret.api-key__";

/// A service that repeats the credentials in what it answers.
fn echo() -> Arc<Script> {
    let mut answer = text(&format!(r#"{{"of": "{PLANTED}"}}"#));
    answer.headers = vec![
        ("content-type".into(), "application/json".into()),
        ("x-echo".into(), format!("Bearer {PLANTED}")),
    ];
    Script::of(vec![Ok(answer)])
}

#[tokio::test]
async fn a_placeholder_is_no_credential() {
    let line = line(Redaction::credentials(), &echo(), STEPS).await;
    assert!(!has(&line, "pl4nted"));
    let tape: Value = serde_json::from_slice(&line).unwrap();
    let exchange = &tape["outgoing"][0];
    assert_eq!(
        exchange["request"]["url"],
        "http://pay.example/v1?key=__secret.api-key__"
    );
    assert_eq!(
        exchange["request"]["headers"]["authorization"],
        json!(["Bearer __secret.api-key__"])
    );
    assert_eq!(exchange["request"]["body"], "token=__secret.api-key__");
    let answer = &exchange["result"]["ok"];
    assert_eq!(
        answer["headers"]["x-echo"],
        json!(["Bearer __secret.api-key__"])
    );
    assert_eq!(answer["body"], r#"{"of": "__secret.api-key__"}"#);
    // Nothing is hidden, so that no difference is caused by that; what a replay has there, is.
    assert_eq!(tape["redacted"]["at"], json!([]));
    assert_eq!(tape["redacted"]["headers"], json!(["authorization"]));
    assert_eq!(strict(&line).await.verdict, Verdict::Same);
}

#[tokio::test]
async fn another_secret_is_a_difference() {
    let line = line(Redaction::credentials(), &echo(), STEPS).await;
    let line = String::from_utf8(line).unwrap();
    let changed = line.replacen(
        "authorization Bearer+<<api-key>>",
        "authorization Bearer+<<webhook>>",
        1,
    );
    assert_ne!(changed, line);
    let strict = strict(changed.as_bytes()).await;
    let told = format!("{strict:?}");
    assert!(told.contains("/headers/authorization/0: expected \\\"Bearer __secret.api-key__\\\", got \\\"Bearer __secret.webhook__\\\""), "{told}");
    let state = replay(&replayer(&signer(), Mode::State), changed.as_bytes()).await;
    let told = format!("{:?}", state.differing);
    assert_eq!(state.verdict, Verdict::Differs);
    assert!(
        told.contains("webhook") && told.contains("authorization"),
        "{told}"
    );
    // A real credential in its place is not shown.
    let real = line.replacen(
        "authorization Bearer+<<api-key>>",
        "authorization Bearer+pl4nted-other-key",
        1,
    );
    for mode in [Mode::State, Mode::Strict] {
        let replayed = replay(&replayer(&signer(), mode), real.as_bytes()).await;
        assert_eq!(replayed.verdict, Verdict::Differs);
        let told = format!("{:?} {:?}", replayed.notes, replayed.differing);
        assert!(!told.contains("Bearer pl4nted"), "{told}");
    }
}

#[tokio::test]
async fn what_stands_beside_a_placeholder_is_redacted_with_its_copies() {
    let steps = "send GET http://pay.example/ authorization Bearer+__secret.api-key__pl4nted-suffix\nsay pl4nted-suffix";
    let line = line(Redaction::credentials(), &echo(), steps).await;
    let tape: Value = serde_json::from_slice(&line).unwrap();
    assert!(!has(&line, "pl4nted"), "{tape:#}");
    assert_eq!(
        tape["outgoing"][0]["request"]["headers"]["authorization"],
        json!(["Bearer __secret.api-key__REDACTED"])
    );
}
