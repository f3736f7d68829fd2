//! `cargo xtask dist`: what users install. Under `dist/`:
//!
//! - `host-cli-VERSION-ARCH-linux.tar.gz`: the program, which contains the Lambda host for both architectures;
//! - `tenon_cli-VERSION-*.whl`: the same as a wheel for pip and uv;
//! - `tenon-cli-VERSION.tgz` and `tenon-cli-linux-CPU-VERSION.tgz`: the same as packages for npm;
//! - `tenon-*-VERSION.crate`, `tenon-sdk-VERSION.tgz`, `tenon_sdk-VERSION-*.whl`: the SDKs for Rust, JavaScript and Python;
//! - `host-cli-VERSION.cdx.json`: the crates in it, in the Lambda hosts and in the reference guest (CycloneDX);
//! - `SHA256SUMS`: the digests of all, which `--sign` signs.
//!
//! The program needs no C library of its system. The same sources give the same bytes, as in [`crate::package`].

mod archive;
mod components;
mod npm;
pub mod packages;
mod program;
pub mod sdks;
mod wheel;

use crate::{
    arguments::DistArgs,
    package::Arch,
    run::{root, run, step, target_folder},
};
use anyhow::{Context, ensure};
use contract::digest::Digest;
use program::Program;
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Release of everything in it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the packages say about themselves.
const SUMMARY: &str = "Runs, records and replays REST APIs that are compiled to WebAssembly";
const LICENCE: &str = "Apache-2.0";

const CHECKSUMS: &str = "SHA256SUMS";

/// A file of the distribution.
pub struct Artifact {
    name: String,
    bytes: Vec<u8>,
}

/// Builds everything for the requested architectures, and signs it only if it can be installed and runs.
pub fn run_dist(arguments: &DistArgs) -> anyhow::Result<()> {
    if let Some(key) = &arguments.sign {
        ensure!(key.is_file(), "there is no key `{}`", key.display());
    }
    let architectures = crate::package::architectures(arguments.arch);
    let hosts = target_folder()?.join("lambda-hosts");
    step("Lambda hosts", || program::lambda_hosts(&hosts))?;
    let licences = components::licences()?;
    let mut artifacts = vec![npm::main(&licences)?, components::bill_of_materials()?];
    step("SDKs", || {
        artifacts.extend(sdks::crates()?);
        artifacts.push(sdks::npm(&licences)?);
        artifacts.push(sdks::wheel()?);
        Ok(())
    })?;
    for arch in &architectures {
        step(&format!("host-cli {}", arch.name()), || {
            let program = Program::build(*arch, &hosts)?;
            artifacts.push(archive::tarball(&program, &licences)?);
            artifacts.push(wheel::wheel(&program, &licences)?);
            artifacts.push(npm::platform(&program, &licences)?);
            Ok(())
        })?;
    }
    let folder = root().join("dist");
    write(&folder, &mut artifacts)?;
    if architectures.contains(&Arch::HERE) {
        step("installed packages", || packages::check(&folder).map(drop))?;
    } else {
        eprintln!("not installed: nothing was built for this machine's architecture");
    }
    match &arguments.sign {
        Some(key) => sign(&folder, key),
        None => Ok(()),
    }
}

/// Writes all files into a folder with nothing else, and their digests.
fn write(folder: &Path, artifacts: &mut [Artifact]) -> anyhow::Result<()> {
    if folder.is_dir() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    artifacts.sort_by(|one, other| one.name.cmp(&other.name));
    let mut checksums = String::new();
    for Artifact { name, bytes } in artifacts {
        let path = folder.join(&name);
        fs::write(&path, &bytes)
            .with_context(|| format!("failed to write `{}`", path.display()))?;
        writeln!(checksums, "{}  {name}", Digest::of(bytes))?;
        println!("dist/{name}: {} kB", bytes.len().div_ceil(1000));
    }
    Ok(fs::write(folder.join(CHECKSUMS), checksums)?)
}

/// Signs the digests with an SSH key, which `ssh-keygen -Y verify` verifies everywhere.
fn sign(folder: &Path, key: &Path) -> anyhow::Result<()> {
    let signature: PathBuf = folder.join(format!("{CHECKSUMS}.sig"));
    run(Command::new("ssh-keygen")
        .args(["-Y", "sign", "-q", "-n", "file", "-f"])
        .arg(key)
        .arg(folder.join(CHECKSUMS)))?;
    println!("{}: signature of `{CHECKSUMS}`", signature.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that nobody has registered are those of whoever does it first. Remove this with the notices, after the first release.
    #[test]
    fn documents_that_install_by_name_say_that_nothing_is_published() {
        for name in [
            "README.md",
            "docs/cli.md",
            "docs/guide/python.md",
            "docs/guide/typescript.md",
        ] {
            let text = fs::read_to_string(root().join(name)).unwrap();
            assert!(text.contains("Nothing is published yet"), "{name}");
            for line in text
                .lines()
                .filter(|line| line.contains("--find-links dist"))
            {
                assert!(line.contains("--no-index"), "{name}: {line}");
            }
        }
    }

    /// A registry must not answer in the place of packages that a project brings along.
    #[test]
    fn projects_with_packages_of_their_own_ask_no_registry_for_the_program() {
        for language in ["python", "rust", "typescript"] {
            let path = format!("host-cli/templates/{language}/github/workflows/ci.yml");
            let text = fs::read_to_string(root().join(&path)).unwrap();
            let line = text
                .lines()
                .find(|line| line.contains("pip install") && line.contains("tenon-cli"))
                .unwrap();
            assert!(
                line.contains("--no-index --find-links vendor"),
                "{path}: {line}"
            );
        }
    }
}
