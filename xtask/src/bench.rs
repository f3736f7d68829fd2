//! `cargo xtask bench`: builds the programs to measure, then runs the benchmarks of `tests/benches`.

use crate::{
    npm,
    package::{
        Arch,
        build::{self, Platform},
    },
    peers, python,
    run::{Cargo, output, root, target_folder},
    setup,
};
use std::{
    env,
    ffi::OsString,
    fs,
    path::{self, Path, PathBuf},
    process::Command,
};

/// The benchmark that needs programs as they are packaged.
const LAMBDA: &str = "lambda";

/// The benchmark that needs programs of others, and runs only if it is named.
const PEERS: &str = "peers";
/// Those that run `host-cli`.
const OF_HOST_CLI: [&str; 4] = [PEERS, "replay", "serve", "tape"];
/// The handlers in other languages, with their dependencies.
const HANDLERS: &str = "tests/benches/handlers";

/// Runs one benchmark, or all of them. Figures are also written to `json`, one row per line.
pub fn bench(name: Option<&str>, json: Option<&Path>) -> anyhow::Result<()> {
    let json = json.map(path::absolute).transpose()?;
    if let Some(json) = &json
        && json.exists()
    {
        fs::remove_file(json)?;
    }
    setup::target()?;
    if name != Some(LAMBDA) {
        if name.is_none_or(|name| OF_HOST_CLI.contains(&name)) {
            Cargo::new("build")
                .args(["--release", "--locked", "--bin", "host-cli"])
                .run()?;
        }
        let mut benchmarks = benchmarks(json.as_deref()).args(["--"]).args(name);
        if name == Some(PEERS) {
            for (variable, program) in peers::programs()? {
                benchmarks = benchmarks.env(variable, program);
            }
        }
        benchmarks.run()?;
    }
    if name.is_none_or(|name| name == LAMBDA) {
        lambda(json.as_deref())?;
    }
    Ok(())
}

fn lambda(json: Option<&Path>) -> anyhow::Result<()> {
    let target_folder = target_folder()?;
    let program = |package, binary| {
        build::program(
            (package, binary),
            Platform::lambda(Arch::HERE),
            build::PROFILE,
            &[],
            &target_folder,
        )
    };
    let bootstrap = program("host-lambda", "host-lambda")?;
    let native = program("native", "native-lambda")?;
    let python = python()?;
    let node = node()?;
    benchmarks(json).args(["--no-run"]).run()?;
    benchmarks(json)
        .args(["--", LAMBDA])
        .env("TENON_BENCH_BOOTSTRAP", bootstrap)
        .env("TENON_BENCH_NATIVE", native)
        .env("TENON_BENCH_PYTHON", python)
        .env("TENON_BENCH_NODE", node)
        .run()
}

/// The interpreter with boto3, and the handler.
fn python() -> anyhow::Result<OsString> {
    let requirements = format!("{HANDLERS}/requirements.txt");
    let programs = python::environment("bench-python", &requirements)?;
    let handler = root().join(HANDLERS).join("handler.py");
    Ok(env::join_paths([programs.join("python"), handler])?)
}

/// Node, and the handler in one file with the parts of the SDK that it uses.
fn node() -> anyhow::Result<OsString> {
    let folder = root().join(HANDLERS);
    npm::build(&folder)?;
    let program = output(Command::new("node").args(["-p", "process.execPath"]))?;
    Ok(env::join_paths([
        PathBuf::from(program.trim()),
        folder.join("handler.cjs"),
    ])?)
}

fn benchmarks(json: Option<&Path>) -> Cargo {
    let cargo = Cargo::new("bench").args(["--locked", "--bench", "bench"]);
    match json {
        Some(json) => cargo.env("TENON_BENCH_JSON", json),
        None => cargo,
    }
}
