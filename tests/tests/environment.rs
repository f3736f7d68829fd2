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

/// In another environment both guests may only fail, and two equal failures would pass.
#[test]
fn a_gate_runs_guests_in_the_environment_of_their_route() {
    let folder = format!("{}/gate-env", env!("CARGO_TARGET_TMPDIR"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| format!("{folder}/{name}");
    let run = |arguments: &[&str]| host_cli::command().args(arguments).output().unwrap();
    let event = run(&["event", "http", "GET", "/environment"]).stdout;
    fs::write(file("event.json"), event).unwrap();
    // A component of the same behaviour: it has one more section.
    let second = [HOSTILE, &[0, 2, 1, b'x']].concat();
    let (artifacts, key) = (format!("file://{}", file("releases")), file("key"));
    assert!(run(&["keygen", &key]).status.success());
    let publish = |name: &str, component: &[u8]| {
        fs::write(file(name), component).unwrap();
        let output = run(&["publish", &file(name), "--to", &artifacts, "--key", &key]);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (first, second) = (
        publish("first.wasm", HOSTILE),
        publish("second.wasm", &second),
    );
    let promote = |digest: &str, more: &[&str]| {
        let stores = ["--artifacts", &artifacts, "--key", &key, "--by", "ann"];
        run(&[&["promote", "items", digest], &stores[..], more].concat())
    };
    let output = promote(&first, &["--env", "TEAM=joiners"]);
    assert!(output.status.success(), "{output:?}");

    let (event, other) = (file("event.json"), ["--env", "TEAM=smiths"]);
    let output = promote(&second, &[&other[..], &["--gate", &event]].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let differences = String::from_utf8_lossy(&output.stdout);
    assert!(
        differences.contains("joiners") && differences.contains("smiths"),
        "{output:?}"
    );
    // Recorded without any environment: it is no difference between the guests.
    let (guest, tape) = (file("first.wasm"), file("day.tape"));
    let server =
        host_cli::Server::start(&["--guest", &guest, "--store", "memory", "--record", &tape]);
    let answer = server.connect().send("GET", "/environment", &[], None);
    assert_eq!(answer.unwrap().body, b"");
    server.stop();
    // The route keeps its environment, and the new guest gets it as well.
    let output = promote(&second, &["--gate", &event, "--gate", &tape]);
    assert!(output.status.success(), "{output:?}");
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
