//! `cargo xtask go`: the guest in Go as its README says, with Go from PyPI.

use crate::{
    python,
    run::{Cargo, output, path_with, root, run, target_folder},
    server::{Server, ask},
};
use anyhow::ensure;
use std::{env, fs, process::Command};

/// Builds the example, runs its cases, serves, records and replays it.
pub fn check() -> anyhow::Result<()> {
    let go = python::environment("go-python", "examples/go/requirements.txt")?;
    Cargo::new("build")
        .args(["--release", "--locked", "--bin", "host-cli"])
        .run()?;
    let folder = root().join("examples/go");
    let target = target_folder()?;
    let programs = target.join("release");
    let others = env::var_os("PATH").unwrap_or_default();
    let path = path_with(&[&programs, &go], &others)?;
    let host_cli = || {
        let mut command = Command::new(programs.join("host-cli"));
        command
            .env("PATH", &path)
            .env("CARGO_TARGET_DIR", target.join("go-tool"))
            .env("GOCACHE", target.join("go-cache"))
            .arg("--project")
            .arg(&folder)
            .current_dir(&folder);
        command
    };
    run(host_cli().arg("test"))?;
    let tape = target.join("go.tape");
    let recorded = tape.display().to_string();
    if tape.is_file() {
        fs::remove_file(&tape)?;
    }
    let recording = ["--store", "memory", "--record", &recorded];
    let (mut server, address) = Server::start_program(host_cli(), &recording)?;
    let address = address.trim_start_matches("http://");
    let note = ask(address, "POST", "/notes", r#"{"text":"from Go"}"#)?;
    ensure!(note.contains(" 201 "), "{note}");
    server.end()?;
    let replayed = output(host_cli().args(["replay", &recorded]))?;
    ensure!(replayed.contains("1 as expected"), "{replayed}");
    Ok(())
}
