//! `cargo xtask fuzz`: feeds mutated bytes to the readers of events, JSON, tapes, cases and release documents, and mutated texts to
//! redaction. On stable Rust: `cargo fuzz` would need a nightly compiler.

use crate::run::{Cargo, output, root, target_folder};
use anyhow::Context;
use std::{fs, process::Command};

/// Duration for each target: enough to see that a change of a reader breaks nothing that is near.
pub const SECONDS_DEFAULT: u32 = 60;

/// Coverage instrumentation for libFuzzer, on a compiler without `-Zsanitizer`.
const FLAGS: [&str; 7] = [
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Memory limit for a reader of foreign bytes, including the fuzzer's own corpus and tables.
const MEMORY_MB_MAX: u32 = 512;

/// A program of `tests/fuzz`.
struct Target {
    name: &'static str,
    /// Longest input: longer ones find the same bugs, only later.
    bytes_max: u32,
    /// Folders of initial inputs, in addition to those in `tests/fuzz/corpus`.
    seeds: Option<&'static str>,
}

const TARGETS: [Target; 6] = [
    Target {
        name: "normalise",
        bytes_max: 8 << 10,
        seeds: Some("tests/cases"),
    },
    Target {
        name: "json",
        bytes_max: 8 << 10,
        seeds: Some("tests/cases"),
    },
    Target {
        name: "tape",
        bytes_max: 16 << 10,
        seeds: Some("tests/tapes"),
    },
    Target {
        name: "case",
        bytes_max: 16 << 10,
        seeds: None,
    },
    Target {
        name: "release",
        bytes_max: 8 << 10,
        seeds: None,
    },
    Target {
        name: "redaction",
        bytes_max: 4 << 10,
        seeds: None,
    },
];

/// Runs each target for about this long. New inputs are kept for the next run.
pub fn run(seconds: u32) -> anyhow::Result<()> {
    for target in TARGETS {
        target.run(seconds)?;
    }
    Ok(())
}

impl Target {
    fn run(&self, seconds: u32) -> anyhow::Result<()> {
        let folder = target_folder()?.join("fuzz");
        let found = folder.join("corpus").join(self.name);
        let crashes = folder.join("crashes").join(self.name);
        fs::create_dir_all(&found)?;
        fs::create_dir_all(&crashes)?;
        let options = [
            format!("-max_total_time={seconds}"),
            format!("-max_len={}", self.bytes_max),
            format!("-artifact_prefix={}/", crashes.display()),
            "-print_final_stats=1".to_owned(),
            format!("-rss_limit_mb={MEMORY_MB_MAX}"),
            format!(
                "-dict={}",
                root().join("tests/fuzz/dictionary.txt").display()
            ),
        ];
        let corpus = root().join("tests/fuzz/corpus").join(self.name);
        Cargo::new("run")
            .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"))
            // Naming the target excludes build scripts from the instrumentation.
            .args(["--release", "--locked", "--target", &host()?])
            .args(["--bin", self.name])
            .args(["--manifest-path", "tests/fuzz/Cargo.toml", "--target-dir"])
            .args([&folder])
            .args(["--"])
            .args(options)
            .args([&found])
            .args(self.seeds.map(|seeds| root().join(seeds)))
            .args(corpus.is_dir().then_some(corpus))
            .run()
    }
}

/// The target triple of this machine.
fn host() -> anyhow::Result<String> {
    let version = output(Command::new("rustc").arg("-vV").current_dir(root()))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}
