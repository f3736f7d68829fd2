//! `cargo xtask schemathesis`: is the service what its OpenAPI document says?

use crate::{
    python,
    run::{self, Cargo, root, target_folder},
    setup,
};
use anyhow::Context;
use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

/// Requests made up for each operation and phase. With the seed fixed, a run takes about a minute and repeats.
const EXAMPLES_MAX: &str = "50";
const SEED: &str = "1";

/// Builds `host-cli`, serves from memory, and lets schemathesis loose on it.
pub fn run() -> anyhow::Result<()> {
    setup::target()?;
    let programs = python::programs()?;
    Cargo::new("build")
        .args(["--release", "--locked", "--bin", "host-cli"])
        .run()?;
    let (_server, address) = Server::start()?;
    run::run(
        Command::new(programs.join("schemathesis"))
            .arg("--config-file")
            .arg(root().join("tests/schemathesis.toml"))
            .arg("run")
            .arg(format!("{address}/openapi.json"))
            .args([
                "--checks",
                "all",
                "--max-examples",
                EXAMPLES_MAX,
                "--seed",
                SEED,
                "--continue-on-failure",
            ])
            .args(["--generation-database", "none", "--no-color"])
            .current_dir(target_folder()?)
            .stdin(Stdio::null()),
    )
}

/// A running `host-cli serve`; killed when dropped. Its stdout stays open, for a closed one would fail its prints.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    /// Starts on a free port; returns once it listens, with its address.
    fn start() -> anyhow::Result<(Self, String)> {
        let mut child = Command::new(target_folder()?.join("release/host-cli"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--store",
                "memory",
                "--quiet",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to run `host-cli`")?;
        let stdout = child.stdout.take().context("`host-cli` has no stdout")?;
        let mut server = Self {
            child,
            stdout: BufReader::new(stdout),
        };
        let mut line = String::new();
        while server.stdout.read_line(&mut line)? > 0 {
            if let Some(start) = line.find("http://") {
                let address = line[start..].split_whitespace().next().unwrap_or_default();
                let address = address.trim_end_matches('/').to_owned();
                return Ok((server, address));
            }
            line.clear();
        }
        anyhow::bail!("`host-cli serve` ended without saying where it listens")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
