//! What may be depended on: licences, duplicates, sources and who may name what, which `deny.toml` and `host-lambda/deny.toml` state and cargo-deny
//! checks, and what would be built twice, which is checked here.

use crate::{
    run::{Cargo, root, run},
    tools,
};
use anyhow::bail;
use std::{collections::BTreeSet, process::Command};

/// Fails on what the rules of cargo-deny do not allow, on an exception there that is no longer needed, and on what would be built twice.
pub fn check() -> anyhow::Result<()> {
    deny(&["bans", "licenses", "sources"], "Cargo.toml", "deny.toml")?;
    // Alone, for features of its own: in the workspace it would have those of the local host.
    deny(&["bans"], "host-lambda/Cargo.toml", "host-lambda/deny.toml")?;
    let complaints = built_twice()?;
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

/// Runs checks of cargo-deny on a package, or a workspace, by the rules in a file.
fn deny(checks: &[&str], manifest: &str, rules: &str) -> anyhow::Result<()> {
    run(Command::new(tools::cargo_deny()?)
        .args(["--locked", "--manifest-path", manifest, "--config", rules])
        .args(["check", "--deny", "warnings"])
        .args(checks)
        .current_dir(root()))
}

/// Packages that have other features for tests than for programs: they, and everything that depends on them, would be built twice.
fn built_twice() -> anyhow::Result<Vec<String>> {
    let packages = |edges| -> anyhow::Result<BTreeSet<String>> {
        let lines = Cargo::new("tree")
            .args(["--workspace", "--locked", "--edges", edges])
            .args(["--prefix", "none", "--no-dedupe", "--format", "{p} {f}"])
            .output()?;
        Ok(lines.lines().map(str::to_owned).collect())
    };
    let for_tests = packages("normal,build,dev")?;
    Ok(packages("normal,build")?
        .difference(&for_tests)
        .map(|package| {
            format!("tests build `{package}` with other features: tests/Cargo.toml says why they must not")
        })
        .collect())
}
