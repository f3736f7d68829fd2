//! The environment that `host-cli` gives a guest, and what it reports about a guest's failure.

use crate::support::{guests::HOSTILE, host_cli};
use std::fs;

#[test]
fn a_guest_finds_what_the_command_line_names() {
    let folder = format!("{}/guest-env", env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = format!("{folder}/{name}");
        fs::write(&path, bytes).unwrap();
        path
    };
    let event = ["event", "http", "GET", "/environment"];
    let event = host_cli::command().args(event).output().unwrap().stdout;
    let (guest, event) = (write("guest.wasm", HOSTILE), write("event.json", &event));
    let object = write("environment.json", br#"{"TEAM":"from a file"}"#);
    let lines = write("local.env", b"# who\nTEAM=from a line\n");
    for (option, value, expected) in [
        ("--env", "TEAM=joiners", "joiners"),
        ("--env-file", object.as_str(), "from a file"),
        ("--env-file", &lines, "from a line"),
        ("--env", "OTHER=x", ""),
    ] {
        let options = ["--guest", &guest, option, value];
        let output = host_cli::command()
            .args(["invoke", &event])
            .args(options)
            .output()
            .unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["body"], expected, "{output:?}");
        let arguments = [&options[..], &["--store", "memory"]].concat();
        let server = host_cli::Server::start(&arguments);
        let answer = server.connect().send("GET", "/environment", &[], None);
        assert_eq!(answer.unwrap().body, expected.as_bytes());
    }
}

#[test]
fn a_backtrace_names_functions_as_their_source_has_them() {
    let folder = format!("{}/backtrace", env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(&folder).unwrap();
    let (guest, event) = (
        format!("{folder}/guest.wasm"),
        format!("{folder}/event.json"),
    );
    fs::write(&guest, HOSTILE).unwrap();
    let composed = ["event", "http", "GET", "/trap"];
    fs::write(
        &event,
        host_cli::command().args(composed).output().unwrap().stdout,
    )
    .unwrap();
    let output = host_cli::command()
        .args(["invoke", &event, "--guest", &guest])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let (_, backtrace) = stderr.split_once("backtrace=").unwrap();
    assert!(backtrace.contains("core::panicking::panic_fmt"), "{stderr}");
    assert!(backtrace.contains("Hostile as "), "{stderr}");
    for mangled in ["_ZN", "_R"] {
        assert!(!backtrace.contains(mangled), "{stderr}");
    }
}
