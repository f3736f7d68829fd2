//! `dev` as a developer uses it: requests, a changed file, what it changes, a case, and everything that can go wrong in between.

use crate::program::{Folder, GUEST, Run, cli, cli_in, command};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, ChildStdin, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

/// Guests are compiled by an unoptimised program, on a machine that runs other tests.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the reference guest and its changed copy say about caching.
const BEFORE: &str = "private, no-cache";
const AFTER: &str = "private, no-store";

/// The reference guest with another `Cache-Control`.
pub fn changed_guest() -> Vec<u8> {
    let mut guest = fs::read(GUEST).unwrap();
    let places: Vec<usize> = guest
        .windows(BEFORE.len())
        .enumerate()
        .filter(|(_, window)| *window == BEFORE.as_bytes())
        .map(|(place, _)| place)
        .collect();
    assert!(!places.is_empty());
    for place in places {
        guest[place..place + AFTER.len()].copy_from_slice(AFTER.as_bytes());
    }
    guest
}

/// A project whose build copies a file.
pub fn project(folder: &Folder, build: &str) {
    folder.write(
        "tenon.toml",
        format!(
            "name = \"copied\"\n\n[guest]\nbuild = \"{build}\"\ncomponent = \"guest.wasm\"\nwatch = [\"source.wasm\", \"build.sh\"]\n\n\
             [serve]\nlisten = \"127.0.0.1:0\"\nstore = \"memory\"\n"
        ),
    );
    folder.write("source.wasm", fs::read(GUEST).unwrap());
}

fn in_folder(folder: &Folder, arguments: &[&str]) -> Run {
    cli_in(Path::new(&folder.path(".")), arguments)
}

/// A running `host-cli dev`.
struct Dev {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: Receiver<String>,
    /// What was read of stderr so far.
    seen: String,
    address: SocketAddr,
}

impl Dev {
    fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut all = vec!["dev"];
        all.extend_from_slice(arguments);
        let mut child = command(&all)
            .current_dir(folder.path("."))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, stderr) = mpsc::channel();
        let errors = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in errors.lines() {
                let Ok(()) = sender.send(line.unwrap()) else {
                    return;
                };
            }
        });
        let mut first = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut first).unwrap();
        let address = first.trim().strip_prefix("listening on http://");
        let address = address
            .unwrap_or_else(|| panic!("{first:?}"))
            .parse()
            .unwrap();
        Self {
            stdin: child.stdin.take(),
            child,
            stderr,
            seen: String::new(),
            address,
        }
    }

    /// Waits for a line on stderr with this text; returns everything since the last wait.
    #[track_caller]
    fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        let mut read = String::new();
        while Instant::now() < until {
            let Ok(line) = self.stderr.recv_timeout(Duration::from_secs(1)) else {
                continue;
            };
            read.push_str(&line);
            read.push('\n');
            if line.contains(text) {
                self.seen.push_str(&read);
                return read;
            }
        }
        panic!("no line with {text:?} in {}{read}", self.seen);
    }

    fn type_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn ask(&self, request: &str) -> String {
        ask(self.address, request).unwrap()
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        ))
    }

    fn post(&self, body: &str) -> String {
        self.ask(&format!(
            "POST /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Types `q` and waits for the end.
    fn quit(mut self) -> (i32, String) {
        self.type_line("q");
        let code = self.child.wait().unwrap().code().unwrap();
        let rest: Vec<String> = self.stderr.iter().collect();
        (code, rest.join("\n"))
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(address: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_change_shows_what_it_changes_and_a_request_becomes_a_case() {
    let folder = Folder::new();
    project(&folder, "cp source.wasm guest.wasm");
    let mut dev = Dev::start(&folder, &[]);
    dev.wait_for("keys: ");
    let created = dev.post("{\"name\":\"lamp\"}");
    assert!(created.starts_with("HTTP/1.1 201 "), "{created}");
    let location = created
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap();
    let path = location
        .rfind("/items/")
        .map(|start| &location[start..])
        .unwrap();
    for _ in 0..2 {
        assert!(dev.get(path).contains(BEFORE));
    }
    let lines = dev.wait_for("    3 GET /items/");
    assert!(lines.contains("    1 POST /items 201 "), "{lines}");
    assert!(lines.contains(", 1 storage call "), "{lines}");

    folder.write("source.wasm", changed_guest());
    let shown = dev.wait_for("compared in");
    let differences: Vec<&str> = shown
        .lines()
        .skip_while(|line| !line.starts_with("of the last"))
        .collect();
    assert_eq!(
        differences[0],
        "of the last 3 requests, 3 would be answered or written differently:"
    );
    assert_eq!(differences[1], "  2x GET /items/* 200 (2, 3)");
    assert_eq!(differences[2], "      /headers/cache-control/*");
    let sample = format!("      /headers/cache-control/0: expected \"{BEFORE}\", got \"{AFTER}\"");
    assert_eq!(differences[3], sample);
    assert_eq!(differences[4], "  1x POST /items 201 (1)");
    assert!(dev.get(path).contains(AFTER));

    dev.type_line("d 2");
    let full = dev.wait_for(&format!("+      \"{AFTER}\""));
    assert!(full.contains("differs GET /items/"), "{full}");
    dev.type_line("d 99");
    dev.wait_for("request 99 is not kept");

    // The case has the answer of the guest that was asked, which is no longer that of the new one.
    dev.type_line("t 2 read/lamp");
    dev.wait_for("`host-cli test read/lamp` runs it");
    dev.type_line("t 4");
    let made = dev.wait_for("runs it");
    assert!(made.contains("cases/get-items-"), "{made}");
    let (code, last) = dev.quit();
    assert_eq!(code, 0, "{last}");
    assert!(last.ends_with("stopped: 4 requests served"), "{last}");

    let failing = in_folder(&folder, &["test"]).expect_code(1);
    assert!(
        failing
            .stdout
            .contains("2 cases: 1 as expected, 1 differing"),
        "{failing:#?}"
    );
    in_folder(&folder, &["test", "read", "--bless"]).expect_code(0);
    let passing = in_folder(&folder, &["test", "--junit", "report.xml"]).expect_code(0);
    assert_eq!(passing.stdout, "2 cases: 2 as expected\n");
    let report = String::from_utf8(folder.read("report.xml")).unwrap();
    assert!(report.contains("tests=\"2\""), "{report}");
    in_folder(&folder, &["test", "gone"])
        .expect_failure(2, "no case is named `gone`")
        .expect_hint();
}

#[test]
fn whatever_goes_wrong_is_one_message_and_the_guest_goes_on() {
    let folder = Folder::new();
    project(&folder, "sh build.sh");
    let good = "cp source.wasm guest.wasm\n";
    folder.write("build.sh", "exit 3\n");
    let mut dev = Dev::start(&folder, &[]);
    dev.wait_for("no guest serves yet");
    assert!(dev.get("/items").starts_with("HTTP/1.1 503 "));

    folder.write("build.sh", good);
    dev.wait_for(" serves, built in ");
    let serves = |dev: &Dev| {
        let answer = dev.get("/items");
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.contains(BEFORE),
            "{answer}"
        );
    };
    serves(&dev);

    folder.write(
        "build.sh",
        "echo 'error[E0308]: mismatched types' >&2\nexit 1\n",
    );
    let failed = dev.wait_for("goes on serving");
    for text in ["error[E0308]", "`sh build.sh` ended with exit status: 1"] {
        assert!(failed.contains(text), "{failed}");
    }
    serves(&dev);

    folder.write("build.sh", good);
    dev.wait_for("is unchanged");
    let source = folder.read("source.wasm");
    folder.write("source.wasm", "text");
    let failed = dev.wait_for("goes on serving");
    assert!(failed.contains("error: guest `guest.wasm`: "), "{failed}");
    serves(&dev);

    let file = folder.read("tenon.toml");
    folder.write("tenon.toml", "nane = \"x\"\n");
    let failed = dev.wait_for("goes on serving");
    assert!(
        failed.contains("tenon.toml:1:1: unknown member `nane`"),
        "{failed}"
    );
    serves(&dev);

    // Another port is for the next start; the rest counts at once.
    folder.write("source.wasm", source);
    dev.wait_for("is unchanged");
    let file = String::from_utf8(file).unwrap().replace(":0\"", ":1\"");
    folder.write("tenon.toml", file);
    dev.wait_for("started again");
    dev.wait_for("is unchanged");
    serves(&dev);
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn no_request_is_lost_while_guests_replace_each_other() {
    const SWAPS: usize = 6;
    let folder = Folder::new();
    let guests = [fs::read(GUEST).unwrap(), changed_guest()];
    folder.write("guest.wasm", &guests[0]);
    let guest = folder.path("guest.wasm");
    let arguments = [
        "--guest",
        &guest,
        "--listen",
        "127.0.0.1:0",
        "--store",
        "memory",
    ];
    let mut dev = Dev::start(&folder, &arguments);
    dev.wait_for(" serves, loaded in");
    let is_over = Arc::new(AtomicBool::new(false));
    let address = dev.address;
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                let mut counts = [0_u32; 2];
                while !is_over.load(Ordering::Relaxed) {
                    let request =
                        "GET /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
                    let answer = ask(address, request).unwrap();
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                    let is_changed = answer.contains(AFTER);
                    assert!(is_changed != answer.contains(BEFORE), "{answer}");
                    counts[usize::from(is_changed)] += 1;
                }
                counts
            })
        })
        .collect();
    for swap in 1..=SWAPS {
        folder.write("guest.wasm.new", &guests[swap % 2]);
        fs::rename(folder.path("guest.wasm.new"), &guest).unwrap();
        dev.wait_for(" serves, loaded in");
        thread::sleep(Duration::from_millis(100));
    }
    is_over.store(true, Ordering::Relaxed);
    let mut answered = [0; 2];
    for client in clients {
        let counts = client.join().unwrap();
        answered[0] += counts[0];
        answered[1] += counts[1];
    }
    assert!(answered[0] > 0 && answered[1] > 0, "{answered:?}");
    let (code, last) = dev.quit();
    assert_eq!(code, 0);
    let all = answered[0] + answered[1];
    assert!(
        last.ends_with(&format!("stopped: {all} requests served")),
        "{last}"
    );
}

#[test]
fn without_a_guest_or_a_free_port_it_does_not_start() {
    let folder = Folder::new();
    cli(&["dev"])
        .expect_failure(2, "no guest is named")
        .expect_hint();
    cli(&["test"])
        .expect_failure(2, "there are no cases to run")
        .expect_hint();
    project(&folder, "cp source.wasm guest.wasm");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    in_folder(&folder, &["dev", "--listen", &address])
        .expect_failure(3, "is in use")
        .expect_hint();
    in_folder(&folder, &["test"])
        .expect_failure(3, "contains no case")
        .expect_hint();
}

#[test]
fn lines_for_programs_are_json() {
    let folder = Folder::new();
    project(&folder, "cp source.wasm guest.wasm");
    let mut dev = Dev::start(&folder, &["--log-format", "json"]);
    dev.wait_for("keys: ");
    dev.get("/items");
    let line = dev.wait_for("\"exchange\":1}");
    for line in line.lines().chain(dev.seen.lines()) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["time"].is_string(), "{line}");
    }
    assert_eq!(dev.quit().0, 0);
}
