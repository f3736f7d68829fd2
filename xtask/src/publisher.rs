//! `host-cli` as built for its users, and the guest that it embeds.

use crate::{run::Cargo, setup};
use anyhow::Context;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What guests are released with.
pub struct Publisher {
    pub host_cli: PathBuf,
    /// The reference guest's component, as embedded in `host-cli`.
    pub guest: PathBuf,
}

/// Builds `host-cli`, and finds out from cargo where it and its guest are.
pub fn publisher() -> anyhow::Result<Publisher> {
    setup::target()?;
    let messages = Cargo::new("build")
        .args(["--release", "--locked", "--bin", "host-cli"])
        .args(["--message-format", "json-render-diagnostics"])
        .output()?;
    let (mut host_cli, mut guest) = (None, None);
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line)?;
        let package = message["package_id"].as_str().unwrap_or_default();
        if !package.contains("host-cli") {
            continue;
        }
        if let Some(executable) = message["executable"].as_str() {
            host_cli = Some(PathBuf::from(executable));
        }
        if let Some(folder) = message["out_dir"].as_str() {
            guest = Some(Path::new(folder).join("guest.wasm"));
        }
    }
    Ok(Publisher {
        host_cli: host_cli.context("cargo built no `host-cli`")?,
        guest: guest.context("cargo says nothing of the guest that `host-cli` embeds")?,
    })
}
