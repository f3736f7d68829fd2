//! Building a project's guest with the command of its `tenon.toml`.
//!
//! What the command prints goes to stderr as it is: a compiler colours its output on a terminal, and results on stdout stay results.

mod process_group;

use self::process_group::{Group, POLL_INTERVAL, end_with_this_program};
use crate::{
    exit::CommandError,
    guest::GuestSource,
    project::{BuildCommand, Project},
};
use std::{
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// The build of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestBuild {
    command: BuildCommand,
    /// Where the command runs. Empty for the current folder.
    folder: PathBuf,
    /// The file that the command must leave behind.
    component: PathBuf,
}

/// A build that has succeeded.
#[derive(Clone, Copy, Debug)]
pub struct Built {
    /// How long it took.
    pub duration: Duration,
}

/// Why there is no guest.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The program is missing or cannot be run.
    #[error("failed to run `{program}`: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The command has reported a failure.
    #[error("the build has failed: `{command}` ended with {status}")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The command has succeeded, and the component is not there.
    #[error("`{command}` has not built `{}`", component.display())]
    NoComponent {
        /// The command.
        command: String,
        /// The file.
        component: PathBuf,
    },
    /// The program is ending.
    #[error("the build was stopped")]
    Stopped,
}

impl BuildError {
    /// The failure of the command that needs the guest.
    pub fn into_failure(self) -> CommandError {
        let hint = match &self {
            Self::Start { program, source } if source.kind() == io::ErrorKind::NotFound => {
                how_to_install(program)
            }
            Self::Start { .. } => CHANGE_BUILD,
            Self::Failed { status, .. } if status.code() == Some(NOT_FOUND) => {
                "install the program that the message above names, as the README of the project says"
            }
            Self::Failed { .. } => "what the command printed says why",
            Self::NoComponent { .. } => {
                "change `component` in section `[guest]` of tenon.toml to the file that the command writes"
            }
            Self::Stopped => "run the command again",
        };
        CommandError::environment(&self).hint(hint)
    }
}

/// What shells and `env` end with if they do not find a program (POSIX, Shell Command Language, 2.8.2).
const NOT_FOUND: i32 = 127;

const CHANGE_BUILD: &str =
    "install the program, or change `build` in section `[guest]` of tenon.toml";

/// How to get a program that is not there. Those of a project are installed into its folder.
fn how_to_install(program: &str) -> &'static str {
    if program.starts_with(".venv/") {
        "run `python3 -m venv .venv && .venv/bin/pip install -r requirements.txt` in the folder of tenon.toml, which installs the program"
    } else if program.starts_with("node_modules/") {
        "run `npm install` in the folder of tenon.toml, which installs the program"
    } else if program == "cargo" {
        "install Rust from https://rustup.rs, and run `rustup target add wasm32-wasip2`"
    } else {
        CHANGE_BUILD
    }
}

impl GuestBuild {
    /// The build of a project; `None` if its guest is not built, or is not a file, or if another guest is named.
    pub fn of(project: &Project, named: Option<&Path>) -> Option<Self> {
        let component = GuestSource::of_project(project)?.path()?.to_owned();
        Some(Self {
            command: project.build(named)?.clone(),
            folder: project.folder.clone(),
            component,
        })
    }

    /// The command, as written.
    pub fn command(&self) -> &str {
        &self.command.text
    }

    /// Runs the command to its end. Once `stop` is set, the command and everything that it has started ends. If this program is killed, the
    /// command is asked to end.
    pub fn run(&self, stop: &AtomicBool) -> Result<Built, BuildError> {
        let started = Instant::now();
        let mut child = self.start()?;
        loop {
            if let Some(status) = child.try_wait().map_err(|source| self.not_run(source))? {
                return self.built(status, started);
            }
            if stop.load(Ordering::Relaxed) {
                return Err(BuildError::Stopped);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn start(&self) -> Result<Group, BuildError> {
        let mut command = Command::new(&self.command.program);
        command.args(&self.command.arguments).stdin(Stdio::null());
        if self.folder != Path::new("") {
            command.current_dir(&self.folder);
        }
        let stderr = io::stderr().as_fd().try_clone_to_owned();
        let stdout = stderr.map_or_else(|_| Stdio::null(), Stdio::from);
        end_with_this_program(&mut command);
        let started = Group::start(command.stdout(stdout));
        started.map_err(|source| self.not_run(source))
    }

    fn built(&self, status: ExitStatus, started: Instant) -> Result<Built, BuildError> {
        let command = || self.command.text.clone();
        if !status.success() {
            return Err(BuildError::Failed {
                command: command(),
                status,
            });
        }
        if !self.component.is_file() {
            return Err(BuildError::NoComponent {
                command: command(),
                component: self.component.clone(),
            });
        }
        Ok(Built {
            duration: started.elapsed(),
        })
    }

    fn not_run(&self, source: io::Error) -> BuildError {
        BuildError::Start {
            program: self.command.program.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{process_group::TERMINATION_DURATION_MAX, *};
    use std::fs;

    fn build(name: &str, command: &str) -> GuestBuild {
        let folder =
            std::env::temp_dir().join(format!("tenon-build-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        GuestBuild {
            command: command.to_owned().try_into().unwrap(),
            component: folder.join("guest.wasm"),
            folder,
        }
    }

    #[test]
    fn it_runs_in_the_projects_folder_without_a_shell() {
        let made = build("made", "cp 'a file;x' guest.wasm");
        fs::write(made.folder.join("a file;x"), "guest").unwrap();
        made.run(&AtomicBool::new(false)).unwrap();
        assert_eq!(fs::read(&made.component).unwrap(), b"guest");
        fs::remove_dir_all(&made.folder).unwrap();
    }

    #[test]
    fn every_failure_says_what_and_what_to_do() {
        for (command, message, hint) in [
            (
                "no-such-program-of-tenon x",
                "failed to run `no-such-program-of-tenon`",
                "install",
            ),
            (
                "node_modules/.bin/tenon-build",
                "failed to run `node_modules/.bin/tenon-build`",
                "run `npm install`",
            ),
            (
                "false",
                "`false` ended with exit status: 1",
                "what the command printed",
            ),
            (
                "env no-such-program-of-tenon",
                "ended with exit status: 127",
                "install the program that the message above names",
            ),
            ("true", "`true` has not built `", "`component`"),
        ] {
            let failing = build("failing", command);
            let failure = failing
                .run(&AtomicBool::new(false))
                .unwrap_err()
                .into_failure();
            let text = failure.render(false).unwrap();
            assert!(text.contains(message) && text.contains(hint), "{text}");
            fs::remove_dir_all(&failing.folder).unwrap();
        }
    }

    /// Stops a build once it has written `pid`; returns how long that took, when the process of that id has ended.
    fn stop(build: &GuestBuild) -> Duration {
        let stop = AtomicBool::new(false);
        let pid = build.folder.join("pid");
        let (ended, duration) = thread::scope(|scope| {
            let running = scope.spawn(|| build.run(&stop));
            while fs::read_to_string(&pid).map_or(true, |text| !text.ends_with('\n')) {
                thread::sleep(POLL_INTERVAL);
            }
            let stopped = Instant::now();
            stop.store(true, Ordering::Relaxed);
            (running.join().unwrap(), stopped.elapsed())
        });
        assert!(matches!(ended, Err(BuildError::Stopped)), "{ended:?}");
        let pid = fs::read_to_string(pid).unwrap();
        let state = format!("/proc/{}/stat", pid.trim());
        let has_ended = || {
            // Gone, or a zombie that nobody has reaped.
            fs::read_to_string(&state).map_or(true, |stat| stat.contains(") Z "))
        };
        let patience = Instant::now() + Duration::from_secs(10);
        while !has_ended() && Instant::now() < patience {
            thread::sleep(POLL_INTERVAL);
        }
        assert!(has_ended());
        fs::remove_dir_all(&build.folder).unwrap();
        duration
    }

    #[test]
    fn a_build_that_is_stopped_ends_with_all_that_it_started() {
        stop(&build("slow", "sh -c 'sleep 600 & echo $! > pid; wait'"));
    }

    #[test]
    fn a_build_that_ignores_the_signal_is_ended_with_all_that_it_started() {
        for (name, script) in [
            ("deaf", "trap '' TERM\nsleep 600 & echo $! > pid\nwait\n"),
            // Ends itself, and leaves one behind that does not.
            (
                "deaf-child",
                "(trap '' TERM; exec sleep 600) & echo $! > pid\nwait\n",
            ),
        ] {
            let deaf = build(name, "sh build.sh");
            fs::write(deaf.folder.join("build.sh"), script).unwrap();
            let duration = stop(&deaf);
            assert!(duration < 3 * TERMINATION_DURATION_MAX, "{duration:?}");
        }
    }
}
