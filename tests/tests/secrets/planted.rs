//! A secret is planted, used in every way, and looked for everywhere that it must not be.

use super::PLANTED;
use crate::support::{
    fresh_folder,
    guests::SIGNER,
    host_cli::{self, Server},
};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

/// A value of the file's secret.
const OF_FILE: &str = "pl4nted-0f-file-value";
/// What both have in common, in any spelling that keeps letters.
const MARK: &[u8] = b"pl4nted";

/// A server that repeats what it gets, and closes connections whose request says so; its address, and what it got.
fn upstream() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let got = Arc::<Mutex<Vec<u8>>>::default();
    let seen = got.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 8192];
            let length = stream.read(&mut request).unwrap();
            let request = &request[..length];
            seen.lock().unwrap().extend_from_slice(request);
            if request.windows(4).any(|word| word == b"/cut") {
                continue;
            }
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(&[head.as_bytes(), request].concat());
        }
    });
    (format!("http://{address}"), got)
}

fn project(folder: &Path, origin: &str) {
    fs::write(folder.join("guest.wasm"), SIGNER).unwrap();
    fs::write(folder.join("key.txt"), OF_FILE).unwrap();
    fs::set_permissions(folder.join("key.txt"), fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        r#"name = "planted"
[guest]
component = "guest.wasm"
[[outgoing]]
origin = "{origin}"
private_addresses = true
[[outgoing]]
origin = "http://127.0.0.1:9"
[secrets.api-key]
from = "env:API_KEY"
for = ["{origin}", "http://127.0.0.1:9"]
in = ["headers", "url", "body"]
hmac = true
[secrets.of-file]
from = "file:key.txt"
reveal = true
hmac = true
[secrets.missing]
from = "env:NOT_SET"
hmac = true
"#
    );
    fs::write(folder.join("tenon.toml"), text).unwrap();
}

/// The program in a folder, with the secret in its environment, and its output in files there. A server's stdout is read for its address instead.
fn command(folder: &Path, name: &str) -> Command {
    let mut command = Command::new(host_cli::command().get_program());
    let output = |ending: &str| fs::File::create(folder.join(format!("{name}.{ending}"))).unwrap();
    command
        .current_dir(folder)
        .env("API_KEY", PLANTED)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("XDG_STATE_HOME", folder.join("state"))
        .stdout(output("out"))
        .stderr(output("err"));
    command
}

/// Every file below a folder that contains the mark.
fn found_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(found_in(&path));
        } else if has_mark(&fs::read(&path).unwrap_or_default()) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn has_mark(bytes: &[u8]) -> bool {
    bytes.windows(MARK.len()).any(|window| window == MARK)
}

#[test]
fn a_planted_secret_is_found_where_it_is_kept_and_where_it_was_sent_and_nowhere_else() {
    let folder = fresh_folder("planted");
    let (origin, got) = upstream();
    project(&folder, &origin);
    let placeholder = "<<api-key>>";
    let send = |target: &str| {
        format!("send POST {origin}{target} authorization Bearer+{placeholder} {placeholder}")
    };
    let requests = [
        // Repeated in the response, and shown to the client and in a log line.
        format!(
            "{}\nlog {placeholder}",
            send(&format!("/{placeholder}?key={placeholder}"))
        ),
        // Errors of the network, of grants, and of the source.
        send(&format!("/cut/{placeholder}?{placeholder}")),
        format!("send GET http://127.0.0.1:9/{placeholder}?{placeholder} x {placeholder}"),
        "sign missing sha256 x".to_owned(),
        // Used as a key, with its tag shown.
        format!("sign api-key sha256 {placeholder}\nverify api-key sha256 $TAG x\nreveal api-key"),
        // A guest that traps with the secret's placeholder.
        format!("{}\ntrap", send("/trap")),
        // Revealed, then gone.
        "reveal of-file\nsign of-file sha1 $VALUE\ntrap".to_owned(),
    ];
    let mut serve = command(&folder, "serve");
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    serve.args(["--record", "session.tape", "--log-format", "json"]);
    let server = Server::of(serve);
    let arguments = fs::read(format!("/proc/{}/cmdline", server.id())).unwrap();
    assert!(!arguments.is_empty() && !has_mark(&arguments));
    let mut answers = Vec::new();
    for steps in &requests {
        let head = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
            steps.len()
        );
        let request = [head.as_bytes(), steps.as_bytes()].concat();
        let answer = server.connect().send_raw(&request, true).unwrap();
        answers.extend_from_slice(format!("{answer:?}\n").as_bytes());
        answers.extend_from_slice(&answer.body);
    }
    assert!(!has_mark(&answers), "{}", String::from_utf8_lossy(&answers));
    server.stop();

    for (name, arguments) in [
        ("strict", &["replay", "session.tape"][..]),
        (
            "state",
            &[
                "replay",
                "session.tape",
                "--mode",
                "state",
                "--report",
                "report.html",
            ],
        ),
        (
            "junit",
            &[
                "replay",
                "session.tape",
                "--mode",
                "state",
                "--format",
                "junit",
            ],
        ),
        (
            "live",
            &[
                "replay",
                "session.tape",
                "--mode",
                "state",
                "--on-miss",
                "live",
                "--trace",
            ],
        ),
        ("inspect", &["inspect", "guest.wasm"]),
    ] {
        command(&folder, name).args(arguments).status().unwrap();
    }
    assert!(fs::read(folder.join("session.tape")).unwrap().len() > 1000);
    assert!(folder.join("report.html").exists());

    // The search finds what is there: the file that keeps one, and what the other service got.
    assert!(has_mark(&got.lock().unwrap()), "nothing was sent");
    assert_eq!(found_in(&folder), [folder.join("key.txt")]);
    let strict = fs::read_to_string(folder.join("strict.out")).unwrap();
    assert!(!strict.is_empty());
}

#[test]
fn a_secret_is_neither_in_arguments_nor_in_the_guests_environment() {
    let folder = fresh_folder("planted-options");
    project(&folder, "http://127.0.0.1:8");
    fs::write(folder.join("event.json"), "{}").unwrap();
    let run = |arguments: &[&str]| {
        let status = command(&folder, "run").args(arguments).status().unwrap();
        let text = fs::read_to_string(folder.join("run.err")).unwrap();
        assert!(!status.success(), "{text}");
        assert!(!text.contains("pl4nted"), "{text}");
        text
    };
    let invoke = |option: &[&str]| run(&[&["invoke", "event.json"], option].concat());
    let text = invoke(&["--env", "API_KEY"]);
    assert!(
        text.contains("the variable `API_KEY` has the secret `api-key`"),
        "{text}"
    );
    let text = invoke(&["--secret", &format!("api-key={PLANTED}")]);
    assert!(text.contains("a source is `env:NAME`"), "{text}");
    let text = invoke(&["--secret", PLANTED]);
    assert!(text.contains("`NAME=SOURCE`"), "{text}");
    let text = invoke(&["--secret", "other=env:API_KEY"]);
    assert!(text.contains("no secret `other` is declared"), "{text}");
    let toml = fs::read_to_string(folder.join("tenon.toml")).unwrap();
    fs::write(
        folder.join("tenon.toml"),
        toml.replace("env:API_KEY", PLANTED),
    )
    .unwrap();
    let text = invoke(&[]);
    assert!(
        text.contains("tenon.toml:") && text.contains("a source is"),
        "{text}"
    );
}
