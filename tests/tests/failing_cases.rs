//! Cases that a guest fails: the report of `host-cli replay` says why.

use crate::support::{guests::PANICS, host_cli};
use std::{fs, path::PathBuf, process::Output};

/// An empty folder with a guest and a case that makes it panic.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    let case = folder.join("cases/divide");
    fs::create_dir_all(&case).unwrap();
    fs::write(folder.join("guest.wasm"), PANICS).unwrap();
    let event = ["event", "http", "GET", "/divide/7"];
    let event = host_cli::command().args(event).output().unwrap().stdout;
    fs::write(case.join("event.json"), event).unwrap();
    folder
}

fn replay(folder: &PathBuf, options: &[&str]) -> Output {
    host_cli::command()
        .current_dir(folder)
        .args(["replay", "cases", "--guest", "guest.wasm"])
        .args(options)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn the_log_of_the_guest_stands_below_what_differs() {
    let folder = folder("failing-case");
    let expected = r#"{"statusCode": 200, "body": "14"}"#;
    fs::write(folder.join("cases/divide/response.json"), expected).unwrap();
    let run = replay(&folder, &[]);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let logged = text(&run.stdout).split_once("  logged:\n").unwrap().1;
    assert!(logged.contains("nobody divides by 7"), "{logged}");
    let run = replay(&folder, &["--format", "junit"]);
    let output = text(&run.stdout).split_once("<system-out>").unwrap().1;
    assert!(output.contains("nobody divides by 7"), "{output}");
}

#[test]
fn accepting_a_failure_is_said_in_words() {
    let folder = folder("accepted-failure");
    let run = replay(&folder, &["--bless"]);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let expected = "  warning: the case now expects that the server fails\n  logged:\n";
    assert!(text(&run.stdout).contains(expected), "{run:?}");
    assert!(text(&run.stdout).contains("nobody divides by 7"), "{run:?}");
}
