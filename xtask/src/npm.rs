//! Packages of npm that are built here, with the dependencies pinned by their lock files.

use crate::run::run;
use std::{path::Path, process::Command};

/// Installs a package's dependencies into its own folder, and runs its script `build`.
pub fn build(package: &Path) -> anyhow::Result<()> {
    let npm = |arguments: &[&str]| run(Command::new("npm").args(arguments).current_dir(package));
    // Installs exactly what the lock file says and does not change it; a lock file that does not match `package.json` is refused.
    npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    npm(&["run", "build"])
}
