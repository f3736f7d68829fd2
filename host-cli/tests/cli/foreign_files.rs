//! Malicious tapes, cases and events: bounded memory and time, a clear message, and the rest of the input is processed.

use crate::program::{Folder, GUEST, Server, cli, command, image};
use std::{
    fs,
    io::Write,
    os::unix::fs::symlink,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Largest memory of the program while it reads foreign files.
const MEMORY_BYTES_MAX: usize = 256 << 20;
const REJECTED: &str = r#""received_at_ms":0,"guest":null,"seed":"0000000000000000000000000000000000000000000000000000000000000000","calls":[],"response":null"#;

/// A line of a request that no guest saw.
fn line(id: &str, event: &str) -> String {
    format!(r#"{{"tenon_tape":1,"id":"{id}",{REJECTED},"event":{event},"rejection":"x"}}"#)
}

/// JSON in a string in JSON, with a name that has a special meaning in serde_json.
fn nested(levels: usize) -> String {
    (0..levels).fold("1".to_owned(), |text, _| {
        serde_json::json!({ "$serde_json::private::RawValue": text }).to_string()
    })
}

/// Exit code and peak memory of the program, from `/proc` while it runs.
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
    assert!(run.stderr.contains("no request was replayed"), "{run:#?}");
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
    // Outside of the case, like a file shared by several cases.
    let elsewhere = Folder::new();
    elsewhere.write("event.json", "{}");
    symlink(elsewhere.path(""), folder.path("case")).unwrap();
    let run = cli(&["replay", &folder.path(""), "--guest", image()]);
    assert!(run.stdout.contains("1 request"), "{run:#?}");
    assert!(run.stderr.contains("zero.tape` is a link"), "{run:#?}");
    assert!(
        run.stderr.contains("pipe.tape` is not a regular"),
        "{run:#?}"
    );
    let case = folder.path("case");
    assert!(
        run.stderr.contains(&format!(
            "`{case}` is a link to a folder and was skipped: name it to read it"
        )),
        "{run:#?}"
    );
    let run = cli(&["replay", &case, "--guest", image()]);
    assert!(run.stdout.contains("1 case"), "{run:#?}");
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

/// A text that decompresses to a thousand times its size, followed by a line of tape.
#[test]
fn a_compressed_tape_is_never_held_as_a_whole() {
    let folder = Folder::new();
    let path = folder.path("bomb.tape.gz");
    let mut child = Command::new("gzip")
        .args(["-1", "-c"])
        .stdin(Stdio::piped())
        .stdout(fs::File::create(&path).unwrap())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..2 * (MEMORY_BYTES_MAX >> 20) {
        stdin.write_all(&zeros).unwrap();
    }
    writeln!(stdin, "\n{}", line("after", "{}")).unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    let (code, peak) = run_measured(&["replay", &path, "--guest", image()]);
    assert_eq!(code, Some(1), "the long line is told");
    assert!(peak < MEMORY_BYTES_MAX, "{} MiB", peak >> 20);
    let run = cli(&["replay", &path, "--guest", image(), "--only", "after"]);
    assert!(run.stdout.contains("bomb.tape.gz:2, id after"), "{run:#?}");
}

#[test]
fn hostile_cases_and_events_take_bounded_memory() {
    let folder = Folder::new();
    let list = |bytes: usize| format!("[{}0]", "0,".repeat(bytes / 2 - 2));
    let objects = |bytes: usize| format!("[{}0]", "{\"a\":{}},".repeat(bytes / 9 - 2));
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let (event_bytes, file_bytes) = (11 << 20, 15 << 20);
    for (number, long) in [list, objects, text].iter().enumerate() {
        folder.write(&format!("events/{number}.json"), long(event_bytes));
        folder.write(&format!("events/{number}.jsonl"), long(event_bytes));
        folder.write(
            &format!("cases/event-{number}/event.json"),
            long(event_bytes),
        );
        for file in ["before", "response", "after"] {
            let case = format!("cases/{file}-{number}");
            folder.write(&format!("{case}/event.json"), "{}");
            folder.write(&format!("{case}/{file}.json"), long(file_bytes));
        }
    }
    // The largest number of values in a case, in several cases at once: in the expectation, and in stored entries that are read back.
    let members = |number: usize| format!("\"{number:040}\":{{}}");
    let largest = (0..249_000).map(members).collect::<Vec<_>>().join(",");
    let entry = |number: usize| {
        format!(
            r#"{{"partition":"p","sort":"{number:0200}","document":{{"a":{{}}}},"revision":"1"}}"#
        )
    };
    let entries = (0..41_000).map(entry).collect::<Vec<_>>().join(",");
    for number in 0..3 {
        let expected = format!("cases/expected-{number}");
        folder.write(&format!("{expected}/event.json"), "{}");
        folder.write(
            &format!("{expected}/response.json"),
            format!("{{{largest}}}"),
        );
        let stored = format!("cases/stored-{number}");
        folder.write(&format!("{stored}/event.json"), "{}");
        folder.write(&format!("{stored}/before.json"), format!("[{entries}]"));
        folder.write(&format!("{stored}/response.json"), "{}");
        folder.write(&format!("{stored}/after.json"), "[]");
    }
    // The events are not requests, and have too many values to be classified. A case whose files have too many values cannot be read.
    for (inputs, expected) in [("events", 3), ("cases", 3)] {
        let inputs = folder.path(inputs);
        let arguments = ["replay", &inputs, "--guest", image(), "--jobs", "4"];
        let (code, peak) = run_measured(&arguments);
        assert!(peak < MEMORY_BYTES_MAX, "{inputs}: {} MiB", peak >> 20);
        assert_eq!(code, Some(expected), "{inputs}");
    }
}

/// A module with empty functions has four bytes for each, for which a compiler needs kilobytes.
#[test]
fn a_component_of_very_many_functions_takes_bounded_memory() {
    let folder = Folder::new();
    let number = |value: usize| {
        let group = |index: usize| ((value >> (7 * index)) & 0x7f) as u8;
        let mut bytes: Vec<u8> = (0..4).map(|index| group(index) | 0x80).collect();
        bytes.push(group(4));
        bytes
    };
    let section =
        |id: u8, content: &[u8]| [&[id][..], &number(content.len())[..], content].concat();
    let count = 900_000;
    let repeat = |item: &[u8]| [number(count), item.repeat(count)].concat();
    let module = [
        &b"\0asm\x01\0\0\0"[..],
        &section(1, &[1, 0x60, 0, 0]),
        &section(3, &repeat(&[0])),
        &section(10, &repeat(&[2, 0, 0x0b])),
    ]
    .concat();
    let component = [b"\0asm\x0d\0\x01\0", &section(1, &module)[..]].concat();
    let guest = folder.write("many.wasm", component);
    let (image, event) = (folder.path("many.cwasm"), folder.write("event.json", "{}"));
    let compile = ["compile", &guest, "-o", &image];
    let invoke = ["invoke", &event, "--guest", &guest];
    for (arguments, expected) in [(&compile[..], 3), (&invoke, 3), (&["inspect", &guest], 1)] {
        let (code, peak) = run_measured(arguments);
        assert_eq!(code, Some(expected), "{arguments:?}");
        assert!(peak < 128 << 20, "{arguments:?}: {} MiB", peak >> 20);
    }
    cli(&compile)
        .expect_failure(3, "the component has 900000 functions, 40000 are allowed")
        .expect_hint();
}

#[test]
fn a_case_is_read_from_regular_files_alone() {
    let folder = Folder::new();
    folder.write("cases/good/event.json", "{}");
    for (case, file) in [("event", "event.json"), ("state", "before.json")] {
        folder.write(&format!("cases/{case}/event.json"), "{}");
        let path = folder.path(&format!("cases/{case}/{file}"));
        let _ = fs::remove_file(&path);
        symlink("/dev/zero", &path).unwrap();
    }
    let run = cli(&["replay", &folder.path("cases"), "--guest", image()]);
    assert_ne!(run.code, 0, "{run:#?}");
    for file in ["event/event.json", "state/before.json"] {
        let told = format!("{file}` is a link, and links inside a folder are not followed");
        assert!(
            (run.stdout.clone() + &run.stderr).contains(&told),
            "{run:#?}"
        );
    }
}

#[test]
fn keys_guests_and_stores_are_no_pipes_or_devices() {
    let folder = Folder::new();
    let pipe = folder.path("pipe.cwasm");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for path in [pipe.as_str(), "/dev/zero"] {
        let publish = ["publish", GUEST, "--to", "file://nowhere", "--key", path];
        cli(&publish)
            .expect_failure(3, "not a plain file")
            .expect_hint();
        let store = format!("redb:{path}");
        let serve = ["serve", "--listen", "127.0.0.1:0", "--store", &store];
        cli(&[&serve[..], &["--guest", image()]].concat())
            .expect_failure(3, "is not a store of this host");
    }
    let event = folder.write("event.json", "{}");
    cli(&["invoke", &event, "--guest", "/dev/zero"]).expect_failure(3, "is not a regular file");
    cli(&[
        "replay",
        &event,
        "--guest",
        image(),
        "--identity",
        "/dev/zero",
    ])
    .expect_failure(3, "is not a plain file");
    cli(&["invoke", "/dev/zero"]).expect_failure(3, "is not a regular file");
}

/// Names with a special meaning in a library are ordinary text to guest, host, tape and report.
#[test]
fn planted_names_in_a_body_are_stored_recorded_and_replayed_as_they_are() {
    let folder = Folder::new();
    let tape = folder.path("planted.tape");
    let server = Server::start(&["--store", "memory", "--quiet", "--record", &tape]);
    let ask = |method: &str, target: &str, body: &str| {
        let length = body.len();
        let answer = server.talk(format!(
            "{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        let (head, content) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().to_owned();
        (status, content.to_owned())
    };
    let planted = [
        nested(14),
        r#"{"$serde_json::private::Number":"1"}"#.to_owned(),
        r#"{"$serde_json::private::RawValue":"not JSON"}"#.to_owned(),
    ];
    assert!(planted[0].len() > 40_000, "{}", planted[0].len());
    for (number, attributes) in planted.iter().enumerate() {
        let body = format!(r#"{{"attributes":{attributes},"name":"planted"}}"#);
        let (status, content) = ask("POST", "/items", &body);
        assert_eq!(status, "201", "{content:.500}");
        assert!(content.contains(attributes), "{number}: {content:.500}");
        let target = format!("/items/{number}");
        assert_eq!(ask("PUT", &target, &body).0, "201");
        let (status, content) = ask("GET", &target, "");
        assert_eq!(status, "200", "{content:.500}");
        assert!(content.contains(attributes), "{number}: {content:.500}");
        assert_eq!(ask("POST", "/items", attributes).0, "422");
    }
    let (_, list) = ask("GET", "/items", "");
    assert!(planted.iter().all(|attributes| list.contains(attributes)));
    let levels = |levels: usize| ["[".repeat(levels), "]".repeat(levels)].concat();
    assert_eq!(ask("POST", "/items", &levels(10_000)).0, "422");
    assert_eq!(server.stop(), (0, String::new()));
    let report = folder.path("report.html");
    for mode in ["strict", "state"] {
        let arguments = ["replay", &tape, "--guest", image(), "--mode", mode];
        let run = cli(&[&arguments[..], &["--report", &report, "--trace"]].concat());
        let run = run.expect_code(0);
        assert!(
            run.stdout.contains("14 requests: 14 as expected"),
            "{mode}: {}",
            run.stdout
        );
        let page = fs::read_to_string(&report).unwrap();
        assert!(page.contains("$serde_json::private::RawValue"), "{mode}");
        cli(&[&arguments[..], &["--format", "json"]].concat()).expect_code(0);
        cli(&[&arguments[..], &["--format", "junit"]].concat()).expect_code(0);
    }
}
