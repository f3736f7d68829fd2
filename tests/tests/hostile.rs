//! Misbehaving guests reach a limit and get a clear response, and the next request works.

use crate::support::{
    guests::HOSTILE,
    in_process::{NOW_MS, REQUEST_ID, get, get_within, memory_service, response, runtime},
};
use contract::{
    limits::{LOG_LINE_BYTES_MAX, LOG_LINES_MAX, Limits},
    outcome::{Answer, Failure, Fault},
    seed::Seed,
};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use serde_json::Value;
use service::Service;
use std::time::{Duration, Instant};

/// Time that a test needs beyond the deadline that it sets.
const SLACK: Duration = Duration::from_secs(5);

fn hostile() -> Service {
    let limits = Limits {
        host_calls_max: 10_000,
        ..Limits::default()
    };
    memory_service(&runtime(HOSTILE, limits))
}

/// Checks that the response is a problem document of that status, which reveals nothing about the host's internals.
fn assert_problem(answer: &Answer, status: u16) {
    let response = response(answer);
    assert_eq!(response["statusCode"], status, "{response}");
    assert_eq!(
        response["headers"]["content-type"], "application/problem+json",
        "{response}"
    );
    let problem: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
    assert_eq!(problem["status"], status);
    assert!(problem.to_string().contains(REQUEST_ID), "{problem}");
    for inside in ["wasm", "trap", ".rs", "tenon"] {
        assert!(
            !problem.to_string().contains(inside),
            "`{inside}` stands in {problem}"
        );
    }
}

async fn assert_next_request_works(service: &Service) {
    let response = response(&get(service, "/").await);
    assert_eq!(response["statusCode"], 200, "{response}");
    assert_eq!(response["body"], "well behaved");
}

/// Why the guest returned no response for this path; the client got a 500, and the next request works.
async fn failure(service: &Service, path: &str) -> Failure {
    let answer = get(service, path).await;
    assert_problem(&answer, 500);
    assert_next_request_works(service).await;
    match answer.summary.fault {
        Some(Fault::Guest(failure)) => failure,
        other => panic!("`{path}` gave {other:?}"),
    }
}

#[tokio::test]
async fn a_panic_is_a_500() {
    assert!(matches!(
        failure(&hostile(), "/trap").await,
        Failure::Trap(_)
    ));
}

/// What a developer needs to find the place: the guest's own message on standard error, and the active functions. The client sees neither.
#[tokio::test]
async fn a_panic_leaves_its_message_and_a_backtrace_in_the_log() {
    let service = hostile();
    let answer = get(&service, "/trap").await;
    assert_problem(&answer, 500);
    let summary = &answer.summary;
    let says = |text: &str| summary.logs.iter().any(|line| line.message.contains(text));
    assert!(says("panicked at"), "{:?}", summary.logs);
    assert!(says("on purpose"), "{:?}", summary.logs);
    let names = |text: &str| summary.backtrace.iter().any(|name| name.contains(text));
    assert!(names("handle"), "{:?}", summary.backtrace);
    assert!(names("panic"), "{:?}", summary.backtrace);
    let response = response(&answer).to_string();
    for inside in ["on purpose", "panicked", "Hostile"] {
        assert!(
            !response.contains(inside),
            "`{inside}` stands in {response}"
        );
    }
    let innermost = |path| {
        let service = service.clone();
        async move { get(&service, path).await.summary.backtrace.remove(0) }
    };
    assert!(innermost("/stack").await.contains("recursion"));
    // A call that the host stops has the calling function in its backtrace.
    assert!(!innermost("/calls").await.is_empty());
    assert_eq!(get(&service, "/").await.summary.backtrace, [""; 0]);
}

#[tokio::test]
async fn endless_recursion_is_a_500() {
    assert!(matches!(
        failure(&hostile(), "/stack").await,
        Failure::Trap(_)
    ));
}

#[tokio::test]
async fn greed_for_memory_is_a_500() {
    let limits = Limits {
        guest_memory_bytes_max: 16 << 20,
        ..Limits::default()
    };
    let service = memory_service(&runtime(HOSTILE, limits));
    assert_eq!(
        failure(&service, "/memory").await,
        Failure::Memory(16 << 20)
    );
    let usage = get(&service, "/memory").await.summary.usage;
    assert!(usage.memory_bytes_peak <= 16 << 20, "{usage:?}");
}

#[tokio::test]
async fn endless_calls_are_a_500() {
    let service = hostile();
    assert_eq!(
        failure(&service, "/calls").await.to_string(),
        "the guest was stopped: too many calls to the host"
    );
    assert_eq!(
        failure(&service, "/storage-calls").await.to_string(),
        "the guest was stopped: too many storage calls"
    );
}

#[tokio::test]
async fn an_endless_loop_is_a_504_at_the_deadline() {
    let service = hostile();
    let (start, duration) = (Instant::now(), Duration::from_millis(300));
    let answer = get_within(&service, "/loop", Seed::new([1; 32]), duration).await;
    assert!(
        (duration..duration + SLACK).contains(&start.elapsed()),
        "{:?}",
        start.elapsed()
    );
    assert_problem(&answer, 504);
    assert_eq!(answer.summary.fault, Some(Fault::Guest(Failure::Deadline)));
    assert_next_request_works(&service).await;
}

/// On one thread: a guest that never returns must still let others run.
#[tokio::test(flavor = "current_thread")]
async fn an_endless_loop_does_not_stop_other_requests() {
    let service = hostile();
    let duration = Duration::from_secs(2);
    let looping = tokio::spawn({
        let service = service.clone();
        async move { get_within(&service, "/loop", Seed::new([1; 32]), duration).await }
    });
    tokio::task::yield_now().await;
    let start = Instant::now();
    assert_next_request_works(&service).await;
    assert!(
        start.elapsed() < duration,
        "the other request waited for the loop: {:?}",
        start.elapsed()
    );
    assert_problem(&looping.await.unwrap(), 504);
}

/// A permit must not be released before its instance is back in the pool.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_requests_than_instances_wait_for_their_turn() {
    let engine = Engine::new(&EngineOptions {
        instances_max: 2,
        ..EngineOptions::default()
    })
    .unwrap();
    let guest = engine.load(HOSTILE).unwrap();
    let runtime = Runtime::new(&engine, &guest, RuntimeOptions::default()).unwrap();
    let service = memory_service(&runtime);
    let clients = (0..8).map(|_| {
        let service = service.clone();
        tokio::spawn(async move {
            for _ in 0..500 {
                assert_next_request_works(&service).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn answers_that_http_forbids_are_a_500() {
    let service = hostile();
    let targets = [
        "/status?99",
        "/status?100",
        "/status?199",
        "/status?600",
        "/status?65535",
        "/header?a%20b=1",
        "/header?=1",
        "/header?a:b=1",
        "/header?x=a%0Aset-cookie:b",
        "/header?x=a%00b",
        "/header?x%0Ay=a",
        "/header?connection=close",
        "/header?transfer-encoding=chunked",
        "/header?upgrade=h2c",
    ];
    for target in targets {
        let answer = get(&service, target).await;
        assert_problem(&answer, 500);
        assert!(
            matches!(answer.summary.fault, Some(Fault::Response(_))),
            "{target}: {:?}",
            answer.summary.fault
        );
    }
    assert_next_request_works(&service).await;
}

#[tokio::test]
async fn an_answer_over_the_gateways_limit_is_a_500() {
    let service = hostile();
    let answer = get(&service, "/response-bytes").await;
    assert_problem(&answer, 500);
    assert!(
        matches!(answer.summary.fault, Some(Fault::Response(_))),
        "{:?}",
        answer.summary.fault
    );
    assert_next_request_works(&service).await;
}

#[tokio::test]
async fn a_flood_of_log_lines_is_cut() {
    let service = hostile();
    let Answer { summary, .. } = get(&service, "/logs").await;
    assert_eq!(summary.status, 200);
    // One more line says how many are missing.
    assert_eq!(summary.logs.len(), LOG_LINES_MAX as usize + 1);
    let last = summary.logs.last().unwrap();
    assert!(
        format!("{last:?}").contains("1001"),
        "2,001 lines less 1,000 are missing, not {last:?}"
    );
    let first = &summary.logs[0];
    let bytes = first.message.len()
        + first
            .attributes
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum::<usize>();
    assert!(
        bytes <= LOG_LINE_BYTES_MAX + 100,
        "the first line has {bytes} bytes"
    );
    assert_next_request_works(&service).await;
}

#[tokio::test]
async fn random_numbers_follow_from_the_seed() {
    let service = hostile();
    let random = async |seed| {
        let answer = get_within(&service, "/random", Seed::new([seed; 32]), SLACK).await;
        response(&answer)["body"].as_str().unwrap().to_owned()
    };
    assert_eq!(random(1).await, random(1).await);
    assert_ne!(random(1).await, random(2).await);
}

#[tokio::test]
async fn clocks_tell_the_requests_time_and_nothing_of_the_machine() {
    let service = hostile();
    let first = response(&get(&service, "/clock").await)["body"].clone();
    let parts: Vec<u64> = first
        .as_str()
        .unwrap()
        .split(' ')
        .map(|part| part.parse().unwrap())
        .collect();
    assert_eq!(
        parts[..2],
        [NOW_MS, 0],
        "the wall clock stands still at the request's time"
    );
    assert_eq!(response(&get(&service, "/clock").await)["body"], first);
}

#[tokio::test]
async fn nothing_in_memory_outlives_a_request() {
    let service = hostile();
    for _ in 0..3 {
        assert_eq!(response(&get(&service, "/state").await)["body"], "1");
    }
}
