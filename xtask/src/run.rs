//! Runs other programs, and prints the duration of each step.

use anyhow::{Context, bail};
use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// Runs one step of a longer command between two lines on stderr: its name, and its duration.
pub fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    eprintln!("== {name}");
    let start = Instant::now();
    work().with_context(|| format!("step `{name}` failed"))?;
    eprintln!("== {name}: {} s", start.elapsed().as_secs());
    Ok(())
}

fn is_about_xtask(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_")
        || variable.starts_with("CARGO_MANIFEST_")
        || matches!(
            variable,
            "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE" | "OUT_DIR"
        )
}

/// A cargo command in the workspace's root.
pub struct Cargo(Command);

impl Cargo {
    /// `cargo <command>`, with the toolchain that runs this program.
    pub fn new(command: &str) -> Self {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg(command).current_dir(root());
        // Variables that cargo set for this program: build scripts that read them would run again, with everything above them, whenever
        // somebody alternates between `cargo xtask` and `cargo`.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_about_xtask) {
                cargo.env_remove(name);
            }
        }
        Self(cargo)
    }

    /// Appends arguments.
    pub fn args<Argument: AsRef<OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = Argument>,
    ) -> Self {
        self.0.args(arguments);
        self
    }

    /// Sets environment variables.
    pub fn envs<Value: AsRef<OsStr>>(
        mut self,
        variables: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Self {
        self.0.envs(variables);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it in another folder than the root, whose configuration of cargo then counts.
    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Runs it to its end; any result but success is an error.
    pub fn run(mut self) -> anyhow::Result<()> {
        run(&mut self.0)
    }

    /// Runs it to its end and returns its stdout.
    pub fn output(mut self) -> anyhow::Result<String> {
        output(&mut self.0)
    }

    /// Replaces this process by that command, so that signals reach it and its exit code is ours.
    pub fn exec(mut self) -> anyhow::Result<()> {
        let error = self.0.exec();
        Err(error).with_context(|| format!("failed to run {:?}", self.0.get_program()))
    }
}

/// Runs a program to its end; any result but success is an error that names it.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("failed to run {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

/// Runs a program to its end and returns its stdout.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("failed to run {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!(
            "{command:?} failed: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{command:?} printed what is not UTF-8"))
}

/// A value for `PATH` with further folders before another value of it.
pub fn path_with(folders: &[&Path], others: &OsStr) -> anyhow::Result<OsString> {
    let folders = folders.iter().map(|folder| folder.to_path_buf());
    Ok(env::join_paths(folders.chain(env::split_paths(others)))?)
}

/// The workspace's root.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// The target folder that contains this program, into which it builds.
pub fn target_folder() -> anyhow::Result<PathBuf> {
    let program = env::current_exe().context("failed to find this program's own file")?;
    let folder = program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file());
    Ok(folder
        .context("this program is not in a target folder: run it by `cargo xtask`")?
        .to_owned())
}
