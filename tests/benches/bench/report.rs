//! Medians and tables.

use std::{fs, time::Duration};

/// Sorted samples.
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn new(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        Self(samples)
    }

    /// The sample below which this share of all samples lies, in microseconds.
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

/// The machine, as far as figures depend on it.
pub fn machine() {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or(": unknown CPU");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "{}, {cores} cores",
        model.trim_start_matches(['\t', ' ', ':'])
    );
}

pub fn heading(text: &str) {
    println!("\n{text}");
}

pub fn row(label: &str, cells: &[(&str, String)]) {
    let cells: Vec<String> = cells
        .iter()
        .map(|(name, value)| format!("{name} {value:>9}"))
        .collect();
    println!("  {label:<28} {}", cells.join("   "));
}
