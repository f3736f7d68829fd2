//! `aws-lambda-rie`, Amazon's emulator of the Lambda runtime: it starts the host as Lambda would, and accepts events over HTTP.

use super::{
    PATIENCE,
    bootstrap::{Environment, Lines},
};
use crate::support::http_client::Connection;
use std::{
    env, fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// The variable with the path of the emulator.
const EMULATOR: &str = "TENON_TEST_LAMBDA_RIE";

/// A running emulator; ended with its host when dropped.
pub struct Emulator {
    child: Child,
    address: SocketAddr,
    /// Kept between events.
    connection: Mutex<Option<Connection>>,
    pub lines: Lines,
}

impl Emulator {
    /// Starts the emulator. It starts the program at the first event.
    pub fn start(program: &Path, environment: Environment) -> Self {
        let (address, runtime_api) = (free_address(), free_address());
        let mut child = Command::new(emulator())
            // Without both of these it listens on every interface.
            .args(["--runtime-interface-emulator-address", &address.to_string()])
            .args(["--runtime-api-address", &runtime_api.to_string()])
            .arg(program)
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
        let emulator = Self {
            child,
            address,
            connection: Mutex::new(None),
            lines,
        };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                start.elapsed() < PATIENCE,
                "the emulator does not listen: {:#?}",
                emulator.lines.all()
            );
            thread::sleep(Duration::from_millis(5));
        }
        emulator
    }

    /// Sends an event and returns the response, or an object with `errorType` and `errorMessage`.
    pub fn invoke(&self, event: &[u8]) -> Vec<u8> {
        let mut kept = self.connection.lock().unwrap();
        let mut connection = kept
            .take()
            .unwrap_or_else(|| Connection::open(&self.address.to_string()).unwrap());
        let mut request = format!(
            "POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
            event.len()
        )
        .into_bytes();
        request.extend_from_slice(event);
        let answer = connection
            .send_raw(&request, true)
            .unwrap_or_else(|error| panic!("{error}: {:#?}", self.lines.all()));
        if answer.header("connection") != Some("close") {
            *kept = Some(connection);
        }
        answer.body
    }

    /// The process of the host: the one that the emulator started.
    pub fn host_id(&self) -> u32 {
        let parent = format!("PPid:\t{}\n", self.child.id());
        let is_child = |id: &u32| {
            fs::read_to_string(format!("/proc/{id}/status"))
                .is_ok_and(|status| status.contains(&parent))
        };
        let processes = fs::read_dir("/proc").unwrap();
        let mut ids =
            processes.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        ids.find(is_child).unwrap()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // SIGTERM, so that it ends its host as well.
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().ok();
        let start = Instant::now();
        while self.child.try_wait().is_ok_and(|status| status.is_none()) {
            if start.elapsed() > Duration::from_secs(5) {
                self.child.kill().ok();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn emulator() -> PathBuf {
    let path = env::var_os(EMULATOR).map(PathBuf::from);
    let path = path.unwrap_or_else(|| panic!("`{EMULATOR}` does not name AWS's Lambda emulator: run the tests by `cargo xtask test`, which fetches it"));
    assert!(
        path.is_file(),
        "`{EMULATOR}` names `{}`, which is no file",
        path.display()
    );
    path
}

/// A port that was free a moment ago, because the emulator cannot choose one itself.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}
