//! Grants of `host-cli`: of the command line, and of a project.

use crate::support::{fresh_folder, guests::FETCHER, host_cli, upstream::upstream};
use std::{fs, path::Path, process::Command};

/// Status and output of a command in a folder.
fn run(folder: &Path, arguments: &[&str]) -> (bool, String) {
    // In this folder's project, if it has one.
    let program = host_cli::command().get_program().to_owned();
    let output = Command::new(program)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .args(arguments)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn grants_are_on_the_command_line_or_in_the_project() {
    let folder = fresh_folder("outgoing-program");
    fs::write(folder.join("guest.wasm"), FETCHER).unwrap();
    let origin = upstream(2);
    let event = super::fetcher_event("/", &format!("GET {origin}/x"));
    fs::write(folder.join("event.json"), event).unwrap();

    let invoke = ["invoke", "--guest", "guest.wasm", "event.json"];
    let (is_ok, text) = run(&folder, &invoke);
    assert!(
        !is_ok && text.contains("no grant lets it call another service"),
        "{text}"
    );

    let (is_ok, text) = run(
        &folder,
        &[&invoke[..], &["--allow-outgoing", &origin]].concat(),
    );
    assert!(is_ok && text.contains("hello"), "{text}");

    // A private address has to be granted as such.
    let project = |grant: &str| {
        let text = format!("name = \"x\"\n[guest]\ncomponent = \"guest.wasm\"\n{grant}");
        fs::write(folder.join("tenon.toml"), text).unwrap();
        run(&folder, &["invoke", "event.json"])
    };
    let (is_ok, text) = project(&format!("[[outgoing]]\norigin = \"{origin}\"\n"));
    assert!(is_ok && text.contains("not-granted: "), "{text}");
    let (is_ok, text) = project(&format!(
        "[[outgoing]]\norigin = \"{origin}\"\nprivate_addresses = true\n"
    ));
    assert!(is_ok && text.contains("hello"), "{text}");
    let (is_ok, text) = project("[[outgoing]]\norigin = \"ftp://a.example\"\n");
    assert!(!is_ok && text.contains("tenon.toml:"), "{text}");
    let (is_ok, text) = project("[[outgoing]]\norigin = \"https://a.example\"\nprivate = true\n");
    assert!(!is_ok && text.contains("private_addresses"), "{text}");
}

#[test]
fn a_guest_is_inspected_whether_or_not_anything_is_granted() {
    let folder = fresh_folder("outgoing-inspect");
    fs::write(folder.join("guest.wasm"), FETCHER).unwrap();
    let (is_ok, text) = run(&folder, &["inspect", "guest.wasm"]);
    assert!(
        is_ok && text.contains("tenon:handler/outgoing@0.1.0"),
        "{text}"
    );
}

#[test]
fn a_channel_takes_no_guest_that_its_hosts_would_refuse() {
    let folder = fresh_folder("outgoing-channel");
    fs::write(folder.join("guest.wasm"), FETCHER).unwrap();
    let stores = ["--key", "release.key"];
    let (is_ok, text) = run(&folder, &["keygen", "release.key"]);
    assert!(is_ok, "{text}");
    let publish = ["publish", "guest.wasm", "--to", "file://releases"];
    let (is_ok, text) = run(&folder, &[&publish[..], &stores].concat());
    assert!(is_ok, "{text}");
    let digest = text.split_whitespace().find(|word| word.len() == 64);
    let channel = |arguments: &[&str]| {
        let artifacts = ["--artifacts", "file://releases"];
        run(&folder, &[arguments, &artifacts, &stores].concat())
    };
    let promote = |path: &str, more: &[&str]| {
        let promote = ["promote", "items", digest.unwrap(), "--path", path];
        channel(&[&promote[..], more].concat())
    };
    let (is_ok, text) = promote("/", &[]);
    assert!(is_ok && text.contains("the channel grants none"), "{text}");
    let (is_ok, text) = promote("/x", &[]);
    assert!(!is_ok && text.contains("of route `/x` imports"), "{text}");
    let grant = ["--outgoing", "https://a.example", "--namespace", "x"];
    let (is_ok, text) = promote("/x", &grant);
    assert!(
        is_ok && text.contains("may call https://a.example"),
        "{text}"
    );
    assert!(text.contains("namespace `x`"), "{text}");
    let (is_ok, text) = promote(
        "/x",
        &["--replace-outgoing", "--outgoing", "https://b.example"],
    );
    assert!(is_ok, "{text}");
    assert!(
        text.contains("may no longer call https://a.example"),
        "{text}"
    );
    // What the guest could call when it served before, it cannot now.
    let back = ["rollback", "items", "--path", "/x", "--to", "2"];
    let (is_ok, text) = channel(&back);
    assert!(
        is_ok && text.contains("granted https://a.example"),
        "{text}"
    );
    let (is_ok, text) = channel(&["rollback", "items", "--path", "/x", "--to", "1"]);
    assert!(is_ok && text.contains("route `/x` is removed"), "{text}");
    let (is_ok, text) = channel(&["rollback", "items", "--path", "/y", "--to", "1"]);
    assert!(!is_ok && text.contains("has no route `/y`"), "{text}");
}
