//! Errors that stop the program before its first event: one line with the problem and what to do, also reported to Lambda, and exit code 1.
//! (Events, faults and guests are tested in the package `tests`.)

#![expect(
    clippy::disallowed_methods,
    reason = "tests read what they or the hosts wrote"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

/// What Lambda itself sets, and a table that no server has.
fn variables() -> BTreeMap<&'static str, String> {
    [
        ("AWS_LAMBDA_FUNCTION_NAME", "items"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1"),
        ("TENON_TABLE", "items"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

fn run(changes: &[(&'static str, &str)]) -> Output {
    let mut variables = variables();
    variables.extend(
        changes
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    Command::new(env!("CARGO_BIN_EXE_host-lambda"))
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Why it did not start: the last line on stdout, which is the only message about it.
fn reason(output: &Output) -> String {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let line: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&line["level"], &line["message"]),
        (&"ERROR".into(), &"failed to start".into())
    );
    line["error"].as_str().unwrap().to_owned()
}

#[test]
fn a_bad_variable_is_named_with_its_value_and_what_is_allowed() {
    for (name, value, allowed) in [
        (
            "TENON_LOG_LEVEL",
            "loud",
            "`trace`, `debug`, `info`, `warn` or `error`",
        ),
        (
            "TENON_NAMESPACE",
            "A B",
            "1 to 64 characters of `a-z`, `0-9` and `-`",
        ),
        (
            "TENON_REQUEST_BODY_BYTES_MAX",
            "7000000",
            "a whole number from 1 to 6291456",
        ),
    ] {
        let expected = format!("variable `{name}` is `{value}`, allowed is {allowed}");
        assert_eq!(reason(&run(&[(name, value)])), expected);
    }
    let without_table = reason(&run(&[("TENON_TABLE", "")]));
    assert_eq!(
        without_table,
        "variable `TENON_TABLE` is not set: it is the name or ARN of the DynamoDB table"
    );
}

#[test]
fn a_variable_that_nobody_reads_is_warned_about() {
    let output = run(&[("TENON_TABEL", "items")]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let line: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["level"], &line["variable"]),
        (&"WARN".into(), &"TENON_TABEL".into())
    );
}

#[test]
fn without_a_guest_it_says_where_it_looked() {
    let reason = reason(&run(&[]));
    let beside = Path::new(env!("CARGO_BIN_EXE_host-lambda")).with_file_name("guest.cwasm");
    for part in [
        "no guest found: tried ",
        &format!("`{}`", beside.display()),
        "`/opt/guest.cwasm`",
        "name it in `TENON_GUEST`",
    ] {
        assert!(reason.contains(part), "`{part}` is not in: {reason}");
    }
}

#[test]
fn a_guest_that_is_none_is_refused_by_name() {
    let missing = reason(&run(&[("TENON_GUEST", "/nowhere/guest.cwasm")]));
    assert!(
        missing.contains("`TENON_GUEST`") && missing.contains("`/nowhere/guest.cwasm`"),
        "{missing}"
    );
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("not-a-guest.cwasm");
    fs::write(&path, "{}").unwrap();
    let shown = path.to_str().unwrap();
    let other = reason(&run(&[("TENON_GUEST", shown)]));
    assert!(other.contains(&format!("guest `{shown}`: ")), "{other}");
}

#[test]
fn lambda_is_told_why() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let told = thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
            head.push(line.trim().to_owned());
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        (head, serde_json::from_slice::<Value>(&body).unwrap())
    });
    let reason = reason(&run(&[
        ("AWS_LAMBDA_RUNTIME_API", &address),
        ("TENON_LOG_LEVEL", "loud"),
    ]));
    let (head, body) = told.join().unwrap();
    assert_eq!(head[0], "POST /2018-06-01/runtime/init/error HTTP/1.1");
    assert!(
        head.iter()
            .any(|line| line == "lambda-runtime-function-error-type: Tenon.InitError"),
        "{head:?}"
    );
    assert_eq!(
        (&body["errorType"], &body["errorMessage"]),
        (&"Tenon.InitError".into(), &reason.into())
    );
}
