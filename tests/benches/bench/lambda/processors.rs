//! The processors on which this process and its children may run.

use anyhow::{Context, ensure};
use std::process::{self, Command};

/// The initial ones, as `taskset` writes them: `0-3,8`.
pub struct Processors(String);

impl Processors {
    /// Reads them.
    pub fn of_process() -> anyhow::Result<Self> {
        let said = taskset(&[&process::id().to_string()])?;
        let (_, list) = said.rsplit_once(": ").context("`taskset` names none")?;
        Ok(Self(list.trim().to_owned()))
    }

    /// Restricts to the last one: between two processors, the duration of a round trip varies at random.
    pub fn use_last(&self) -> anyhow::Result<()> {
        let last = self.0.rsplit([',', '-']).next().unwrap_or_default();
        use_only(last)
    }

    /// Allows all again.
    pub fn use_all(&self) -> anyhow::Result<()> {
        use_only(&self.0)
    }

    /// Whether there is more than one.
    pub fn are_several(&self) -> bool {
        self.0.contains([',', '-'])
    }
}

fn use_only(list: &str) -> anyhow::Result<()> {
    taskset(&["--all-tasks", list, &process::id().to_string()]).map(drop)
}

fn taskset(arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "--pid"]).args(arguments);
    let output = command.output().context("failed to run `taskset`")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", text.trim());
    Ok(String::from_utf8(output.stdout)?)
}
