//! Bodies from a kilobyte to Lambda's maximum, from event to response: what the component adds to reading the event and writing the
//! response, which the native logic does as well.

/// The guest's own logic, natively.
#[path = "../../guests/echo/src/body.rs"]
mod body;

use crate::{report, turns::in_turns, workload};
use anyhow::ensure;
use contract::{http::Response, limits::Limits};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use service::Service;
use std::{fs, time::Instant};

const SIZES: [(&str, usize); 4] = [
    ("1 KB", 1_000),
    ("100 KB", 100_000),
    ("1 MB", 1_000_000),
    ("5 MB", 5_000_000),
];
/// Bytes that each subject processes for each size, within bounds for the number of requests.
const BYTES: usize = 200_000_000;
const REQUESTS_MIN: usize = 60;
const REQUESTS_MAX: usize = 2_000;
const ROUNDS: usize = 20;

pub fn run() -> anyhow::Result<()> {
    let engine = Engine::new(&EngineOptions::default())?;
    let guest = engine.load(&fs::read(concat!(env!("OUT_DIR"), "/echo.wasm"))?)?;
    let runtime = Runtime::new(&engine, &guest, RuntimeOptions::default())?;
    let service = Service::new(runtime, workload::storage()?);

    report::heading("bodies, from event to answer: component against native, us");
    for (label, bytes) in SIZES {
        let long = body::answer(workload::ITEM.into(), &format!("{bytes}"));
        let long = String::from_utf8(long)?;
        let short = workload::ITEM;
        for (label, target, body) in [
            (
                format!("request of {label}"),
                format!("/?{}", short.len()),
                &*long,
            ),
            (format!("answer of {label}"), format!("/?{bytes}"), short),
        ] {
            let event = workload::event("POST", &target, body);
            measure(&service, &label, &event, bytes)?;
        }
    }
    Ok(())
}

fn measure(service: &Service, label: &str, event: &[u8], bytes: usize) -> anyhow::Result<()> {
    let requests = (BYTES / bytes).clamp(REQUESTS_MIN, REQUESTS_MAX);
    let expected = natively(event)?;
    let [native, component] = workload::block_on(in_turns(
        ROUNDS as u64,
        (requests / ROUNDS) as u64,
        async |subject, number| {
            let started = Instant::now();
            let answer = if subject == 0 {
                natively(event)?
            } else {
                let answer = service.invoke(event, workload::invocation(number)).await?;
                answer.payload
            };
            let elapsed = started.elapsed();
            ensure!(answer == expected, "answers differ");
            Ok(elapsed)
        },
    ))?;
    let adds_us = component.median_us() - native.median_us();
    report::row(
        label,
        &[
            ("native", format!("{:.1}", native.median_us())),
            ("component", format!("{:.1}", component.median_us())),
            ("adds", format!("{adds_us:.1}")),
            (
                "ratio",
                format!("{:.2}", component.median_us() / native.median_us()),
            ),
            ("event kB", format!("{}", event.len() / 1000)),
            ("answer kB", format!("{}", expected.len() / 1000)),
        ],
    );
    Ok(())
}

/// The work of a host without a guest.
fn natively(event: &[u8]) -> anyhow::Result<Vec<u8>> {
    let seed = workload::seed(0);
    let context = gateway::ParseContext {
        received_at_ms: workload::RECEIVED_AT_MS,
        seed: &seed,
        base_path: None,
    };
    let gateway::Event {
        request, origin, ..
    } = gateway::parse(event, &context, &Limits::default())?;
    let response = Response {
        status: 200,
        headers: vec![("content-type".into(), body::CONTENT_TYPE.into())],
        body: body::answer(request.body, &request.query),
    };
    Ok(gateway::respond(&origin, response)?)
}
