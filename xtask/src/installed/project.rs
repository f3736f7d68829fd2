//! A project in a language that needs no cargo, from `new` to its first answer and a replay, with the installed packages alone.

use crate::{
    dist::{VERSION, packages::path_without_cargo},
    run::{output, path_with, run, target_folder},
    server::{Server, ask},
};
use anyhow::ensure;
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// From an empty folder to the first answer, packages of the registry included.
const FIRST_ANSWER_MAX: Duration = Duration::from_secs(120);

/// What the README of a language's project says.
pub struct Language {
    /// Its name for `new --lang`.
    name: &'static str,
    /// The package of its SDK.
    sdk: String,
    /// Commands that install what the project needs.
    install: &'static [&'static [&'static str]],
    /// The command that runs its unit tests.
    test: &'static [&'static str],
}

/// The project in TypeScript.
pub fn typescript() -> Language {
    Language {
        name: "typescript",
        sdk: format!("tenon-sdk-{VERSION}.tgz"),
        install: &[&["npm", "install", "--no-audit", "--no-fund"]],
        test: &["npm", "test"],
    }
}

/// The project in Python.
pub fn python() -> Language {
    Language {
        name: "python",
        sdk: format!("tenon_sdk-{VERSION}-py3-none-any.whl"),
        install: &[
            &["python3", "-m", "venv", ".venv"],
            &[
                ".venv/bin/pip",
                "install",
                "--quiet",
                "-r",
                "requirements.txt",
            ],
        ],
        test: &[".venv/bin/python", "-m", "unittest"],
    }
}

impl Language {
    /// Makes, builds, serves, records, replays and tests the project with the programs in a folder.
    pub fn check(&self, dist: &Path, programs: &Path) -> anyhow::Result<()> {
        let folder = target_folder()?.join("installed").join(self.name);
        fs::create_dir_all(&folder)?;
        let machine = Machine::new(programs)?;
        let start = Instant::now();
        run(machine
            .host_cli(&folder)
            .args(["new", "notes", "--lang", self.name, "--sdk"])
            .arg(dist.join(&self.sdk)))?;
        let project = folder.join("notes");
        for command in self.install {
            run(&mut machine.command(command, &project))?;
        }
        run(machine.host_cli(&project).arg("test"))?;
        let (mut server, address) = Server::start_program(
            machine.host_cli(&project),
            &["--store", "memory", "--record", "first.tape"],
        )?;
        let address = address.trim_start_matches("http://");
        let note = ask(address, "POST", "/notes", r#"{"text":"installed"}"#)?;
        ensure!(note.contains(" 201 "), "{note}");
        let seconds = start.elapsed().as_secs();
        eprintln!("first answer after {seconds} s");
        ensure!(
            start.elapsed() < FIRST_ANSWER_MAX,
            "the first answer took {seconds} s"
        );
        server.end()?;
        let replayed = output(machine.host_cli(&project).args(["replay", "first.tape"]))?;
        ensure!(replayed.contains("1 as expected"), "{replayed}");
        run(&mut machine.command(self.test, &project))
    }
}

/// A machine without cargo, with the installed programs.
struct Machine {
    path: OsString,
    host_cli: PathBuf,
}

impl Machine {
    fn new(programs: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            path: path_with(&[programs], &path_without_cargo())?,
            host_cli: programs.join("host-cli"),
        })
    }

    fn host_cli(&self, folder: &Path) -> Command {
        self.program(&self.host_cli, folder)
    }

    /// A command in a project's folder; a program with a path is in the project.
    fn command(&self, words: &[&str], project: &Path) -> Command {
        let (name, arguments) = words.split_first().unwrap_or((&"true", &[]));
        let path = match name.contains('/') {
            true => project.join(name),
            false => PathBuf::from(name),
        };
        let mut command = self.program(&path, project);
        command.args(arguments);
        command
    }

    fn program(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", &self.path).current_dir(folder);
        command
    }
}
