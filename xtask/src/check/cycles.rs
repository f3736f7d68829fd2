//! No cycles between modules. Modules with one parent depend on each other in one direction only, so that each can be read, tested and moved
//! without those that use it.
//!
//! An edge leads from one child of a module to another where anything within the first names anything within the second, be it through a
//! re-export. A child that uses its parent's own items is allowed, as are unit tests.

mod graph;
mod references;
mod resolve;
mod tree;

#[cfg(test)]
mod tests;

use crate::run::{Cargo, root};
use anyhow::{Context, bail};
use graph::Cycle;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tree::Tree;

/// Cycles that are still to be removed, by the modules that form them.
const KNOWN: &[&str] = &[
    "bindings, engine, imports, runtime, wasi",
    "bootstrap, runtime_api",
    "bounds, load",
    "call, exchange",
    "case, compare",
    "commands, release",
    "diagnose, normalise",
    "document, layout",
    "effect, outcome",
    "find, read",
    "harvest, text",
    "lambda, release",
    "marks, sweep, values, walk",
    "metrics, request",
    "replay, tape",
];

/// Fails on every cycle in a target of the workspace's packages.
pub fn check() -> anyhow::Result<()> {
    let mut complaints = Vec::new();
    for target in targets()? {
        let tree = Tree::read(&target.name, &target.file, root())?;
        for cycle in graph::cycles(&tree) {
            if !KNOWN.contains(&cycle.modules().as_str()) {
                complaints.push(complaint(&cycle));
            }
        }
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

/// What a cycle is made of, and how one gets rid of it.
fn complaint(cycle: &Cycle) -> String {
    let mut text = format!("module cycle `{}`:\n", cycle.name());
    for edge in &cycle.edges {
        text += &format!(
            "  `{}` uses `{}`: {}:{} names `{}`\n",
            edge.from,
            edge.to,
            edge.file.display(),
            edge.line,
            edge.path
        );
    }
    text + "  move what both need into one of them, or into a module of its own that uses neither"
}

/// A crate to look at.
struct Target {
    name: String,
    /// The file of its root module.
    file: PathBuf,
}

/// All crates of the workspace but build scripts.
fn targets() -> anyhow::Result<Vec<Target>> {
    let output = Cargo::new("metadata")
        .args(["--no-deps", "--format-version", "1", "--locked"])
        .output()?;
    let metadata: Value = serde_json::from_str(&output)?;
    let mut targets = Vec::new();
    for package in array(&metadata, "packages")? {
        let package_name = text(package, "name")?;
        for target in array(package, "targets")? {
            let kind = array(target, "kind")?.first().and_then(Value::as_str);
            let name = match kind {
                Some("custom-build") => continue,
                Some("bin" | "test" | "bench" | "example") => {
                    format!("{package_name}/{}", text(target, "name")?)
                }
                _ => package_name.to_owned(),
            };
            targets.push(Target {
                name,
                file: Path::new(text(target, "src_path")?).to_owned(),
            });
        }
    }
    Ok(targets)
}

fn array<'a>(value: &'a Value, member: &str) -> anyhow::Result<&'a Vec<Value>> {
    value[member]
        .as_array()
        .with_context(|| format!("`cargo metadata` names no `{member}`"))
}

fn text<'a>(value: &'a Value, member: &str) -> anyhow::Result<&'a str> {
    value[member]
        .as_str()
        .with_context(|| format!("`cargo metadata` names no `{member}`"))
}
