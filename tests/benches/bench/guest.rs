//! The steps of a guest: compiled, loaded, linked, and then for each request an instance that is created, called and dropped.
//!
//! Without prewarming, `Runtime::handle` does the last three in one. With it, the call only creates an instance if none is ready, and
//! dropping is deferred.

use crate::{
    report::{self, Samples},
    turns::in_turns,
    workload,
};
use anyhow::{Context, ensure};
use contract::{compatibility::Target, http::Request};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions, compile},
};
use std::{
    env, fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use storage::Storage;

/// Compiling takes a thousand times as long as any other step.
const COMPILATIONS: u64 = 12;
/// Runs of each other step for one compilation.
const BATCH_OF_STEPS: usize = 20;
/// Consecutive requests of one subject.
const BATCH: u64 = 100;
const ROUNDS: u64 = 100;

pub fn run() -> anyhow::Result<()> {
    let folder = env::temp_dir().join(format!("tenon-bench-guest-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = ready(&folder);
    fs::remove_dir_all(&folder)?;
    measured?;
    workload::block_on(async {
        requests().await?;
        parts().await
    })
}

/// From the component to a linked guest, with an engine configured as on Lambda.
fn ready(folder: &Path) -> anyhow::Result<()> {
    let component = fs::read(concat!(env!("OUT_DIR"), "/guest.wasm"))?;
    let target = Target::HOST.context("guests do not run on this CPU")?;
    let engine = Engine::new(&EngineOptions {
        instances_max: 1,
        ..EngineOptions::default()
    })?;
    let path = folder.join("guest.cwasm");
    let mut compiled = Vec::new();
    let mut steps: [Vec<Duration>; 3] = Default::default();
    let mut image = Vec::new();
    for _ in 0..COMPILATIONS {
        image = timed(&mut compiled, || compile(&component, target))?;
        fs::write(&path, &image)?;
        let [mapped, loaded, linked] = &mut steps;
        for _ in 0..BATCH_OF_STEPS {
            timed(mapped, || engine.load_file(&path))?;
            let guest = timed(loaded, || engine.load_image(&image))?;
            let options = RuntimeOptions::default();
            timed(linked, || Runtime::new(&engine, &guest, options))?;
        }
    }
    report::heading("the guest made ready, us");
    spread("compile, both cores", &Samples::new(compiled), &[]);
    let [mapped, loaded, linked] = steps.map(Samples::new);
    spread("load an image in a file", &mapped, &[]);
    spread("load an image in memory", &loaded, &[]);
    spread("link", &linked, &[]);
    report::row(
        "sizes, kB",
        &[
            ("component", (component.len() / 1000).to_string()),
            ("image", (image.len() / 1000).to_string()),
        ],
    );
    Ok(())
}

/// Adds the duration of a step, without dropping its result.
fn timed<T>(durations: &mut Vec<Duration>, step: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let made = step();
    durations.push(started.elapsed());
    made
}

async fn requests() -> anyhow::Result<()> {
    let engine = Engine::new(&EngineOptions::default())?;
    let echo = link(&engine, concat!(env!("OUT_DIR"), "/echo.wasm"))?;
    let guest = link(&engine, concat!(env!("OUT_DIR"), "/guest.wasm"))?;
    let storage = workload::seeded()?;
    let nothing = workload::request("GET", "/", "")?;
    let health = workload::request("GET", "/health", "")?;
    let get = workload::request("GET", workload::ITEM_PATH, "")?;
    let [of_nothing, of_health, of_get, health_natively, get_natively] =
        in_turns(ROUNDS, BATCH, async |subject, number| match subject {
            0 => workload::timed(&echo, &nothing, &storage, number).await,
            1 => workload::timed(&guest, &health, &storage, number).await,
            2 => workload::timed(&guest, &get, &storage, number).await,
            3 => natively(&health, &storage, number),
            _ => natively(&get, &storage, number),
        })
        .await?;
    report::heading("a request in an instance of its own: made, called, dropped, us");
    spread("a guest that does nothing", &of_nothing, &[]);
    for (label, component, native) in [
        ("GET /health, no store", of_health, health_natively),
        ("GET /items/{id}", of_get, get_natively),
    ] {
        let cells = [
            ("native", format!("{:.2}", native.median_us())),
            (
                "adds",
                format!("{:.2}", component.median_us() - native.median_us()),
            ),
        ];
        spread(label, &component, &cells);
    }
    Ok(())
}

/// Separately: a request that finds an instance, one that does not, and the deferred work of both.
async fn parts() -> anyhow::Result<()> {
    let engine = Engine::new(&EngineOptions {
        prewarmed: true,
        ..EngineOptions::default()
    })?;
    let guest = link(&engine, concat!(env!("OUT_DIR"), "/guest.wasm"))?;
    let storage = workload::seeded()?;
    let get = workload::request("GET", workload::ITEM_PATH, "")?;
    workload::timed(&guest, &get, &storage, u64::MAX).await?;
    engine.run_deferred().await;
    let [mut made, mut called, mut dropped] = [const { Vec::new() }; 3];
    for number in 0..BATCH * ROUNDS {
        ensure!(engine.prewarmed() == 1, "no instance waits for the request");
        let call = workload::timed(&guest, &get, &storage, 2 * number).await?;
        ensure!(
            engine.prewarmed() == 0,
            "the request took no prewarmed instance"
        );
        let make_and_call = workload::timed(&guest, &get, &storage, 2 * number + 1).await?;
        let started = Instant::now();
        engine.run_deferred().await;
        let drop_two_and_make = started.elapsed();
        let make = make_and_call.saturating_sub(call);
        made.push(make);
        called.push(call);
        dropped.push(drop_two_and_make.saturating_sub(make) / 2);
    }
    report::heading("GET /items/{id}, what is done with its instance, us");
    spread("made", &Samples::new(made), &[]);
    spread("called", &Samples::new(called), &[]);
    spread("dropped", &Samples::new(dropped), &[]);
    Ok(())
}

fn link(engine: &Engine, component: &str) -> anyhow::Result<Runtime> {
    let guest = engine.load(&fs::read(component)?)?;
    Ok(Runtime::new(engine, &guest, RuntimeOptions::default())?)
}

fn natively(
    request: &Request,
    storage: &Arc<dyn Storage>,
    number: u64,
) -> anyhow::Result<Duration> {
    let (request, seed) = (request.clone(), workload::seed(number));
    let started = Instant::now();
    let response = native::handle(request, storage, &seed);
    let elapsed = started.elapsed();
    workload::check(&response)?;
    Ok(elapsed)
}

fn spread(label: &str, samples: &Samples, further: &[(&str, String)]) {
    let at = |share| format!("{:.2}", samples.quantile_us(share));
    let mut cells = vec![("10 %", at(0.1)), ("median", at(0.5)), ("90 %", at(0.9))];
    cells.extend_from_slice(further);
    report::row(label, &cells);
}
