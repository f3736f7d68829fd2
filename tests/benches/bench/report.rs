//! Medians and tables.

use anyhow::Context;
use serde_json::{Map, Value, json};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    sync::Mutex,
    time::Duration,
};

/// Sorted samples.
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn new(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        Self(samples)
    }

    /// The sample below which this share of all samples is, in microseconds.
    pub fn quantile_us(&self, share: f64) -> f64 {
        let index = ((self.0.len() - 1) as f64 * share).round() as usize;
        self.0[index].as_secs_f64() * 1e6
    }

    pub fn median_us(&self) -> f64 {
        self.quantile_us(0.5)
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The properties of the machine that affect figures.
pub fn machine() {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or(": unknown CPU");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = model.trim_start_matches(['\t', ' ', ':']);
    println!("{model}, {cores} cores");
    note(
        "machine",
        &[("cpu", model.to_owned()), ("cores", cores.to_string())],
    );
}

/// A process's memory according to the kernel: `VmRSS` is the current resident size, `VmHWM` its maximum.
pub fn memory_kib(process: &str, field: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let value = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .and_then(|value| value.trim().strip_suffix(" kB"));
    Ok(value
        .with_context(|| format!("no `{field}` in `status`"))?
        .parse()?)
}

pub fn heading(text: &str) {
    println!("\n{text}");
    if let Ok(mut table) = TABLE.lock() {
        text.clone_into(&mut table);
    }
}

pub fn row(label: &str, cells: &[(&str, String)]) {
    note(label, cells);
    let cells: Vec<String> = cells
        .iter()
        .map(|(name, value)| format!("{name} {value:>9}"))
        .collect();
    println!("  {label:<28} {}", cells.join("   "));
}

/// Appends a line to the JSON lines file named by `cargo xtask bench --json`.
fn note(label: &str, cells: &[(&str, String)]) {
    let Some(path) = std::env::var_os("TENON_BENCH_JSON") else {
        return;
    };
    let values: Map<String, Value> = cells
        .iter()
        .map(|(name, value)| {
            let number = value.parse::<f64>().ok().map(Value::from);
            (
                (*name).to_owned(),
                number.unwrap_or_else(|| value.as_str().into()),
            )
        })
        .collect();
    let table = TABLE.lock().map(|table| table.clone()).unwrap_or_default();
    let line = json!({"table": table, "row": label.trim(), "values": values});
    let file = OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = file.and_then(|mut file| writeln!(file, "{line}")) {
        eprintln!("error: failed to write figures as JSON: {error}");
    }
}

/// The heading above the rows that follow.
static TABLE: Mutex<String> = Mutex::new(String::new());
