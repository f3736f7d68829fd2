//! Python tools for tests, in separate environments under the target folder, with the versions and digests pinned by their requirements.

use crate::run::{root, run, target_folder};
use std::{fs, path::PathBuf, process::Command};

/// The programs that tests use.
pub fn programs() -> anyhow::Result<PathBuf> {
    environment("python", "tests/requirements.txt")
}

/// An environment's folder of programs, which is created if it is missing or its requirements have changed.
pub fn environment(name: &str, requirements: &str) -> anyhow::Result<PathBuf> {
    let environment = target_folder()?.join(name);
    let programs = environment.join("bin");
    let wanted = root().join(requirements);
    let installed = environment.join("requirements.txt");
    // The copy is written last, so that an interrupted installation is repeated.
    if fs::read(&installed).ok() != Some(fs::read(&wanted)?) {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment))?;
        run(Command::new(programs.join("pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            // A file with another digest is refused, and so is a package that the requirements do not name.
            .args(["--require-hashes", "--no-deps", "--requirement"])
            .arg(&wanted))?;
        fs::copy(&wanted, &installed)?;
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_has_a_version_and_a_digest() {
        for file in [
            "examples/go/requirements.txt",
            "infra/requirements.txt",
            "sdk/python/requirements.txt",
            "tests/benches/handlers/requirements.txt",
            "tests/benches/peers/requirements.txt",
            "tests/components/python/requirements.txt",
            "tests/e2e/requirements.txt",
            "tests/requirements.txt",
        ] {
            let text = fs::read_to_string(root().join(file)).unwrap();
            let requirements = text.replace("\\\n", "");
            for line in requirements.lines().filter(|line| !line.starts_with('#')) {
                assert!(
                    line.contains("==") && line.contains("--hash=sha256:"),
                    "{file}: {line}"
                );
            }
        }
    }
}
