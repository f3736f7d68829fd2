//! `cargo xtask fuzz`: mutated events against the normaliser. On stable Rust: `cargo fuzz` would want a nightly compiler.

use crate::run::{Cargo, output, root, target_folder};
use anyhow::Context;
use std::{fs, process::Command};

/// Long enough for a smoke test in CI.
pub const SECONDS_DEFAULT: u32 = 30;

/// Coverage instrumentation as libFuzzer wants it, on a compiler that has no `-Zsanitizer`.
const FLAGS: [&str; 7] = [
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
/// Longer events find nothing that shorter ones do not, only later.
const EVENT_BYTES_MAX: u32 = 8192;

/// Fuzzes for about this long, beginning with the events of the cases. What it finds stays for the next time.
pub fn run(seconds: u32) -> anyhow::Result<()> {
    let folder = target_folder()?.join("fuzz");
    let (found, crashes) = (folder.join("corpus"), folder.join("crashes/"));
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&crashes)?;
    let options = [
        format!("-max_total_time={seconds}"),
        format!("-max_len={EVENT_BYTES_MAX}"),
        format!("-artifact_prefix={}", crashes.display()),
        "-print_final_stats=1".to_owned(),
    ];
    Cargo::new("run")
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"))
        // Naming the target keeps the instrumentation away from build scripts.
        .args([
            "--release",
            "--locked",
            "--bin",
            "normalise",
            "--target",
            &host()?,
        ])
        .args(["--manifest-path", "tests/fuzz/Cargo.toml", "--target-dir"])
        .args([&folder])
        .args(["--"])
        .args(options)
        .args([
            &found,
            &root().join("tests/fuzz/corpus"),
            &root().join("tests/cases"),
        ])
        .run()
}

/// The target triple of this machine.
fn host() -> anyhow::Result<String> {
    let version = output(Command::new("rustc").arg("-vV").current_dir(root()))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}
