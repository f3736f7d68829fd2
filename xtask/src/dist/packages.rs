//! Installs what was built, as users do, into empty environments, and runs it.

use super::{VERSION, components::Licences, wheel::NAME};
use crate::{
    package::Arch,
    run::{output, run, target_folder},
};
use anyhow::{Context, ensure};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The folders with `host-cli`, as pip and npm installed it.
pub struct Installed {
    pub by_pip: PathBuf,
    pub by_npm: PathBuf,
}

/// Installs the wheel and the npm packages for this machine, and checks that they run.
pub fn check(dist: &Path) -> anyhow::Result<Installed> {
    let folder = target_folder()?.join("installed");
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let installed = Installed {
        by_pip: with_pip(dist, &folder)?,
        by_npm: with_npm(dist, &folder)?,
    };
    for programs in [&installed.by_pip, &installed.by_npm] {
        answers(&programs.join("host-cli"), &folder)?;
    }
    let packages = fs::read_dir(folder.join("python/lib"))?.map(|python| {
        let about = format!("site-packages/tenon_cli-{VERSION}.dist-info/licenses");
        Ok(python?.path().join(about))
    });
    let mut packages: Vec<PathBuf> = packages.collect::<anyhow::Result<_>>()?;
    packages.push(folder.join("node/node_modules/@tenon/cli"));
    for package in packages {
        for name in [Licences::OWN, Licences::THIRD_PARTIES] {
            let path = package.join(name);
            ensure!(path.is_file(), "there is no `{}`", path.display());
        }
    }
    Ok(installed)
}

fn with_pip(dist: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let environment = folder.join("python");
    run(Command::new("python3")
        .args(["-m", "venv"])
        .arg(&environment))?;
    // By name, so that pip itself chooses the wheel that fits.
    run(Command::new(environment.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(["--no-index", NAME, "--find-links"])
        .arg(dist))?;
    Ok(environment.join("bin"))
}

fn with_npm(dist: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let project = folder.join("node");
    fs::create_dir_all(&project)?;
    fs::write(project.join("package.json"), "{}\n")?;
    let cpu = match Arch::HERE {
        Arch::X86_64 => "x64",
        Arch::Arm64 => "arm64",
    };
    run(Command::new("npm")
        .args([
            "install",
            "--offline",
            "--no-audit",
            "--no-fund",
            "--silent",
        ])
        .arg(dist.join(format!("tenon-cli-{VERSION}.tgz")))
        .arg(dist.join(format!("tenon-cli-linux-{cpu}-{VERSION}.tgz")))
        .current_dir(&project))?;
    Ok(project.join("node_modules/.bin"))
}

/// Runs a program without cargo and rustc: its version, an event on the embedded guest, a package for both architectures, its exit code.
fn answers(program: &Path, folder: &Path) -> anyhow::Result<()> {
    let command = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", path_without_cargo())
            .env("HOME", folder)
            .current_dir(folder);
        command
    };
    let version = output(&mut command(&["--version"]))?;
    ensure!(
        version.trim() == format!("host-cli {VERSION}"),
        "`{}` says that it is `{}`",
        program.display(),
        version.trim()
    );
    let event = folder.join("event.json");
    fs::write(&event, output(&mut command(&["event", "GET", "/health"]))?)?;
    let answer = output(&mut command(&[
        "invoke",
        "event.json",
        "--guest",
        "embedded",
    ]))?;
    ensure!(
        answer.contains("\"statusCode\":200"),
        "it answered {answer}"
    );
    // Not into the project that may be above.
    let packages = folder.join("package");
    let mut package = command(&[
        "package", "--guest", "embedded", "--arch", "all", "--output",
    ]);
    run(package.arg(&packages))?;
    for arch in Arch::ALL {
        for name in ["host-lambda.zip", "guest.zip", "manifest.json"] {
            let path = packages.join(arch.name()).join(name);
            ensure!(path.is_file(), "there is no `{}`", path.display());
        }
    }
    let status = command(&["inspect", "nothing.wasm"])
        .output()
        .context("failed to run it again")?
        .status;
    ensure!(status.code() == Some(3), "a missing guest gave {status}");
    Ok(())
}

/// The folders of programs, but for those with a compiler.
pub fn path_without_cargo() -> std::ffi::OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path)
        .filter(|folder| !folder.join("cargo").exists() && !folder.join("rustc").exists());
    env::join_paths(folders).unwrap_or_default()
}
