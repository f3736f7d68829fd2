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
