//! `host-cli replay` of recorded events: requests per second, on one core and on two, and whether memory stays constant.

use crate::{
    report::{self, median},
    workload,
};
use anyhow::{Context, ensure};
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const EVENTS: usize = 100_000;
const ROUNDS: usize = 3;

pub struct Run {
    pub events_per_second: f64,
    pub memory_kib_peak: u64,
}

pub fn run(host_cli: &Path) -> anyhow::Result<()> {
    report::heading("host-cli replay, recorded GET events on memory");
    let folder = std::env::temp_dir().join(format!("tenon-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure(host_cli, &folder);
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure(host_cli: &Path, folder: &Path) -> anyhow::Result<()> {
    let (all, tenth) = (folder.join("all.jsonl"), folder.join("tenth.jsonl"));
    write_events(&all, EVENTS)?;
    write_events(&tenth, EVENTS / 10)?;
    let (mut one, mut two) = (Vec::new(), Vec::new());
    let mut memory = 0;
    for _ in 0..ROUNDS {
        one.push(replay(host_cli, &all, 1, EVENTS)?.events_per_second);
        let run = replay(host_cli, &all, 2, EVENTS)?;
        two.push(run.events_per_second);
        memory = run.memory_kib_peak;
    }
    let memory_of_tenth = replay(host_cli, &tenth, 2, EVENTS / 10)?.memory_kib_peak;
    let (one, two) = (median(one), median(two));
    report::row(
        &format!("{EVENTS} events, start included"),
        &[
            ("1 job /s", format!("{one:.0}")),
            ("2 jobs /s", format!("{two:.0}")),
            ("ratio", format!("{:.2}", two / one)),
        ],
    );
    report::row(
        "peak memory, MiB",
        &[
            ("a tenth", format!("{:.1}", memory_of_tenth as f64 / 1024.0)),
            ("all", format!("{:.1}", memory as f64 / 1024.0)),
        ],
    );
    Ok(())
}

fn write_events(path: &Path, count: usize) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let get = workload::event("GET", workload::ITEM_PATH, "");
    file.write_all(&workload::event("PUT", workload::ITEM_PATH, workload::ITEM))?;
    for _ in 1..count {
        file.write_all(b"\n")?;
        file.write_all(&get)?;
    }
    Ok(file.flush()?)
}

fn replay(host_cli: &Path, events: &Path, jobs: usize, count: usize) -> anyhow::Result<Run> {
    let jobs = jobs.to_string();
    run_replay(
        host_cli,
        events,
        &["--store", "memory", "--jobs", &jobs],
        count,
    )
}

/// `host-cli replay` of a file with `count` events or requests.
pub fn run_replay(
    host_cli: &Path,
    input: &Path,
    arguments: &[&str],
    count: usize,
) -> anyhow::Result<Run> {
    let started = Instant::now();
    let mut child = Command::new(host_cli)
        .args(["replay", "--guest", "embedded"])
        .arg(input)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("failed to run `{}`", host_cli.display()))?;
    let process = child.id().to_string();
    let mut memory_kib_peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        memory_kib_peak = report::memory_kib(&process, "VmHWM").unwrap_or(memory_kib_peak);
        std::thread::sleep(Duration::from_millis(5));
    };
    let elapsed = started.elapsed();
    ensure!(status.success(), "`host-cli replay` ended with {status}");
    Ok(Run {
        events_per_second: count as f64 / elapsed.as_secs_f64(),
        memory_kib_peak,
    })
}
