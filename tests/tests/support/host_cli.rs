//! The program `host-cli`, as built beside the tests.

use super::http_client::Connection;
use std::{
    env,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    thread,
};

/// A command that runs the program, without stdin, and with its own cache and state.
pub fn command() -> Command {
    let mut command = Command::new(program());
    let folder = env!("CARGO_TARGET_TMPDIR");
    command
        // Named, so that it is used whoever owns the checkout.
        .args(["--project", concat!(env!("CARGO_MANIFEST_DIR"), "/..")])
        .stdin(Stdio::null())
        .env("XDG_CACHE_HOME", format!("{folder}/cache"))
        // Folders of tests have the same names in each run, and start empty.
        .env(
            "XDG_STATE_HOME",
            format!("{folder}/state-{}", process::id()),
        );
    command
}

/// Cargo does not build another package's program for a test, so it must exist.
fn program() -> PathBuf {
    let tests = env::current_exe().unwrap();
    // target/<profile>/deps/<tests>
    let program = tests.ancestors().nth(2).unwrap().join("host-cli");
    let hint = "run the tests by `cargo xtask test`, or build it by `cargo build --package host-cli` in the same profile";
    assert!(
        program.is_file(),
        "`{}` is missing: {hint}",
        program.display()
    );
    program
}

/// A running `host-cli serve`; killed when dropped.
pub struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts on a free port, and returns once it listens.
    pub fn start(arguments: &[&str]) -> Self {
        let mut options = vec!["--event-kind", "http"];
        if !arguments.contains(&"--guest") {
            options.extend(["--guest", "embedded"]);
        }
        let mut serve = command();
        serve
            .args(["serve", "--listen", "127.0.0.1:0", "--quiet"])
            .args(options)
            .args(arguments);
        Self::of(serve)
    }

    /// Runs a command that serves, and returns once it listens.
    pub fn of(mut serve: Command) -> Self {
        let mut child = serve.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(
                stdout.read_line(&mut line).unwrap(),
                0,
                "`host-cli serve` ended before it listened"
            );
            if let Some((_, rest)) = line.split_once("http://") {
                let end =
                    rest.find(|character: char| character == '/' || character.is_whitespace());
                break rest[..end.unwrap_or(rest.len())].to_owned();
            }
        };
        // A full pipe would block the server; a closed one would make its prints fail.
        thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        Self { child, address }
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A new connection.
    pub fn connect(&self) -> Connection {
        Connection::open(&self.address).unwrap()
    }

    /// Lets it finish what it does, by SIGTERM.
    pub fn stop(mut self) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &process]).status();
        assert!(sent.unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    /// Ends it at once, by SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed before.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
