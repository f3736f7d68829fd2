//! The notes API that `host-cli new` makes in each language, as checks of its SDK use it.

use crate::{run::output, server::ask};
use anyhow::{Context, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Creates a note with this text at an address, and finds it in the list.
pub fn create_and_list(address: &str, text: &str) -> anyhow::Result<()> {
    let address = address.trim_start_matches("http://");
    let content = format!(r#"{{"text":"{text}"}}"#);
    let note = ask(address, "POST", "/notes", &content)?;
    ensure!(note.contains(" 201 "), "{note}");
    let list = ask(address, "GET", "/notes", "")?;
    ensure!(list.contains(" 200 ") && list.contains(text), "{list}");
    Ok(())
}

/// An error that is planted into the source of a project.
pub struct Planted<'a> {
    /// The source, in the project.
    pub source: &'a str,
    /// The line before which it is planted.
    pub before: &'a str,
    /// The line that raises a `TypeError` with the message `planted`.
    pub line: &'a str,
    /// How the log names a line of the source, by its number.
    pub place: fn(usize) -> String,
}

impl Planted<'_> {
    /// Checks that an error in a handler leaves its message and its line of the source in the log, and that the client sees neither.
    pub fn check(
        &self,
        host_cli: &Path,
        project: &Path,
        build: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let source = project.join(self.source);
        let text = fs::read_to_string(&source)?;
        let before = text
            .split_once(self.before)
            .with_context(|| format!("the template has no `{}` any more", self.before))?
            .0;
        let place = (self.place)(before.lines().count() + 1);
        let planted = format!("{}\n{}", self.line, self.before);
        fs::write(&source, text.replace(self.before, &planted))?;
        build()?;
        let invoked = Command::new(host_cli)
            .arg("invoke")
            .arg(event(host_cli, project, "/notes/1")?)
            .current_dir(project)
            .output()?;
        let (answer, log) = (
            String::from_utf8_lossy(&invoked.stdout),
            String::from_utf8_lossy(&invoked.stderr),
        );
        ensure!(
            log.contains("TypeError: planted") && log.contains(&place),
            "no `{place}` in {log}"
        );
        ensure!(
            answer.contains("500")
                && answer.contains("problem+json")
                && !answer.contains("planted"),
            "{answer}"
        );
        Ok(())
    }
}

/// Writes the event of a GET request.
pub fn event(host_cli: &Path, folder: &Path, path: &str) -> anyhow::Result<PathBuf> {
    let file = folder.join("event.json");
    let event = output(Command::new(host_cli).args(["event", "rest", "GET", path]))?;
    fs::write(&file, event)?;
    Ok(file)
}
