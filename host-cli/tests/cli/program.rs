//! Running the program under test.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The embedded guest, as a file.
pub const GUEST: &str = concat!(env!("OUT_DIR"), "/guest.wasm");

/// Environment variables with which AWS's libraries find an account.
const AWS_VARIABLES: [&str; 9] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// The result of a run.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The exit code; panics with the whole run if it is another one.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// A failure in one line with a hint below it.
    #[track_caller]
    pub fn expect_failure(self, code: i32, message: &str) -> Self {
        let run = self.expect_code(code);
        let first = run.stderr.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("error: ") && first.contains(message),
            "{run:#?}"
        );
        assert!(run.stderr.lines().count() <= 2, "{run:#?}");
        assert_eq!(run.stdout, "");
        run
    }

    #[track_caller]
    pub fn expect_hint(self) -> Self {
        assert!(self.stderr.contains("\n  hint: "), "{self:#?}");
        self
    }
}

/// Runs the program with arguments to its end.
pub fn cli(arguments: &[&str]) -> Run {
    cli_with_input(arguments, b"")
}

/// The same with something on stdin.
pub fn cli_with_input(arguments: &[&str], input: &[u8]) -> Run {
    cli_in_with_input(outside(), arguments, input)
}

/// The same in a folder, which may belong to a project.
pub fn cli_in_with_input(folder: &Path, arguments: &[&str], input: &[u8]) -> Run {
    let mut command = command(arguments);
    command.current_dir(folder).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that fails before it reads closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the program in a folder to its end.
pub fn cli_in(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = command(arguments);
    let output = command.current_dir(folder).stdin(Stdio::null()).output();
    let output = output.unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The program with arguments, isolated from the developer's account, cache and state.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_host-cli"));
    command
        .args(arguments)
        .current_dir(outside())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for variable in AWS_VARIABLES {
        command.env_remove(variable);
    }
    command
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env(
            "XDG_CACHE_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"),
        )
        .env(
            "XDG_STATE_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/state"),
        );
    command
}

/// A folder that belongs to no project: this repository is one.
pub fn outside() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join("tenon-cli-tests");
        fs::create_dir_all(&folder).unwrap();
        folder
    })
}

/// The guest compiled once for all tests: loading it takes no time.
pub fn image() -> &'static str {
    static IMAGE: OnceLock<String> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-guest.cwasm");
        let path = path.to_str().unwrap().to_owned();
        cli(&["compile", GUEST, "-o", &path]).expect_code(0);
        path
    })
}

/// A folder of one test, removed at its end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The same where paths are short enough for sockets.
    pub fn short() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = outside().join(format!("{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        self.path(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running server.
pub struct Server {
    child: Child,
    /// Reads stderr from the start, because a server waits at its end until its stderr is read.
    stderr: Option<JoinHandle<String>>,
    pub address: SocketAddr,
    pub greeting: Vec<String>,
}

impl Server {
    /// Starts `serve` on a free port and waits until it listens.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with_guest(image(), arguments)
    }

    /// The same with another guest.
    pub fn start_with_guest(guest: &str, arguments: &[&str]) -> Self {
        Self::start_in(outside(), guest, arguments)
    }

    /// The same in a folder, which may belong to a project.
    pub fn start_in(folder: &Path, guest: &str, arguments: &[&str]) -> Self {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0", "--guest", guest];
        // Most expectations were written for this kind.
        if !arguments.contains(&"--event-kind") {
            all.extend(["--event-kind", "http"]);
        }
        all.extend_from_slice(arguments);
        Self::spawn(command(&all).current_dir(folder))
    }

    /// Waits until the command, which is `serve`, listens.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        stdout.read_line(&mut greeting).unwrap();
        // All of it is written at once.
        greeting.push_str(str::from_utf8(stdout.buffer()).unwrap());
        let greeting: Vec<String> = greeting.lines().map(str::to_owned).collect();
        let mut stderr = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let address = greeting[0]
            .strip_prefix("listening on http://")
            .unwrap()
            .parse()
            .unwrap();
        Self {
            child,
            stderr: Some(stderr),
            address,
            greeting,
        }
    }

    /// A line of `/proc/PID/status`, converted from KiB to bytes.
    pub fn memory_bytes(&self, name: &str) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        let kibibytes: usize = line.split_whitespace().next().unwrap().parse().unwrap();
        kibibytes * 1024
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream
    }

    /// Sends bytes on a new connection and reads until the server closes it.
    pub fn talk(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        // The server may respond and close before it has read everything.
        let _ = stream.write_all(request.as_ref());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    /// Sends SIGTERM and waits for the end; returns the exit code and stderr.
    pub fn stop(mut self) -> (i32, String) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let code = self.child.wait().unwrap().code().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        (code, stderr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
