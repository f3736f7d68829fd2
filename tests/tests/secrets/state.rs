//! Replays of other guests and events: calls are answered from the tape where it can.

use super::{
    GuestAccess, KEY, NOW_MS, PLANTED, Redaction, Verdict, access, line, no_services, notes, signer,
};
use crate::{support::in_process::engine, tape::strict::replay};
use ::secrets::GuestSecrets;
use replay::{Mode, OnMiss, ReplayGuest, ReplayOptions, Replayer};
use std::sync::Arc;

/// A replay of a line in state mode, whose event was changed.
async fn replay_changed(
    line: &[u8],
    [from, to]: [&str; 2],
    on_miss: OnMiss,
    live: Option<Arc<dyn GuestSecrets>>,
) -> replay::Comparison {
    let text = String::from_utf8(line.to_vec()).unwrap();
    assert!(text.contains(from), "{text}");
    let replayer = Replayer {
        guest: ReplayGuest::new(signer()),
        metered: None,
        baseline: None,
        live: None,
        live_services: None,
        live_secrets: live,
        options: ReplayOptions {
            mode: Some(Mode::State),
            on_miss,
            ..ReplayOptions::default()
        },
    };
    let _ = (engine(), NOW_MS);
    // Of the event only, which comes first.
    replay(&replayer, text.replacen(from, to, 1).as_bytes()).await
}

#[tokio::test]
async fn calls_are_answered_by_what_they_ask_in_any_order() {
    let steps = "sign webhook sha256 one\\nsign webhook sha256 two";
    let typed = steps.replace("\\n", "\n");
    let line = line(Redaction::nothing(), &no_services(), &typed).await;
    let other = "sign webhook sha256 two\\nsign webhook sha256 two\\nsign webhook sha256 one";
    let replayed = replay_changed(&line, [steps, other], OnMiss::Fail, None).await;
    let notes = notes(&replayed);
    // The answer has another order; no call is missing.
    assert_eq!(replayed.verdict, Verdict::Differs, "{notes:#?}");
    assert!(
        !notes.iter().any(|note| note.contains("no result")),
        "{notes:#?}"
    );
}

#[tokio::test]
async fn a_call_that_the_tape_cannot_answer_is_named_or_made_by_the_host() {
    let line = line(
        Redaction::nothing(),
        &no_services(),
        "sign webhook sha256 one",
    )
    .await;
    let change = ["sha256 one", "sha1 $VALUE two"];
    let replayed = replay_changed(&line, change, OnMiss::Fail, None).await;
    let told = notes(&replayed);
    assert!(
        told[0].contains("the tape has no result for `sign webhook with sha1`"),
        "{told:#?}"
    );
    let live = || {
        let GuestAccess { secrets, .. } = access(no_services());
        Some(secrets)
    };
    let replayed = replay_changed(&line, change, OnMiss::Live, live()).await;
    let told = notes(&replayed);
    assert!(
        !told.iter().any(|note| note.contains("no result")),
        "{told:#?}"
    );
    // Nothing is revealed in a replay.
    let change = ["sign webhook sha256 one", "reveal api-key"];
    let replayed = replay_changed(&line, change, OnMiss::Live, live()).await;
    let told = format!("{replayed:?}");
    assert!(told.contains("`reveal api-key`"), "{told}");
    assert!(!told.contains(PLANTED) && !told.contains(KEY));
}
