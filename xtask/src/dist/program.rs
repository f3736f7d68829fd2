//! The program `host-cli` for other machines.

use crate::{
    package::{
        self, Arch,
        build::{self, Libc, Platform},
    },
    run::target_folder,
};
use anyhow::{Context, ensure};
use std::{ffi::OsStr, fs, path::Path};

/// The profile in the workspace's manifest.
const PROFILE: &str = "dist";

/// What the program may have, unpacked.
const BYTES_MAX: usize = 30_000_000;

/// A program that runs on every Linux on this architecture.
pub struct Program {
    pub arch: Arch,
    pub bytes: Vec<u8>,
}

/// Writes the Lambda hosts of both architectures, with their manifests, to a folder for each.
pub fn lambda_hosts(folder: &Path) -> anyhow::Result<()> {
    for arch in Arch::ALL {
        let bootstrap = package::bootstrap(arch, build::PROFILE)?;
        package::host(arch, build::PROFILE, &bootstrap, &folder.join(arch.name()))?;
    }
    Ok(())
}

impl Program {
    /// Builds it with these Lambda hosts inside.
    pub fn build(arch: Arch, hosts: &Path) -> anyhow::Result<Self> {
        let platform = Platform {
            arch,
            libc: Libc::Static,
        };
        let target_folder = target_folder()?;
        let environment: [(&str, &OsStr); 2] = [
            ("TENON_FOR_DISTRIBUTION", "1".as_ref()),
            ("TENON_LAMBDA_HOSTS", hosts.as_ref()),
        ];
        let package = ("host-cli", "host-cli");
        let path = build::program(package, platform, PROFILE, &environment, &target_folder)?;
        let bytes =
            fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
        let program = Self { arch, bytes };
        program
            .check(&target_folder)
            .with_context(|| format!("`{}` cannot be distributed", path.display()))?;
        Ok(program)
    }

    fn check(&self, target_folder: &Path) -> anyhow::Result<()> {
        package::elf::check(&self.bytes, self.arch)?;
        package::elf::check_static(&self.bytes)?;
        package::check_paths(&self.bytes, target_folder)?;
        ensure!(
            self.bytes.len() <= BYTES_MAX,
            "it has {} bytes, more than the {BYTES_MAX} that it may have",
            self.bytes.len()
        );
        Ok(())
    }
}
