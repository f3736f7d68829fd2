//! What outgoing requests may use, and what happens at the end of a guest's time.

use super::{
    answer, fetcher_event,
    script::{Flock, Patient},
    service_with, strict, unredacted,
    wasi_http::{proxy_with, strict_proxy},
};
use crate::support::{
    in_process::{NOW_MS, get},
    recording::{event, http_event},
};
use contract::{
    limits::{Limits, OUTGOING_BYTES_MAX, OUTGOING_RESPONSE_BODY_BYTES_MAX},
    outcome::{Failure, Fault, Stop},
    seed::Seed,
};
use observation::Part;
use replay::Verdict;
use serde_json::Value;
use service::Invocation;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

#[tokio::test]
async fn a_service_that_does_not_answer_leaves_the_guest_time_to_respond() {
    let service = service_with(Arc::new(Patient), Limits::default());
    let invocation = Invocation {
        received_at_ms: NOW_MS,
        seed: Seed::new([1; 32]),
        deadline: Instant::now() + Duration::from_secs(2),
        trace_header: None,
    };
    let event = fetcher_event("/", "GET http://a.example/");
    let (answered, line) = unredacted().invoke(&service, &event, invocation).await;
    assert_eq!(answered.unwrap().summary.fault, None);
    let line = line.unwrap();
    assert_eq!(answer(&line), "outcome-unknown: no answer\n");
    let comparison = strict(&line).await;
    assert_eq!(comparison.verdict, Verdict::Same, "{comparison:#?}");
}

#[tokio::test]
async fn no_more_responses_are_waited_for_than_may_be_kept() {
    let flock = Arc::new(Flock::default());
    let response = get(&proxy_with(flock.clone()), "/fetch?20").await;
    assert_eq!(response.summary.fault, None);
    assert_eq!(response.summary.usage.outgoing_calls, 20);
    let together = flock.most();
    assert!(together > 1, "{together}");
    assert!(together * OUTGOING_RESPONSE_BODY_BYTES_MAX <= OUTGOING_BYTES_MAX);
}

/// Both requests of the tape were sent at the same time, and time ran out before the first response.
#[tokio::test]
async fn a_replay_that_ends_at_a_request_misses_those_beside_it() {
    let service = proxy_with(Arc::new(Flock::default()));
    let event_json = http_event("GET", "/fetch?2", &[], b"");
    let seed = Seed::new([1; 32]);
    let recorder = unredacted();
    let line = event(&service, &recorder, &event_json, NOW_MS, seed).await;
    let mut line: Value = serde_json::from_slice(&line.unwrap()).unwrap();
    line["outgoing"][0]
        .as_object_mut()
        .unwrap()
        .remove("result");
    line["fault"] = serde_json::json!({"kind": "deadline", "detail": "too late"});
    line.as_object_mut().unwrap().remove("sha256");
    let whole = serde_json::to_vec(&line).unwrap();
    let verdict = strict_proxy(&whole).await.verdict;
    assert_eq!(verdict, Verdict::Same);
    line["event"]["rawQueryString"] = "1".into();
    line["event"]["queryStringParameters"] = serde_json::json!({"1": ""});
    let comparison = strict_proxy(&serde_json::to_vec(&line).unwrap()).await;
    assert_eq!(comparison.verdict, Verdict::Differs, "{comparison:#?}");
    assert!(
        comparison.notes[0]
            .text
            .starts_with("outgoing request 2: the tape has `POST http://up.example:8080/1?a=b`"),
        "{comparison:#?}"
    );
    assert!(
        comparison
            .differing
            .iter()
            .all(|part| part.part != Part::Outgoing)
    );
}

/// Copies of header fields share their memory in the host until a request is made of them.
#[tokio::test]
async fn requests_that_are_never_sent_take_no_more_than_header_fields_may() {
    let service = proxy_with(Arc::new(Flock::default()));
    let fault = get(&service, "/fetch-shared?3").await.summary.fault;
    let expected = Fault::Guest(Failure::Stopped(Stop::HttpText));
    assert_eq!(fault, Some(expected));
}
