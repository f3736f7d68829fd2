//! Many requests of many kinds through one process under Amazon's emulator: no unexpected responses, and memory does not grow.

use super::{
    bootstrap::{Environment, image, program},
    emulator::Emulator,
    events::{event, get, post},
    table::Table,
};
use crate::support::guests::REFERENCE;
use gateway::EventKind;
use serde_json::{Value, json};
use std::{fs, time::Instant};

const REQUESTS: usize = 20_000;
/// Requests in one round.
const ROUND: usize = 10;
/// Rounds after which everything has been used once.
const WARM_ROUNDS: usize = REQUESTS / ROUND / 10;
/// Additional memory that allocators may keep after a long run.
const GROWTH_BYTES_MAX: u64 = 4 << 20;

#[test]
fn twenty_thousand_requests_are_answered_as_expected_in_constant_memory() {
    let table = Table::start();
    let environment = Environment::new(&image("soak", REFERENCE), &table.endpoint());
    let emulator = Emulator::start(&program(), environment);
    let send = |event: Vec<u8>| serde_json::from_slice(&emulator.invoke(&event)).unwrap();
    let start = Instant::now();
    let mut warm = 0;
    for number in 0..REQUESTS / ROUND {
        round(EventKind::ALL[number % 4], &send);
        if number == WARM_ROUNDS {
            warm = resident_bytes(emulator.host_id());
        }
    }
    let end = resident_bytes(emulator.host_id());
    eprintln!(
        "{REQUESTS} requests in {:.1} s, {} KiB resident after a tenth of them, {} KiB at the end",
        start.elapsed().as_secs_f64(),
        warm / 1024,
        end / 1024
    );
    assert!(
        end < warm + GROWTH_BYTES_MAX,
        "memory grew from {warm} to {end} bytes"
    );
    let leftovers = table.entries("local", 0);
    assert_eq!(leftovers, json!([]), "every round removes what it made");
}

/// An item's life, and failing requests.
fn round(kind: EventKind, send: &impl Fn(Vec<u8>) -> Value) {
    let request = |method, target: &str, headers: &[_], body: Value| {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        send(event(kind, method, target, headers, body.as_bytes()))
    };
    let expect = |response: &Value, status: u16| {
        assert_eq!(response["statusCode"], status, "{kind}: {response}");
    };
    let created = send(post("/items", &json!({"name": "lamp", "price": 12.5})));
    expect(&created, 201);
    let item: Value = serde_json::from_str(created["body"].as_str().unwrap()).unwrap();
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    expect(&request("GET", &path, &[], Value::Null), 200);
    expect(
        &request(
            "PUT",
            &path,
            &[("if-match", "\"other\"")],
            json!({"name": "desk"}),
        ),
        412,
    );
    expect(&request("PUT", &path, &[], json!({"name": "desk"})), 200);
    expect(&request("GET", "/items?limit=2", &[], Value::Null), 200);
    expect(&request("POST", "/items", &[], json!({"name": 7})), 422);
    expect(&request("PUT", "/items", &[], json!({})), 405);
    expect(&send(get("/nothing")), 404);
    expect(&request("DELETE", &path, &[], Value::Null), 204);
    expect(&request("GET", &path, &[], Value::Null), 404);
}

/// Memory in use by a process (Linux: `/proc/PID/status`).
fn resident_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .unwrap()
        * 1024
}
