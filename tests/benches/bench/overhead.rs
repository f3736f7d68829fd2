//! One request in process: the component in a new instance compared with the same native logic, and its scaling to two threads.

use crate::{
    report::{self, Samples, median},
    workload,
};
use contract::http::Request;
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use std::time::Instant;

/// Consecutive requests of one subject.
const BATCH: u64 = 200;
const ROUNDS: u64 = 100;
const SCALING_REQUESTS: u64 = 40_000;
const SCALING_ROUNDS: usize = 5;

pub fn run() -> anyhow::Result<()> {
    let guest = std::fs::read(concat!(env!("OUT_DIR"), "/guest.wasm"))?;
    let engine = Engine::new(&EngineOptions {
        pools: 2,
        ..EngineOptions::default()
    })?;
    let runtime = Runtime::new(&engine, &engine.load(&guest)?, RuntimeOptions::default())?;

    report::heading(
        "in process, memory store, one storage call: a fresh instance per request against native",
    );
    for (label, method, path, body) in [
        ("GET /items/{id}", "GET", workload::ITEM_PATH, ""),
        ("POST /items", "POST", "/items", workload::ITEM),
    ] {
        let request = workload::request(method, path, body)?;
        let (native, component) = interleave(&runtime, &request)?;
        report::row(
            label,
            &[
                ("native us", format!("{:.2}", native.median_us())),
                ("component us", format!("{:.2}", component.median_us())),
                (
                    "adds us",
                    format!("{:.2}", component.median_us() - native.median_us()),
                ),
                (
                    "ratio",
                    format!("{:.2}", component.median_us() / native.median_us()),
                ),
                (
                    "p90 us",
                    format!(
                        "{:.2} / {:.2}",
                        native.quantile_us(0.9),
                        component.quantile_us(0.9)
                    ),
                ),
            ],
        );
    }
    scaling(&runtime)
}

/// Alternates batches of both subjects, so that other load on the machine affects both.
fn interleave(runtime: &Runtime, request: &Request) -> anyhow::Result<(Samples, Samples)> {
    let (native_storage, component_storage) = (workload::seeded()?, workload::seeded()?);
    let (mut native, mut component) = (Vec::new(), Vec::new());
    workload::block_on(async {
        for number in 0..BATCH * ROUNDS {
            let request = request.clone();
            let seed = workload::seed(number);
            if (number / BATCH).is_multiple_of(2) {
                let started = Instant::now();
                let response = native::handle(request, &native_storage, &seed);
                native.push(started.elapsed());
                workload::check(&response)?;
            } else {
                let started = Instant::now();
                let response =
                    workload::answer(runtime, request, &component_storage, number).await?;
                component.push(started.elapsed());
                workload::check(&response)?;
            }
        }
        Ok(())
    })?;
    Ok((Samples::new(native), Samples::new(component)))
}

fn scaling(runtime: &Runtime) -> anyhow::Result<()> {
    report::heading("in process, GET, requests a second");
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..SCALING_ROUNDS {
        for (threads, rates) in [1, 2].into_iter().zip(&mut rates) {
            rates.push(rate(runtime, threads)?);
        }
    }
    let [one, two] = rates.map(median);
    report::row(
        "component",
        &[
            ("1 thread", format!("{one:.0}")),
            ("2 threads", format!("{two:.0}")),
            ("ratio", format!("{:.2}", two / one)),
        ],
    );
    Ok(())
}

fn rate(runtime: &Runtime, threads: u64) -> anyhow::Result<f64> {
    let storage = workload::seeded()?;
    let request = workload::request("GET", workload::ITEM_PATH, "")?;
    let started = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    workload::block_on(async {
                        for number in 0..SCALING_REQUESTS / threads {
                            workload::check(
                                &workload::answer(runtime, request.clone(), &storage, number)
                                    .await?,
                            )?;
                        }
                        Ok(())
                    })
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("a worker panicked")))
        })
    })?;
    Ok(SCALING_REQUESTS as f64 / started.elapsed().as_secs_f64())
}
