//! Secrets: what a guest signs, verifies and reads is on the tape without a value, and a replay needs no secret.

mod messages;
mod placeholders;
mod planted;
mod state;

use crate::{
    outgoing::script::{Script, text},
    support::{
        guests::SIGNER,
        in_process::{NOW_MS, engine},
        recording::{event, http_event},
    },
    tape::strict::{replay, replayer},
};
use ::secrets::{
    GuestAccess, HostSources, LocalSources, ProvideSecrets, SecretDeclarations, SecretKeeper,
    SecretOptions,
};
use contract::{
    outcome::{Failure, Fault, Stop},
    seed::Seed,
};
use outgoing::OutgoingHttp;
use replay::{Mode, Verdict};
use runtime::{Runtime, RuntimeOptions, engine::LoadError};
use serde_json::{Value, json};
use service::{Deployment, Invocation, Recorder, Service};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use storage::MemoryStorage;
use tape::{Exchange, RecordOptions, Redaction, TapePolicy};

/// A value that must be nowhere.
pub const PLANTED: &str = "pl4nted-5ecret/+&value";
/// Another one, which may only be used as a key.
const KEY: &str = "pl4nted-k3y-0123456789";
const TEXT: [(&str, &str); 1] = [("content-type", "text/plain")];

fn declarations() -> Arc<SecretDeclarations> {
    let json = r#"{
        "api-key": {"from": "env:API_KEY", "for": ["http://pay.example"], "in": ["headers", "url", "body"], "reveal": true},
        "webhook": {"from": "env:WEBHOOK", "hmac": true},
        "short": {"from": "env:SHORT", "reveal": true},
        "absent": {"from": "env:ABSENT", "hmac": true, "reveal": true}
    }"#;
    Arc::new(SecretDeclarations::from_json(json).unwrap())
}

fn access(client: Arc<dyn OutgoingHttp>) -> GuestAccess {
    let local = LocalSources::new(|name| match name {
        "API_KEY" => Some(PLANTED.into()),
        "WEBHOOK" => Some(KEY.into()),
        "SHORT" => Some("pl4nt".into()),
        _ => None,
    });
    let sources = Arc::new(HostSources::new(local, None));
    SecretKeeper::new(sources, SecretOptions::default()).provide(&declarations(), client)
}

fn signer() -> Runtime {
    let guest = engine().load(SIGNER).unwrap();
    let options = RuntimeOptions::without_check_of_grants();
    Runtime::new(engine(), &guest, options).unwrap()
}

fn service_with(script: Arc<Script>) -> Service {
    let storage = replay::local_view(Arc::new(MemoryStorage::new()), replay::replay_cursor_key());
    let GuestAccess { secrets, outgoing } = access(script);
    let deployment = Deployment::new(signer(), storage);
    Service::of(deployment.with_outgoing(outgoing).with_secrets(secrets))
}

/// Lets a test guest write the placeholders of a text itself, because those that its client sends are never filled in.
pub fn written_by_guest(text: &str) -> String {
    let mut parts = text.split("__secret.");
    let mut written = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("__").unwrap();
        written += &format!("<<{name}>>{rest}");
    }
    written
}

/// The line of a request whose body has these steps.
async fn line(redaction: Redaction, script: &Arc<Script>, steps: &str) -> Vec<u8> {
    let recorder = Recorder::new(RecordOptions {
        redaction,
        ..RecordOptions::new(TapePolicy::ALL)
    });
    let service = service_with(script.clone());
    let steps = written_by_guest(steps);
    let event_json = http_event("POST", "/", &TEXT, steps.as_bytes());
    let seed = Seed::new([3; 32]);
    event(&service, &recorder, &event_json, NOW_MS, seed)
        .await
        .unwrap()
}

fn no_services() -> Arc<Script> {
    Script::of(Vec::new())
}

async fn strict(line: &[u8]) -> replay::Comparison {
    replay(&replayer(&signer(), Mode::Strict), line).await
}

fn notes(comparison: &replay::Comparison) -> Vec<String> {
    comparison
        .notes
        .iter()
        .map(|note| note.text.clone())
        .collect()
}

/// The lines that the guest answered, according to a line of tape.
fn answers(line: &[u8]) -> Vec<String> {
    let line: Value = serde_json::from_slice(line).unwrap();
    let body = line["response"]["body"].as_str().unwrap();
    body.lines().map(str::to_owned).collect()
}

fn has(line: &[u8], value: &str) -> bool {
    String::from_utf8_lossy(line).contains(value)
}

#[test]
fn a_guest_without_a_secret_is_refused_by_the_name_of_its_import() {
    let guest = engine().load(SIGNER).unwrap();
    let granted = RuntimeOptions::without_check_of_grants();
    let options = RuntimeOptions {
        outgoing: granted.outgoing,
        ..RuntimeOptions::default()
    };
    let Some(error @ LoadError::NoSecrets(_)) = Runtime::new(engine(), &guest, options).err()
    else {
        panic!("it was linked");
    };
    assert_eq!(
        error.to_string(),
        "the guest imports `tenon:handler/secrets@0.1.0`, and no secret is declared for it"
    );
    assert!(error.hint().contains("`[secrets]` in tenon.toml"));
}

#[tokio::test]
async fn calls_are_recorded_without_values_and_replayed_without_secrets() {
    let steps = "put\nsign webhook sha1 a message\nverify webhook sha1 $TAG a message\nverify webhook sha256 00 a message\nreveal api-key\nsign api-key sha256 x\nreveal other\nsign absent sha512 x\nsign No_Name sha256 x";
    let line = line(Redaction::nothing(), &no_services(), steps).await;
    let tape: Value = serde_json::from_slice(&line).unwrap();
    let calls = tape["secrets"].as_array().unwrap();
    let tag = answers(&line)[1].clone();
    assert_eq!(tag.len(), 40, "{tag}");
    assert_eq!(calls[0]["after"], 1);
    assert_eq!(
        calls[0]["request"],
        json!({"function": "sign", "name": "webhook", "algorithm": "sha1", "message": "a message"})
    );
    assert_eq!(calls[0]["result"], json!({"ok": {"tag": tag}}));
    assert_eq!(calls[1]["request"]["tag"], tag);
    assert_eq!(calls[1]["result"], json!({"ok": {"valid": true}}));
    assert_eq!(calls[2]["result"], json!({"ok": {"valid": false}}));
    assert_eq!(calls[3]["result"], json!({"ok": {"value": "REDACTED"}}));
    assert_eq!(calls[4]["result"]["error"], "not-granted");
    assert_eq!(calls[5]["result"]["error"], "unknown");
    assert_eq!(calls[6]["result"]["error"], "unavailable");
    assert_eq!(calls.len(), 7, "what is no name is not recorded");
    assert_eq!(
        tape["redacted"]["at"],
        json!(["/secrets/3/result/ok/value"])
    );
    assert!(!has(&line, "pl4nted"), "{tape:#}");
    // The number of bytes follows from the value, which a replay does not have.
    let replayed = strict(&line).await;
    assert_eq!(replayed.verdict, Verdict::Redacted, "{replayed:#?}");
    assert!(
        notes(&replayed).last().unwrap().contains("redaction"),
        "{replayed:#?}"
    );

    let steps = "put\nsign webhook sha512 a message\nverify webhook sha512 $TAG a message\nsign absent sha1 x\nput";
    for redaction in [Redaction::nothing(), Redaction::credentials()] {
        let line = self::line(redaction, &no_services(), steps).await;
        for _ in 0..2 {
            let replayed = strict(&line).await;
            assert_eq!(replayed.verdict, Verdict::Same, "{replayed:#?}");
        }
    }
}

#[tokio::test]
async fn what_was_changed_on_the_tape_is_named() {
    let steps = "put\nsign webhook sha256 one\nverify webhook sha256 $TAG one";
    let line = line(Redaction::nothing(), &no_services(), steps).await;
    let line = String::from_utf8(line).unwrap();
    let changed = |from: &str, to: &str| {
        assert!(line.contains(from), "{from}: {line}");
        line.replacen(from, to, 1).into_bytes()
    };
    for (line, note) in [
        (
            changed("\"message\":\"one\"", "\"message\":\"two\""),
            "secret call 1, `sign webhook with sha256`: other arguments: /message: expected \"two\", got \"one\"",
        ),
        (
            changed("\"algorithm\":\"sha256\"", "\"algorithm\":\"sha1\""),
            "secret call 1: the tape has `sign webhook with sha1`, the guest called `sign webhook with sha256`",
        ),
        (
            changed("\"valid\":true", "\"valid\":false"),
            "the response differs",
        ),
        (
            changed("\"secrets\":[{\"after\":1", "\"secrets\":[{\"after\":0"),
            "secret call 1: it was made after 0 storage calls, now after 1",
        ),
        (
            changed("\"secrets\":[{", "\"secrets\":[],\"x\":[{"),
            "secret call 1: the guest called `sign webhook with sha256`, the tape has 0 calls",
        ),
        (
            changed("\\nverify webhook sha256 $TAG one", ""),
            "secret call 2: the tape has `verify webhook with sha256`, the guest made no further call",
        ),
    ] {
        let replayed = strict(&line).await;
        assert_eq!(replayed.verdict, Verdict::Differs, "{note}: {replayed:#?}");
        let notes = notes(&replayed);
        assert!(notes[0].starts_with(note), "{note}: {notes:#?}");
    }
}

#[tokio::test]
async fn a_revealed_value_is_nowhere_on_a_tape_and_its_copies_replay_as_the_same() {
    const STEPS: &str = "reveal api-key\nsay it is $VALUE\nlog $VALUE\nsend POST http://pay.example/$VALUE x-token $VALUE $VALUE\nsign webhook sha256 of-$VALUE";
    for redaction in [Redaction::nothing(), Redaction::credentials()] {
        let script = Script::of(vec![Ok(text(&format!("got {PLANTED}")))]);
        let line = line(redaction.clone(), &script, STEPS).await;
        let sent = format!("{:?}", script.sent());
        assert!(sent.contains(PLANTED), "the upstream got it: {sent}");
        assert!(!has(&line, "pl4nted") && has(&line, "it is REDACTED"));
        let exchange = Exchange::read(&line).unwrap();
        assert_eq!((exchange.secrets.len(), exchange.outgoing.len()), (2, 1));
        // All but the number of its bytes is the same.
        let replayed = strict(&line).await;
        assert_eq!(replayed.verdict, Verdict::Redacted, "{replayed:#?}");
        assert_eq!(replayed.differing.len(), 1, "{replayed:#?}");
        assert!(!format!("{replayed:?}").contains("pl4nted"));
    }
    // A guest that only passes it on replays as recorded.
    let steps = "reveal api-key\nsay $VALUE";
    let line = line(Redaction::nothing(), &no_services(), steps).await;
    let line = String::from_utf8(line).unwrap();
    let bytes = format!("{} bytes", PLANTED.len());
    assert!(line.contains(&bytes), "{line}");
    let line = line.replace(&bytes, "8 bytes");
    let replayed = strict(line.as_bytes()).await;
    // The line was changed by hand, and nothing else differs.
    assert!(notes(&replayed)[0].contains("nothing that the guest reads differs"));
}

#[tokio::test]
async fn what_may_contain_a_value_that_cannot_be_found_is_left_out() {
    let steps = "reveal short\nsay $VALUE\nlog $VALUE\nput";
    let line = line(Redaction::nothing(), &no_services(), steps).await;
    let tape: Value = serde_json::from_slice(&line).unwrap();
    assert!(!has(&line, "pl4nt"), "{tape:#}");
    assert_eq!(tape["event"], Value::Null);
    assert_eq!(tape["secrets_omitted"], 1);
    let left_out = tape["redacted"]["left_out"].as_array().unwrap();
    assert!(left_out.contains(&json!("/secrets")), "{left_out:?}");
    assert_eq!(strict(&line).await.verdict, Verdict::Unplayable);
}

#[tokio::test]
async fn a_tag_that_was_redacted_elsewhere_is_redacted_in_its_call_too() {
    let script = Script::of(vec![Ok(text("fine"))]);
    let steps = "sign webhook sha256 m\nsend GET http://other.example/ authorization Bearer+$TAG";
    let line = line(Redaction::credentials(), &script, steps).await;
    let sent = script.sent();
    let header = sent[0]
        .headers
        .iter()
        .find(|(name, _)| name == "authorization");
    let tag = header.unwrap().1.strip_prefix("Bearer ").unwrap();
    assert_eq!(tag.len(), 64);
    assert!(!has(&line, tag));
    let tape: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(tape["secrets"][0]["result"]["ok"]["tag"], "REDACTED");
    // The answer showed it, too.
    assert_eq!(strict(&line).await.verdict, Verdict::Redacted);
}

#[tokio::test]
async fn placeholders_are_filled_in_below_the_recorder() {
    let mut steps = String::from(
        "send POST http://pay.example/v1/__secret.api-key__?k=__secret.api-key__ authorization Bearer+__secret.api-key__ key=__secret.api-key__",
    );
    steps.push_str("\nsend GET http://other.example/ authorization Bearer+__secret.api-key__");
    let script = Script::of(vec![Ok(text(&format!("you sent {PLANTED}")))]);
    let line = line(Redaction::nothing(), &script, &steps).await;
    let sent = script.sent();
    assert_eq!(sent.len(), 1, "only to its own origin");
    assert!(
        sent[0]
            .url
            .starts_with("http://pay.example/v1/pl4nted-5ecret%2F")
    );
    assert_eq!(sent[0].body, format!("key={PLANTED}").into_bytes());
    assert!(format!("{:?}", sent[0].headers).contains(&format!("Bearer {PLANTED}")));
    let answers = answers(&line);
    assert_eq!(answers[0], "200 you sent __secret.api-key__");
    assert!(answers[1].contains("NotGranted"), "{}", answers[1]);
    assert!(!has(&line, "pl4nted") && has(&line, "Bearer __secret.api-key__"));
    let replayed = strict(&line).await;
    assert_eq!(replayed.verdict, Verdict::Same, "{replayed:#?}");
}

/// What a core dump of the guest would show: the value was sent, repeated by the service, used as a key, and never in the guest's memory.
#[tokio::test]
async fn a_value_is_in_the_guests_memory_only_if_it_is_revealed() {
    let masked = PLANTED.bytes().map(|byte| format!("{:02x}", byte ^ 0x5a));
    let scan = format!("scan {}", masked.collect::<String>());
    let steps = format!(
        "send POST http://pay.example/v1 authorization Bearer+__secret.api-key__ __secret.api-key__\nsign webhook sha256 x\n{scan}\nreveal api-key\n{scan}"
    );
    let script = Script::of(vec![Ok(text(&format!("you sent {PLANTED}")))]);
    let line = line(Redaction::nothing(), &script, &steps).await;
    assert_eq!(script.sent().len(), 1);
    let answers = answers(&line);
    assert_eq!(answers[2], "0 found", "{answers:?}");
    let after: usize = answers[4].strip_suffix(" found").unwrap().parse().unwrap();
    assert!(after > 0, "the search finds what is there");
}

#[tokio::test]
async fn calls_and_messages_are_bounded() {
    let service = service_with(no_services());
    let fault = async |steps: String| {
        let event_json = http_event("POST", "/", &TEXT, steps.as_bytes());
        let invocation = Invocation {
            received_at_ms: NOW_MS,
            seed: Seed::new([3; 32]),
            deadline: Instant::now() + Duration::from_secs(10),
            trace_header: None,
        };
        let answer = service.invoke(&event_json, invocation).await.unwrap();
        answer.summary.fault
    };
    let stopped = |stop| Some(Fault::Guest(Failure::Stopped(stop)));
    let signs = |count: usize, bytes: usize| {
        format!("sign webhook sha256 {}\n", "x".repeat(bytes)).repeat(count)
    };
    assert_eq!(fault(signs(100, 10)).await, None);
    assert_eq!(fault(signs(101, 10)).await, stopped(Stop::SecretCalls));
    // The largest body of a request is shorter than what may be signed: `$VALUE` makes more of it.
    let more = format!(
        "reveal api-key\n{}",
        signs(99, 10).replace("xxxxxxxxxx", &"$VALUE".repeat(5_000))
    );
    assert_eq!(fault(more).await, stopped(Stop::SecretMessages));
}
