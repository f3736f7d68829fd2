//! Tapes: recorded by `serve`, replayed in all their forms.

use crate::program::{Folder, Run, Server, cli, image};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt};

/// A tape of five requests.
pub fn record(folder: &Folder) -> String {
    let tape = folder.path("today.tape");
    let server = Server::start(&["--store", "memory", "--quiet", "--record", &tape]);
    assert_eq!(server.greeting[2], format!("recording to: {tape}"));
    let ask = |method: &str, target: &str, body: &str| {
        let length = body.len();
        server.talk(format!(
            "{method} {target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer s3cret\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    };
    for (method, target, body) in [
        ("PUT", "/items/a", r#"{"name":"lamp"}"#),
        ("PUT", "/items/b", r#"{"name":"desk"}"#),
        ("GET", "/items/a", ""),
        ("GET", "/items?limit=1", ""),
        ("GET", "/items/none", ""),
    ] {
        let answer = ask(method, target, body);
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    }
    let (code, stderr) = server.stop();
    assert_eq!((code, stderr.as_str()), (0, ""));
    tape
}

pub fn replay(arguments: &[&str]) -> Run {
    cli(&[&["replay", "--guest", image()], arguments].concat())
}

pub fn lines(tape: &str) -> Vec<String> {
    let text = fs::read_to_string(tape).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn what_serve_records_replays_strictly() {
    let folder = Folder::new();
    let tape = record(&folder);
    assert_eq!(lines(&tape).len(), 5);
    assert!(!fs::read_to_string(&tape).unwrap().contains("s3cret"));
    let mode = fs::metadata(&tape).unwrap().permissions().mode();
    assert_eq!(
        mode & 0o777,
        0o600,
        "a tape may hold what others must not see"
    );
    let run = replay(&[&tape]).expect_code(0);
    assert_eq!(run.stdout, "5 requests: 5 as expected\n");
    let run = replay(&[&tape, "--mode", "strict", "--jobs", "3"]).expect_code(0);
    assert_eq!(run.stdout, "5 requests: 5 as expected\n");
    let run = replay(&[&tape, "--mode", "state"]).expect_code(0);
    assert_eq!(run.stdout, "5 requests: 5 as expected\n");
}

#[test]
fn recording_goes_on_behind_a_line_that_was_cut() {
    let folder = Folder::new();
    let tape = folder.write("today.tape", "{\"tenon_tape\":1,\"id\":\"cut");
    fs::set_permissions(&tape, fs::Permissions::from_mode(0o600)).unwrap();
    record(&folder);
    let run = replay(&[&tape]).expect_code(0);
    assert!(
        run.stdout
            .ends_with("5 requests: 5 as expected, 1 incomplete\n"),
        "{run:#?}"
    );
    assert!(run.stdout.starts_with("incomplete "), "{run:#?}");
}

#[test]
fn a_changed_tape_differs_in_every_format() {
    let folder = Folder::new();
    let tape = record(&folder);
    let text = fs::read_to_string(&tape).unwrap();
    let changed = folder.write("changed.tape", text.replacen("lamp", "vase", 1));
    let run = replay(&[&changed]).expect_code(1);
    assert!(
        run.stdout.contains(
            "call 1, `put`: other arguments: /document/name: expected \"lamp\", got \"vase\""
        ),
        "{run:#?}"
    );
    assert!(
        run.stdout
            .ends_with("5 requests: 4 as expected, 1 differing because of redaction\n"),
        "{run:#?}"
    );
    let run = replay(&[&changed, "--format", "json"]).expect_code(1);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&report["requests"], &report["same"], &report["redacted"]),
        (&json!(5), &json!(4), &json!(1))
    );
    assert_eq!(report["differences"][0]["line"], 1);
    assert_eq!(report["differences"][0]["verdict"], "redacted");
    let run = replay(&[&changed, "--format", "junit"]).expect_code(1);
    assert!(
        run.stdout
            .contains("tests=\"2\" skipped=\"0\" failures=\"1\"")
            && run.stdout.contains("other arguments")
            && run
                .stdout
                .contains("changed.tape: 4 of 5 requests as expected"),
        "{run:#?}"
    );
}

#[test]
fn one_request_is_told_step_by_step() {
    let folder = Folder::new();
    let tape = record(&folder);
    let third: Value = serde_json::from_str(&lines(&tape)[2]).unwrap();
    let id = third["id"].as_str().unwrap();
    let run = replay(&[&tape, "--only", &id[..12], "--trace"]).expect_code(0);
    for words in [
        id,
        "received 20",
        "event    {",
        "get {\"key\":{\"partition\":\"items\",\"sort\":\"a\"}",
        "-> {\"ok\":{\"document\"",
        "response {\"statusCode\":200",
        "redacted /event/headers/authorization",
    ] {
        assert!(
            run.stdout.contains(words),
            "`{words}` is not in {}",
            run.stdout
        );
    }
    assert!(
        run.stdout.ends_with("1 request: 1 as expected\n"),
        "{run:#?}"
    );
}

#[test]
fn shards_share_the_requests_among_them() {
    let folder = Folder::new();
    let tape = record(&folder);
    let mut all = 0;
    for shard in ["1/3", "2/3", "3/3"] {
        let run = replay(&[&tape, "--shard", shard, "--format", "json"]).expect_code(0);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        all += report["same"].as_u64().unwrap();
    }
    assert_eq!(all, 5);
    for bad in ["0/3", "4/3", "x", "1/0"] {
        replay(&[&tape, "--shard", bad])
            .expect_failure(2, "is not a valid shard")
            .expect_hint();
    }
}

/// Made by `age-keygen`.
const IDENTITY: &str = "AGE-SECRET-KEY-1ADKVNJHKPU4LE9PMG84U78U8SYEN8AZFLUN5JWS9LDRA022FDU4QECXLGL";
const RECIPIENT: &str = "age1nge76wajuv5llg5cwjhrcq8yusvaut29p0m0aze3jmft0la88fwqmjfspd";

#[test]
fn an_encrypted_tape_is_read_by_its_identity_only() {
    let folder = Folder::new();
    let tape = folder.path("secret.tape");
    let server = Server::start(&[
        "--store",
        "memory",
        "--quiet",
        "--record",
        &tape,
        "--record-recipient",
        RECIPIENT,
    ]);
    server.talk("GET /items/a HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer s3cret\r\nconnection: close\r\n\r\n");
    assert_eq!(server.stop().0, 0);
    let text = fs::read_to_string(&tape).unwrap();
    assert!(
        !text.contains("s3cret") && !text.contains("items"),
        "{text}"
    );
    let run = replay(&[&tape]).expect_code(1);
    assert!(run.stdout.contains("line is encrypted"), "{run:#?}");
    assert!(
        run.stdout
            .ends_with("1 request: 0 as expected, 1 encrypted\n"),
        "{run:#?}"
    );
    let identity = folder.write("key.txt", format!("# created: today\n{IDENTITY}\n"));
    let readable_by = |mode| {
        fs::set_permissions(&identity, fs::Permissions::from_mode(mode)).unwrap();
    };
    readable_by(0o644);
    replay(&[&tape, "--identity", &identity]).expect_failure(3, "is readable by others");
    readable_by(0o600);
    let run = replay(&[&tape, "--identity", &identity, "--trace"]).expect_code(0);
    // Nothing was lost.
    assert!(run.stdout.contains("Bearer s3cret"), "{run:#?}");
    assert!(
        run.stdout.ends_with("1 request: 1 as expected\n"),
        "{run:#?}"
    );
    replay(&[&tape, "--identity", &tape]).expect_failure(3, "not an age identity");
    let serve = ["serve", "--guest", "embedded", "--record", "x"];
    cli(&[&serve[..], &["--record-recipient", "x"]].concat())
        .expect_failure(2, "not an age recipient");
}

#[test]
fn live_mode_takes_only_the_events() {
    let folder = Folder::new();
    let tape = record(&folder);
    let run = replay(&[&[tape.as_str(), "--mode", "live"], &OF_THE_PROCESS[..]].concat());
    let run = run.expect_code(0);
    assert_eq!(run.stdout, "5 events: 5 as expected\n");
}

#[test]
fn one_job_is_no_plural() {
    let folder = Folder::new();
    let tape = record(&folder);
    let run = replay(&[&tape, "--jobs", "1"]).expect_code(0);
    assert!(run.stderr.trim_end().ends_with("/s, 1 job"), "{run:#?}");
}

/// Differences from the recorded responses: `serve` seals cursors of a memory store with a key of its own.
const OF_THE_PROCESS: [&str; 4] = ["--ignore", "/body/next", "--ignore", "header:link"];

#[test]
fn live_mode_compares_what_is_answered() {
    let folder = Folder::new();
    let tape = record(&folder);
    let text = fs::read_to_string(&tape).unwrap();
    // The third request read the lamp that the first one stored.
    let last = |from: &str, to: &str| {
        let at = text.rfind(from).unwrap();
        format!("{}{to}{}", &text[..at], &text[at + from.len()..])
    };
    let changed = folder.write(
        "changed.tape",
        last(r#"\"name\":\"lamp\""#, r#"\"name\":\"vase\""#),
    );
    let live = |path: &str| replay(&[&[path, "--mode", "live"], &OF_THE_PROCESS[..]].concat());
    let run = live(&changed).expect_code(1);
    assert!(run.stdout.contains(r#"/body/"#), "{run:#?}");
    let words = r#"/name: expected "vase", got "lamp""#;
    assert!(run.stdout.contains(words), "{run:#?}");
    assert!(
        run.stdout
            .ends_with("5 events: 4 as expected, 1 differing\n"),
        "{run:#?}"
    );
    replay(&[
        &changed,
        "--mode",
        "live",
        "--ignore",
        "/body",
        "--ignore",
        "header:link",
    ])
    .expect_code(0);
    let missing = folder.write(
        "missing.tape",
        lines(&tape)[2..]
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    );
    let run = live(&missing).expect_code(1);
    assert!(run.stdout.contains("GET /items/a 200 -> 404"), "{run:#?}");
}

#[test]
fn a_request_that_differs_is_named_with_what_to_do_next() {
    let folder = Folder::new();
    let tape = record(&folder);
    let text = fs::read_to_string(&tape).unwrap();
    let changed = folder.write(
        "changed.tape",
        text.replacen("\"statusCode\":201", "\"statusCode\":200", 1),
    );
    let first: Value = serde_json::from_str(&lines(&changed)[0]).unwrap();
    let id = first["id"].as_str().unwrap();
    let run = replay(&[&changed]).expect_code(1);
    let heading = format!("PUT /items/a 201 ({changed}:1, id {id})");
    assert!(run.stdout.contains(&heading), "{run:#?}");
    let next = format!("next: add `--only {} --trace`", &id[..13]);
    assert!(
        run.stderr.contains(&next) && run.stderr.contains("--report FILE"),
        "{run:#?}"
    );
    replay(&[&changed, "--only", &id[..13], "--trace"]).expect_code(1);

    let run = replay(&[&changed, "--format", "json"]).expect_code(1);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        report["differences"][0]["request"],
        json!({"method": "PUT", "path": "/items/a", "status_expected": 201, "status_actual": 201})
    );
    let run = replay(&[&changed, "--format", "junit"]).expect_code(1);
    assert!(run.stdout.contains("name=\"PUT /items/a 201 ("), "{run:#?}");
    assert!(
        run.stdout.contains("--trace` shows it step by step"),
        "{run:#?}"
    );
}

#[test]
fn another_guest_than_the_recorded_one_is_never_taken_by_itself() {
    let folder = Folder::new();
    let tape = record(&folder);
    let line: Value = serde_json::from_str(&lines(&tape)[0]).unwrap();
    let recorded = line["guest"].as_str().unwrap();
    // It was recorded with the embedded guest.
    cli(&["replay", &tape]).expect_code(0);
    let other = "ab".repeat(32);
    let foreign = folder.write(
        "foreign.tape",
        fs::read_to_string(&tape).unwrap().replace(recorded, &other),
    );
    for mode in [
        &[][..],
        &["--mode", "state"],
        &["--mode", "strict"],
        &["--mode", "live"],
    ] {
        let run = cli(&[&["replay", foreign.as_str()], mode].concat()).expect_code(2);
        assert_eq!(run.stdout, "");
        for words in [
            other.as_str(),
            recorded,
            "foreign.tape:1",
            "--guest embedded",
        ] {
            assert!(run.stderr.contains(words), "`{words}` is not in {run:#?}");
        }
    }
    let run = cli(&["replay", &foreign, "--guest", "embedded", "--mode", "state"]);
    assert!(run.stdout.contains("5 requests"), "{run:#?}");
}

#[test]
fn a_tape_that_others_can_read_is_made_private() {
    let folder = Folder::new();
    for tape in [record(&folder), folder.write("empty.tape", "")] {
        fs::set_permissions(&tape, fs::Permissions::from_mode(0o644)).unwrap();
        let server = Server::start(&["--store", "memory", "--record", &tape]);
        let mode = fs::metadata(&tape).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        server.talk("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let (_, stderr) = server.stop();
        assert!(stderr.contains("now only its owner can"), "{stderr}");
        let last = format!("\nstopped: 1 request served; tape: {tape}\n");
        assert!(stderr.ends_with(&last), "{stderr}");
    }
}

#[test]
fn what_is_no_tape_is_not_recorded_to() {
    let folder = Folder::new();
    let event = folder.write("event.json", "{\"precious\": 1}");
    for path in [&event, &folder.path(""), "/dev/null"] {
        cli(&[
            "serve",
            "--store",
            "memory",
            "--guest",
            image(),
            "--listen",
            "127.0.0.1:0",
            "--record",
            path,
        ])
        .expect_failure(3, "is not a tape")
        .expect_hint();
    }
    assert_eq!(folder.read("event.json"), b"{\"precious\": 1}");
}

#[test]
fn on_miss_is_refused_where_nothing_asks_it() {
    let folder = Folder::new();
    let tape = record(&folder);
    let event = folder.write(
        "event.json",
        cli(&["event", "http", "GET", "/items"]).stdout,
    );
    for (options, words) in [
        (
            &[tape.as_str(), "--on-miss", "live"][..],
            "the memory store is empty",
        ),
        (
            &[&tape, "--on-miss", "absent", "--mode", "strict"],
            "has no effect with `--mode strict`",
        ),
        (
            &[&tape, "--on-miss", "fail", "--mode", "live"],
            "has no effect with `--mode live`",
        ),
        (
            &[&event, "--on-miss", "absent"],
            "has no effect without a tape",
        ),
        (
            &[&tape, "--ignore", "/status", "--mode", "strict"],
            "compares every byte",
        ),
        (
            &[&tape, "--ignore", "/statusCode"],
            "did you mean `/status`?",
        ),
    ] {
        replay(options).expect_failure(2, words);
    }
}

#[test]
fn wrong_options_are_refused_by_name() {
    let folder = Folder::new();
    let tape = record(&folder);
    for (options, words) in [
        (&["--ignore", "date"][..], "`date` is not a rule"),
        (&["--cost-max", "0.5"], "is not a number of at least 1"),
        (&["--env", "[]"], "needs the name of a variable"),
        (&["--only", ""], "is empty"),
    ] {
        replay(&[&[tape.as_str()], options].concat()).expect_failure(2, words);
    }
    let serve = ["serve", "--guest", "embedded", "--record", "x"];
    cli(&[&serve[..], &["--record-policy", "some"]].concat())
        .expect_failure(2, "does not say what to record");
    cli(&[&serve[..], &["--redact-field", "email"]].concat())
        .expect_failure(2, "is not a JSON pointer");
}
