//! `cargo xtask e2e`: tests the stack, created from the packages on an emulator of AWS that enforces permissions; or sends the cases to any
//! deployed API. The tests are in `tests/e2e/`.

use crate::{
    arguments::E2eArgs,
    infra,
    publisher::publisher,
    python,
    run::{root, run, target_folder},
};
use anyhow::ensure;
use std::{
    path::{self, Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// Lambda's name for this machine's architecture: the emulator runs functions natively.
pub const ARCH: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "x86_64"
};
/// Files that the folder of packages must contain.
const PACKAGES: [&str; 2] = ["host-lambda.zip", "guest.zip"];

/// The environment variable with the API's key.
const KEY_VARIABLE: &str = "TENON_E2E_API_KEY";

/// Runs the tests; fails if any of them fails.
pub fn execute(arguments: E2eArgs) -> anyhow::Result<()> {
    let Some(url) = arguments.url else {
        let packages = match arguments.packages {
            Some(folder) => path::absolute(folder)?,
            None => target_folder()?.join("lambda"),
        };
        return emulated(&packages);
    };
    let mut tests = script(Path::new("python3"), "run.py");
    tests.args(["--url", &url]);
    // Not as an argument, which every process could see and an error message would show.
    tests.envs(arguments.api_key.map(|key| (KEY_VARIABLE, key)));
    run(&mut tests)
}

fn emulated(packages: &Path) -> anyhow::Result<()> {
    for package in PACKAGES {
        let path = packages.join(ARCH).join(package);
        ensure!(
            path.is_file(),
            "there is no `{}`: run `cargo xtask package` first",
            path.display()
        );
    }
    let programs = programs()?;
    let folder = target_folder()?.join("e2e");
    let template = root().join("infra/template.yaml");
    // CodeDeploy is not emulated.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let first = infra::expand(
        &template,
        &folder.join("first"),
        ARCH,
        &[("CanaryDeployment", "false")],
    )?;
    let changed = infra::expand(
        &template,
        &folder.join("second"),
        ARCH,
        &[("CanaryDeployment", "false"), ("Release", &now.to_string())],
    )?;
    let mut tests = script(&programs.join("python"), "run.py");
    let publisher = publisher()?;
    tests.arg("--host-cli").arg(publisher.host_cli);
    tests.arg("--guest").arg(publisher.guest);
    run(tests
        .arg("--folder")
        .arg(folder.join("emulator"))
        .arg("--packages")
        .arg(packages)
        .arg("--template")
        .arg(first)
        .arg("--changed")
        .arg(changed))
}

/// The environment with the emulator.
pub fn programs() -> anyhow::Result<PathBuf> {
    python::environment("e2e-python", "tests/e2e/requirements.txt")
}

/// Runs a script of the tests with an interpreter that leaves no files in the sources.
pub fn script(interpreter: &Path, name: &str) -> Command {
    let mut command = Command::new(interpreter);
    command.arg("-B").arg(root().join("tests/e2e").join(name));
    command
}
