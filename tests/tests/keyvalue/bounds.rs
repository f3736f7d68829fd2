//! What one request may store, keep and ask for.

use super::{check, keyvalue};
use crate::support::{
    guests::KEYVALUE,
    in_process::{NOW_MS, memory_service, runtime},
    recording::http_event,
};
use contract::{
    limits::{KEYVALUE_KEY_BYTES_MAX, Limits},
    outcome::{Failure, Fault, Stop},
    seed::Seed,
};
use service::{Invocation, Service};
use std::time::{Duration, Instant};

async fn failure(service: &Service, operations: &str) -> Failure {
    let body = operations.replace(' ', "\t");
    let invocation = Invocation {
        received_at_ms: NOW_MS,
        seed: Seed::new([1; 32]),
        deadline: Instant::now() + Duration::from_secs(60),
        trace_header: None,
    };
    let event = http_event("POST", "/", &[], body.as_bytes());
    match service
        .invoke(&event, invocation)
        .await
        .unwrap()
        .summary
        .fault
    {
        Some(Fault::Guest(failure)) => failure,
        other => panic!("`{operations}` gave {other:?}"),
    }
}

#[tokio::test]
async fn keys_and_values_have_the_lengths_that_the_store_allows() {
    let longest = KEYVALUE_KEY_BYTES_MAX;
    let script = format!(
        "set-long-key N {longest} -> ()
        set-long-key N {} -> error: the key has 1009 bytes, at most 1008 are allowed
        set-length N a 409000 -> ()
        set-length N a 409601 -> error: the value has 409601 bytes, at most 409600 are allowed with its key
        get N a -> 409000 bytes",
        longest + 1
    );
    for draft in ["1", "2"] {
        check(&keyvalue(), 1, draft, &script).await;
    }
}

/// As many calls as the limit allows, however they are made.
#[tokio::test]
async fn every_query_and_try_is_a_storage_call() {
    let limits = Limits {
        storage_calls_max: 20,
        ..Limits::default()
    };
    let service = memory_service(&runtime(KEYVALUE, limits));
    let calls = Failure::Stopped(Stop::StorageCalls);
    assert_eq!(failure(&service, &"add 1 n 1\n".repeat(11)).await, calls);
    check(&service, 1, "1", "get 1 n -> 10").await;
    assert_eq!(failure(&service, &"all 2\n".repeat(2)).await, calls);
    assert_eq!(failure(&service, "fill 1 2001 1").await, calls);
}

#[tokio::test]
async fn handles_and_what_they_keep_are_bounded() {
    let service = keyvalue();
    for draft in ["1", "2"] {
        let Failure::Trap(message) = failure(&service, &format!("forget {draft} 5000")).await
        else {
            panic!("4,096 handles are too many");
        };
        assert!(message.contains("table"), "{message}");
    }
    let script = "
        set-length 2 a 400000 -> ()
        cas 2 many a 20 -> handles
        cas 2 many a 20 -> error: the values of all `cas` handles have 8400231 bytes, at most 8388608 are allowed: drop some of them
        cas 2 drop -> dropped
        cas 2 many a 20 -> handles
    ";
    check(&service, 1, "2", script).await;
}

/// A short list of keys can ask for the same large value many times.
#[tokio::test]
async fn what_get_many_returns_is_bounded() {
    let service = keyvalue();
    let keys = ["a"; 21].join(" ");
    let script = format!(
        "set-length 1 a 400000 -> ()
        get-many N {keys} -> error: the values found have 8400000 bytes, at most 8388608 are allowed: ask for fewer keys at a time"
    );
    check(&service, 1, "1", &script).await;
}
