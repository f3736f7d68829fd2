//! Packages of npm that are built here, with the dependencies pinned by their lock files.

use crate::run::run;
use std::{path::Path, process::Command};

/// Installs a package's dependencies into its own folder, and runs its script `build`.
pub fn build(package: &Path) -> anyhow::Result<()> {
    // Installs exactly what the lock file says and does not change it; a lock file that does not match `package.json` is refused.
    npm(
        package,
        &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    )?;
    script(package, "build")
}

/// Runs a script of a package.
pub fn script(package: &Path, name: &str) -> anyhow::Result<()> {
    npm(package, &["run", name])
}

fn npm(package: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    run(Command::new("npm").args(arguments).current_dir(package))
}
