//! Another guest on a recording: which response its requests get, and what is said about them.

use super::{
    fetcher, fetcher_event, line,
    script::{Script, text},
    unredacted,
};
use crate::{
    support::{
        guests::FETCHER,
        in_process::{NOW_MS, engine},
        recording::{event, recorder},
    },
    tape::strict::{replay, replayer},
};
use ::outgoing::OutgoingHttp;
use contract::{limits::Limits, seed::Seed};
use observation::Part;
use replay::{
    Mode, OnMiss, ReplayGuest, ReplayOptions, Replayer, Verdict, local_view, replay_cursor_key,
};
use runtime::{Runtime, RuntimeOptions};
use serde_json::Value;
use service::{Deployment, Service};
use std::sync::Arc;
use storage::MemoryStorage;

/// Replays a line on the same guest as another one: by its outcome.
async fn state(
    line: &[u8],
    on_miss: OnMiss,
    live: Option<Arc<dyn OutgoingHttp>>,
) -> replay::Comparison {
    let options = ReplayOptions {
        mode: Some(Mode::State),
        on_miss,
        ..ReplayOptions::default()
    };
    let replayer = Replayer {
        guest: ReplayGuest::new(fetcher(Limits::default())),
        metered: None,
        baseline: None,
        live: None,
        live_services: live,
        live_secrets: None,
        options,
    };
    replay(&replayer, line).await
}

/// The line with the request that the guest sends changed, as if another guest sent it.
fn sending(line: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut line: Value = serde_json::from_slice(line).unwrap();
    let body = line["event"]["body"].as_str().unwrap();
    assert!(body.contains(from), "{body}");
    line["event"]["body"] = body.replace(from, to).into();
    serde_json::to_vec(&line).unwrap()
}

#[tokio::test]
async fn another_guest_gets_the_responses_to_the_requests_that_it_repeats() {
    let script = Script::of(vec![Ok(text("one")), Ok(text("two"))]);
    let request =
        "POST http://pay.example/charges\ncontent-type: application/json\n\n{\"amount\":5}";
    let line = line(&unredacted(), &script, "/?times=2", request).await;
    let comparison = state(&line, OnMiss::Fail, None).await;
    assert_eq!(comparison.verdict, Verdict::Same, "{comparison:#?}");

    let comparison = state(&sending(&line, ":5}", ":6}"), OnMiss::Fail, None).await;
    assert_eq!(comparison.verdict, Verdict::Differs);
    let parts: Vec<_> = comparison.differing.iter().map(|part| part.part).collect();
    assert_eq!(parts, [Part::Outgoing], "{comparison:#?}");
    let differences = comparison.differing[0]
        .differences()
        .lines()
        .collect::<Vec<_>>();
    assert_eq!(
        differences,
        [
            "/outgoing/0/body/amount: expected 5, got 6",
            "/outgoing/1/body/amount: expected 5, got 6"
        ]
    );
}

#[tokio::test]
async fn a_request_that_the_tape_does_not_know_follows_the_policy() {
    let script = Script::of(vec![Ok(text("one"))]);
    let line = line(&unredacted(), &script, "/", "GET http://a.example/old").await;
    let other = sending(&line, "/old", "/new");
    let comparison = state(&other, OnMiss::Fail, None).await;
    assert_eq!(comparison.verdict, Verdict::Differs);
    assert_eq!(
        comparison.notes[0].text,
        "the tape has no result for `GET http://a.example/new`; `replay --on-miss` chooses one"
    );
    let comparison = state(&other, OnMiss::Absent, None).await;
    let shown = format!("{comparison:?}");
    assert!(!shown.contains("the tape has no result"), "{shown}");
    assert!(
        shown.contains("unreachable: the tape has no response"),
        "{shown}"
    );

    let live = Script::of(vec![Ok(text("live"))]);
    let comparison = state(&other, OnMiss::Live, Some(live.clone())).await;
    assert!(
        format!("{comparison:?}").contains("live"),
        "{comparison:#?}"
    );
    assert_eq!(live.sent().len(), 1);
    // What may change something is never sent during a replay.
    let post = sending(
        &line,
        "GET http://a.example/old",
        "POST http://a.example/new",
    );
    let comparison = state(&post, OnMiss::Live, Some(live.clone())).await;
    assert_eq!(live.sent().len(), 1);
    let shown = format!("{comparison:?}");
    assert!(
        shown.contains("no result for `POST http://a.example/new`"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_safe_request_may_be_repeated_more_often_than_recorded() {
    let script = Script::of(vec![Ok(text("one"))]);
    let get = line(
        &unredacted(),
        &script,
        "/?times=1",
        "GET http://a.example/x",
    )
    .await;
    let twice = String::from_utf8(get)
        .unwrap()
        .replace("times=1", "times=2");
    let shown = format!("{:?}", state(twice.as_bytes(), OnMiss::Fail, None).await);
    assert!(!shown.contains("has no result"), "{shown}");
    let script = Script::of(vec![Ok(text("one"))]);
    let post = line(
        &unredacted(),
        &script,
        "/?times=1",
        "POST http://a.example/x",
    )
    .await;
    let twice = String::from_utf8(post)
        .unwrap()
        .replace("times=1", "times=2");
    let shown = format!("{:?}", state(twice.as_bytes(), OnMiss::Fail, None).await);
    assert!(
        shown.contains("no result for `POST http://a.example/x`"),
        "{shown}"
    );
}

/// The tape shows neither the key nor its copies, so that a replay must not, either.
#[tokio::test]
async fn a_key_of_the_guest_and_its_copies_are_compared_as_the_tape_shows_them() {
    const KEY: &str = "planted-0123456789";
    let guest = engine().load(FETCHER).unwrap();
    let options = RuntimeOptions {
        environment: [("KEY".to_owned(), KEY.to_owned())].into(),
        ..RuntimeOptions::without_check_of_grants()
    };
    let runtime = Runtime::new(engine(), &guest, options).unwrap();
    let storage = local_view(Arc::new(MemoryStorage::new()), replay_cursor_key());
    let script = Script::of(vec![Ok(text("one")), Ok(text("two"))]);
    let deployment = Deployment::new(runtime.clone(), storage).with_outgoing(script);
    let request = "POST http://a.example/hooks/$KEY?x=$KEY";
    let event_json = fetcher_event("/?times=2&key", request);
    let service = Service::of(deployment);
    let line = event(
        &service,
        &recorder(),
        &event_json,
        NOW_MS,
        Seed::new([3; 32]),
    )
    .await;
    let line = line.unwrap();
    let shown = String::from_utf8(line.clone()).unwrap();
    assert!(!shown.contains(KEY), "{shown}");
    assert!(
        shown.contains("http://a.example/hooks/REDACTED?x=REDACTED"),
        "{shown}"
    );
    let strict = replay(&replayer(&runtime, Mode::Strict), &line).await;
    assert_eq!(strict.verdict, Verdict::Same, "{strict:#?}");
    let state = replay(&replayer(&runtime, Mode::State), &line).await;
    assert_eq!(state.verdict, Verdict::Same, "{state:#?}");
}
