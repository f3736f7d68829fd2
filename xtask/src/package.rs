//! `cargo xtask package`: what goes to Lambda. Under `target/lambda/<arch>/`, for each architecture:
//!
//! - `host-lambda.zip`: the function, an executable named `bootstrap`;
//! - `guest.zip`: the layer, an image named `guest.cwasm`, which Lambda unpacks to `/opt`;
//! - `manifest.json`: digests, sizes and versions.
//!
//! The same sources give the same bytes, on every machine with the same compiler: the C compiler, the linker and the C library's symbols are
//! pinned, and no path or time gets in.

mod archive;
pub mod build;
mod elf;
mod layer;
mod manifest;

use crate::{
    arguments::{ArchChoice, PackageArgs},
    run::{step, target_folder},
    tools::hex,
};
use anyhow::{Context, ensure};
use archive::Entry;
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

/// Package and executable of the function.
const PROGRAM: &str = "host-lambda";

/// Size limits of the function's parts. Every byte is loaded at each cold start.
const BOOTSTRAP_BYTES_MAX: usize = 7_000_000;
const ZIP_BYTES_MAX: usize = 4_000_000;

/// An architecture, by Lambda's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    X86_64,
    Arm64,
}

impl Arch {
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Arm64];

    /// That of this machine.
    pub const HERE: Self = if cfg!(target_arch = "aarch64") {
        Self::Arm64
    } else {
        Self::X86_64
    };

    /// As Lambda and `host-cli compile --arch` call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// As Rust calls it.
    pub fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }
}

/// Builds packages for every requested architecture.
pub fn run(arguments: &PackageArgs) -> anyhow::Result<()> {
    for arch in architectures(arguments.arch) {
        step(&format!("package {}", arch.name()), || one(arch, arguments))?;
    }
    Ok(())
}

/// By default this machine's.
fn architectures(choice: Option<ArchChoice>) -> Vec<Arch> {
    match choice {
        None => vec![Arch::HERE],
        Some(ArchChoice::X86_64) => vec![Arch::X86_64],
        Some(ArchChoice::Arm64) => vec![Arch::Arm64],
        Some(ArchChoice::All) => Arch::ALL.to_vec(),
    }
}

fn one(arch: Arch, arguments: &PackageArgs) -> anyhow::Result<()> {
    let folder = target_folder()?.join("lambda").join(arch.name());
    fs::create_dir_all(&folder)?;
    let profile = arguments.profile.as_deref().unwrap_or(build::PROFILE);
    let bootstrap = bootstrap(arch, profile)?;
    let image = layer::compile(arch, arguments.guest.as_deref(), &folder)?;
    let function = Part::pack(
        &folder,
        "host-lambda.zip",
        Entry::program("bootstrap", &bootstrap),
    )?;
    let layer = Part::pack(&folder, "guest.zip", Entry::data("guest.cwasm", &image))?;
    manifest::write(
        &folder,
        arch,
        profile,
        &bootstrap,
        &image,
        &[&function, &layer],
    )?;
    print(&folder, &[&function, &layer]);
    if profile == build::PROFILE {
        hold("`bootstrap`", bootstrap.len(), BOOTSTRAP_BYTES_MAX)?;
        hold("`host-lambda.zip`", function.zip.len(), ZIP_BYTES_MAX)?;
    }
    if arguments.reproduce {
        reproduce(arch, profile, &bootstrap)?;
    }
    Ok(())
}

/// Builds the executable and checks the requirements of Lambda and of reproducibility.
fn bootstrap(arch: Arch, profile: &str) -> anyhow::Result<Vec<u8>> {
    let target_folder = target_folder()?;
    let path = build::program(PROGRAM, PROGRAM, arch, profile, &target_folder)?;
    let bytes = fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
    elf::check(&bytes, arch).with_context(|| format!("`{}` does not fit", path.display()))?;
    for private in build::private_paths(&target_folder) {
        let private = private.display().to_string();
        ensure!(
            !contains(&bytes, private.as_bytes()),
            "`{}` contains the path `{private}` of this machine: it would not be the same elsewhere",
            path.display()
        );
    }
    Ok(bytes)
}

/// Builds again from scratch, in another folder, and compares.
fn reproduce(arch: Arch, profile: &str, first: &[u8]) -> anyhow::Result<()> {
    let folder = target_folder()?.join("reproduce");
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    let second = fs::read(build::program(PROGRAM, PROGRAM, arch, profile, &folder)?)?;
    ensure!(
        first == second,
        "a second build has other bytes: compare with what is in `{}`",
        folder.display()
    );
    println!("  a second build from nothing has the same bytes");
    Ok(fs::remove_dir_all(&folder)?)
}

/// One archive with its one entry.
struct Part {
    name: &'static str,
    zip: Vec<u8>,
    entry: &'static str,
    entry_bytes: usize,
    entry_sha256: String,
}

impl Part {
    fn pack(folder: &Path, name: &'static str, entry: Entry<'_>) -> anyhow::Result<Self> {
        let zip = archive::zip(&entry)?;
        let path = folder.join(name);
        fs::write(&path, &zip).with_context(|| format!("failed to write `{}`", path.display()))?;
        Ok(Self {
            name,
            zip,
            entry: entry.name,
            entry_bytes: entry.contents.len(),
            entry_sha256: sha256(entry.contents),
        })
    }
}

fn print(folder: &Path, parts: &[&Part]) {
    println!("{}", folder.display());
    println!("  {:<18}{:>12}{:>12}   sha256", "", "unpacked", "zipped");
    for part in parts {
        println!(
            "  {:<18}{:>9} kB{:>9} kB   {}",
            part.name,
            part.entry_bytes / 1000,
            part.zip.len() / 1000,
            sha256(&part.zip)
        );
    }
}

fn hold(name: &str, bytes: usize, bytes_max: usize) -> anyhow::Result<()> {
    ensure!(
        bytes <= bytes_max,
        "{name} has {bytes} bytes, more than the {bytes_max} that it may have"
    );
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_choice_it_packages_for_this_machine() {
        assert_eq!(architectures(None), [Arch::HERE]);
        assert_eq!(architectures(Some(ArchChoice::Arm64)), [Arch::Arm64]);
        assert_eq!(architectures(Some(ArchChoice::All)), Arch::ALL);
    }

    #[test]
    fn a_part_over_its_bound_is_refused() {
        assert!(hold("x", ZIP_BYTES_MAX, ZIP_BYTES_MAX).is_ok());
        assert!(hold("x", ZIP_BYTES_MAX + 1, ZIP_BYTES_MAX).is_err());
    }
}
