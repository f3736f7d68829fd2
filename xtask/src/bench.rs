//! `cargo xtask bench`: builds what is measured, then runs the benchmarks of `tests/benches`.

use crate::{
    package::{Arch, build},
    run::{Cargo, run, target_folder},
    setup,
};
use std::{
    process::{self, Command},
    thread,
};

/// The benchmark that needs programs as they are packaged, and one CPU for all.
const LAMBDA: &str = "lambda";

/// Runs one benchmark, or all of them.
pub fn bench(arguments: &[String]) -> anyhow::Result<()> {
    setup::target()?;
    let is_all = arguments.is_empty();
    if is_all || arguments != [LAMBDA] {
        Cargo::new("build")
            .args(["--release", "--locked", "--bin", "host-cli"])
            .run()?;
        benchmarks().args(["--"]).args(arguments).run()?;
    }
    if is_all || arguments == [LAMBDA] {
        lambda()?;
    }
    Ok(())
}

fn lambda() -> anyhow::Result<()> {
    let target_folder = target_folder()?;
    let program = |package, binary| {
        build::program(package, binary, Arch::HERE, build::PROFILE, &target_folder)
    };
    let bootstrap = program("host-lambda", "host-lambda")?;
    let native = program("native", "native-lambda")?;
    benchmarks().args(["--no-run"]).run()?;
    pin();
    benchmarks()
        .args(["--", LAMBDA])
        .env("TENON_BENCH_BOOTSTRAP", bootstrap)
        .env("TENON_BENCH_NATIVE", native)
        .run()
}

fn benchmarks() -> Cargo {
    Cargo::new("bench").args(["--locked", "--bench", "bench"])
}

/// Keeps this process and those it starts on the last CPU: between two, a round trip takes either of two times, by chance.
fn pin() {
    let last = thread::available_parallelism().map_or(0, |count| count.get() - 1);
    let pinned = run(Command::new("taskset")
        .args(["--cpu-list", "--pid", &last.to_string()])
        .arg(process::id().to_string())
        .stdout(process::Stdio::null()));
    if let Err(error) = pinned {
        eprintln!("not pinned to one CPU, so figures scatter: {error:#}");
    }
}
