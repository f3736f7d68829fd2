//! The SDKs as packages of their registries: crates with what they depend on of this workspace, an npm package, and a wheel.

use super::{Artifact, VERSION, components::Licences};
use crate::{
    npm,
    run::{Cargo, output, root, run, target_folder},
};
use anyhow::Context;
use std::{fs, path::Path, process::Command};

/// The crates that are published: the SDK, after what it depends on.
pub const CRATES: [&str; 6] = [
    "tenon-contract",
    "tenon-json",
    "tenon-storage",
    "tenon-http-client",
    "tenon-outgoing",
    "tenon-sdk",
];

/// What the npm package contains, beside its licence.
const NPM_FILES: [&str; 4] = ["package.json", "README.md", "dist", "wit"];

/// The SDK for Rust as `.crate` files. Building them is left to those who check what they install.
pub fn crates() -> anyhow::Result<Vec<Artifact>> {
    let mut cargo = Cargo::new("package").args(["--locked", "--no-verify", "--quiet"]);
    if !is_clean()? {
        cargo = cargo.args(["--allow-dirty"]);
    }
    let packages = CRATES.iter().flat_map(|name| ["--package", name]);
    cargo.args(packages).run()?;
    let folder = target_folder()?.join("package");
    let read = |name: &&str| {
        let name = format!("{name}-{VERSION}.crate");
        let bytes = fs::read(folder.join(&name)).with_context(|| format!("no `{name}`"))?;
        Ok(Artifact { name, bytes })
    };
    CRATES.iter().map(read).collect()
}

/// Whether everything is committed, as it has to be for a release: cargo then writes the commit into the crates.
fn is_clean() -> anyhow::Result<bool> {
    let changes = output(
        Command::new("git")
            .args(["status", "--porcelain"])
            .current_dir(root()),
    )?;
    Ok(changes.is_empty())
}

/// The SDK for JavaScript as npm packs it, in a folder of its own for the licence.
pub fn npm(licences: &Licences) -> anyhow::Result<Artifact> {
    let sdk = root().join("sdk/javascript");
    npm::build(&sdk)?;
    let folder = target_folder()?.join("sdk-javascript");
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    for name in NPM_FILES {
        copy(&sdk.join(name), &folder.join(name))?;
    }
    fs::write(folder.join(Licences::OWN), &licences.own)?;
    let packed = output(
        Command::new("npm")
            .args(["pack", "--ignore-scripts", "--silent"])
            .current_dir(&folder),
    )?;
    let name = packed.trim().to_owned();
    let bytes = fs::read(folder.join(&name)).with_context(|| format!("no `{name}`"))?;
    Ok(Artifact { name, bytes })
}

/// The SDK for Python as its own build backend makes it.
pub fn wheel() -> anyhow::Result<Artifact> {
    let sdk = root().join("sdk/python");
    run(Command::new("python3").arg("prepare.py").current_dir(&sdk))?;
    let folder = target_folder()?.join("sdk-python");
    fs::create_dir_all(&folder)?;
    let program = "import backend, sys; print(backend.build_wheel(sys.argv[1]))";
    let made = output(
        Command::new("python3")
            .args(["-B", "-c", program])
            .arg(&folder)
            .current_dir(&sdk),
    )?;
    let name = made.trim().to_owned();
    let bytes = fs::read(folder.join(&name)).with_context(|| format!("no `{name}`"))?;
    Ok(Artifact { name, bytes })
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if from.is_file() {
        fs::create_dir_all(to.parent().unwrap_or(to))?;
        fs::copy(from, to).with_context(|| format!("failed to copy `{}`", from.display()))?;
        return Ok(());
    }
    for entry in fs::read_dir(from).with_context(|| format!("no `{}`", from.display()))? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
