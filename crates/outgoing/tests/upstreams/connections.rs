//! When connections are opened, used again and closed, and what is said about a request on one that failed.

use crate::support::*;
use outgoing::{OutgoingHttp, OutgoingRequest};
use std::{
    io::Write,
    net::TcpListener,
    sync::{Mutex, mpsc},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn connections_are_used_again() {
    for (answer, connections) in [
        (OK, 1),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            1,
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", 1),
        (
            "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
            1,
        ),
        (
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
            3,
        ),
        ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", 3),
        // Two lengths, and authentication of the connection itself.
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            3,
        ),
        (
            "HTTP/1.1 401 X\r\nwww-authenticate: Negotiate\r\ncontent-length: 2\r\n\r\nok",
            3,
        ),
    ] {
        let upstream = Upstream::answering(answer);
        let client = client(&upstream);
        for _ in 0..3 {
            send(&client, get(&upstream.origin())).await.unwrap();
        }
        assert_eq!(upstream.accepted(), connections, "{answer}");
    }
    let upstream = Upstream::answering(OK);
    let client = client(&upstream);
    for _ in 0..2 {
        let request = OutgoingRequest {
            headers: vec![("authorization".to_owned(), "NTLM abc".to_owned())],
            ..get(&upstream.origin())
        };
        send(&client, request).await.unwrap();
    }
    assert_eq!(upstream.accepted(), 2);
}

#[tokio::test]
async fn simultaneous_requests_have_a_connection_each() {
    let upstream = Upstream::answering(OK);
    let client = client(&upstream);
    let one = || send(&client, get(&upstream.origin()));
    let (a, b, c) = tokio::join!(one(), one(), one());
    assert_eq!(
        (body(a), body(b), body(c)),
        ("ok".into(), "ok".into(), "ok".into())
    );
    assert_eq!(upstream.accepted(), 3);
    let (a, b) = tokio::join!(one(), one());
    assert_eq!((body(a), body(b)), ("ok".into(), "ok".into()));
    assert_eq!(upstream.accepted(), 3);
}

#[tokio::test]
async fn few_connections_are_kept() {
    let upstream = Upstream::answering(OK);
    let client = client(&upstream);
    for connections in [10, 12] {
        let mut requests = JoinSet::new();
        for _ in 0..10 {
            let (client, request) = (client.clone(), get(&upstream.origin()));
            requests.spawn(async move { send(&client, request).await });
        }
        for response in requests.join_all().await {
            assert_eq!(body(response), "ok");
        }
        assert_eq!(upstream.accepted(), connections);
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let (closed, is_closed) = mpsc::channel();
    let upstream = Upstream::new(move |_, mut stream| {
        see(&mut stream);
        stream.write_all(OK.as_bytes()).unwrap();
        drop(stream);
        closed.send(()).unwrap();
    });
    let client = client(&upstream);
    for round in 1..=3 {
        assert_eq!(body(send(&client, get(&upstream.origin())).await), "ok");
        is_closed.recv().unwrap();
        assert_eq!(upstream.accepted(), round);
    }
}

#[tokio::test]
async fn nothing_is_sent_twice() {
    let upstream = Upstream::new(move |_, mut stream| {
        see(&mut stream);
        stream.write_all(OK.as_bytes()).unwrap();
        // The second request arrives, and has no answer.
        see(&mut stream);
    });
    let client = client(&upstream);
    assert_eq!(body(send(&client, get(&upstream.origin())).await), "ok");
    let error = send(&client, get(&upstream.origin())).await.unwrap_err();
    assert_eq!(error.name(), "outcome-unknown");
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn what_follows_a_response_is_no_response_to_the_next_request() {
    let planted = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nplanted";
    let upstream = Upstream::new(move |number, mut stream| {
        see(&mut stream);
        let follows = if number == 0 { planted } else { "" };
        stream
            .write_all(format!("{OK}{follows}").as_bytes())
            .unwrap();
        wait_for_close(&mut stream);
    });
    let client = client(&upstream);
    for _ in 0..2 {
        assert_eq!(body(send(&client, get(&upstream.origin())).await), "ok");
    }
    assert_eq!(upstream.accepted(), 2);
}

#[tokio::test]
async fn what_comes_between_two_requests_ends_the_connection() {
    let (go, may_go) = mpsc::channel::<()>();
    let (gone, is_gone) = mpsc::channel();
    let may_go = Mutex::new(may_go);
    let upstream = Upstream::new(move |number, mut stream| {
        see(&mut stream);
        stream.write_all(OK.as_bytes()).unwrap();
        if number == 0 {
            may_go.lock().unwrap().recv().unwrap();
            let planted = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nplanted";
            stream.write_all(planted.as_bytes()).unwrap();
            gone.send(()).unwrap();
        }
        wait_for_close(&mut stream);
    });
    let client = client(&upstream);
    assert_eq!(body(send(&client, get(&upstream.origin())).await), "ok");
    go.send(()).unwrap();
    is_gone.recv().unwrap();
    assert_eq!(body(send(&client, get(&upstream.origin())).await), "ok");
    assert_eq!(upstream.accepted(), 2);
}

/// The server stops after these bytes, and has to see that the client closes the connection.
async fn stops_after(start: &'static str) {
    let (closed, is_closed) = mpsc::channel();
    let upstream = Upstream::new(move |_, mut stream| {
        see(&mut stream);
        stream.write_all(start.as_bytes()).unwrap();
        wait_for_close(&mut stream);
        closed.send(()).unwrap();
    });
    let request = OutgoingRequest {
        timeout: Some(Duration::from_secs(1)),
        ..get(&upstream.origin())
    };
    let error = send(&client(&upstream), request).await.unwrap_err();
    let words = "outcome unknown: no whole response in time";
    assert_eq!(error.to_string(), words);
    is_closed.recv_timeout(PATIENCE).unwrap();
}

#[tokio::test]
async fn slow_servers_lose_the_connection() {
    tokio::join!(
        stops_after(""),
        stops_after("HTTP/1.1 200 O"),
        stops_after("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nslow"),
    );
}

#[tokio::test]
async fn the_deadline_ends_a_request_whose_own_time_is_longer() {
    let upstream = Upstream::new(move |_, mut stream| {
        see(&mut stream);
        wait_for_close(&mut stream);
    });
    let client = client(&upstream);
    let deadline = Instant::now() + Duration::from_secs(1);
    let error = client.send(get(&upstream.origin()), deadline).await;
    assert_eq!(error.unwrap_err().name(), "outcome-unknown");
    let error = client.send(get(&upstream.origin()), Instant::now()).await;
    assert_eq!(error.unwrap_err().name(), "unreachable");
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_is_ended() {
    let (seen, is_seen) = tokio::sync::oneshot::channel();
    let (closed, is_closed) = mpsc::channel();
    let seen = Mutex::new(Some(seen));
    let upstream = Upstream::new(move |_, mut stream| {
        see(&mut stream);
        let seen = seen.lock().unwrap().take().unwrap();
        seen.send(()).unwrap();
        wait_for_close(&mut stream);
        closed.send(()).unwrap();
    });
    let client = client(&upstream);
    tokio::select! {
        _ = send(&client, get(&upstream.origin())) => panic!("there is no response"),
        result = is_seen => result.unwrap(),
    }
    is_closed.recv_timeout(PATIENCE).unwrap();
}

#[tokio::test]
async fn servers_that_nobody_runs_are_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client_for(http(), vec![private(&origin)]);
    let error = send(&client, get(&origin)).await.unwrap_err();
    assert_eq!(error.name(), "unreachable");
    let words = error.to_string();
    assert!(
        words.contains(&origin) && words.contains("refused"),
        "{words}"
    );
}
