//! HTTP/1.1 conformance: what the public suite h1spec checks of servers, and requests from bug reports about other servers, each in our own
//! form.

use crate::{
    program::Server,
    serve::{expect_problem, head_and_body, read_answer},
};
use std::{
    io::{ErrorKind, Read, Write},
    net::Shutdown,
    thread,
    time::Duration,
};

const GET: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
const CLOSING: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn server() -> Server {
    Server::start(&["--store", "memory", "--quiet"])
}

fn status(answer: &str) -> u16 {
    let status = answer
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| answer.strip_prefix("HTTP/1.0 "))
        .and_then(|rest| rest.get(..3));
    status
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("{answer:?}"))
}

#[test]
fn a_head_is_waited_for_wherever_it_is_cut() {
    let server = server();
    let mut streams: Vec<_> = (1..GET.len())
        .map(|length| {
            let mut stream = server.connect();
            stream.write_all(&GET.as_bytes()[..length]).unwrap();
            (length, stream)
        })
        .collect();
    thread::sleep(Duration::from_millis(500));
    for (length, stream) in &mut streams {
        stream.set_nonblocking(true).unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{length}");
        stream.set_nonblocking(false).unwrap();
        stream.write_all(&GET.as_bytes()[*length..]).unwrap();
        assert_eq!(status(&read_answer(stream)), 200, "{length}");
    }
}

#[test]
fn what_is_valid_is_answered() {
    let server = server();
    for request in [
        CLOSING,
        "GET /health HTTP/1.1\r\nhoSt:\tlocalhost\r\nempty:\r\nblank: \r\nconnection: close\r\n\r\n",
        "GET /health HTTP/1.0\r\n\r\n",
        // RFC 9110, 2.5: answered as the highest minor version that is supported.
        "GET /health HTTP/1.2\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET http://localhost:81/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        // RFC 9112, 3.2.2: the target's authority counts, not `Host`.
        "GET http://localhost/health HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
        "\r\nGET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\r\n",
    ] {
        assert_eq!(status(&server.talk(request)), 200, "{request}");
    }
    let latin1 =
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: caf\xe9\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&server.talk(latin1)), 200);
    let body = r#"{"name":"x"}"#;
    for framing in [
        format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        format!(
            "Transfer-Encoding: Chunked\r\n\r\n{:x};a=b\r\n{body}\r\n0\r\nx: y\r\n\r\n",
            body.len()
        ),
    ] {
        let request = format!(
            "POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n{framing}"
        );
        assert_eq!(status(&server.talk(&request)), 201, "{request}");
    }
}

#[test]
fn what_is_invalid_is_refused_and_the_connection_closed() {
    let server = server();
    let cases: &[(u16, &str)] = &[
        (400, "GET / \r\n\r\n"),
        // RFC 9110, 15.6.6: another major version; the second is how a client begins to speak HTTP/2 (RFC 9113, 3.4).
        (505, "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n"),
        (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
        (505, "PRI * HTTP/2.0\r\n"),
        (505, "GET / HTTP/0.9\r\n\r\n"),
        (400, "GET / HTTP/1.1 HTTP/2\r\nHost: localhost\r\n\r\n"),
        (400, "GET / HTTP/1.x\r\nHost: localhost\r\n\r\n"),
        (400, "Extra lineGET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: localhost\r\n\rX: y\r\n\r\n"),
        (
            400,
            "GET / HTTP/1.1\r\nHost: localhost\r\nX-Invalid[]: y\r\n\r\n",
        ),
        (
            400,
            "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x07b\r\n\r\n",
        ),
        (
            400,
            "GET / HTTP/1.1\r\nHost: localhost\r\n X: folded\r\n\r\n",
        ),
        (400, "GET / HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\n\r\n"),
        (
            400,
            "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        ),
        (400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: user@localhost\r\n\r\n"),
        (
            400,
            "GET http://u@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ),
        (400, "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        (
            400,
            "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1234\r\n\r\n",
        ),
        (
            400,
            "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -123456789123456789123456789\r\n\r\n",
        ),
        (
            400,
            "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: abc\r\n\r\n",
        ),
        (
            400,
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        ),
        // RFC 9112, 6.1: a body has one end.
        (
            400,
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        ),
        (
            400,
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            400,
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        ),
        (
            400,
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            400,
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            501,
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        (
            400,
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        ),
        (
            400,
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            417,
            "GET / HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\n\r\n",
        ),
    ];
    for (expected, request) in cases {
        // The next request is never answered.
        let answer = server.talk(format!("{request}{CLOSING}"));
        expect_problem(&answer, *expected);
    }
}

/// Later requests of a connection are checked like the first.
#[test]
fn a_body_with_two_ends_is_refused_on_every_request_of_a_connection() {
    let server = server();
    let smuggling = "POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let answers = server.talk([GET, GET, smuggling, CLOSING].concat());
    let statuses: Vec<_> = answers
        .match_indices("HTTP/1.1 ")
        .map(|(at, _)| status(&answers[at..]))
        .collect();
    assert_eq!(statuses, [200, 200, 400], "{answers}");
    // So is a later version.
    let later = CLOSING.replace("HTTP/1.1", "HTTP/1.7");
    let answers = server.talk([GET, &later].concat());
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 2, "{answers}");
}

/// RFC 9112, 7.1: lines of a chunked body end with CRLF. A server that accepts a bare LF as line end sees other requests than one that does
/// not.
#[test]
fn a_bare_line_feed_or_carriage_return_in_a_chunked_body_ends_the_connection() {
    let server = server();
    let head = "POST /items HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let second = "POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"name\":\"second\"}\r\n0\r\n\r\n";
    let body = "10\r\n{\"name\":\"first.\"}\r\n";
    for end in [
        "0\r\n\nX: y\r\n\r\n",
        "0\r\nA: b\n\n\r\n\r\n",
        "0\r\nA: b\nX: y\r\n\r\n",
        "0\r\nA: b\rX: y\r\n\r\n",
        "0\r\n\rX: y\r\n\r\n",
        "0\n\r\n",
        "0;a=b\n\r\n",
        "0;a=b\rc\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
    ] {
        let answer = server.talk([GET, head, body, end, second, CLOSING].concat());
        let (_, refusal) = answer[9..].split_once("HTTP/1.1 ").unwrap();
        expect_problem(&format!("HTTP/1.1 {refusal}"), 400);
    }
    let listed = server.talk(CLOSING.replace("/health", "/items"));
    assert!(
        !listed.contains("first.") && !listed.contains("second"),
        "{listed}"
    );
}

/// RFC 9112, 9.6.
#[test]
fn a_client_that_has_said_all_still_gets_its_answer() {
    let server = server();
    for request in [GET, "GET /health HTTP/1.0\r\n\r\n"] {
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(status(&answer), 200, "{answer}");
    }
    let mut stream = server.connect();
    stream
        .write_all(b"POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    expect_problem(&answer, 400);
}

/// RFC 9110, 9.3.7.
#[test]
fn options_of_no_path_are_about_the_server() {
    let server = server();
    let answer = server.talk("OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&answer), 204, "{answer}");
    let (head, body) = head_and_body(&answer);
    assert!(
        head.contains("allow: DELETE, GET, HEAD, OPTIONS"),
        "{answer}"
    );
    assert_eq!(body, "");
}

#[test]
fn each_kind_of_event_has_its_gateways_limits() {
    let line = |path: &str, fields: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n")
    };
    let value = |bytes: usize| line("/health", &format!("x: {}\r\n", "v".repeat(bytes)));
    let many = |count: usize| {
        let field = |number| format!("x{number}: {}\r\n", "v".repeat(1_000));
        line("/health", &(0..count).map(field).collect::<String>())
    };
    let target = |bytes: usize| line(&format!("/health?{}", "q".repeat(bytes)), "");
    let body = |content_type: &str, bytes: usize| {
        format!(
            "POST /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\nContent-Length: {bytes}\r\n\r\n{}",
            "b".repeat(bytes)
        )
    };
    for (kind, cases) in [
        (
            "rest",
            vec![
                (200, value(10_000)),
                (431, value(10_300)),
                (431, many(11)),
                (414, target(10_300)),
                (405, body("text/plain", 6_280_000)),
                (413, body("text/plain", 6_300_000)),
            ],
        ),
        (
            "http",
            vec![
                (200, value(10_000)),
                (431, value(10_300)),
                (414, target(10_300)),
                (405, body("image/png", 4_700_000)),
                (413, body("image/png", 4_800_000)),
            ],
        ),
        (
            "url",
            vec![
                (200, value(20_000)),
                (431, value(33_000)),
                (200, target(16_000)),
                (413, body("text/plain", 6_300_000)),
            ],
        ),
        (
            "alb",
            vec![
                (200, value(16_000)),
                (431, value(16_400)),
                (200, many(20)),
                (200, target(16_000)),
                (414, target(16_400)),
                (405, body("text/plain", 1_000_000)),
                (413, body("text/plain", 1_100_000)),
            ],
        ),
    ] {
        // The host itself allows more than each gateway.
        let server = Server::start(&[
            "--store",
            "memory",
            "--quiet",
            "--event-kind",
            kind,
            "--request-body-bytes-max",
            "6291456",
        ]);
        for (expected, request) in cases {
            let answer = server.talk(&request);
            let shown = &request[..request.len().min(120)];
            assert_eq!(status(&answer), expected, "{kind}: {shown}\n{answer}");
        }
    }
}

#[test]
fn a_server_that_plays_an_http_api_refuses_what_that_cannot_decode() {
    let server = server();
    for (path, expected) in [
        ("/capture/percent%25done", 400),
        ("/100%25", 400),
        ("/literal%2525value", 404),
        ("/health?a=100%25", 200),
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(status(&read_answer(&mut stream)), expected, "{path}");
    }
}
