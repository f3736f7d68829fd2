//! Python tools that tests use, in environments of their own under the target folder, with the versions that their requirements pin.

use crate::run::{root, run, target_folder};
use std::{fs, path::PathBuf, process::Command};

/// The programs that tests use.
pub fn programs() -> anyhow::Result<PathBuf> {
    environment("python", "tests/requirements.txt")
}

/// An environment's folder of programs, made first where it is missing or its requirements have changed.
pub fn environment(name: &str, requirements: &str) -> anyhow::Result<PathBuf> {
    let environment = target_folder()?.join(name);
    let programs = environment.join("bin");
    let wanted = root().join(requirements);
    let installed = environment.join("requirements.txt");
    // The copy is written last, so that an interrupted installation is done again.
    if fs::read(&installed).ok() != Some(fs::read(&wanted)?) {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment))?;
        run(Command::new(programs.join("pip"))
            .args(["install", "--quiet", "--requirement"])
            .arg(&wanted))?;
        fs::copy(&wanted, &installed)?;
    }
    Ok(programs)
}
