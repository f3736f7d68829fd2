//! Tapes: what recording adds to a warm request, and how many requests of a tape `host-cli` replays per second.

use crate::{
    replay::run_replay,
    report::{self, Samples, median},
    workload,
};
use anyhow::{Context, ensure};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use service::{Recorder, Service};
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    time::Instant,
};
use tape::{RecordOptions, TapePolicy};

/// Consecutive requests of one subject.
const BATCH: u64 = 200;
const ROUNDS: u64 = 100;
/// Requests on the tape, each with one storage call.
const REQUESTS: usize = 100_000;
const REPLAYS: usize = 3;

pub fn run(host_cli: &Path) -> anyhow::Result<()> {
    let line = recording()?;
    report::heading("host-cli replay, a tape of GET requests with one storage call each");
    let folder = std::env::temp_dir().join(format!("tenon-bench-tape-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = replaying(host_cli, &folder, &line);
    fs::remove_dir_all(&folder)?;
    measured
}

/// A request through the whole service, alternately recorded and not; returns a line of tape.
fn recording() -> anyhow::Result<Vec<u8>> {
    let guest = fs::read(concat!(env!("OUT_DIR"), "/guest.wasm"))?;
    let engine = Engine::new(&EngineOptions::default())?;
    let runtime = Runtime::new(&engine, &engine.load(&guest)?, RuntimeOptions::default())?;
    let service = Service::new(runtime, workload::storage()?);
    let recorders =
        [TapePolicy::OFF, TapePolicy::ALL].map(|policy| Recorder::new(RecordOptions::new(policy)));
    let put = workload::event("PUT", workload::ITEM_PATH, workload::ITEM);
    let get = workload::event("GET", workload::ITEM_PATH, "");
    let mut samples = [Vec::new(), Vec::new()];
    let mut line = None;
    workload::block_on(async {
        recorders[0]
            .invoke(&service, &put, workload::invocation(u64::MAX))
            .await
            .0?;
        for number in 0..BATCH * ROUNDS {
            let subject = usize::from(!(number / BATCH).is_multiple_of(2));
            let started = Instant::now();
            let (answer, written) = recorders[subject]
                .invoke(&service, &get, workload::invocation(number))
                .await;
            samples[subject].push(started.elapsed());
            ensure!(answer?.summary.status == 200, "the item is not there");
            ensure!(
                written.is_some() == (subject == 1),
                "recorded otherwise than asked"
            );
            if written.is_some() {
                line = written;
            }
        }
        Ok(())
    })?;
    let line = line.context("nothing was recorded")?;
    let [off, on] = samples.map(Samples::new);
    report::heading("in process, from event to answer: recorded against not recorded");
    report::row(
        "GET /items/{id}",
        &[
            ("off us", format!("{:.2}", off.median_us())),
            ("on us", format!("{:.2}", on.median_us())),
            (
                "adds us",
                format!("{:.2}", on.median_us() - off.median_us()),
            ),
            ("ratio", format!("{:.2}", on.median_us() / off.median_us())),
            ("line bytes", format!("{}", line.len())),
        ],
    );
    Ok(line)
}

fn replaying(host_cli: &Path, folder: &Path, line: &[u8]) -> anyhow::Result<()> {
    let write = |name: &str, count: usize| -> anyhow::Result<_> {
        let path = folder.join(name);
        let mut file = BufWriter::new(File::create(&path)?);
        for _ in 0..count {
            file.write_all(line)?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
        Ok(path)
    };
    let (all, tenth) = (
        write("all.tape", REQUESTS)?,
        write("tenth.tape", REQUESTS / 10)?,
    );
    for mode in ["strict", "state"] {
        let arguments = |jobs: &'static str| ["--mode", mode, "--jobs", jobs];
        let (mut one, mut two, mut memory) = (Vec::new(), Vec::new(), 0);
        for _ in 0..REPLAYS {
            one.push(run_replay(host_cli, &all, &arguments("1"), REQUESTS)?.events_per_second);
            let run = run_replay(host_cli, &all, &arguments("2"), REQUESTS)?;
            two.push(run.events_per_second);
            memory = run.memory_kib_peak;
        }
        let of_tenth =
            run_replay(host_cli, &tenth, &arguments("2"), REQUESTS / 10)?.memory_kib_peak;
        let (one, two) = (median(one), median(two));
        report::row(
            &format!("{mode}, {REQUESTS} requests"),
            &[
                ("1 job /s", format!("{one:.0}")),
                ("2 jobs /s", format!("{two:.0}")),
                ("ratio", format!("{:.2}", two / one)),
                ("MiB of a tenth", format!("{:.1}", of_tenth as f64 / 1024.0)),
                ("of all", format!("{:.1}", memory as f64 / 1024.0)),
            ],
        );
    }
    Ok(())
}
