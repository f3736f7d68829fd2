//! What may be depended on: licences, duplicates and sources, which `deny.toml` states and cargo-deny checks, and what depends on a choice of
//! features, which is checked here.

use crate::{
    run::{Cargo, root, run},
    tools,
};
use anyhow::bail;
use std::{collections::BTreeSet, process::Command};

/// A package and the beginnings of crates' names that it must not bring.
type Rule = (&'static str, &'static [&'static str]);

/// Everything else follows from which crate depends on which. These rules are about features of what others wrote, and about what must stay
/// usable without a runtime: gateway, tapes, comparing, release documents.
const RULES: [Rule; 6] = [
    (
        "gateway",
        &["aws-", "cranelift-codegen", "hyper", "redb", "wasmtime"],
    ),
    (
        "observation",
        &["aws-", "cranelift-codegen", "hyper", "redb", "wasmtime"],
    ),
    (
        "release",
        &["aws-", "cranelift-codegen", "hyper", "redb", "wasmtime"],
    ),
    ("rollout", &["aws-", "cranelift-codegen", "hyper", "redb"]),
    // The SDK with one HTTP client and one TLS stack.
    (
        "storage-dynamodb",
        &[
            "aws-lc",
            "aws-sdk-sso",
            "aws-sdk-sts",
            "h2 v0.3",
            "hyper v0",
            "native-tls",
            "rustls v0.21",
            "wasmtime",
        ],
    ),
    // The same with a runtime, no compiler, and nothing that a person's profile needs.
    (
        "host-lambda",
        &[
            "aws-config",
            "aws-lc",
            "aws-sdk-sso",
            "aws-sdk-sts",
            "clap",
            "cranelift-codegen",
            "h2 v0.3",
            "hyper v0",
            "native-tls",
            "openssl v",
            "redb",
            "rustls v0.21",
            "tracing-subscriber",
        ],
    ),
];

/// Fails on what `deny.toml` does not allow, on an exception there that is no longer needed, on what `RULES` forbid, and on
/// what would be built twice.
pub fn check() -> anyhow::Result<()> {
    run(Command::new(tools::cargo_deny()?)
        .args(["--locked", "check", "--deny", "warnings"])
        .args(["bans", "licenses", "sources"])
        .current_dir(root()))?;
    let mut complaints = built_twice()?;
    for (package, unwanted) in RULES {
        complaints.extend(unwanted_crates(package, unwanted)?);
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

/// Complaints about what a package links, though it must not.
fn unwanted_crates(package: &str, unwanted: &[&str]) -> anyhow::Result<Vec<String>> {
    let lines = Cargo::new("tree")
        .args(["--package", package])
        .args(["--edges", "normal,no-proc-macro", "--locked"])
        .args(["--prefix", "none", "--format", "{p}"])
        .output()?;
    let found = lines
        .lines()
        .filter(|line| unwanted.iter().any(|name| line.starts_with(name)));
    Ok(found
        .map(|line| format!("{package} contains `{line}`"))
        .collect())
}

/// Complaints about packages that have other features for tests than for programs: they, and all that is above them, would be built
/// twice.
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
