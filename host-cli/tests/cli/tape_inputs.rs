//! Forms of tapes: compressed, among other lines, as an export of a log, incomplete, split.

use crate::{
    program::{Folder, cli_with_input, image},
    tapes::{lines, record, replay},
};
use contract::digest::Digest;
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[test]
fn a_tape_is_read_from_every_shape_that_it_comes_in() {
    let folder = Folder::new();
    let tape = record(&folder);
    let bytes = fs::read(&tape).unwrap();
    let lines = lines(&tape);
    let noise = "START RequestId: x\n{\"level\":\"INFO\",\"message\":\"request\"}";
    let log: String = lines
        .iter()
        .map(|line| format!("{noise}\n2026-02-03T04:05:06.000Z {line}\n"))
        .collect();
    let events: Vec<Value> = lines
        .iter()
        .flat_map(|line| {
            [
                json!({"timestamp": 1, "message": "START\n"}),
                json!({"timestamp": 1, "message": format!("{line}\n")}),
            ]
        })
        .collect();
    let rows: Vec<Value> = lines
        .iter()
        .map(|line| json!([{"field": "@timestamp", "value": "x"}, {"field": "@message", "value": line}]))
        .collect();
    let console: Vec<Value> = lines.iter().map(|line| json!({"@message": line})).collect();
    for (name, bytes) in [
        ("plain.jsonl", bytes.clone()),
        ("packed.tape.gz", gzip(&bytes)),
        ("export.log", log.clone().into_bytes()),
        ("export.gz", gzip(log.as_bytes())),
        (
            "events.json",
            format!("{:#}", json!({"events": events, "searchedLogStreams": []})).into_bytes(),
        ),
        (
            "insights.json",
            json!({"results": rows}).to_string().into_bytes(),
        ),
        ("console.json", json!(console).to_string().into_bytes()),
    ] {
        let path = folder.write(name, &bytes);
        let run = replay(&[&path]).expect_code(0);
        assert_eq!(run.stdout, "5 requests: 5 as expected\n", "{name}");
        let run = cli_with_input(&["replay", "-", "--guest", image()], &bytes).expect_code(0);
        assert_eq!(run.stdout, "5 requests: 5 as expected\n", "{name} on stdin");
    }
    cli_with_input(&["replay", "-"], b"nothing\n")
        .expect_failure(3, "`(stdin)` contains no line of tape")
        .expect_hint();
}

#[test]
fn what_a_log_holds_before_a_tape_does_not_hide_it() {
    let folder = Folder::new();
    let tape = fs::read_to_string(record(&folder)).unwrap();
    for first in [
        r#"{"x":"@message"}"#,
        r#"{"level":"INFO","events":"events","message":"m","timestamp":1}"#,
        r#"{"events":[{"timestamp":1,"message":"m"}]}"#,
        r#"[{"@message":"m"}]"#,
    ] {
        let log = folder.write("sh.log", format!("{first}\n{tape}"));
        let run = replay(&[&log]).expect_code(0);
        assert_eq!(run.stdout, "5 requests: 5 as expected\n", "{first}");
    }
}

#[test]
fn an_event_of_an_export_that_cannot_be_read_does_not_hold_up_the_others() {
    let folder = Folder::new();
    let lines = lines(&record(&folder));
    let event = |line: &String| json!({"timestamp": 1, "message": line}).to_string();
    let events: Vec<String> = lines.iter().map(event).collect();
    let (first, rest) = events.split_at(2);
    for bad in ["null", "5", "{\"message\":\"\u{1}\"}"] {
        let export = [first, &[bad.to_owned()], rest].concat().join(",");
        let export = folder.write("events.json", format!("{{\"events\":[{export}]}}"));
        let run = replay(&[&export]).expect_code(1);
        assert!(
            run.stdout
                .ends_with("6 requests: 5 as expected, 1 no request\n"),
            "{bad:?}: {run:?}"
        );
        assert!(run.stdout.contains("events.json:3"), "{bad:?}: {run:?}");
    }
    let other = [&[r#"{"\ud800":1}"#.to_owned()], events.as_slice()].concat();
    let export = folder.write(
        "events.json",
        format!("{{\"events\":[{}]}}", other.join(",")),
    );
    let run = replay(&[&export]).expect_code(0);
    assert_eq!(run.stdout, "5 requests: 5 as expected\n");
    // If the text cannot be read further, the lines before are processed.
    let export = format!(
        "{{\"events\":[{} nope {}]}}",
        first.join(","),
        rest.join(",")
    );
    let export = folder.write("events.json", export);
    let run = replay(&[&export]).expect_code(3);
    assert_eq!(run.stdout, "2 requests: 2 as expected\n");
    assert!(
        run.stderr
            .contains("2 lines before that were read, and nothing after it"),
        "{run:?}"
    );
}

/// Compressed in stored blocks, so that the position of a cut is known.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_compressed_tape_that_is_cut_short_is_done_up_to_the_cut() {
    let folder = Folder::new();
    let bytes = fs::read(record(&folder)).unwrap();
    let begin = |count: usize| -> usize {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        lines.take(count).map(<[u8]>::len).sum()
    };
    let long = bytes.repeat(200);
    let packed = gzip(&long);
    let mut half = Vec::new();
    let cut = &packed[..packed.len() / 2];
    // Errors at the cut, which is beyond the bytes that are examined to recognise the file.
    let _ = std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(cut), &mut half);
    assert!(half.len() > 64 << 10 && half.len() < long.len());
    let half = half.iter().filter(|byte| **byte == b'\n').count();
    let first = stored(&bytes[..begin(3)]);
    let second = stored(&bytes[begin(3)..]);
    for (name, bytes, lines) in [
        ("in a line", &stored(&bytes)[..15 + begin(3) + 40], 3),
        (
            "behind the last line",
            &gzip(&bytes)[..gzip(&bytes).len() - 4],
            5,
        ),
        ("far behind", cut, half),
        (
            "in the next member",
            &[&first[..], &second[..12]].concat(),
            3,
        ),
        ("before the first line ends", &stored(&bytes)[..40], 0),
    ] {
        let read = match lines {
            1 => "1 line before that was read".to_owned(),
            lines => format!("{lines} lines before that were read"),
        };
        let expected = format!(
            "is cut short: it ends in the middle of a line or of its compressed data; {read}"
        );
        let path = folder.write("cut.tape.gz", bytes);
        for run in [
            replay(&[&path]),
            cli_with_input(&["replay", "-", "--guest", image()], bytes),
        ] {
            let run = run.expect_code(3).expect_hint();
            assert!(run.stderr.contains(&expected), "{name}: {run:#?}");
            let done = format!("{lines} requests: {lines} as expected\n");
            assert_eq!(
                run.stdout,
                if lines > 0 { done } else { String::new() },
                "{name}"
            );
        }
    }
    let mut damaged = stored(&bytes);
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let run = replay(&[&folder.write("damaged.tape.gz", damaged)]).expect_code(3);
    assert!(
        run.stderr.contains("is damaged: ") && run.stderr.contains("5 lines before that were read"),
        "{run:#?}"
    );
    assert_eq!(run.stdout, "5 requests: 5 as expected\n");
    // An incomplete export, compressed or not.
    let lines: Vec<Value> = String::from_utf8(bytes)
        .unwrap()
        .lines()
        .map(|line| json!({"timestamp": 1, "message": line}))
        .collect();
    let export = json!({"events": lines}).to_string();
    let cut = &export.as_bytes()[..export.len() - 60];
    for bytes in [cut, &stored(export.as_bytes())[..15 + cut.len()]] {
        let run = cli_with_input(&["replay", "-", "--guest", image()], bytes).expect_code(3);
        assert!(run.stderr.contains("is cut short"), "{run:#?}");
        assert_eq!(run.stdout, "4 requests: 4 as expected\n");
    }
}

#[test]
fn parts_without_the_rest_of_their_line_are_named() {
    let folder = Folder::new();
    let tape = lines(&record(&folder));
    let parts = |line: &str| tape::split(line.as_bytes().to_vec(), 600);
    let split = parts(&tape[0]);
    let count = split.len();
    assert!(count > 4);
    let sha256 = Digest::of(tape[0].as_bytes()).to_string();
    let without = |left_out: &[usize]| -> Vec<u8> {
        let kept = split.iter().enumerate();
        let kept = kept.filter(|(number, _)| !left_out.contains(number));
        kept.flat_map(|(_, part)| [part.as_slice(), b"\n"].concat())
            .collect()
    };
    let last = count - 1;
    let missing = format!(
        "1 split line is incomplete; missing: parts 0 to 1, 3 (of 0 to {last}) of the line {}",
        &sha256[..12]
    );
    let only_parts = folder.write("parts.tape", without(&[0, 1, 3]));
    let run = replay(&[&only_parts]).expect_code(3).expect_hint();
    assert!(
        run.stderr
            .contains(&format!("contains no complete line of tape: {missing}")),
        "{run:#?}"
    );
    assert!(
        run.stderr.contains("host-cli pull LOG-GROUP --since TIME"),
        "{run:#?}"
    );
    // In addition to complete lines, it is a remark.
    let mixed = [tape[1].as_bytes(), b"\n", &without(&[0, 1, 3])].concat();
    let run = replay(&[&folder.write("mixed.tape", mixed)]).expect_code(0);
    assert_eq!(run.stdout, "1 request: 1 as expected\n");
    assert!(
        run.stderr.contains(&missing) && run.stderr.contains("host-cli pull"),
        "{run:#?}"
    );
    let cut = folder.write("cut.tape", &split[0][..split[0].len() / 2]);
    let run = replay(&[&cut]).expect_code(3).expect_hint();
    assert!(
        run.stderr.contains("a part of a split line is incomplete"),
        "{run:#?}"
    );
}
