//! `manifest.json`: what was packaged, so that a deployment can be traced back to it.

use super::{Arch, Part, elf, layer, sha256};
use crate::run::{output, root};
use anyhow::Context;
use serde_json::{Map, Value, json};
use std::{fs, path::Path, process::Command};

/// Writes the manifest. It does not depend on when or where it was made.
pub fn write(
    folder: &Path,
    arch: Arch,
    profile: &str,
    bootstrap: &[u8],
    image: &[u8],
    parts: &[&Part],
) -> anyhow::Result<()> {
    let rustc = output(Command::new("rustc").arg("--version").current_dir(root()))?;
    let glibc = elf::newest_glibc(bootstrap)?;
    let files: Map<String, Value> = parts.iter().copied().map(file).collect();
    let manifest = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "architecture": arch.name(),
        "target": arch.triple(),
        "profile": profile,
        "rustc": rustc.trim(),
        "glibcMin": glibc.map(|version| version.to_string()),
        "guest": layer::seal(image)?,
        "files": files,
    });
    let path = folder.join("manifest.json");
    fs::write(&path, format!("{manifest:#}\n"))
        .with_context(|| format!("failed to write `{}`", path.display()))
}

fn file(part: &Part) -> (String, Value) {
    let description = json!({
        "sha256": sha256(&part.zip),
        "bytes": part.zip.len(),
        "contains": {
            part.entry: {
                "sha256": part.entry_sha256,
                "bytes": part.entry_bytes,
            },
        },
    });
    (part.name.to_owned(), description)
}
