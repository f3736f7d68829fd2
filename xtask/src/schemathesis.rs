//! `cargo xtask schemathesis`: is the service what its OpenAPI document says?

use crate::{
    python,
    run::{self, Cargo, root, target_folder},
    server::Server,
    setup,
};
use std::process::{Command, Stdio};

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
    let (_server, address) = Server::start(&["--store", "memory"])?;
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
