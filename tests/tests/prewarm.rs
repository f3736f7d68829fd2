//! Prewarmed instances respond like those that are created with their requests.

use crate::support::{
    guests::{EAGER, HOSTILE, REFERENCE},
    in_process::{get, get_within, memory_service, response},
};
use contract::{limits::Limits, log::LogRecord, outcome::Answer, seed::Seed};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use service::Service;
use std::time::Duration;

/// Longer than the duration of any guest here that ends.
const PATIENCE: Duration = Duration::from_secs(20);

fn engine(instances_max: u32, prewarmed: bool) -> Engine {
    Engine::new(&EngineOptions {
        instances_max,
        pools: 1,
        prewarmed,
    })
    .unwrap()
}

fn service(engine: &Engine, guest: &[u8]) -> Service {
    let options = RuntimeOptions {
        limits: Limits {
            host_calls_max: 10_000,
            ..Limits::default()
        },
        environment: [("TEAM".to_owned(), "joiners".to_owned())].into(),
        ..RuntimeOptions::default()
    };
    let guest = engine.load(guest).unwrap();
    memory_service(&Runtime::new(engine, &guest, options).unwrap())
}

/// The contents of a response, except durations.
type Said = (Vec<u8>, Vec<LogRecord>, (u32, u32, usize));

fn said(answer: Answer) -> Said {
    let usage = answer.summary.usage;
    let used = (
        usage.host_calls,
        usage.storage_calls,
        usage.memory_bytes_peak,
    );
    (answer.payload, answer.summary.logs, used)
}

async fn ask(service: &Service, path: &str, seed: u8) -> Said {
    said(get_within(service, path, Seed::new([seed; 32]), PATIENCE).await)
}

#[tokio::test]
async fn an_instance_waits_for_the_next_request_and_serves_one() {
    let engine = engine(1, true);
    let service = service(&engine, REFERENCE);
    assert_eq!(engine.prewarmed(), 0, "nobody has asked yet");
    for _ in 0..3 {
        assert_eq!(response(&get(&service, "/health").await)["statusCode"], 200);
        assert_eq!(engine.prewarmed(), 0, "it was taken");
        engine.run_deferred().await;
        assert_eq!(engine.prewarmed(), 1);
    }
}

#[tokio::test]
async fn answers_are_those_of_instances_made_with_their_requests() {
    let (ahead, with) = (engine(1, true), engine(1, false));
    for (guest, paths) in [
        (REFERENCE, &["/health", "/items", "/items/none"][..]),
        (
            HOSTILE,
            &[
                "/",
                "/state",
                "/random",
                "/clock",
                "/environment",
                "/logs",
                "/memory",
                "/calls",
                "/storage-calls",
                "/trap",
                "/stack",
            ],
        ),
    ] {
        let (service, expected) = (service(&ahead, guest), service(&with, guest));
        for (path, seed) in paths
            .iter()
            .flat_map(|path| [1, 2].map(|seed| (path, seed)))
        {
            let answered = ask(&service, path, seed).await;
            assert_eq!(answered, ask(&expected, path, seed).await, "{path}");
            ahead.run_deferred().await;
            assert_eq!(ahead.prewarmed(), 1, "after {path}");
        }
    }
}

#[tokio::test]
async fn a_guest_that_calls_the_host_at_its_start_has_the_clock_and_the_chance_of_its_request() {
    let (ahead, with) = (engine(1, true), engine(1, false));
    let (service, expected) = (service(&ahead, EAGER), service(&with, EAGER));
    let mut answers = Vec::new();
    for seed in [1, 1, 2, 3] {
        let answered = ask(&service, "/", seed).await;
        assert_eq!(answered, ask(&expected, "/", seed).await);
        answers.push(answered);
        ahead.run_deferred().await;
        assert_eq!(ahead.prewarmed(), 0, "it cannot start without a request");
    }
    assert_eq!(answers[0], answers[1]);
    answers.dedup();
    assert_eq!(answers.len(), 3, "chance is the request's own");
}

#[tokio::test]
async fn guests_that_take_turns_leave_each_other_room() {
    let engine = engine(1, true);
    let services = [service(&engine, HOSTILE), service(&engine, REFERENCE)];
    for turn in 0..40 {
        let answer = get(&services[turn % 2], ["/", "/health"][turn % 2]).await;
        assert_eq!(response(&answer)["statusCode"], 200);
        // Some hosts forget to call it.
        if turn % 5 != 0 {
            engine.run_deferred().await;
        }
        assert!(engine.prewarmed() <= 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_share_instances_that_were_made_ahead() {
    let engine = Engine::new(&EngineOptions {
        instances_max: 4,
        pools: 2,
        prewarmed: true,
    })
    .unwrap();
    let service = service(&engine, HOSTILE);
    let clients = (0..8).map(|client| {
        let (engine, service) = (engine.clone(), service.clone());
        tokio::spawn(async move {
            for number in 0..250 {
                let path = ["/", "/random", "/trap"][(client + number) % 3];
                let answer = get(&service, path).await;
                let expected = if path == "/trap" { 500 } else { 200 };
                assert_eq!(response(&answer)["statusCode"], expected);
                engine.run_deferred().await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    assert!(engine.prewarmed() <= 2);
}
