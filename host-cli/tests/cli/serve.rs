//! `serve`: HTTP from correct and incorrect clients.

use crate::program::{Folder, Server};
use std::io::{Read, Write};

pub fn head_and_body(answer: &str) -> (&str, &str) {
    answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{answer:?}"))
}

/// Checks that the response is a problem document of this status with correct framing.
#[track_caller]
pub fn expect_problem(answer: &str, status: u16) {
    let (head, body) = head_and_body(answer);
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("content-type: application/problem+json"),
        "{answer}"
    );
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{answer}"
    );
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["status"], status, "{answer}");
}

/// Reads one response with a `content-length` from a connection that stays open.
pub fn read_answer(stream: &mut impl Read) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head + std::str::from_utf8(&body).unwrap()
}

fn post(body: &str, fields: &str) -> String {
    let length = body.len();
    format!(
        "POST /items HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{fields}content-length: {length}\r\n\r\n"
    )
}

#[test]
fn the_first_lines_say_address_store_and_three_commands() {
    let folder = Folder::new();
    let path = folder.path("items.redb");
    let server = Server::start(&["--store", &format!("redb:{path}")]);
    assert_eq!(
        server.greeting[0],
        format!("listening on http://{}", server.address)
    );
    assert_eq!(server.greeting[1], format!("store: {path}"));
    assert_eq!(
        server
            .greeting
            .iter()
            .filter(|line| line.trim().starts_with("curl "))
            .count(),
        3
    );
}

#[test]
fn a_connection_serves_many_requests_and_documents_survive_a_restart() {
    let folder = Folder::new();
    let store = format!("redb:{}", folder.path("items.redb"));
    let server = Server::start(&["--store", &store]);
    let mut stream = server.connect();
    let body = r#"{"name":"lamp"}"#;
    stream
        .write_all((post(body, "") + body).as_bytes())
        .unwrap();
    let created = read_answer(&mut stream);
    assert!(created.starts_with("HTTP/1.1 201 "), "{created}");
    let location = created
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap()
        .to_owned();

    stream
        .write_all(
            format!("GET {location}?x=secret HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes(),
        )
        .unwrap();
    let found = read_answer(&mut stream);
    assert!(found.contains("\"lamp\""), "{found}");
    stream
        .write_all(
            format!("HEAD {location} HTTP/1.1\r\nhost: localhost\r\n\r\nGET /nowhere HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                .as_bytes(),
        )
        .unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    let (head, after) = head_and_body(&rest);
    assert!(head.starts_with("HTTP/1.1 200 "), "{rest}");
    expect_problem(after, 404);

    let (code, stderr) = server.stop();
    assert_eq!(code, 0);
    assert_eq!(
        stderr
            .lines()
            .filter(|line| line.contains(" method="))
            .count(),
        4,
        "{stderr}"
    );
    assert!(
        stderr.contains(&format!(" method=GET path={location} status=200 bytes=")),
        "{stderr}"
    );
    assert!(!stderr.contains("secret"), "{stderr}");

    let server = Server::start(&["--store", &store, "--event-kind", "rest", "--quiet"]);
    let found = server.talk(format!(
        "GET {location} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    ));
    assert!(found.contains("\"lamp\""), "{found}");
    assert_eq!(server.stop(), (0, String::new()));
}

#[test]
fn what_is_no_http_gets_a_problem_document() {
    let server = Server::start(&["--store", "memory"]);
    expect_problem(&server.talk("NONSENSE\r\n\r\n"), 400);
    expect_problem(&server.talk("GET /items HTTP/1.1\r\n\r\n"), 400);
    expect_problem(
        &server.talk("GET /items HTTP/1.1\r\nhost: localhost\r\nhost: b\r\n\r\n"),
        400,
    );
    expect_problem(
        &server.talk("GET /items HTTP/1.1\r\nhost: localhost\r\nx y: z\r\n\r\n"),
        400,
    );
    expect_problem(
        &server.talk("GET / HTTP/1.1\r\nhost: localhost\r\nexpect: miracles\r\n\r\n"),
        417,
    );
}

#[test]
fn what_is_too_large_is_refused_without_being_read() {
    let server = Server::start(&["--store", "memory"]);
    for bytes in [20_000, 70_000] {
        let target = "x".repeat(bytes);
        expect_problem(
            &server.talk(format!("GET /{target} HTTP/1.1\r\nhost: localhost\r\n\r\n")),
            414,
        );
    }
    for bytes in [40_000, 100_000, 1_000_000] {
        let value = "x".repeat(bytes);
        expect_problem(
            &server.talk(format!(
                "GET / HTTP/1.1\r\nhost: localhost\r\nx: {value}\r\n\r\n"
            )),
            431,
        );
    }
    let many = |count| {
        (0..count)
            .map(|number| format!("x{number}: y\r\n"))
            .collect::<String>()
    };
    let with_many = |count| {
        let many = many(count);
        server.talk(format!(
            "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{many}\r\n"
        ))
    };
    for count in [150, 1_000] {
        let answer = with_many(count);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{count}: {answer}");
    }
    expect_problem(&with_many(3_000), 431);

    let head = "POST /items HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let announced = format!("{head}content-length: 99999999\r\n\r\n");
    expect_problem(&server.talk(announced), 413);
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
    expect_problem(
        &server.talk(format!(
            "{head}transfer-encoding: chunked\r\n\r\n{}",
            chunk.repeat(8)
        )),
        413,
    );
    // After all this, the next request is answered.
    let answer =
        server.talk("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn a_client_that_asks_before_it_sends_is_told_to() {
    let server = Server::start(&["--store", "memory"]);
    let mut stream = server.connect();
    let body = r#"{"name":"lamp"}"#;
    stream
        .write_all(post(body, "expect: 100-continue\r\n").as_bytes())
        .unwrap();
    assert_eq!(read_answer(&mut stream), "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    assert!(read_answer(&mut stream).starts_with("HTTP/1.1 201 "));
}

#[test]
fn a_shutdown_lets_a_request_in_flight_finish() {
    let server = Server::start(&["--store", "memory"]);
    let mut busy = server.connect();
    let body = r#"{"name":"lamp"}"#;
    busy.write_all(post(body, "expect: 100-continue\r\n").as_bytes())
        .unwrap();
    assert_eq!(read_answer(&mut busy), "HTTP/1.1 100 Continue\r\n\r\n");
    let idle = server.connect();
    let stopping = std::thread::spawn(move || server.stop());
    std::thread::sleep(std::time::Duration::from_millis(300));
    busy.write_all(body.as_bytes()).unwrap();
    assert!(read_answer(&mut busy).starts_with("HTTP/1.1 201 "));
    assert_eq!(stopping.join().unwrap().0, 0);
    drop(idle);
}

/// Removes what differs between two runs.
fn lasting(answer: &str) -> String {
    let (head, body) = head_and_body(answer);
    let fields = head.lines().filter(|line| {
        !["date: ", "etag: ", "x-request-id: "]
            .iter()
            .any(|name| line.starts_with(name))
    });
    let head = fields.collect::<Vec<_>>().join("\n");
    let Ok(mut body) = serde_json::from_str::<serde_json::Value>(body) else {
        return format!("{head}\n\n{body}");
    };
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| !matches!(&**name, "request_id" | "created_at" | "updated_at"));
    }
    format!("{head}\n\n{body}")
}

/// Recorded requests pass through JSON on their way to the guest and back, others do not.
#[test]
fn every_gateway_gives_the_same_answers_whether_they_are_recorded_or_not() {
    let folder = Folder::new();
    for kind in ["rest", "http", "url", "alb"] {
        let arguments = [
            "--store",
            "memory",
            "--quiet",
            "--event-kind",
            kind,
            "--allow-host",
            "a",
            "--allow-origin",
            "https://a.example",
        ];
        let tape = folder.path(&format!("{kind}.tape"));
        let plain = Server::start(&arguments);
        let recorded = Server::start(&[&arguments[..], &["--record", &tape]].concat());
        let body = r#"{"name":"a \"lamp\" \u00e9","tags":["x"]}"#;
        let length = body.len();
        let put =
            format!("content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
        for (start, status, rest) in [
            ("PUT /items/a-lamp?x=a%20b&x=+c", 201, &*put),
            (
                "GET /items/a-lamp",
                200,
                "cookie: a=1; b=2\r\nX-Many: 1\r\nx-many: 2\r\n\r\n",
            ),
            ("GET /items?limit=none", 400, "\r\n"),
            ("HEAD /openapi.json", 200, "\r\n"),
            ("OPTIONS /items", 204, "origin: https://a.example\r\n\r\n"),
            ("GET /items/%41%2Fb?%3F=%26", 404, "\r\n"),
            (
                "POST /items",
                415,
                "content-type: image/png\r\ncontent-length: 3\r\n\r\n\u{1}\u{2}\u{3}",
            ),
            ("DELETE /items/a-lamp", 204, "\r\n"),
        ] {
            let request =
                format!("{start} HTTP/1.1\r\nhost: a:3000\r\nconnection: close\r\n{rest}");
            let answer = plain.talk(&request);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{kind}: {request}\n{answer}"
            );
            assert_eq!(
                lasting(&answer),
                lasting(&recorded.talk(&request)),
                "{kind}: {request}"
            );
        }
        assert_eq!(recorded.stop().0, 0);
        let lines = String::from_utf8(folder.read(&format!("{kind}.tape"))).unwrap();
        assert!(lines.lines().count() >= 8, "{lines}");
    }
}
