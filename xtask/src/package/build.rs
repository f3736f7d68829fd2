//! Builds programs for Lambda with a pinned C compiler and linker, so that the result does not depend on this machine's toolchain or C
//! library, and either architecture can be built on either.

use super::Arch;
use crate::{
    run::{root, run},
    setup, tools,
};
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// The profile in the workspace's manifest.
pub const PROFILE: &str = "lambda";

/// What a program is built for.
#[derive(Clone, Copy)]
pub struct Platform {
    pub arch: Arch,
    pub libc: Libc,
}

/// The C library of a platform.
#[derive(Clone, Copy)]
pub enum Libc {
    /// That of Amazon Linux 2023.
    AmazonLinux,
    /// In the program itself, which then runs on every Linux.
    Static,
}

impl Platform {
    /// Lambda's.
    pub fn lambda(arch: Arch) -> Self {
        Self {
            arch,
            libc: Libc::AmazonLinux,
        }
    }

    /// As Rust calls it.
    pub fn triple(self) -> &'static str {
        match (self.libc, self.arch) {
            (Libc::AmazonLinux, arch) => arch.triple(),
            (Libc::Static, Arch::X86_64) => "x86_64-unknown-linux-musl",
            (Libc::Static, Arch::Arm64) => "aarch64-unknown-linux-musl",
        }
    }

    /// As cargo-zigbuild calls it, which adds the release of glibc.
    fn target(self) -> String {
        match self.libc {
            Libc::AmazonLinux => format!("{}.2.34", self.triple()),
            Libc::Static => self.triple().to_owned(),
        }
    }
}

/// Builds a program of the workspace alone, because another package could enable features that it does without. Returns its path.
pub fn program(
    (package, binary): (&str, &str),
    platform: Platform,
    profile: &str,
    environment: &[(&str, &OsStr)],
    target_folder: &Path,
) -> anyhow::Result<PathBuf> {
    setup::rust_target(platform.triple())?;
    // One folder for each architecture: cargo-zigbuild sets a linker, which also affects build scripts.
    let folder = target_folder
        .join("lambda-build")
        .join(platform.arch.name());
    let caches = target_folder.join("tools/caches");
    run(Command::new(tools::cargo_zigbuild()?)
        .args([
            "zigbuild",
            "--locked",
            "--package",
            package,
            "--bin",
            binary,
        ])
        .args(["--profile", profile])
        .args(["--target", &platform.target()])
        .arg("--target-dir")
        .arg(&folder)
        .env("CARGO_ZIGBUILD_ZIG_PATH", tools::zig()?)
        .env("CARGO_ZIGBUILD_CACHE_DIR", caches.join("zigbuild"))
        .env("ZIG_GLOBAL_CACHE_DIR", caches.join("zig"))
        .env("ZIG_LOCAL_CACHE_DIR", caches.join("zig"))
        // Also overrides the flags of a user's own configuration.
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            flags(platform, target_folder).join("\x1f"),
        )
        .envs(environment.iter().copied())
        .current_dir(root()))?;
    // Only the folder of the profile `dev` has another name.
    let profile_folder = if profile == "dev" { "debug" } else { profile };
    Ok(folder
        .join(platform.triple())
        .join(profile_folder)
        .join(binary))
}

/// Folders whose names must not be in a program, because they differ between machines.
pub fn private_paths(target_folder: &Path) -> Vec<PathBuf> {
    let home = env::home_dir().filter(|home| home.components().count() > 1);
    [
        Some(root().to_owned()),
        Some(target_folder.to_owned()),
        home,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn flags(platform: Platform, target_folder: &Path) -> Vec<String> {
    let mut flags = guest_builder::remap_flags(root());
    if matches!(platform.libc, Libc::Static) {
        // For this target, the profile's `strip` does not reach the linker.
        flags.push("-Clink-arg=-s".to_owned());
    }
    // Signatures are verified at start and when a channel changes: what its vector instructions save there is less than their 40 kB cost.
    flags.push("--cfg=curve25519_dalek_backend=\"serial\"".to_owned());
    // The folder of generated sources.
    flags.push(format!(
        "--remap-path-prefix={}=/target",
        target_folder.display()
    ));
    flags
}
