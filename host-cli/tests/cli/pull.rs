//! `pull`, from a simulated CloudWatch Logs.

use crate::program::{Folder, cli, image};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    sync::mpsc::{self, Receiver},
    thread,
};

/// Answers one request after the other, each on its own connection, and passes the requests on.
fn logs(answers: Vec<(u16, Value)>) -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = mpsc::channel();
    thread::spawn(move || {
        for (status, answer) in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            sender.send(serde_json::from_slice(&body).unwrap()).unwrap();
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            let stream = reader.get_mut();
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, asked)
}

fn page(messages: &[&str], next: Option<&str>) -> (u16, Value) {
    let events: Vec<Value> = messages
        .iter()
        .map(|message| json!({"timestamp": 1_795_366_979_530_u64, "message": format!("{message}\n")}))
        .collect();
    (200, json!({"events": events, "nextToken": next}))
}

fn error(code: &str) -> (u16, Value) {
    let message = "The specified log group does not exist.";
    (400, json!({"__type": code, "message": message}))
}

/// The lines of a recorded tape.
fn tape() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/tapes/version-1.tape");
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// A line split for a log that accepts one kilobyte.
fn parts(line: &str) -> Vec<String> {
    tape::split(line.as_bytes().to_vec(), 1024)
        .into_iter()
        .map(|part| String::from_utf8(part).unwrap())
        .collect()
}

#[test]
fn tapes_are_fetched_page_by_page_and_put_together() {
    let folder = Folder::new();
    let lines = tape();
    let split = parts(&lines[1]);
    assert!(split.len() > 2);
    let (first, rest) = split.split_at(1);
    let (address, asked) = logs(vec![
        page(
            &[
                &lines[0],
                r#"{"level":"INFO","message":"no tape"}"#,
                &first[0],
            ],
            Some("more"),
        ),
        page(&[], Some("still more")),
        page(&rest.iter().map(String::as_str).collect::<Vec<_>>(), None),
    ]);
    let out = folder.path("today.tape");
    let since = [
        "--since",
        "1795366000000",
        "--until",
        "2027-01-01T00:00:00Z",
    ];
    let run = cli(&[
        &[
            "pull",
            "/aws/lambda/items",
            "--endpoint",
            &address,
            "-o",
            &out,
        ],
        &since[..],
    ]
    .concat())
    .expect_code(0);
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr, "2 requests from `/aws/lambda/items`\n");
    assert_eq!(
        fs::read_to_string(&out).unwrap(),
        format!("{}\n{}\n", lines[0], lines[1])
    );
    let mode = fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let asked: Vec<Value> = asked.iter().collect();
    assert_eq!(asked[0]["logGroupName"], "/aws/lambda/items");
    assert_eq!(asked[0]["startTime"], 1_795_366_000_000_u64);
    assert_eq!(asked[0]["endTime"], 1_798_761_600_000_u64);
    assert_eq!(
        asked[0]["filterPattern"],
        "{ ($.tenon_tape = *) || ($.tenon_tape_part = *) }"
    );
    assert_eq!(asked[2]["nextToken"], "still more");
    let replayed = cli(&["replay", "--guest", image(), "--mode", "state", &out]);
    assert!(replayed.stdout.contains("2 requests"), "{replayed:#?}");
}

#[test]
fn a_log_without_a_tape_is_an_error_and_makes_no_file() {
    let folder = Folder::new();
    let (address, asked) = logs(vec![page(&["START RequestId"], None)]);
    let out = folder.path("none.tape");
    let group = "arn:aws:logs:eu-central-1:123456789012:log-group:items";
    cli(&[
        "pull",
        group,
        "--endpoint",
        &address,
        "-o",
        &out,
        "--filter",
        "ERROR",
    ])
    .expect_failure(3, "has no tape between")
    .expect_hint();
    assert_eq!(fs::read_dir(folder.path("")).unwrap().count(), 0);
    let asked = asked.recv().unwrap();
    assert_eq!(asked["logGroupIdentifier"], group);
    assert_eq!(asked["filterPattern"], "ERROR");
}

#[test]
fn a_log_that_goes_round_in_a_circle_is_an_error() {
    let again = || page(&[], Some("again"));
    let (address, _asked) = logs(vec![again(), again()]);
    cli(&["pull", "items", "--endpoint", &address])
        .expect_failure(3, "it names the same next page twice")
        .expect_hint();
}

#[test]
fn what_cannot_be_fetched_is_said_in_one_line() {
    let pull = |answer| {
        let (address, _asked) = logs(vec![answer]);
        cli(&["pull", "items", "--endpoint", &address])
    };
    pull(error("ResourceNotFoundException"))
        .expect_failure(3, "log group `items` does not exist")
        .expect_hint();
    pull(error("AccessDeniedException"))
        .expect_failure(3, "log group `items` cannot be read: access denied")
        .expect_hint();
    pull(error("InvalidParameterException")).expect_failure(3, "refused the query");
    pull((200, json!({"events": "none"})))
        .expect_failure(3, "the answer about log group `items` cannot be read")
        .expect_hint();
    cli(&["pull", "items", "--since", "yesterday"])
        .expect_failure(2, "neither a time nor an age")
        .expect_hint();
    cli(&["pull", "items", "--since", "1h", "--until", "2h"])
        .expect_failure(2, "`--since` is not before `--until`");
    cli(&["pull", "items"])
        .expect_failure(3, "no region is configured for log group `items`")
        .expect_hint();
}
