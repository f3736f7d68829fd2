//! Calls of `wasi:keyvalue` on tapes are storage calls: they are replayed strictly and by state, and redacted as any others.

use super::KEYVALUE;
use crate::{
    support::{
        in_process::{NOW_MS, memory_service, runtime},
        recording::{event, http_event, recorder},
    },
    tape::strict::{replay, replayer},
};
use contract::{limits::Limits, seed::Seed};
use replay::{Mode, Verdict};
use serde_json::Value;

const REQUESTS: [&str; 8] = [
    "set 1 a one\nset 2 b 0x00ff\nget 1 a\nexists 2 x",
    "fill 1 300 20\nall 1",
    "page 1\npage 2",
    "all 1\nall 2",
    "add 1 n 5\nadd 2 n -2\nadd 1 a 1",
    "cas 2 new a\nset 2 a two\ncas 2 current\ncas 2 swap x\ncas 2 swap y",
    "get-many 1 a b x\nset-many 2 a=1 c=0xff\ndelete-many 1 b x",
    "open 1 other\nset-long-key 2 2000\npage 2 x",
];

#[tokio::test]
async fn what_is_recorded_is_replayed() {
    let runtime = runtime(KEYVALUE, Limits::default());
    let (service, recorder) = (memory_service(&runtime), recorder());
    let strict = replayer(&runtime, Mode::Strict);
    let state = replayer(&runtime, Mode::State);
    let mut functions = Vec::new();
    for (seed, operations) in (1..).zip(REQUESTS) {
        let body = operations.replace(' ', "\t");
        let request = http_event("POST", "/", &[], body.as_bytes());
        let line = event(&service, &recorder, &request, NOW_MS, Seed::new([seed; 32])).await;
        let line = line.unwrap();
        for replayer in [&strict, &strict, &state] {
            let comparison = replay(replayer, &line).await;
            assert_eq!(
                comparison.verdict,
                Verdict::Same,
                "{operations}: {comparison:?}"
            );
        }
        let tape: Value = serde_json::from_slice(&line).unwrap();
        let calls = tape["calls"].as_array().unwrap();
        functions.extend(calls.iter().map(|call| call["call"].to_string()));
    }
    functions.sort();
    functions.dedup();
    let expected = ["get", "get-many", "put", "query", "transact"];
    assert_eq!(functions, expected.map(|name| format!("\"{name}\"")));
}

/// A value that is a credential in the request is none in the store either.
#[tokio::test]
async fn what_is_stored_is_redacted_on_the_tape() {
    let runtime = runtime(KEYVALUE, Limits::default());
    let (service, recorder) = (memory_service(&runtime), recorder());
    let body = "set\t1\ta\tpassword=correct-horse-battery\nget\t2\ta";
    let headers = [("content-type", "text/plain")];
    let request = http_event("POST", "/", &headers, body.as_bytes());
    let line = event(&service, &recorder, &request, NOW_MS, Seed::new([1; 32])).await;
    let line = String::from_utf8(line.unwrap()).unwrap();
    assert!(
        !line.contains("correct-horse") && line.contains("REDACTED"),
        "{line}"
    );
}
