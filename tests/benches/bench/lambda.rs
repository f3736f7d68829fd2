//! The function on Lambda: our bootstrap with the component, compared with a bootstrap with the same native logic, and with typical
//! handlers in Python and JavaScript; all driven by the same runtime API, on the same engine. `cargo xtask bench lambda` builds them as
//! they are packaged. Everything runs on one processor, except starts, which are also measured with all.

mod distance;
pub mod engine;
mod processors;
mod runtime_api;
mod subject;

use crate::{
    report::{self, Samples},
    workload,
};
use anyhow::{Context, ensure};
use distance::Distant;
use engine::Engine;
use processors::Processors;
use serde_json::Value;
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use subject::{Program, Subject};

/// The compared programs, the component first.
type Programs = [Program; 4];

/// Consecutive requests of one subject.
const BATCH: usize = 50;
const ROUNDS: usize = 40;
/// Requests before memory and times are measured.
const WARM_UP: usize = 1_000;
const COLD_STARTS: usize = 30;

/// The requests.
const REQUESTS: [(&str, &str, &str, &str); 5] = [
    ("GET /health, no store", "GET", "/health", ""),
    ("GET /items/{id}", "GET", workload::ITEM_PATH, ""),
    ("POST /items", "POST", "/items", workload::ITEM),
    ("GET /items, 20 of them", "GET", "/items?limit=20", ""),
    (TRANSACTION, "POST", "/items", workload::ITEM),
];
/// A POST with an `Idempotency-Key`, which writes item and record together.
const TRANSACTION: &str = "POST /items, a transaction";
/// Number of starts without the page cache, which are slow.
const EVICTED_STARTS: usize = 10;
/// DynamoDB's response time according to AWS: single-digit milliseconds (AWS: "What is Amazon DynamoDB?").
const STORE_DISTANCE: Duration = Duration::from_millis(5);
/// The kernel interface to drop the page cache.
const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";

pub fn run() -> anyhow::Result<()> {
    let engine = Engine::start()?;
    let folder = env::temp_dir().join(format!("tenon-bench-lambda-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(&engine, &folder.join("guest.cwasm"));
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure(engine: &Engine, image: &Path) -> anyhow::Result<()> {
    engine::compile_guest(image)?;
    let programs = [
        Program::new("component", command("BOOTSTRAP")?, engine, Some(image))?,
        Program::new("native", command("NATIVE")?, engine, None)?,
        Program::new("python", command("PYTHON")?, engine, None)?,
        Program::new("node", command("NODE")?, engine, None)?,
    ];
    sizes(&programs, image)?;
    let processors = Processors::of_process()?;
    processors.use_last()?;
    cold(&programs)?;
    evicted(&programs)?;
    distant(&programs)?;
    if processors.are_several() {
        processors.use_all()?;
        report::heading("Lambda: process start on all processors, ms");
        starts(&programs, COLD_STARTS, || Ok(()))?;
        processors.use_last()?;
    }
    warm(&programs)
}

/// A program built by `cargo xtask bench`, and its arguments: paths separated by colons.
fn command(subject: &str) -> anyhow::Result<Vec<PathBuf>> {
    let variable = format!("TENON_BENCH_{subject}");
    let paths = env::var_os(&variable);
    let paths = paths.with_context(|| {
        format!("`{variable}` names no program: run this by `cargo xtask bench`")
    })?;
    Ok(env::split_paths(&paths).collect())
}

fn sizes(programs: &Programs, image: &Path) -> anyhow::Result<()> {
    report::heading("Lambda: sizes in kB of what is deployed, without Python's and Node's own");
    let kb = |bytes: u64| format!("{}", bytes / 1000);
    let mut cells = Vec::new();
    for program in programs {
        cells.push((program.name, kb(program.bytes()?)));
    }
    cells.push(("guest image", kb(fs::metadata(image)?.len())));
    report::row("program", &cells);
    Ok(())
}

/// From process start to the request for the first event, and to the first response, which reads an item. Files are in the page cache.
fn cold(programs: &Programs) -> anyhow::Result<()> {
    report::heading("Lambda: process start, ms");
    // Warms the page cache, and stores the item that is read.
    for program in programs {
        let put = workload::event("PUT", workload::ITEM_PATH, workload::ITEM);
        let stored = status(&program.start()?.invoke(&put)?.1)?;
        ensure!(stored < 300, "{}: not stored: {stored}", program.name);
    }
    starts(programs, COLD_STARTS, || Ok(()))
}

/// The same without the page cache, as if a sandbox read its files from a disk.
fn evicted(programs: &Programs) -> anyhow::Result<()> {
    report::heading("Lambda: process start with the page cache evicted, ms");
    // Files that were just built and are not on the disk yet cannot be evicted.
    let synced = Command::new("sync").status()?;
    ensure!(synced.success(), "`sync` failed");
    let evict = || fs::write(DROP_CACHES, "1");
    if let Err(error) = evict() {
        println!("  not measured: `{DROP_CACHES}`: {error}");
        return Ok(());
    }
    starts(programs, EVICTED_STARTS, evict)
}

/// The same with a store as distant as DynamoDB is from a function: work that overlaps with the wait costs no time.
fn distant(programs: &Programs) -> anyhow::Result<()> {
    let milliseconds = STORE_DISTANCE.as_millis();
    report::heading(&format!(
        "Lambda: process start with the store {milliseconds} ms away, ms"
    ));
    let distant = Distant::new(programs[0].endpoint(), STORE_DISTANCE)?;
    let programs = programs
        .each_ref()
        .map(|program| program.at(distant.endpoint()));
    starts(&programs, COLD_STARTS, || Ok(()))
}

/// The order of starts in even and in odd rounds, as indices into [`Programs`]. Component and native program each come after the same
/// programs in another language, because what a start leaves in the processor's caches makes the next start of a similar program faster, by
/// a seventh.
const TURNS: [[usize; 4]; 2] = [[0, 2, 1, 3], [1, 2, 0, 3]];

/// Interleaved starts, each after calling `before`.
fn starts(
    programs: &Programs,
    rounds: usize,
    before: impl Fn() -> io::Result<()>,
) -> anyhow::Result<()> {
    let event = workload::event("GET", workload::ITEM_PATH, "");
    let mut starts: [Vec<(Duration, Duration)>; 4] = Default::default();
    for turns in TURNS.iter().cycle().take(rounds) {
        for &program in turns {
            before()?;
            starts[program].push(programs[program].cold_start(&event)?);
        }
    }
    let row = |label, pick: fn(&(Duration, Duration)) -> Duration| {
        let samples = starts
            .each_ref()
            .map(|starts| Samples::new(starts.iter().map(pick).collect()));
        compare(label, programs, &samples, 1000.0);
    };
    row("to the first poll", |(ready, _)| *ready);
    row("to the first answer", |(_, answered)| *answered);
    Ok(())
}

fn warm(programs: &Programs) -> anyhow::Result<()> {
    let get = workload::event("GET", workload::ITEM_PATH, "");
    let mut subjects = Vec::new();
    for program in programs {
        let mut subject = program.start()?;
        for _ in 0..WARM_UP {
            subject.invoke(&get)?;
        }
        subjects.push(subject);
    }
    report::heading(&format!(
        "Lambda: memory after {WARM_UP} requests, MB resident"
    ));
    let mut cells = Vec::new();
    for (program, subject) in programs.iter().zip(&subjects) {
        let megabytes = subject.resident_bytes()? as f64 / 1e6;
        cells.push((program.name, format!("{megabytes:.1}")));
    }
    report::row("process", &cells);

    report::heading("Lambda: warm request through the runtime loop, us");
    for (label, method, path, body) in REQUESTS {
        let mut events = Events::new(label, method, path, body);
        same_answer(label, &mut subjects, &events.next())?;
        let mut latencies: [Vec<Duration>; 4] = Default::default();
        for _ in 0..ROUNDS {
            for (subject, latencies) in subjects.iter_mut().zip(&mut latencies) {
                for _ in 0..BATCH {
                    latencies.push(subject.invoke(&events.next())?.0);
                }
            }
        }
        compare(label, programs, &latencies.map(Samples::new), 1.0);
    }
    Ok(())
}

/// Events of one kind, each with its own key if they have keys.
struct Events {
    event: Vec<u8>,
    has_key: bool,
    number: u64,
}

impl Events {
    fn new(label: &str, method: &str, path: &str, body: &str) -> Self {
        Self {
            event: workload::event(method, path, body),
            has_key: label == TRANSACTION,
            number: 0,
        }
    }

    fn next(&mut self) -> Vec<u8> {
        if !self.has_key {
            return self.event.clone();
        }
        self.number += 1;
        let headers = format!("\"headers\":{{\"idempotency-key\":\"{}\",", self.number);
        let event = String::from_utf8_lossy(&self.event);
        event.replacen("\"headers\":{", &headers, 1).into_bytes()
    }
}

/// The component compared with each of the others.
fn compare(label: &str, programs: &Programs, samples: &[Samples; 4], us_per_unit: f64) {
    let at = |samples: &Samples, share| samples.quantile_us(share) / us_per_unit;
    let mut medians = Vec::new();
    let mut ratios = Vec::new();
    let mut slow = Vec::new();
    for (program, samples_of_it) in programs.iter().zip(samples) {
        medians.push((program.name, format!("{:.1}", at(samples_of_it, 0.5))));
        slow.push((program.name, format!("{:.1}", at(samples_of_it, 0.99))));
        if program.name != programs[0].name {
            let ratio = at(&samples[0], 0.5) / at(samples_of_it, 0.5);
            ratios.push((program.name, format!("{ratio:.3}")));
        }
    }
    report::row(label, &medians);
    report::row("  99 %", &slow);
    report::row("  component over", &ratios);
}

/// Both must do the same work. Ids and times differ, so status and names of headers and members are compared.
fn same_answer(label: &str, subjects: &mut [Subject], event: &[u8]) -> anyhow::Result<()> {
    let mut shapes = Vec::new();
    for subject in subjects {
        let (_, payload) = subject.invoke(event)?;
        shapes.push(shape(&payload).with_context(|| format!("{label}: {}", subject.name))?);
    }
    for shape in &shapes[1..] {
        let first = &shapes[0];
        ensure!(
            *shape == *first,
            "{label}: answers differ: {first} and {shape}"
        );
    }
    Ok(())
}

/// Status, names of headers, names of the body's members, and the number of items in it.
fn shape(payload: &[u8]) -> anyhow::Result<Value> {
    let answer: Value = serde_json::from_slice(payload)?;
    let names = |value: &Value| {
        let mut names: Vec<String> = value
            .as_object()
            .map(|object| object.keys().cloned().collect())
            .unwrap_or_default();
        names.sort();
        Value::from(names)
    };
    let body: Value = answer["body"]
        .as_str()
        .and_then(|body| serde_json::from_str(body).ok())
        .unwrap_or_default();
    let items = body["items"].as_array();
    let status = answer["statusCode"].clone();
    ensure!(status.as_u64() < Some(300), "answered {answer}");
    Ok(Value::from_iter([
        status,
        names(&answer["headers"]),
        names(&body),
        items
            .and_then(|items| items.first())
            .map_or(Value::Null, names),
        Value::from(items.map(Vec::len)),
    ]))
}

fn status(payload: &[u8]) -> anyhow::Result<u64> {
    let answer: Value = serde_json::from_slice(payload)?;
    answer["statusCode"].as_u64().context("no status")
}
