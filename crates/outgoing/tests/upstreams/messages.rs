//! What is sent, and what is taken for a response.

use crate::support::*;
use contract::limits::{OUTGOING_HEADERS_BYTES_MAX, OUTGOING_RESPONSE_BODY_BYTES_MAX};
use outgoing::{AwsScope, GrantedClient, Grants, OutgoingRequest, RequestSigner, UnsignedRequest};
use std::{
    io::Write,
    sync::{Arc, mpsc},
    time::Duration,
};

#[tokio::test]
async fn a_request_is_written_as_it_was_read() {
    let (seen, requests) = mpsc::channel();
    let upstream = Upstream::new(move |_, mut stream| {
        while let Some(request) = see(&mut stream) {
            seen.send(request).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).unwrap();
        }
    });
    let client = client(&upstream);
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let request = OutgoingRequest {
        method: "PROPFIND".to_owned(),
        headers: vec![
            header("X-B", " 1 "),
            header("x-a", "\u{e9}"),
            header("content-length", "4"),
        ],
        body: b"body".to_vec(),
        ..get(&format!("{}/a%2Fb//../c?d=%20&e", upstream.origin()))
    };
    send(&client, request).await.unwrap();
    let request = requests.recv().unwrap();
    let expected = format!(
        "PROPFIND /a%2Fb//../c?d=%20&e HTTP/1.1\r\nhost: {}\r\nx-b: 1\r\nx-a: \u{e9}\r\ncontent-length: 4\r\n\r\n",
        upstream.address
    );
    assert_eq!((request.head, &*request.body), (expected, &b"body"[..]));
    for (method, has_length) in [
        ("GET", false),
        ("DELETE", false),
        ("POST", true),
        ("PUT", true),
    ] {
        let request = OutgoingRequest {
            method: method.to_owned(),
            ..get(&upstream.origin())
        };
        send(&client, request).await.unwrap();
        let head = requests.recv().unwrap().head;
        assert!(head.starts_with(&format!("{method} / HTTP/1.1\r\n")));
        assert_eq!(head.contains("content-length: 0\r\n"), has_length, "{head}");
    }
    let large = OutgoingRequest {
        method: "PUT".to_owned(),
        body: vec![7; contract::limits::OUTGOING_REQUEST_BODY_BYTES_MAX],
        ..get(&upstream.origin())
    };
    let expected = large.body.clone();
    send(&client, large).await.unwrap();
    assert_eq!(requests.recv().unwrap().body, expected);
}

#[tokio::test]
async fn a_response_has_no_traces_of_the_connection() {
    let upstream = Upstream::writing(
        b"HTTP/1.1 299 Whatever\r\nX-B: 1\r\nx-a: caf\xe9\r\nX-b: caf\xc3\xa9\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nTE: trailers\r\nTrailer: x\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok"
            .to_vec(),
    );
    let response = call(&upstream).await.unwrap();
    assert_eq!((response.status, &*response.body), (299, &b"ok"[..]));
    let headers: Vec<(&str, &str)> = response
        .headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let expected = [
        ("x-b", "1"),
        ("x-b", "caf\u{e9}"),
        ("x-a", "caf\u{e9}"),
        ("content-length", "2"),
    ];
    assert_eq!(headers, expected);
}

#[tokio::test]
async fn unusual_responses_are_responses() {
    for (bytes, status, expected) in [
        ("HTTP/1.0 200 OK\r\n\r\nto the end", 200, "to the end"),
        ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, "ok"),
        ("HTTP/1.1 200\r\n\r\nto the end", 200, "to the end"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2;a=b\r\nch\r\n5\r\nunked\r\n0\r\nx-sum: 1\r\n\r\n",
            200,
            "chunked",
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok",
            201,
            "ok",
        ),
        (
            "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n",
            204,
            "",
        ),
        (
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
            304,
            "",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok",
            200,
            "ok",
        ),
        ("HTTP/1.1 599 X\r\ncontent-length: 0\r\n\r\n", 599, ""),
    ] {
        let response = call(&Upstream::writing(bytes)).await;
        assert_eq!(response.as_ref().unwrap().status, status, "{bytes}");
        assert_eq!(body(response), expected, "{bytes}");
    }
    let upstream = Upstream::writing("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n");
    let head = OutgoingRequest {
        method: "HEAD".to_owned(),
        ..get(&upstream.origin())
    };
    let response = send(&client(&upstream), head).await.unwrap();
    assert!(response.body.is_empty());
}

#[tokio::test]
async fn without_a_whole_response_the_outcome_is_unknown() {
    for bytes in [
        "",
        "HTTP/1.1 200 OK\r\nconte",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\nshort\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0x2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nx y: z\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx : z\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 600 X\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 999 X\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "just a text\r\n\r\n",
    ] {
        let error = call(&Upstream::writing(bytes)).await.unwrap_err();
        assert_eq!(error.name(), "outcome-unknown", "{bytes}: {error}");
    }
}

#[tokio::test]
async fn responses_have_bounds() {
    let headers = |count: usize| {
        let lines = "x: y\r\n".repeat(count);
        format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{lines}\r\nok")
    };
    assert_eq!(body(call(&Upstream::writing(headers(127))).await), "ok");
    let long = "y".repeat(OUTGOING_HEADERS_BYTES_MAX);
    let size = OUTGOING_RESPONSE_BODY_BYTES_MAX;
    let chunk = format!("100000\r\n{}\r\n", "y".repeat(1 << 20));
    let interim = format!("HTTP/1.1 103 X\r\nlink: {}\r\n\r\n", "y".repeat(8_000));
    for bytes in [
        interim.repeat(3_200),
        headers(128),
        format!("HTTP/1.1 200 OK\r\nx: {long}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nx: {long}"),
        format!("HTTP/1.1 200 {long}"),
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", size + 1),
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
            u64::MAX - 2
        ),
        format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
            chunk.repeat(7)
        ),
        format!("HTTP/1.1 200 OK\r\n\r\n{}", "y".repeat(size + 1)),
    ] {
        let start: String = bytes.chars().take(60).collect();
        let error = call(&Upstream::writing(bytes)).await.unwrap_err();
        assert_eq!(error.name(), "response-too-large", "{start}: {error}");
    }
    let largest = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n{}",
        "y".repeat(size)
    );
    assert_eq!(body(call(&Upstream::writing(largest)).await).len(), size);
}

struct TestSigner;

#[async_trait::async_trait]
impl RequestSigner for TestSigner {
    async fn sign(
        &self,
        scope: &AwsScope,
        request: UnsignedRequest<'_>,
    ) -> Result<Vec<(String, String)>, String> {
        match request.method {
            "GET" => Ok(vec![(
                "authorization".to_owned(),
                format!("{} {} {}", scope.service, scope.region, request.url),
            )]),
            _ => Err("expired".to_owned()),
        }
    }
}

#[tokio::test]
async fn the_host_signs_where_the_grant_says_so() {
    let (seen, requests) = mpsc::channel();
    let upstream = Upstream::new(move |_, mut stream| {
        while let Some(request) = see(&mut stream) {
            seen.send(request.head).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).unwrap();
        }
    });
    let scope = AwsScope {
        service: "sqs".to_owned(),
        region: "eu-central-1".to_owned(),
    };
    let grant = private(&upstream.origin()).signed_for(scope).unwrap();
    let grants = Arc::new(Grants::new(vec![grant]).unwrap());
    let http = Arc::new(http());
    let client = GrantedClient::new(http.clone(), grants.clone(), Some(Arc::new(TestSigner)));
    let url = format!("{}/q?a", upstream.origin());
    send(&client, get(&url)).await.unwrap();
    let head = requests.recv().unwrap();
    let authorization = format!("authorization: sqs eu-central-1 {url}\r\n");
    assert!(head.contains(&authorization), "{head}");

    let own = OutgoingRequest {
        headers: vec![("Authorization".to_owned(), "mine".to_owned())],
        ..get(&url)
    };
    let error = send(&client, own).await.unwrap_err();
    assert_eq!(error.name(), "invalid-request");
    let expired = OutgoingRequest {
        method: "POST".to_owned(),
        ..get(&url)
    };
    let error = send(&client, expired).await.unwrap_err();
    let words = "unreachable: no credentials for signing: expired";
    assert_eq!(error.to_string(), words);
    let without = GrantedClient::new(http, grants, None);
    let error = send(&without, get(&url)).await.unwrap_err();
    assert_eq!(error.name(), "unreachable");
}

/// Signs after this time.
struct SlowSigner(Duration);

#[async_trait::async_trait]
impl RequestSigner for SlowSigner {
    async fn sign(
        &self,
        _: &AwsScope,
        _: UnsignedRequest<'_>,
    ) -> Result<Vec<(String, String)>, String> {
        tokio::time::sleep(self.0).await;
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn signing_is_part_of_the_time_of_a_request() {
    let upstream = Upstream::writing("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let scope = AwsScope {
        service: "sqs".to_owned(),
        region: "eu-central-1".to_owned(),
    };
    let grant = private(&upstream.origin()).signed_for(scope).unwrap();
    let grants = Arc::new(Grants::new(vec![grant]).unwrap());
    let client = |duration| {
        let signer = Arc::new(SlowSigner(duration));
        GrantedClient::new(Arc::new(http()), grants.clone(), Some(signer))
    };
    let request = |timeout| OutgoingRequest {
        timeout: Some(timeout),
        ..get(&upstream.origin())
    };
    let slow = client(Duration::from_secs(2));
    let error = send(&slow, request(Duration::from_millis(200))).await;
    let words = "unreachable: no credentials for signing: none in time";
    assert_eq!(error.unwrap_err().to_string(), words);
    assert_eq!(upstream.accepted(), 0);
    let fast = client(Duration::ZERO);
    assert_eq!(body(send(&fast, request(PATIENCE)).await), "ok");
}
