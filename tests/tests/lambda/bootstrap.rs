//! The host's program, and what it is started with.

use super::{PATIENCE, runtime_api::RuntimeApi, table::TABLE};
use crate::support::fresh_folder;
use contract::compatibility::Target;
use runtime::engine::compile;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Time that a test needs beyond the deadline that it sets, on a busy machine.
pub const SLACK: Duration = Duration::from_secs(5);

/// The host as it ships. Cargo builds it for the tests of its own package, into the same folder as this package's programs.
pub fn program() -> PathBuf {
    let program = program_of_cases().with_file_name("host-lambda");
    let hint = "run the tests by `cargo xtask test`, or build it by `cargo build --package host-lambda` in the same profile";
    assert!(
        program.is_file(),
        "`{}` is missing: {hint}",
        program.display()
    );
    program
}

/// The host with time and seed of cases.
pub fn program_of_cases() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_bootstrap-of-cases"))
}

/// A precompiled guest in the test's own folder.
pub fn image(test: &str, guest: &[u8]) -> PathBuf {
    let path = fresh_folder(&format!("lambda-{test}")).join("guest.cwasm");
    fs::write(&path, compile(guest, Target::HOST.unwrap()).unwrap()).unwrap();
    path
}

/// Environment variables of a function. The program gets no others.
#[derive(Clone)]
pub struct Environment(pub BTreeMap<String, String>);

impl Environment {
    /// What Lambda sets, a table at `endpoint`, and a guest.
    pub fn new(guest: &Path, endpoint: &str) -> Self {
        let guest = guest.to_str().unwrap();
        Self(BTreeMap::new())
            .with("AWS_LAMBDA_FUNCTION_NAME", "items")
            .with("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .with("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .with("AWS_REGION", "eu-central-1")
            .with("AWS_ACCESS_KEY_ID", "test")
            .with("AWS_SECRET_ACCESS_KEY", "test")
            .with("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
            .with("TENON_TABLE", TABLE)
            .with("TENON_NAMESPACE", "local")
            .with("TENON_GUEST", guest)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// Lines written by a program, collected as they arrive.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// Collects from now on, until the stream ends.
    pub fn collect(&self, stream: impl Read + Send + 'static) {
        let lines = self.0.clone();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Drops the lines so far.
    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The lines that are JSON, parsed.
    pub fn json(&self) -> Vec<Value> {
        let lines = self.all();
        lines
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The lines with this message; waits until there is at least one.
    pub fn with_message(&self, message: &str) -> Vec<Value> {
        self.wait_for(1, message, |line| line["message"] == message)
    }

    /// Lines of this kind; waits until there are at least this many.
    pub fn wait_for(
        &self,
        count: usize,
        kind: &str,
        is_of_kind: impl Fn(&Value) -> bool,
    ) -> Vec<Value> {
        let start = Instant::now();
        loop {
            let lines = self.json().into_iter();
            let found: Vec<_> = lines.filter(&is_of_kind).collect();
            if found.len() >= count {
                return found;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{count} lines should say `{kind}`: {:#?}",
                self.all()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The host under the tests' own runtime API; killed when dropped.
pub struct Bootstrap {
    child: Child,
    pub api: RuntimeApi,
    pub lines: Lines,
}

impl Bootstrap {
    /// Starts the host as it ships.
    pub fn start(environment: Environment) -> Self {
        Self::run(&mut Command::new(program()), environment)
    }

    /// The same on a single processor.
    pub fn start_on_one_processor(environment: Environment) -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let (_, allowed) = status.split_once("Cpus_allowed_list:").unwrap();
        let first: String = allowed
            .trim_start()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &first]).arg(program());
        Self::run(&mut command, environment)
    }

    fn run(command: &mut Command, environment: Environment) -> Self {
        let api = RuntimeApi::start();
        let environment = environment.with("AWS_LAMBDA_RUNTIME_API", &api.address().to_string());
        let mut child = command
            .env_clear()
            .envs(environment.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Lines::default();
        lines.collect(child.stdout.take().unwrap());
        lines.collect(child.stderr.take().unwrap());
        Self { child, api, lines }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The summary of the last request.
    pub fn last_summary(&self) -> Value {
        let id = self.api.last_id();
        let is_summary = |line: &Value| line["message"] == "request" && line["requestId"] == id;
        self.lines.wait_for(1, &id, is_summary).remove(0)
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// The exit code, for which it waits briefly.
    pub fn wait(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "it goes on: {:#?}",
                self.lines.all()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
