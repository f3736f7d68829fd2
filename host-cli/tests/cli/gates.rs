//! `promote --gate`: what the present guest answers, the new one has to answer as well.

use crate::{
    program::{Folder, GUEST, Server, cli},
    release::{publish, site},
};
use std::fs;

/// A case that the present guest and the new one answer differently stops the promotion.
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

    // What is no request proves nothing.
    let noise = folder.write("noise.jsonl", "{\"Records\":[]}\n");
    let noise = site
        .run("promote", &["gated", &site.second, "--gate", &noise])
        .expect_code(1);
    assert!(noise.stdout.contains("no guest was asked"), "{noise:?}");

    // The title in the served document, as long as before.
    let other = String::from_utf8_lossy(&fs::read(GUEST).unwrap()).contains("openapi");
    assert!(other);
    let mut changed = fs::read(GUEST).unwrap();
    let at = changed
        .windows(7)
        .position(|window| window == b"openapi")
        .unwrap();
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

/// Whatever guest a tape was recorded with: what counts is what the present one does.
#[test]
fn a_gate_with_a_tape_compares_the_present_guest_with_the_new_one() {
    let site = site();
    let folder = Folder::new();
    let tape = folder.path("recorded.tape");
    let server = Server::start(&["--store", "memory", "--quiet", "--record", &tape]);
    server.talk("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    server.stop();
    let mut other = fs::read(GUEST).unwrap();
    let at = other
        .windows(7)
        .position(|window| window == b"openapi")
        .unwrap();
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

/// What was not compared is told; a gate that compared nothing holds.
#[test]
fn a_gate_tells_which_lines_of_a_tape_are_cut_off() {
    let site = site();
    let folder = Folder::new();
    let recording = folder.path("recorded.tape");
    let server = Server::start(&["--store", "memory", "--quiet", "--record", &recording]);
    server.talk("GET /items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    server.stop();
    let whole = fs::read_to_string(recording).unwrap();
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
        "gate: 1 compared, 0 differ, 1 line not compared because it is cut off: {tape}:2\n"
    );
    assert!(run.stderr.contains(&says), "{run:?}");
    let (run, tape) = gate(format!("{cut}\n{whole}{cut}"));
    let run = run.expect_code(0);
    let says = format!(", 2 lines not compared because they are cut off, the first: {tape}:1\n");
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
