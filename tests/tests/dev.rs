//! `host-cli dev` with guests that take their time: a new guest may loop, and requests are in flight while guests replace each other.

use crate::support::{fresh_folder, guests::HOSTILE, host_cli, http_client::Connection};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// Guests are compiled by an unoptimised program, on a machine that runs other tests.
const PATIENCE: Duration = Duration::from_secs(120);
/// Rounds of `/work` that take seconds.
const SLOW: u64 = 2_000_000_000;
/// Rounds that never end.
const ENDLESS: u64 = 9_999_999_999_999_999;

/// A guest that works for so many rounds on `/work`.
fn guest(rounds: u64) -> Vec<u8> {
    let zeros = b"version 0000000000000000 of";
    let mut guest = HOSTILE.to_vec();
    let place = guest
        .windows(zeros.len())
        .position(|window| window == zeros)
        .unwrap();
    guest[place + 8..place + 24].copy_from_slice(format!("{rounds:016}").as_bytes());
    guest
}

/// A running `host-cli dev --guest FILE`; killed when dropped.
struct Dev {
    child: Child,
    stderr: Receiver<String>,
    address: String,
    guest: PathBuf,
}

impl Dev {
    fn start(folder: &Path, first: u64, arguments: &[&str]) -> Self {
        let guest_file = folder.join("guest.wasm");
        fs::write(&guest_file, guest(first)).unwrap();
        let mut child = host_cli::command()
            .args(["dev", "--listen", "127.0.0.1:0", "--store", "memory"])
            .arg("--guest")
            .arg(&guest_file)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (sender, stderr) = mpsc::channel();
        thread::spawn(move || {
            for line in errors.lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{line:?}")).to_owned();
        thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        Self {
            child,
            stderr,
            address,
            guest: guest_file,
        }
    }

    /// Saves another guest.
    fn save(&self, rounds: u64) {
        let new = self.guest.with_extension("new");
        fs::write(&new, guest(rounds)).unwrap();
        fs::rename(&new, &self.guest).unwrap();
    }

    /// Waits for a line with this text; returns everything since the last wait.
    #[track_caller]
    fn wait_for(&self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        let mut read = String::new();
        while Instant::now() < until {
            let line = match self.stderr.recv_timeout(Duration::from_secs(1)) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => continue,
                // It has ended.
                Err(RecvTimeoutError::Disconnected) => break,
            };
            read.push_str(&line);
            read.push('\n');
            if line.contains(text) {
                return read;
            }
        }
        panic!("no line with {text:?} in {read}");
    }

    fn type_line(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn get(&self, path: &str) -> (u16, String) {
        get(&self.address, path)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn get(address: &str, path: &str) -> (u16, String) {
    let mut connection = Connection::open_patient(address, PATIENCE).unwrap();
    let answer = connection.send("GET", path, &[], None).unwrap();
    (answer.status, String::from_utf8(answer.body).unwrap())
}

#[test]
fn a_new_guest_that_loops_takes_nothing_from_live_requests() {
    let mut dev = Dev::start(&fresh_folder("dev-loop"), 0, &[]);
    dev.wait_for("serves, loaded in");
    for _ in 0..60 {
        assert_eq!(dev.get("/work").0, 200);
    }
    for _ in 0..5 {
        assert_eq!(dev.get("/").0, 200);
    }
    dev.save(ENDLESS);
    dev.wait_for("serves, loaded in");
    let compared_from = Instant::now();
    while compared_from.elapsed() < Duration::from_secs(2) {
        let started = Instant::now();
        assert_eq!(dev.get("/"), (200, "well behaved".to_owned()));
        let waited = started.elapsed();
        assert!(waited < Duration::from_secs(5), "{waited:?}");
        // The session keeps the last hundred requests, and those before shall be among them.
        thread::sleep(Duration::from_millis(100));
    }
    let shown = dev.wait_for("compared in");
    let duration = compared_from.elapsed();
    assert!(duration < Duration::from_secs(10), "{duration:?}");
    for text in [
        "of the last 65 requests, none would be answered or written differently",
        "not compared: no answer after 500 ms (",
        "not compared: the comparison ends after 2 s",
    ] {
        assert!(shown.contains(text), "{text:?} is not in {shown}");
    }

    // Nor does what is typed next wait for a guest that loops.
    let typed = Instant::now();
    dev.type_line("d 60");
    dev.wait_for("request 60 was not compared: no answer after 2 s");
    let duration = typed.elapsed();
    assert!(duration < Duration::from_secs(10), "{duration:?}");

    // A build that gives the same guest cuts the comparison off, which is not lost.
    dev.save(ENDLESS - 2);
    dev.wait_for("serves, loaded in");
    dev.type_line("r");
    let shown = dev.wait_for("is unchanged");
    assert!(!shown.contains("compared in"), "{shown}");
    dev.wait_for("compared in");

    // Neither the next guest nor the end waits for a comparison.
    dev.save(ENDLESS - 1);
    dev.wait_for("serves, loaded in");
    dev.save(0);
    let shown = dev.wait_for("compared in");
    assert!(shown.contains("serves, loaded in"), "{shown}");
    assert!(!shown.contains("not compared"), "{shown}");
    // The comparison of the guest before would have come to an end by now.
    thread::sleep(Duration::from_secs(3));
    dev.save(ENDLESS);
    let shown = dev.wait_for("serves, loaded in");
    assert!(!shown.contains("compared in"), "{shown}");
    let started = Instant::now();
    dev.type_line("q");
    assert!(dev.child.wait().unwrap().success());
    let duration = started.elapsed();
    assert!(duration < Duration::from_secs(5), "{duration:?}");
    let last: Vec<String> = dev.stderr.iter().collect();
    assert!(!last.join("\n").contains("compared in"), "{last:?}");
}

#[test]
fn a_request_in_flight_ends_on_the_guest_that_it_began_with() {
    // Loaded once before, so that loading it again is quicker than the request.
    let limit = ["--request-duration-ms-max", "60000"];
    let dev = Dev::start(&fresh_folder("dev-in-flight"), 0, &limit);
    dev.wait_for("serves, loaded in");
    dev.save(SLOW);
    dev.wait_for("serves, loaded in");
    let address = dev.address.clone();
    let in_flight = thread::spawn(move || get(&address, "/work"));
    // It has begun once others that were sent later are answered.
    for _ in 0..20 {
        assert!(dev.get("/version").1.contains(&format!("{SLOW:016}")));
        thread::sleep(Duration::from_millis(5));
    }
    dev.save(0);
    dev.wait_for("serves, loaded in");
    let (status, next) = dev.get("/work");
    assert!(!in_flight.is_finished(), "the request was not in flight");
    assert_eq!((status, next), (200, "worked 0 rounds".to_owned()));
    assert_eq!(
        in_flight.join().unwrap(),
        (200, format!("worked {SLOW} rounds"))
    );
}

#[test]
fn one_signal_after_q_ends_dev_without_waiting() {
    let limit = ["--request-duration-ms-max", "60000"];
    let mut dev = Dev::start(&fresh_folder("dev-impatience"), ENDLESS, &limit);
    dev.wait_for("serves, loaded in");
    let address = dev.address.clone();
    let in_flight = thread::spawn(move || {
        let mut connection = Connection::open_patient(&address, PATIENCE).unwrap();
        connection.send("GET", "/work", &[], None).is_err()
    });
    thread::sleep(Duration::from_secs(1));
    assert_eq!(dev.get("/").0, 200);
    dev.type_line("q");
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect(&dev.address).is_ok() && Instant::now() < until {
        thread::sleep(Duration::from_millis(50));
    }
    let started = Instant::now();
    let pid = dev.child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    assert!(dev.child.wait().unwrap().success());
    let duration = started.elapsed();
    assert!(duration < Duration::from_secs(5), "{duration:?}");
    let last: Vec<String> = dev.stderr.iter().collect();
    let last = last.join("\n");
    let text = "stopped without waiting for requests in flight";
    assert!(last.contains(text), "{last}");
    assert!(in_flight.join().unwrap(), "the request was answered");
}
