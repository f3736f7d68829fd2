//! `cargo xtask e2e`: the stack for real, from the packages, on an emulator of AWS that enforces permissions; or its cases against any
//! deployed API. What is asked of it stands in `tests/e2e/`.

use crate::{
    infra,
    publisher::publisher,
    python,
    run::{root, run, target_folder},
};
use anyhow::{Context, bail, ensure};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// Lambda's name for this machine's architecture: the emulator runs functions as they are.
const ARCH: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "x86_64"
};
/// What has to be in the folder of packages.
const PACKAGES: [&str; 2] = ["host-lambda.zip", "guest.zip"];

/// Where the tests find the API's key.
const KEY_VARIABLE: &str = "TENON_E2E_API_KEY";

/// What the command line asks for.
pub enum Options {
    /// The cases against a URL, which may need a key.
    Deployed { url: String, key: Option<String> },
    /// The stack on the emulator, from packages in this folder's subfolder for the architecture.
    Emulated { packages: PathBuf },
}

impl Options {
    /// `[--packages FOLDER] | --url URL [--api-key KEY]`
    pub fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let (mut url, mut key, mut packages) = (None, None, None);
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            let place = match option.as_str() {
                "--url" => &mut url,
                "--api-key" => &mut key,
                "--packages" => &mut packages,
                other => bail!("`e2e` has no `{other}`: run `cargo xtask help`"),
            };
            let value = rest
                .next()
                .with_context(|| format!("`{option}` needs a value"))?;
            *place = Some(value.clone());
        }
        match (url, key, packages) {
            (Some(url), key, None) => Ok(Self::Deployed { url, key }),
            (None, None, packages) => Ok(Self::Emulated {
                packages: match packages {
                    Some(folder) => env::current_dir()?.join(folder),
                    None => target_folder()?.join("lambda"),
                },
            }),
            (Some(_), _, Some(_)) => {
                bail!("`--packages` is for the emulator, `--url` for what is deployed")
            }
            (None, Some(_), _) => bail!("`--api-key` needs `--url`"),
        }
    }
}

/// Runs what was asked for; fails where anything comes out otherwise.
pub fn execute(options: &Options) -> anyhow::Result<()> {
    match options {
        Options::Deployed { url, key } => {
            let mut tests = tests(Path::new("python3"));
            tests.args(["--url", url]);
            // Not as an argument, which every process could see, and a failure would show.
            tests.envs(key.iter().map(|key| (KEY_VARIABLE, key)));
            run(&mut tests)
        }
        Options::Emulated { packages } => emulated(packages),
    }
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
    let programs = python::environment("e2e-python", "tests/e2e/requirements.txt")?;
    let folder = target_folder()?.join("e2e");
    // CodeDeploy is not emulated.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let template = infra::expand(
        &folder.join("first"),
        ARCH,
        &[("CanaryDeployment", "false")],
    )?;
    let changed = infra::expand(
        &folder.join("second"),
        ARCH,
        &[("CanaryDeployment", "false"), ("Release", &now.to_string())],
    )?;
    let mut tests = tests(&programs.join("python"));
    let publisher = publisher()?;
    tests.arg("--host-cli").arg(publisher.host_cli);
    tests.arg("--guest").arg(publisher.guest);
    run(tests
        .arg("--folder")
        .arg(folder.join("emulator"))
        .arg("--packages")
        .arg(packages)
        .arg("--template")
        .arg(template)
        .arg("--changed")
        .arg(changed))
}

/// The tests by an interpreter; it leaves nothing in the sources.
fn tests(interpreter: &Path) -> Command {
    let mut command = Command::new(interpreter);
    command.arg("-B").arg(root().join("tests/e2e/run.py"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> anyhow::Result<Options> {
        let arguments: Vec<_> = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        Options::parse(&arguments)
    }

    #[test]
    fn a_url_is_enough_and_a_key_alone_is_not() {
        let options = parsed(&["--url", "https://x/live", "--api-key", "k"]).unwrap();
        assert!(
            matches!(options, Options::Deployed { url, key: Some(_) } if url == "https://x/live")
        );
        let options = parsed(&["--packages", "/p"]).unwrap();
        assert!(matches!(options, Options::Emulated { packages } if packages == Path::new("/p")));
        for refused in [
            &["--api-key", "k"][..],
            &["--url"],
            &["--verbose"],
            &["--url", "u", "--packages", "p"],
        ] {
            assert!(parsed(refused).is_err(), "{refused:?}");
        }
    }
}
