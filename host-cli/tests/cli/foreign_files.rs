//! Tapes, cases and events that were made to do damage: bounded memory and time, a clear word, and the rest is done all the same.

use crate::program::{Folder, cli, command, image};
use std::{
    fs,
    io::Write,
    os::unix::fs::symlink,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What a program may hold at most while it reads foreign files.
const MEMORY_BYTES_MAX: usize = 256 << 20;
const REJECTED: &str = r#""received_at_ms":0,"guest":null,"seed":"0000000000000000000000000000000000000000000000000000000000000000","calls":[],"response":null"#;

/// A line of a request that no guest saw.
fn line(id: &str, event: &str) -> String {
    format!(r#"{{"tenon_tape":1,"id":"{id}",{REJECTED},"event":{event},"rejection":"x"}}"#)
}

/// JSON in a string in JSON, under a name that serde_json gives a meaning.
fn nested(levels: usize) -> String {
    (0..levels).fold("1".to_owned(), |text, _| {
        serde_json::json!({ "$serde_json::private::RawValue": text }).to_string()
    })
}

/// Exit code and the most memory that the program took, of what `/proc` says while it runs.
fn run_measured(arguments: &[&str]) -> (Option<i32>, usize) {
    let mut child = command(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let mut peak = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = high.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kibibytes.unwrap_or(0_usize) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            return (status.code(), peak);
        }
        assert!(started.elapsed() < Duration::from_secs(180), "no end");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn private_names_of_a_library_overflow_no_stack() {
    let folder = Folder::new();
    let deep = nested(14);
    let tape = [line("deep", &deep), line("after", "{}")].join("\n");
    let tape = folder.write("deep.tape", tape);
    let run = cli(&["replay", &tape, "--guest", image(), "--trace"]).expect_code(1);
    assert!(run.stdout.contains("2 requests"), "{run:#?}");
    let event = folder.write("deep.json", deep);
    cli(&["invoke", &event, "--guest", image()]).expect_failure(1, "not an HTTP request");
}

#[test]
fn a_replay_of_nothing_fails() {
    let folder = Folder::new();
    let tape = folder.write("one.tape", line("abc", "{}"));
    let replay = |more: &[&str]| cli(&[&["replay", &tape, "--guest", image()], more].concat());
    let run = replay(&["--only", "zzz"]).expect_code(3);
    assert!(run.stderr.contains("begins with `zzz`"), "{run:#?}");
    assert_eq!(run.stdout, "");
    assert!(replay(&["--only", "abc"]).stdout.contains("1 request"));
    replay(&["--shard", "2/2"]).expect_code(0);
    let cut = folder.write("cut.tape", "{\"tenon_tape\":1,\"id\":\"cut");
    let run = cli(&["replay", &cut, "--guest", image()]).expect_code(3);
    assert!(run.stderr.contains("no exchange was replayed"), "{run:#?}");
}

#[test]
fn links_and_pipes_in_folders_are_left_out() {
    let folder = Folder::new();
    folder.write("whole.tape", line("abc", "{}"));
    symlink("/dev/zero", folder.path("zero.tape")).unwrap();
    let pipe = folder.path("pipe.tape");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let run = cli(&["replay", &folder.path(""), "--guest", image()]);
    assert!(run.stdout.contains("1 request"), "{run:#?}");
    assert!(run.stderr.contains("zero.tape` is a link"), "{run:#?}");
    assert!(run.stderr.contains("pipe.tape` is no regular"), "{run:#?}");
}

#[test]
fn hostile_tapes_take_bounded_memory_and_do_not_hold_up_other_lines() {
    let folder = Folder::new();
    let list = |element: &str| element.repeat((15 << 20) / element.len());
    let listed = |name: &str, element: &str| {
        let elements = list(element);
        let elements = elements.trim_end_matches(',');
        format!(r#"{{"tenon_tape":1,"id":"{name}",{REJECTED},"event":{{}},"{name}":[{elements}]}}"#)
    };
    let path = folder.path("hostile.tape");
    let mut tape = fs::File::create(&path).unwrap();
    for _ in 0..3 {
        for text in [
            listed("omitted", "0,"),
            listed("logs", "0,"),
            line("event", &format!("[{}0]", list("0,"))),
            format!(
                r#"{{"tenon_tape":1,"id":"{}"}}"#,
                list("long") + &list("long")
            ),
        ] {
            writeln!(tape, "{text}").unwrap();
        }
    }
    for number in 0..100_000 {
        let text =
            format!(r#"{{"tenon_tape_part":1,"of":4096,"sha256":"{number:064x}","text":""}}"#);
        writeln!(tape, "{text}").unwrap();
    }
    writeln!(tape, "{}", line("after", "{}")).unwrap();
    drop(tape);
    let (code, peak) = run_measured(&["replay", &path, "--guest", image(), "--jobs", "2"]);
    assert_eq!(code, Some(1), "bad lines are told");
    assert!(peak < MEMORY_BYTES_MAX, "{} MiB", peak >> 20);
    let run = cli(&["replay", &path, "--guest", image(), "--only", "after"]);
    assert!(run.stdout.contains("hostile.tape:100013"), "{run:#?}");
}
