//! `cargo xtask check`: checks that a reviewer should not have to make.

mod cycles;
mod event_members;
mod length;
mod names;
mod targets;
mod workflows;

use crate::{
    bindings, dependencies, reference,
    run::{Cargo, root, step},
    setup,
};
use anyhow::ensure;
use std::fs;

/// Workspaces beside the main one.
const SIDE_WORKSPACES: [&str; 4] = [
    "examples/bookings/Cargo.toml",
    "tests/guests/Cargo.toml",
    "tests/guests/sdk/Cargo.toml",
    "tests/fuzz/Cargo.toml",
];

/// Workspaces of guests for tests, one package in each folder.
const GUESTS: [&str; 2] = ["tests/guests", "tests/guests/sdk"];

/// Crates below `crates/` that build on wasmtime or the AWS SDK, which would be checked anew for each of them, for minutes.
const TOGETHER: [&str; 8] = [
    "aws-requests",
    "publish",
    "release-aws",
    "replay",
    "rollout",
    "runtime",
    "service",
    "storage-dynamodb",
];

/// All checks, the cheap ones first.
pub fn all() -> anyhow::Result<()> {
    setup::target()?;
    setup::lint_tools()?;
    step("rustfmt", formatting)?;
    step("module cycles", cycles::check)?;
    step("members of events", event_members::check)?;
    step("lengths of files", length::check)?;
    step("names in documents", names::check)?;
    step("workflows", workflows::check)?;
    step("reference of the contract", reference::check)?;
    step("bindings of the SDK", bindings::check)?;
    step("dependencies", dependencies::check)?;
    step("clippy", lints)?;
    step("crates alone", crates_alone)?;
    step("fuzz targets", fuzz_targets)?;
    step("rustdoc", documentation)
}

fn formatting() -> anyhow::Result<()> {
    Cargo::new("fmt").args(["--all", "--check"]).run()?;
    for manifest in SIDE_WORKSPACES {
        Cargo::new("fmt")
            .args(["--all", "--check", "--manifest-path", manifest])
            .run()?;
    }
    Ok(())
}

/// In release mode, like everything that `xtask` builds, so that build scripts and procedural macros are built only once.
fn lints() -> anyhow::Result<()> {
    let warnings = ["--", "--deny", "warnings"];
    Cargo::new("clippy")
        .args(["--release", "--workspace", "--all-targets", "--locked"])
        .args(warnings)
        .run()?;
    // The features of a host on Lambda: without a compiler.
    Cargo::new("clippy")
        .args(["--release", "--package", "host-lambda", "--locked"])
        .args(warnings)
        .run()?;
    // The parts that exist only in a component.
    for package in ["guest", "tenon-sdk"] {
        Cargo::new("clippy")
            .args(["--release", "--package", package, "--locked"])
            .args(["--target", "wasm32-wasip2"])
            .args(warnings)
            .run()?;
    }
    // A project of its own, which reads its own configuration of cargo.
    Cargo::new("clippy")
        .args(["--all-targets", "--locked"])
        .current_dir(&root().join("examples/bookings"))
        .env(
            "CARGO_TARGET_DIR",
            crate::run::target_folder()?.join("examples"),
        )
        .args(warnings)
        .run()?;
    // One by one, as they are built: together they would share each other's features.
    for workspace in GUESTS {
        let manifest = format!("{workspace}/Cargo.toml");
        for package in packages_in(workspace)? {
            Cargo::new("clippy")
                .args(["--release", "--package", &package, "--locked"])
                .args(["--target", "wasm32-wasip2"])
                .args(["--manifest-path", &manifest, "--target-dir"])
                .args([crate::run::target_folder()?.join("guests")])
                .args(warnings)
                .run()?;
        }
    }
    Ok(())
}

/// The packages whose folders are in this one, by name. A folder within that has a workspace of its own is none.
fn packages_in(folder: &str) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join(folder))? {
        let manifest = fs::read_to_string(entry?.path().join("Cargo.toml")).unwrap_or_default();
        let package = manifest.strip_prefix("[package]\nname = \"");
        names.extend(package.and_then(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
    ensure!(!names.is_empty(), "`{folder}` has no package");
    names.sort();
    Ok(names)
}

/// Each crate below `crates/` by itself: in the workspace it would have what other crates enable of its dependencies, and miss nothing.
/// Those of [`TOGETHER`] without the rest of the workspace.
fn crates_alone() -> anyhow::Result<()> {
    let (together, alone): (Vec<_>, Vec<_>) = packages_in("crates")?
        .into_iter()
        .partition(|name| TOGETHER.contains(&name.as_str()));
    ensure!(
        together.len() == TOGETHER.len(),
        "`TOGETHER` names a crate that does not exist"
    );
    for name in alone {
        check_packages(&[name])?;
    }
    check_packages(&together)
}

fn check_packages(names: &[String]) -> anyhow::Result<()> {
    let packages = names.iter().flat_map(|name| ["--package", name.as_str()]);
    Cargo::new("check")
        .args(["--release", "--locked", "--quiet"])
        .args(packages)
        .run()
}

/// That they compile, without the C++ code of libFuzzer, which would take a minute. `cargo xtask fuzz` runs them.
fn fuzz_targets() -> anyhow::Result<()> {
    Cargo::new("check")
        .args(["--release", "--locked", "--quiet", "--manifest-path"])
        .args(["tests/fuzz/Cargo.toml", "--target-dir"])
        .args([crate::run::target_folder()?.join("fuzz")])
        .env("CUSTOM_LIBFUZZER_PATH", "/nonexistent/libfuzzer.a")
        .run()
}

fn documentation() -> anyhow::Result<()> {
    Cargo::new("doc")
        .args(["--release", "--workspace", "--no-deps", "--locked"])
        .env("RUSTDOCFLAGS", "--deny warnings")
        .run()
}
