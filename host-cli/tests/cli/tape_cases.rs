//! `tape cases`: what the recorded guest answered is what it answers to the case.

use crate::program::{Folder, GUEST, Server, cli};
use std::fs;

fn request(line: &str, rest: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{rest}\r\n")
}

fn post(name: &str) -> String {
    let body = format!("{{\"name\":\"{name}\"}}");
    let head = format!(
        "content-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    request("POST /items", &head) + &body
}

/// A tape with two creations, a list, a page of it, a read, and a delete with a credential.
fn tape(folder: &Folder) -> String {
    tape_with(folder, &[])
}

fn tape_with(folder: &Folder, options: &[&str]) -> String {
    let tape = folder.path("day.tape");
    let mut arguments = vec!["--store", "memory", "--record", &tape];
    arguments.extend(options);
    let server = Server::start(&arguments);
    let created = server.talk(post("lamp"));
    let location = created
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap();
    let path = &location[location.rfind("/items/").unwrap()..];
    server.talk(post("table"));
    server.talk(request("GET /items", ""));
    server.talk(request("GET /items?limit=1", ""));
    server.talk(request(&format!("GET {path}"), ""));
    let credential = "authorization: Bearer hunter2\r\n";
    server.talk(request(&format!("DELETE {path}"), credential));
    assert_eq!(server.stop().0, 0);
    tape
}

#[test]
fn the_recorded_guest_passes_the_cases_of_its_requests() {
    let folder = Folder::new();
    let tape = tape(&folder);
    let cases = folder.path("cases");
    let made = cli(&["tape", "cases", &tape, "--output", &cases]).expect_code(1);
    // A page does not show what is behind it.
    assert!(
        made.stderr
            .contains("storage call 1, `query`, read a page with more entries behind it"),
        "{made:#?}"
    );
    assert_eq!(made.stderr.lines().count(), 1, "{made:#?}");
    assert!(
        made.stdout.contains("note: redacted: `/event/"),
        "{made:#?}"
    );
    let passed = cli(&["replay", &cases, "--guest", GUEST]).expect_code(0);
    assert_eq!(passed.stdout, "5 cases: 5 as expected\n");
    for name in ["post-items", "post-items-2", "get-items"] {
        assert!(
            fs::metadata(folder.path(&format!("cases/{name}/event.json"))).is_ok(),
            "{name}"
        );
    }
    let mut names: Vec<_> = fs::read_dir(folder.path("cases/get-items"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "after.json",
            "before.json",
            "event.json",
            "inputs.json",
            "response.json"
        ]
    );
    let files = ["event.json", "before.json", "response.json", "after.json"];
    let deleted = fs::read_dir(&cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("delete-")
        })
        .unwrap();
    for file in files {
        let text = fs::read_to_string(deleted.join(file)).unwrap_or_default();
        assert!(!text.contains("hunter2"), "{file}: {text}");
    }
}

#[test]
fn a_tape_with_credentials_becomes_cases_without_them_unless_they_are_wanted() {
    let folder = Folder::new();
    let tape = tape_with(&folder, &["--no-redaction"]);
    for (name, options) in [("hidden", vec![]), ("sent", vec!["--as-sent"])] {
        let cases = folder.path(name);
        let mut arguments = vec!["tape", "cases", &tape, "--output", &cases];
        arguments.extend(options);
        let made = cli(&arguments).expect_code(1);
        let is_hidden = name == "hidden";
        assert_eq!(made.stdout.contains("note: redacted: `/event/"), is_hidden);
        let deleted = fs::read_dir(&cases)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().contains("/delete-"))
            .unwrap();
        let event = fs::read_to_string(deleted.join("event.json")).unwrap();
        assert_eq!(event.contains("hunter2"), !is_hidden, "{event}");
        // What is not a credential is as it was: the cases pass.
        let passed = cli(&["replay", &cases, "--guest", GUEST]).expect_code(0);
        assert_eq!(passed.stdout, "5 cases: 5 as expected\n");
    }
}

#[test]
fn one_request_is_chosen_and_named() {
    let folder = Folder::new();
    let tape = tape(&folder);
    let cases = folder.path("cases");
    let line = fs::read_to_string(&tape).unwrap();
    let id = line.split("\"id\":\"").nth(1).unwrap();
    let id = &id[..13];
    let arguments = [
        "tape",
        "cases",
        &tape,
        "--only",
        id,
        "--output",
        &cases,
        "--name",
        "create/lamp",
    ];
    let made = cli(&arguments).expect_code(0);
    assert!(
        made.stdout.contains("`host-cli test create/lamp` runs it"),
        "{made:#?}"
    );
    assert!(fs::metadata(folder.path("cases/create/lamp/response.json")).is_ok());
    // Neither is replaced, nor left out silently.
    cli(&arguments)
        .expect_failure(3, "already exists")
        .expect_hint();
    cli(&[
        "tape", "cases", &tape, "--only", "nobody", "--output", &cases,
    ])
    .expect_failure(3, "begins with `nobody`")
    .expect_hint();
    cli(&["tape", "cases", &tape, "--output", &cases, "--name", "../x"])
        .expect_failure(2, "is not a name")
        .expect_hint();
    assert!(fs::metadata(folder.path("x")).is_err());
}
