//! Instructions on the paths of every request, start and replay, as counted by callgrind. They do not depend on the machine's speed, so CI
//! checks them: `cargo xtask bench instructions` fails if one of them exceeds its bound.

use crate::{report, workload};
use anyhow::{Context, bail, ensure};
use contract::compatibility::Target;
use replay::{ReplayGuest, ReplayOptions, Replayer, Verdict};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions, compile},
};
use serde_json::Value;
use service::{Invocation, Recorder, Service};
use std::{
    env, fs,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};
use tape::{Exchange, RecordOptions, TapePolicy};

/// The expected counts. If you make a path longer on purpose, write the new count here, and the reason into the commit.
const EXPECTED: &str = include_str!("instructions.json");
/// A count above this multiple of the expected one is a regression; one below its reciprocal should be written down. Compilers and C
/// libraries change counts by a few percent.
const RATIO_MAX: f64 = 1.1;
/// How often a subject is run; the difference of two runs excludes the start.
const FEW: u64 = 20;
const MANY: u64 = 120;

/// As long as those that clients make; each request replaces the first two characters.
const FIRST_KEY: &str = "AAc7e1d2-9b0f-4c58-8a6e-2f6d0b7c9e14";

/// What is counted, with its name in [`EXPECTED`].
const SUBJECTS: [(&str, &str); 5] = [
    ("get", "GET /items/{id}, from event to answer"),
    ("post", "POST /items, from event to answer"),
    ("keyed", "POST /items with a new key, from event to answer"),
    ("load", "load of the guest's image, as on Lambda"),
    ("strict", "strict replay of a recorded GET"),
];

pub fn run() -> anyhow::Result<()> {
    let folder = env::temp_dir().join(format!("tenon-bench-instructions-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let counted = prepare(&folder).and_then(|()| count_all(&folder));
    fs::remove_dir_all(&folder)?;
    counted
}

/// Prepares what would take too long under callgrind: compiles the guest, and records a GET.
fn prepare(folder: &Path) -> anyhow::Result<()> {
    let guest = fs::read(concat!(env!("OUT_DIR"), "/guest.wasm"))?;
    let target = Target::HOST.context("guests do not run on this CPU")?;
    fs::write(folder.join("guest.cwasm"), compile(&guest, target)?)?;
    let runtime = runtime(folder)?;
    let service = Service::new(runtime, workload::storage()?);
    let recorder = Recorder::new(RecordOptions::new(TapePolicy::ALL));
    let line = workload::block_on(async {
        service.invoke(&put(), invocation(0)).await?;
        let (answer, line) = recorder.invoke(&service, &get(), invocation(1)).await;
        ensure!(answer?.summary.status == 200, "the item is not there");
        line.context("nothing was recorded")
    })?;
    Ok(fs::write(folder.join("get.tape"), line)?)
}

fn count_all(folder: &Path) -> anyhow::Result<()> {
    let expected: Value = serde_json::from_str(EXPECTED)?;
    let expected = &expected[env::consts::ARCH];
    report::heading("instructions, as callgrind counts them");
    let mut regressions = Vec::new();
    for (name, label) in SUBJECTS {
        let (few, many) = (count(folder, name, FEW)?, count(folder, name, MANY)?);
        let counted = many.saturating_sub(few) / (MANY - FEW);
        let expected = expected[name].as_u64();
        let ratio = expected.map(|expected| counted as f64 / expected as f64);
        let shown = |value: Option<String>| value.unwrap_or_else(|| "unknown".to_owned());
        report::row(
            label,
            &[
                ("counted", counted.to_string()),
                ("expected", shown(expected.map(|count| count.to_string()))),
                ("ratio", shown(ratio.map(|ratio| format!("{ratio:.3}")))),
            ],
        );
        if ratio.is_some_and(|ratio| ratio > RATIO_MAX) {
            regressions.push(label);
        }
    }
    ensure!(
        regressions.is_empty(),
        "more than {RATIO_MAX} times the instructions expected: {}; if that is as it has to be, change `tests/benches/bench/instructions.json`",
        regressions.join(", ")
    );
    Ok(())
}

/// Instructions of a process that runs a subject this many times.
fn count(folder: &Path, subject: &str, times: u64) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args(["instructions-of", subject, &times.to_string()])
        .arg(folder)
        .output()
        .context("failed to run valgrind, which counts instructions: install it")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{subject}` failed: {text}");
    let collected = text.lines().find_map(|line| line.split_once("Collected :"));
    let (_, count) = collected.with_context(|| format!("callgrind counted nothing: {text}"))?;
    Ok(count.trim().parse()?)
}

/// Runs the subject that is counted, in its own process.
pub fn subject(name: &str, times: &str, folder: &Path) -> anyhow::Result<()> {
    let times: u64 = times.parse()?;
    match name {
        "get" => requests(folder, get(), times),
        "post" => requests(folder, post(&[]), times),
        "keyed" => requests(folder, post(&[("idempotency-key", FIRST_KEY)]), times),
        "load" => loads(folder, times),
        "strict" => replays(folder, times),
        _ => bail!("no such subject: {name}"),
    }
}

/// Each request has another idempotency key, if it has one.
fn requests(folder: &Path, mut event: Vec<u8>, times: u64) -> anyhow::Result<()> {
    let service = Service::new(runtime(folder)?, workload::storage()?);
    let mut parts = event.windows(FIRST_KEY.len());
    let key = parts.position(|part| part == FIRST_KEY.as_bytes());
    workload::block_on(async {
        service.invoke(&put(), invocation(u64::MAX)).await?;
        for number in 0..times {
            if let Some(at) = key {
                event[at] = b'A' + (number / 26) as u8;
                event[at + 1] = b'A' + (number % 26) as u8;
            }
            let answer = service.invoke(&event, invocation(number)).await?;
            ensure!(answer.summary.status < 300, "answered {answer:?}");
        }
        Ok(())
    })
}

fn loads(folder: &Path, times: u64) -> anyhow::Result<()> {
    let engine = engine()?;
    let image = folder.join("guest.cwasm");
    for _ in 0..times {
        engine.load_file(&image)?;
    }
    Ok(())
}

fn replays(folder: &Path, times: u64) -> anyhow::Result<()> {
    let replayer = Replayer {
        guest: ReplayGuest::new(runtime(folder)?),
        metered: None,
        baseline: None,
        live: None,
        live_services: None,
        live_secrets: None,
        options: ReplayOptions::default(),
    };
    let line: Arc<[u8]> = fs::read(folder.join("get.tape"))?.into();
    workload::block_on(async {
        for _ in 0..times {
            let exchange = Exchange::read(&line)?;
            let verdict = replayer.replay(&line, &exchange).await.verdict;
            ensure!(verdict == Verdict::Same, "{verdict:?}");
        }
        Ok(())
    })
}

fn engine() -> anyhow::Result<Engine> {
    let engine = Engine::new(&EngineOptions {
        instances_max: 1,
        ..EngineOptions::default()
    })?;
    // Without a pool, other instructions would be counted.
    ensure!(
        engine.is_pooled(),
        "there is no room for a pool of instances"
    );
    Ok(engine)
}

fn runtime(folder: &Path) -> anyhow::Result<Runtime> {
    let engine = engine()?;
    let guest = engine.load_image(&fs::read(folder.join("guest.cwasm"))?)?;
    Ok(Runtime::new(&engine, &guest, RuntimeOptions::default())?)
}

fn get() -> Vec<u8> {
    workload::event("GET", workload::ITEM_PATH, "")
}

fn post(headers: &[(&str, &str)]) -> Vec<u8> {
    workload::event_with(headers, "POST", "/items", workload::ITEM)
}

fn put() -> Vec<u8> {
    workload::event("PUT", workload::ITEM_PATH, workload::ITEM)
}

fn invocation(number: u64) -> Invocation {
    Invocation {
        // Callgrind is fifty times as slow.
        deadline: Instant::now() + Duration::from_secs(600),
        ..workload::invocation(number)
    }
}
