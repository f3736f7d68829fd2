//! Building a project's guest with the command of its `tenon.toml`.
//!
//! What the command prints goes to stderr as it is: a compiler colours its output on a terminal, and results on stdout stay results.

use crate::{
    exit::CommandError,
    guest::GuestSource,
    project::{BuildCommand, Project},
};
use std::{
    io,
    os::{fd::AsFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How often to check whether a build that can be stopped has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

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
            Self::Start { .. } => {
                "install the program, or change `build` in section `[guest]` of tenon.toml"
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

impl GuestBuild {
    /// The build of a project; `None` if its guest is not built, or is not a file.
    pub fn of(project: &Project) -> Option<Self> {
        let component = GuestSource::of_project(project)?.path()?.to_owned();
        Some(Self {
            command: project.file.guest.build.clone()?,
            folder: project.folder.clone(),
            component,
        })
    }

    /// The command, as written.
    pub fn command(&self) -> &str {
        &self.command.text
    }

    /// Runs the command to its end.
    pub fn run(&self) -> Result<Built, BuildError> {
        let started = Instant::now();
        let mut child = self.start(&mut self.prepared())?;
        let status = child.wait().map_err(|source| self.not_run(source))?;
        self.built(status, started)
    }

    /// The same; once `stop` is set, the command and everything that it has started ends.
    pub fn run_until(&self, stop: &AtomicBool) -> Result<Built, BuildError> {
        let started = Instant::now();
        // In a process group of its own, so that a compiler's own processes end with it.
        let mut child = Group(self.start(self.prepared().process_group(0))?);
        loop {
            if let Some(status) = child.0.try_wait().map_err(|source| self.not_run(source))? {
                return self.built(status, started);
            }
            if stop.load(Ordering::Relaxed) {
                return Err(BuildError::Stopped);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn prepared(&self) -> Command {
        let mut command = Command::new(&self.command.program);
        command.args(&self.command.arguments).stdin(Stdio::null());
        if self.folder != Path::new("") {
            command.current_dir(&self.folder);
        }
        command
    }

    fn start(&self, command: &mut Command) -> Result<Child, BuildError> {
        let stderr = io::stderr().as_fd().try_clone_to_owned();
        let stdout = stderr.map_or_else(|_| Stdio::null(), Stdio::from);
        let started = command.stdout(stdout).spawn();
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

/// A process with its group. Dropping it ends what still runs.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            end_group(&self.0);
            let _ = self.0.wait();
        }
    }
}

#[expect(
    unsafe_code,
    reason = "the standard library ends single processes only"
)]
fn end_group(child: &Child) {
    if let Ok(group) = libc::pid_t::try_from(child.id()) {
        // SAFETY: the call has no memory arguments. The process is not reaped yet, so its group's id is not used by another one.
        unsafe { libc::killpg(group, libc::SIGTERM) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        made.run().unwrap();
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
                "false",
                "`false` ended with exit status: 1",
                "what the command printed",
            ),
            ("true", "`true` has not built `", "`component`"),
        ] {
            let failing = build("failing", command);
            let failure = failing.run().unwrap_err().into_failure();
            let text = failure.render(false).unwrap();
            assert!(text.contains(message) && text.contains(hint), "{text}");
            fs::remove_dir_all(&failing.folder).unwrap();
        }
    }

    #[test]
    fn a_build_that_is_stopped_ends_with_all_that_it_started() {
        let slow = build("slow", "sh -c 'sleep 600 & echo $! > pid; wait'");
        let stop = AtomicBool::new(false);
        let ended = thread::scope(|scope| {
            let running = scope.spawn(|| slow.run_until(&stop));
            let pid = slow.folder.join("pid");
            while fs::read_to_string(&pid).map_or(true, |text| !text.ends_with('\n')) {
                thread::sleep(POLL_INTERVAL);
            }
            stop.store(true, Ordering::Relaxed);
            running.join().unwrap()
        });
        assert!(matches!(ended, Err(BuildError::Stopped)), "{ended:?}");
        let pid = fs::read_to_string(slow.folder.join("pid")).unwrap();
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
        fs::remove_dir_all(&slow.folder).unwrap();
    }
}
