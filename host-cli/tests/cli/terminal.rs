//! Whatever text a tape, an event or a guest contains: no terminal control characters are printed, and no line is forged.

use crate::program::{Folder, Run, Server, cli, image};
use contract::text::is_printable;
use serde_json::Value;
use std::fs;

/// An escape sequence, a C1 control, direction controls, characters without width, and line breaks before a line that looks real.
const HOSTILE: &str =
    "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{7f}\r\nforged \u{2028}forged \u{85}forged";

#[track_caller]
fn expect_harmless(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        let bad = text
            .chars()
            .find(|character| *character != '\n' && !is_printable(*character));
        assert_eq!(bad, None, "{text:?}");
        assert!(
            !text
                .lines()
                .any(|line| line.trim_start().starts_with("forged")),
            "{text}"
        );
    }
}

/// Pointers to every string and every member of a document, except inside JSON strings.
fn places(value: &Value, pointer: &str, strings: &mut Vec<String>, members: &mut Vec<String>) {
    match value {
        Value::String(_) => strings.push(pointer.to_owned()),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                places(element, &format!("{pointer}/{index}"), strings, members);
            }
        }
        Value::Object(object) => {
            for (name, member) in object {
                let place = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                members.push(place.clone());
                places(member, &place, strings, members);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn line(value: &Value) -> String {
    // The version must come first.
    let mut value = value.clone();
    let version = value.as_object_mut().unwrap().remove("tenon_tape").unwrap();
    format!("{{\"tenon_tape\":{version},{}\n", &value.to_string()[1..])
}

/// Tapes in which one string or member name at a time was made hostile.
fn hostile_tape(folder: &Folder) -> (String, usize) {
    let tape = folder.path("today.tape");
    let server = Server::start(&["--store", "memory", "--quiet", "--record", &tape]);
    for request in ["PUT /items/a", "GET /items/a"] {
        let body = r#"{"name":"lamp"}"#;
        server.talk(format!(
            "{request} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-note: a\r\ncookie: a=1\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ));
    }
    assert_eq!(server.stop().0, 0);
    let recorded = fs::read_to_string(&tape).unwrap();
    let mut text = String::new();
    let mut count = 0;
    for recorded in recorded.lines() {
        let mut recorded: Value = serde_json::from_str(recorded).unwrap();
        recorded["logs"] = serde_json::json!([{"level": "info", "message": "m", "attributes": {"a": "b"}, "after": 0}]);
        recorded["fault"] = serde_json::json!({"kind": "trap", "detail": "d"});
        let (mut strings, mut members) = (Vec::new(), Vec::new());
        places(&recorded, "", &mut strings, &mut members);
        for place in strings {
            let mut changed = recorded.clone();
            let string = changed.pointer_mut(&place).unwrap();
            *string = format!("{}{HOSTILE}", string.as_str().unwrap()).into();
            text.push_str(&line(&changed));
            count += 1;
        }
        for place in members {
            let (parent, name) = place.rsplit_once('/').unwrap();
            if name == "tenon_tape" {
                continue;
            }
            let name = name.replace("~1", "/").replace("~0", "~");
            let mut changed = recorded.clone();
            let members = changed
                .pointer_mut(parent)
                .unwrap()
                .as_object_mut()
                .unwrap();
            let member = members.remove(&name).unwrap();
            members.insert(format!("{name}{HOSTILE}"), member);
            text.push_str(&line(&changed));
            count += 1;
        }
    }
    (folder.write("hostile.tape", text), count)
}

#[test]
fn no_text_of_a_tape_acts_on_a_terminal() {
    let folder = Folder::new();
    let (tape, count) = hostile_tape(&folder);
    assert!(count > 80, "only {count} places");
    for options in [
        &["--trace"][..],
        &["--mode", "state"],
        &["--mode", "live"],
        &["--format", "json"],
        &["--format", "junit"],
    ] {
        let run = cli(&[&["replay", "--guest", image(), tape.as_str()], options].concat());
        let run = run.expect_code(1);
        assert!(!run.stdout.is_empty(), "{run:#?}");
        // The escaped text is shown.
        assert!(run.stdout.contains("\\u001b"), "{run:#?}");
        expect_harmless(&run);
    }
}

#[test]
fn no_text_of_an_event_a_name_or_an_argument_acts_on_a_terminal() {
    let folder = Folder::new();
    let mut event: Value =
        serde_json::from_str(&cli(&["event", "http", "GET", "/items"]).stdout).unwrap();
    event["requestContext"]["http"]["method"] = HOSTILE.into();
    event["rawPath"] = format!("/{HOSTILE}").into();
    let path = folder.write(
        &format!("events{}.json", HOSTILE.replace(['/', '\0'], "")),
        event.to_string(),
    );
    let unknown = folder.write(
        "unknown.json",
        format!("{{\"{HOSTILE}\":1}}")
            .replace('\r', "\\r")
            .replace('\n', "\\n")
            .replace(['\u{1b}', '\u{7}'], ""),
    );
    let case = folder.write("case/event.json", event.to_string());
    folder.write("case/response.json", Value::from(HOSTILE).to_string());
    let case = case.trim_end_matches("/event.json");
    let absent = folder.path(HOSTILE);
    for arguments in [
        &["replay", path.as_str(), case, "--guest", image()][..],
        &["replay", case, "--guest", image(), "--format", "json"],
        &["replay", case, "--guest", image(), "--format", "junit"],
        &["replay", &absent],
        &["replay", case, "--guest", image(), "--ignore", HOSTILE],
        &["replay", case, "--guest", image(), "--shard", HOSTILE],
        &["invoke", &path, "--guest", image()],
        &["invoke", &unknown, "--guest", image()],
        &["invoke", &path, "--guest", &absent],
        &["invoke", &path, "--store", HOSTILE],
        &["inspect", &path],
        &["serve", "--listen", HOSTILE],
        &[
            "promote",
            HOSTILE,
            HOSTILE,
            "--artifacts",
            "file://x",
            "--key",
            &absent,
        ],
    ] {
        let run = cli(arguments);
        if arguments[0] == "invoke" && run.code == 0 {
            // A program gets the response as the guest sent it.
            expect_harmless(&Run {
                stdout: String::new(),
                ..run
            });
        } else {
            assert_ne!(run.code, 0, "{run:#?}");
            expect_harmless(&run);
        }
    }
}
