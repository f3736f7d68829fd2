//! The crates of the workspace.

use crate::run::Cargo;
use anyhow::Context;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A crate to look at.
pub struct Target {
    pub name: String,
    /// The file of its root module.
    pub file: PathBuf,
    /// A test, benchmark or example.
    pub is_for_tests: bool,
}

/// All crates of the workspace except build scripts.
pub fn targets() -> anyhow::Result<Vec<Target>> {
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
                is_for_tests: matches!(kind, Some("test" | "bench" | "example")),
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
