//! Packages of npm that are built here, from what their lock files pin.

use crate::run::run;
use std::{path::Path, process::Command};

/// Installs what a package needs into its own folder, and runs its script `build`.
pub fn build(package: &Path) -> anyhow::Result<()> {
    let npm = |arguments: &[&str]| run(Command::new("npm").args(arguments).current_dir(package));
    // Exactly what the lock file says, which stays as it is; a lock file that does not fit `package.json` is refused.
    npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    npm(&["run", "build"])
}
