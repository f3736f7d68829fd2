//! `promote --gate`: the new guest must respond like the current one.

use crate::{
    program::{Folder, GUEST, Server, cli, image},
    release::{artifacts, publish, site},
};
use serde_json::Value;
use std::{collections::BTreeSet, fs};

/// A case to which the current and the new guest respond differently stops the promotion.
#[test]
fn a_gate_lets_through_what_does_the_same_and_nothing_else() {
    let site = site();
    let folder = Folder::new();
    let event = |target: &str| {
        cli(&[
            "event",
            "http",
            "GET",
            target,
            "--at",
            "2026-01-15T12:00:00Z",
        ])
        .expect_code(0)
        .stdout
    };
    let events = folder.write("events.jsonl", event("/items") + &event("/openapi.json"));
    site.run("promote", &["gated", &site.first]).expect_code(0);
    let passed = site
        .run("promote", &["gated", &site.second, "--gate", &events])
        .expect_code(0);
    assert!(
        passed.stderr.contains("gate: 3 compared, 0 differ"),
        "{passed:?}"
    );

    // An event that is not a request proves nothing.
    let noise = folder.write("noise.jsonl", "{\"Records\":[]}\n");
    let noise = site
        .run("promote", &["gated", &site.second, "--gate", &noise])
        .expect_code(1);
    assert!(noise.stdout.contains("no guest was called"), "{noise:?}");

    // The title in the served document, with the same length.
    let mut changed = fs::read(GUEST).unwrap();
    let at = member_in(&changed);
    changed[at] = b'O';
    folder.write("changed.wasm", changed);
    let changed = publish(&site.folder, &folder.path("changed.wasm"));
    let refused = site
        .run("promote", &["gated", &changed, "--gate", &events])
        .expect_code(1);
    assert!(refused.stdout.contains("events.jsonl"), "{refused:?}");
    assert!(refused.stderr.contains("not promoted"), "{refused:?}");
    let shown = site
        .look(&["channel", "show", "gated"])
        .expect_code(0)
        .stdout;
    assert!(!shown.contains(&changed), "{shown}");
    site.run(
        "promote",
        &[
            "gated", &changed, "--gate", &events, "--ignore", "/body", "--ignore", "/headers",
        ],
    )
    .expect_code(0);
}

/// Whichever guest a tape was recorded with, the current guest's behaviour counts.
#[test]
fn a_gate_with_a_tape_compares_the_present_guest_with_the_new_one() {
    let site = site();
    let folder = Folder::new();
    let tape = folder.path("recorded.tape");
    let server = Server::start(&["--store", "memory", "--quiet", "--record", &tape]);
    server.talk("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    server.stop();
    let mut other = fs::read(GUEST).unwrap();
    let at = member_in(&other);
    other[at] = b'P';
    let other = publish(&site.folder, &folder.write("other.wasm", other));
    site.run("promote", &["taped", &other]).expect_code(0);
    let again = site
        .run("promote", &["taped", &other, "--gate", &tape])
        .expect_code(0);
    assert!(
        again.stderr.contains("gate: 1 compared, 0 differ"),
        "{again:?}"
    );
    let recorded = site
        .run("promote", &["taped", &site.first, "--gate", &tape])
        .expect_code(1);
    assert!(
        recorded.stderr.contains("not promoted: the guests differ"),
        "{recorded:?}"
    );
}

/// The tape of one request.
fn recorded(folder: &Folder, request: &str) -> String {
    let recording = folder.path("recorded.tape");
    let server = Server::start(&["--store", "memory", "--quiet", "--record", &recording]);
    server.talk(request);
    server.stop();
    fs::read_to_string(recording).unwrap()
}

/// A tape whose limits let no guest answer proves nothing, however alike the answers of the host are.
#[test]
fn a_gate_does_not_count_what_the_host_answers() {
    let site = site();
    let folder = Folder::new();
    let whole = recorded(
        &folder,
        "POST /items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"name\":\"x\"}",
    );
    let limited = |name: &str, value: u64| {
        // As text, so that the order of the members stays.
        let (before, rest) = whole.split_once("\"limits\":{").unwrap();
        let (_, after) = rest.split_once('}').unwrap();
        format!("{before}\"limits\":{{\"{name}\":{value}}}{after}")
    };
    site.run("promote", &["limited", &site.first])
        .expect_code(0);
    for refused in [
        limited("request_body_bytes_max", 1),
        limited("guest_memory_bytes_max", 65536),
    ] {
        let gate = |lines: String| {
            let tape = folder.write("gate.tape", lines);
            let run = site.run("promote", &["limited", &site.second, "--gate", &tape]);
            (run, tape)
        };
        let (run, tape) = gate(refused.clone());
        let run = run.expect_code(1);
        let says = format!(
            "gate: 0 compared, 0 differ, 1 not counted because the host answered instead of a guest: {tape}:1\n"
        );
        assert!(run.stderr.contains(&says), "{run:?}");
        assert!(
            run.stderr
                .contains("error: not promoted: the gate compared nothing"),
            "{run:?}"
        );
        let (run, _) = gate(format!("{whole}{refused}"));
        let run = run.expect_code(0);
        assert!(
            run.stderr
                .contains("gate: 1 compared, 0 differ, 1 not counted"),
            "{run:?}"
        );
    }
}

/// What was not compared is reported; a gate that compared nothing refuses.
#[test]
fn a_gate_tells_which_lines_of_a_tape_are_cut_off() {
    let site = site();
    let folder = Folder::new();
    let whole = recorded(
        &folder,
        "GET /items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(whole.lines().count(), 1);
    let cut = &whole[..whole.len() / 2];
    site.run("promote", &["cut", &site.first]).expect_code(0);
    let gate = |lines: String| {
        let tape = folder.write("gate.tape", lines);
        let run = site.run("promote", &["cut", &site.second, "--gate", &tape]);
        (run, tape)
    };
    let (run, tape) = gate(format!("{whole}{cut}"));
    let run = run.expect_code(0);
    let says = format!(
        "gate: 1 compared, 0 differ, 1 line not compared because it is incomplete: {tape}:2\n"
    );
    assert!(run.stderr.contains(&says), "{run:?}");
    let (run, tape) = gate(format!("{cut}\n{whole}{cut}"));
    let run = run.expect_code(0);
    let says = format!(", 2 lines not compared because they are incomplete, the first: {tape}:1\n");
    assert!(run.stderr.contains(&says), "{run:?}");
    let (run, _) = gate(cut.to_owned());
    let run = run.expect_code(1);
    for says in [
        "gate: 0 compared, 0 differ, 1 line",
        "error: not promoted: the gate compared nothing\n  hint: ",
    ] {
        assert!(run.stderr.contains(says), "{run:?}");
    }
}

/// A guest that answers `/openapi.json` with another document of the same length.
fn other_guest(folder: &Folder) -> String {
    let mut other = fs::read(GUEST).unwrap();
    let at = member_in(&other);
    other[at] = b'Q';
    folder.write("other.wasm", other)
}

/// Where a guest has a member's name of the document at `/openapi.json`; the path, which it also has, is not preceded by a quote.
fn member_in(guest: &[u8]) -> usize {
    let member = b"\"openapi\"";
    let at = guest
        .windows(member.len())
        .position(|window| window == member);
    at.unwrap() + 1
}

/// The places named by a replay or a gate, and its exit code.
fn places(arguments: &[&str], rules: &[&str]) -> (BTreeSet<String>, i32) {
    let rules = rules.iter().flat_map(|rule| ["--ignore", rule]);
    let arguments: Vec<&str> = arguments.iter().copied().chain(rules).collect();
    let run = cli(&arguments);
    let places = match serde_json::from_str::<Value>(&run.stdout) {
        Ok(report) => {
            let parts = report["differences"].as_array().unwrap().iter();
            let parts = parts.flat_map(|entry| entry["mismatches"].as_array().unwrap());
            let places = parts.flat_map(|part| part["differences"].as_array().unwrap());
            places
                .map(|place| place["pointer"].as_str().unwrap().to_owned())
                .collect()
        }
        Err(_) => run
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.split(": ").next())
            .map(str::to_owned)
            .collect(),
    };
    (places, run.code)
}

/// Cases, tapes in state mode, live tapes, and a gate with each of them and with events: a difference has one place, and a rule one
/// meaning.
#[test]
fn a_rule_means_the_same_wherever_guests_are_compared() {
    let site = site();
    let folder = Folder::new();
    let tape = folder.path("recorded.tape");
    let server = Server::start(&["--store", "memory", "--quiet", "--record", &tape]);
    server.talk("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    server.stop();
    let time = "2026-01-15T12:00:00Z";
    let event = cli(&["event", "http", "GET", "/openapi.json", "--at", time]);
    let event = event.expect_code(0).stdout;
    let events = folder.write("events.jsonl", &event);
    folder.write("case/event.json", &event);
    let case = folder.path("case");
    cli(&["replay", &case, "--guest", image(), "--bless"]).expect_code(0);

    let other = other_guest(&folder);
    let new = publish(&site.folder, &other);
    site.run("promote", &["ruled", &site.first]).expect_code(0);
    let replay = |input: &str, options: &[&str]| -> Vec<String> {
        let guest = ["--guest", other.as_str(), "--format", "json"];
        let arguments = [&["replay", input], &guest[..], options].concat();
        arguments.into_iter().map(str::to_owned).collect()
    };
    let (stores, key) = (artifacts(&site.folder), site.folder.path("key"));
    let gate = |input: &str| -> Vec<String> {
        let signed = ["--artifacts", stores.as_str(), "--key", &key];
        let arguments = [&["promote", "ruled", &new, "--gate", input], &signed[..]].concat();
        arguments.into_iter().map(str::to_owned).collect()
    };
    let (gone, added) = ("/body/openapi", "/body/Qpenapi");
    let set = |places: &[&str]| -> BTreeSet<String> {
        places.iter().map(|place| (*place).to_owned()).collect()
    };
    for way in [
        replay(&case, &[]),
        replay(&tape, &["--mode", "state"]),
        replay(&tape, &["--mode", "live"]),
        gate(&case),
        gate(&events),
        gate(&tape),
    ] {
        let way: Vec<&str> = way.iter().map(String::as_str).collect();
        let found = |rules: &[&str]| places(&way, rules);
        let other_rules = ["/status", "header:ETag", "/headers/vary"];
        assert_eq!(found(&other_rules), (set(&[gone, added]), 1), "{way:?}");
        assert_eq!(found(&[gone]), (set(&[added]), 1), "{way:?}");
        assert_eq!(found(&["/statusCode"]).1, 2, "{way:?}");
        if way[0] == "replay" {
            assert_eq!(found(&["/body/*"]), (set(&[]), 0), "{way:?}");
        }
    }
    let promoted = gate(&events);
    let promoted: Vec<&str> = promoted.iter().map(String::as_str).collect();
    assert_eq!(places(&promoted, &["/body/*"]).1, 0);
}
