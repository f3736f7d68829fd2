//! The function on Lambda: our bootstrap with the component against a bootstrap with the same logic natively, through the same runtime
//! loop, on the same engine. `cargo xtask bench lambda` builds both as they are packaged and pins everything to one CPU.

mod engine;
mod runtime_api;
mod subject;

use crate::{
    report::{self, Samples},
    workload,
};
use anyhow::{Context, ensure};
use engine::Engine;
use serde_json::Value;
use std::{env, fs, path::PathBuf, time::Duration};
use subject::{Program, Subject};

/// Requests of one subject before it is the other's turn.
const BATCH: usize = 50;
const ROUNDS: usize = 40;
/// Requests before memory is read and anything is timed.
const WARM_UP: usize = 1_000;
const COLD_STARTS: usize = 30;

/// What is asked for, and how many calls to the store that takes.
const REQUESTS: [(&str, &str, &str, &str); 4] = [
    ("GET /health, no store", "GET", "/health", ""),
    ("GET /items/{id}", "GET", workload::ITEM_PATH, ""),
    ("POST /items", "POST", "/items", workload::ITEM),
    ("GET /items, 20 of them", "GET", "/items?limit=20", ""),
];

pub fn run() -> anyhow::Result<()> {
    let engine = Engine::start()?;
    let folder = env::temp_dir().join(format!("tenon-bench-lambda-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(&engine, &folder.join("guest.cwasm"));
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure(engine: &Engine, image: &std::path::Path) -> anyhow::Result<()> {
    engine::compile_guest(image)?;
    let native = Program::new("native", program("TENON_BENCH_NATIVE")?, engine, None)?;
    let component = Program::new(
        "component",
        program("TENON_BENCH_BOOTSTRAP")?,
        engine,
        Some(image),
    )?;
    sizes(&native, &component, image)?;
    cold(&native, &component)?;
    warm(native.start()?, component.start()?)
}

/// A program that `cargo xtask bench` has built.
fn program(variable: &str) -> anyhow::Result<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    path.with_context(|| format!("`{variable}` names no program: run this by `cargo xtask bench`"))
}

fn sizes(native: &Program, component: &Program, image: &std::path::Path) -> anyhow::Result<()> {
    report::heading("Lambda: sizes in kB");
    let kb = |bytes: u64| format!("{}", bytes / 1000);
    report::row(
        "bootstrap",
        &[
            ("native", kb(native.bytes()?)),
            ("component", kb(component.bytes()?)),
            ("guest image", kb(fs::metadata(image)?.len())),
        ],
    );
    Ok(())
}

/// Process start to asking for the first event, and to the first answer, which reads an item. Files are in the page cache.
fn cold(native: &Program, component: &Program) -> anyhow::Result<()> {
    report::heading("Lambda: process start, ms");
    let event = workload::event("GET", workload::ITEM_PATH, "");
    // Warms the page cache, and stores what is read.
    for program in [native, component] {
        let put = workload::event("PUT", workload::ITEM_PATH, workload::ITEM);
        ensure!(
            status(&program.start()?.invoke(&put)?.1)? < 300,
            "not stored"
        );
    }
    let (mut natives, mut components) = (Vec::new(), Vec::new());
    for _ in 0..COLD_STARTS {
        natives.push(native.cold_start(&event)?);
        components.push(component.cold_start(&event)?);
    }
    let column = |samples: &[(Duration, Duration)], pick: fn(&(Duration, Duration)) -> Duration| {
        Samples::new(samples.iter().map(pick).collect())
    };
    let row = |label, pick: fn(&(Duration, Duration)) -> Duration| {
        let (native, component) = (column(&natives, pick), column(&components, pick));
        compare(label, &native, &component, 1000.0);
    };
    row("to the first poll", |(ready, _)| *ready);
    row("to the first answer", |(_, answered)| *answered);
    Ok(())
}

fn warm(mut native: Subject, mut component: Subject) -> anyhow::Result<()> {
    let get = workload::event("GET", workload::ITEM_PATH, "");
    for subject in [&mut native, &mut component] {
        for _ in 0..WARM_UP {
            subject.invoke(&get)?;
        }
    }
    report::heading(&format!(
        "Lambda: memory after {WARM_UP} requests, MB resident"
    ));
    let (native_rss, component_rss) = (native.resident_bytes()?, component.resident_bytes()?);
    let mb = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    report::row(
        "process",
        &[
            ("native", mb(native_rss)),
            ("component", mb(component_rss)),
            ("adds", mb(component_rss.saturating_sub(native_rss))),
        ],
    );

    report::heading("Lambda: warm request through the runtime loop, us");
    for (label, method, path, body) in REQUESTS {
        let event = workload::event(method, path, body);
        same_answer(label, &mut native, &mut component, &event)?;
        let (mut natives, mut components) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            for _ in 0..BATCH {
                natives.push(native.invoke(&event)?.0);
            }
            for _ in 0..BATCH {
                components.push(component.invoke(&event)?.0);
            }
        }
        compare(
            label,
            &Samples::new(natives),
            &Samples::new(components),
            1.0,
        );
    }
    Ok(())
}

fn compare(label: &str, native: &Samples, component: &Samples, us_per_unit: f64) {
    let at = |samples: &Samples, share| samples.quantile_us(share) / us_per_unit;
    let (native_p50, component_p50) = (at(native, 0.5), at(component, 0.5));
    let (native_p99, component_p99) = (at(native, 0.99), at(component, 0.99));
    report::row(
        label,
        &[
            ("native p50", format!("{native_p50:.1}")),
            ("component p50", format!("{component_p50:.1}")),
            ("adds", format!("{:.1}", component_p50 - native_p50)),
            ("ratio p50", format!("{:.2}", component_p50 / native_p50)),
            ("p99", format!("{native_p99:.1} / {component_p99:.1}")),
            ("ratio p99", format!("{:.2}", component_p99 / native_p99)),
        ],
    );
}

/// Both have to do the same work. Ids and times differ, so status and names of headers and members are compared.
fn same_answer(
    label: &str,
    native: &mut Subject,
    component: &mut Subject,
    event: &[u8],
) -> anyhow::Result<()> {
    let shape = |payload: &[u8]| -> anyhow::Result<Value> {
        let answer: Value = serde_json::from_slice(payload)?;
        let names = |value: &Value| {
            let names = value.as_object().map(|object| object.keys().cloned());
            Value::from_iter(names.into_iter().flatten())
        };
        let body: Value = answer["body"]
            .as_str()
            .and_then(|body| serde_json::from_str(body).ok())
            .unwrap_or_default();
        let items = body["items"].as_array().map(Vec::len);
        let status = answer["statusCode"].clone();
        ensure!(status.as_u64() < Some(300), "{label}: answered {answer}");
        Ok(Value::from_iter([
            status,
            names(&answer["headers"]),
            names(&body),
            Value::from(items),
        ]))
    };
    let (native, component) = (
        shape(&native.invoke(event)?.1)?,
        shape(&component.invoke(event)?.1)?,
    );
    ensure!(
        native == component,
        "{label}: answers differ: {native} and {component}"
    );
    Ok(())
}

fn status(payload: &[u8]) -> anyhow::Result<u64> {
    let answer: Value = serde_json::from_slice(payload)?;
    answer["statusCode"].as_u64().context("no status")
}
