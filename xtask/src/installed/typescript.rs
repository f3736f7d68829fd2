//! A project in TypeScript, from `new` to its first answer and a replay, with the npm packages alone.

use super::packages::path_without_cargo;
use crate::{
    dist::VERSION,
    javascript::ask,
    run::{output, run, target_folder},
    server::Server,
};
use anyhow::ensure;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// From an empty folder to the first answer, the packages of npm included.
const FIRST_ANSWER_MAX: Duration = Duration::from_secs(120);

/// Makes, builds, tests, serves, records and replays the project.
pub fn check(dist: &Path, programs: &Path) -> anyhow::Result<()> {
    let machine = Machine::new(programs)?;
    let sdk = dist.join(format!("tenon-sdk-{VERSION}.tgz"));
    let start = Instant::now();
    run(machine
        .host_cli(&machine.folder)
        .args(["new", "notes", "--lang", "typescript", "--sdk"])
        .arg(sdk))?;
    let project = machine.folder.join("notes");
    run(machine
        .program("npm", &project)
        .args(["install", "--no-audit", "--no-fund"]))?;
    run(machine.program("npm", &project).args(["run", "build"]))?;
    let (mut server, address) = Server::start_program(
        machine.host_cli(&project),
        &["--store", "memory", "--record", "first.tape"],
    )?;
    let address = address.trim_start_matches("http://");
    let note = ask(address, "POST", "/notes", r#"{"text":"installed"}"#)?;
    ensure!(note.contains(" 201 "), "{note}");
    let elapsed = start.elapsed();
    eprintln!("first answer after {} s", elapsed.as_secs());
    ensure!(
        elapsed < FIRST_ANSWER_MAX,
        "the first answer took {} s",
        elapsed.as_secs()
    );
    server.end()?;
    let replayed = output(machine.host_cli(&project).args(["replay", "first.tape"]))?;
    ensure!(replayed.contains("1 as expected"), "{replayed}");
    run(machine.program("npm", &project).arg("test"))?;
    run(machine.host_cli(&project).arg("test"))
}

/// A machine without cargo, with the installed programs.
struct Machine {
    folder: PathBuf,
    path: std::ffi::OsString,
    host_cli: PathBuf,
}

impl Machine {
    fn new(programs: &Path) -> anyhow::Result<Self> {
        let folder = target_folder()?.join("installed/typescript");
        std::fs::create_dir_all(&folder)?;
        let others = path_without_cargo();
        let folders = [programs.to_owned()].into_iter();
        let path = env::join_paths(folders.chain(env::split_paths(&others)))?;
        Ok(Self {
            folder,
            path,
            host_cli: programs.join("host-cli"),
        })
    }

    fn host_cli(&self, folder: &Path) -> Command {
        self.program(&self.host_cli, folder)
    }

    fn program(&self, name: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(name);
        command.env("PATH", &self.path).current_dir(folder);
        command
    }
}
