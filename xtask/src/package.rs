//! `cargo xtask package`: what goes to Lambda. Under `target/lambda/<arch>/`, for each architecture:
//!
//! - `host-lambda.zip`: the function, an executable named `bootstrap`;
//! - `guest.zip`: the layer, an image named `guest.cwasm`, which Lambda unpacks to `/opt`;
//! - `manifest.json`: digests, sizes and versions.
//!
//! The same sources give the same bytes, on every machine with the same compiler: the C compiler, the linker and the C library's symbols are
//! pinned, and no path or time gets in.

pub mod build;
pub mod elf;

use crate::{
    arguments::{ArchChoice, PackageArgs},
    run::{Cargo, output, root, run as run_program, step, target_folder},
    setup,
};
use anyhow::{Context, ensure};
use build::Platform;
use contract::compatibility::Target;
use packaging::{Archive, BOOTSTRAP, Entry, HOST_ARCHIVE, MANIFEST, Manifest};
use std::{fs, path::Path, process::Command};

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

    /// As images name it.
    pub fn target(self) -> Target {
        match self {
            Self::X86_64 => Target::X86_64,
            Self::Arm64 => Target::Aarch64,
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
pub fn architectures(choice: Option<ArchChoice>) -> Vec<Arch> {
    match choice {
        None => vec![Arch::HERE],
        Some(ArchChoice::X86_64) => vec![Arch::X86_64],
        Some(ArchChoice::Arm64) => vec![Arch::Arm64],
        Some(ArchChoice::All) => Arch::ALL.to_vec(),
    }
}

fn one(arch: Arch, arguments: &PackageArgs) -> anyhow::Result<()> {
    let profile = arguments.profile.as_deref().unwrap_or(build::PROFILE);
    let bootstrap = bootstrap(arch, profile)?;
    let packages = target_folder()?.join("lambda");
    let zipped_bytes = host(arch, profile, &bootstrap, &packages.join(arch.name()))?;
    guest(arch, arguments.guest.as_deref(), &packages)?;
    if profile == build::PROFILE {
        hold("`bootstrap`", bootstrap.len(), BOOTSTRAP_BYTES_MAX)?;
        hold("`host-lambda.zip`", zipped_bytes, ZIP_BYTES_MAX)?;
    }
    if arguments.reproduce {
        reproduce(arch, profile, &bootstrap)?;
    }
    Ok(())
}

/// Writes the host's archive and a manifest that describes it. Returns the archive's size.
pub fn host(arch: Arch, profile: &str, bootstrap: &[u8], folder: &Path) -> anyhow::Result<usize> {
    let archive = Archive::pack(&Entry::program(BOOTSTRAP, bootstrap))?;
    let rustc = output(Command::new("rustc").arg("--version").current_dir(root()))?;
    let manifest = Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        architecture: arch.name().to_owned(),
        target: arch.triple().to_owned(),
        compatibility: arch.target().compatibility().to_owned(),
        profile: profile.to_owned(),
        rustc: rustc.trim().to_owned(),
        glibc_min: elf::newest_glibc(bootstrap)?.map(|version| version.to_string()),
        guest: None,
        files: [(HOST_ARCHIVE.to_owned(), archive.description)].into(),
    };
    fs::create_dir_all(folder)?;
    for (name, bytes) in [
        (HOST_ARCHIVE, &archive.bytes[..]),
        (MANIFEST, manifest.to_json().as_bytes()),
    ] {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("failed to write `{}`", path.display()))?;
    }
    println!(
        "{}: `{BOOTSTRAP}` has {} kB, `{HOST_ARCHIVE}` {} kB",
        folder.display(),
        bootstrap.len() / 1000,
        archive.bytes.len() / 1000
    );
    Ok(archive.bytes.len())
}

/// Adds the guest's layer, and completes the manifest: `host-cli` makes every package.
fn guest(arch: Arch, guest: Option<&Path>, packages: &Path) -> anyhow::Result<()> {
    setup::target()?;
    Cargo::new("build")
        .args(["--release", "--locked", "--bin", "host-cli"])
        .run()?;
    run_program(
        Command::new(target_folder()?.join("release/host-cli"))
            .args(["package", "--arch", arch.name(), "--guest"])
            .arg(guest.unwrap_or(Path::new("embedded")))
            .arg("--host")
            .arg(packages)
            .arg("--output")
            .arg(packages),
    )
}

/// Builds the executable and checks the requirements of Lambda and of reproducibility.
pub fn bootstrap(arch: Arch, profile: &str) -> anyhow::Result<Vec<u8>> {
    let target_folder = target_folder()?;
    let path = build::program(
        (PROGRAM, PROGRAM),
        Platform::lambda(arch),
        profile,
        &[],
        &target_folder,
    )?;
    let bytes = fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
    elf::check(&bytes, arch).with_context(|| format!("`{}` does not fit", path.display()))?;
    check_paths(&bytes, &target_folder).with_context(|| format!("`{}`", path.display()))?;
    Ok(bytes)
}

/// Fails on a program that would not be the same on another machine.
pub fn check_paths(program: &[u8], target_folder: &Path) -> anyhow::Result<()> {
    for private in build::private_paths(target_folder) {
        let private = private.display().to_string();
        ensure!(
            !contains(program, private.as_bytes()),
            "it contains the path `{private}` of this machine"
        );
    }
    Ok(())
}

/// Builds again from scratch, in another folder, and compares.
fn reproduce(arch: Arch, profile: &str, first: &[u8]) -> anyhow::Result<()> {
    let folder = target_folder()?.join("reproduce");
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    let second = fs::read(build::program(
        (PROGRAM, PROGRAM),
        Platform::lambda(arch),
        profile,
        &[],
        &folder,
    )?)?;
    ensure!(
        first == second,
        "a second build has other bytes: compare with what is in `{}`",
        folder.display()
    );
    println!("  a second build from nothing has the same bytes");
    Ok(fs::remove_dir_all(&folder)?)
}

fn hold(name: &str, bytes: usize, bytes_max: usize) -> anyhow::Result<()> {
    ensure!(
        bytes <= bytes_max,
        "{name} has {bytes} bytes, more than the {bytes_max} that it may have"
    );
    Ok(())
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
