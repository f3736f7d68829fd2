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
    run::{step, target_folder},
    tools::hex,
};
use anyhow::{Context, bail, ensure};
use archive::Entry;
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Package and executable of the function.
const PROGRAM: &str = "host-lambda";

/// Bytes that the function's parts may have. Every byte is loaded at each cold start.
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

    fn parse(name: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.into_iter().find(|arch| arch.name() == name);
        found.with_context(|| format!("unknown architecture `{name}`: x86_64, arm64 or all"))
    }

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

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    arches: Vec<Arch>,
    profile: String,
    guest: Option<PathBuf>,
    reproduce: bool,
}

impl Options {
    /// Parses what follows `package`.
    pub fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            arches: vec![Arch::HERE],
            profile: build::PROFILE.to_owned(),
            guest: None,
            reproduce: false,
        };
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(option) = rest.next() {
            let mut value = || {
                rest.next()
                    .with_context(|| format!("`{option}` needs a value"))
            };
            match option {
                "--arch" => {
                    options.arches = match value()? {
                        "all" => Arch::ALL.to_vec(),
                        name => vec![Arch::parse(name)?],
                    }
                }
                "--profile" => options.profile = value()?.to_owned(),
                "--guest" => options.guest = Some(value()?.into()),
                "--reproduce" => options.reproduce = true,
                other => bail!("`package` has no `{other}`: run `cargo xtask help`"),
            }
        }
        Ok(options)
    }
}

/// Packages for every architecture that was asked for.
pub fn run(options: &Options) -> anyhow::Result<()> {
    for &arch in &options.arches {
        step(&format!("package {}", arch.name()), || one(arch, options))?;
    }
    Ok(())
}

fn one(arch: Arch, options: &Options) -> anyhow::Result<()> {
    let folder = target_folder()?.join("lambda").join(arch.name());
    fs::create_dir_all(&folder)?;
    let bootstrap = bootstrap(arch, &options.profile)?;
    let image = layer::compile(arch, options.guest.as_deref(), &folder)?;
    let function = Part::pack(
        &folder,
        "host-lambda.zip",
        Entry::program("bootstrap", &bootstrap),
    )?;
    let layer = Part::pack(&folder, "guest.zip", Entry::data("guest.cwasm", &image))?;
    manifest::write(
        &folder,
        arch,
        &options.profile,
        &bootstrap,
        &image,
        &[&function, &layer],
    )?;
    print(&folder, &[&function, &layer]);
    if options.profile == build::PROFILE {
        hold("`bootstrap`", bootstrap.len(), BOOTSTRAP_BYTES_MAX)?;
        hold("`host-lambda.zip`", function.zip.len(), ZIP_BYTES_MAX)?;
    }
    if options.reproduce {
        reproduce(arch, &options.profile, &bootstrap)?;
    }
    Ok(())
}

/// Builds the executable and holds what Lambda and reproducibility ask of it.
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

/// Builds again from nothing, in another folder, and compares.
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

    fn parse(line: &str) -> anyhow::Result<Options> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&arguments)
    }

    #[test]
    fn without_options_it_packages_for_this_machine() {
        let options = parse("").unwrap();
        assert_eq!(options.arches, [Arch::HERE]);
        assert_eq!(options.profile, "lambda");
        assert!(!options.reproduce);
    }

    #[test]
    fn options_say_what_to_package() {
        let options = parse("--arch all --guest my.wasm --reproduce").unwrap();
        assert_eq!(options.arches, Arch::ALL);
        assert_eq!(options.guest.as_deref(), Some(Path::new("my.wasm")));
        assert!(options.reproduce);
        assert_eq!(parse("--arch arm64").unwrap().arches, [Arch::Arm64]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let message = |line| parse(line).unwrap_err().to_string();
        assert_eq!(
            message("--arch mips"),
            "unknown architecture `mips`: x86_64, arm64 or all"
        );
        assert_eq!(message("--arch"), "`--arch` needs a value");
        assert!(message("--fast").contains("`--fast`"));
    }

    #[test]
    fn a_part_over_its_bound_is_refused() {
        assert!(hold("x", ZIP_BYTES_MAX, ZIP_BYTES_MAX).is_ok());
        assert!(hold("x", ZIP_BYTES_MAX + 1, ZIP_BYTES_MAX).is_err());
    }
}
