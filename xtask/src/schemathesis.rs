//! `cargo xtask schemathesis`: checks the service against its OpenAPI document.

use crate::{
    python,
    run::{self, Cargo, root, target_folder},
    server::Server,
    setup,
};
use std::process::{Command, Stdio};

/// Requests generated for each operation and phase. With the fixed seed, a run takes about a minute and is repeatable.
const EXAMPLES_MAX: &str = "50";
const SEED: &str = "1";

/// Builds `host-cli`, serves from memory, and runs schemathesis on it.
pub fn run() -> anyhow::Result<()> {
    setup::target()?;
    let programs = python::programs()?;
    Cargo::new("build")
        .args(["--release", "--locked", "--bin", "host-cli"])
        .run()?;
    let (_server, address) = Server::start(&["--store", "memory", "--guest", "embedded"])?;
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
