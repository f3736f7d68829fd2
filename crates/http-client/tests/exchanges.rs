//! How long a client waits, and what it says about the end. All else is tested where it is used, in `outgoing/tests/upstreams`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bytes::Bytes;
use contract::{address::Addresses, origin::Origin};
use http::{Request, Response};
use http_client::{ClientOptions, HttpClient, SendError, Target, Wait};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// From one piece of a slow body to the next.
const PAUSE: Duration = Duration::from_millis(100);

/// A server that runs a script after each request; its origin.
fn server(script: fn(&mut TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                head.extend(byte);
            }
            script(&mut stream);
        }
    });
    format!("http://{address}")
}

async fn get(
    client: &HttpClient,
    origin: &str,
    addresses: Addresses,
    wait: Wait,
) -> Result<Response<Vec<u8>>, SendError> {
    let (origin, _) = Origin::split(origin).unwrap();
    let target = Target { origin, addresses };
    let request = Request::get("/").body(Bytes::new()).unwrap();
    client.send(&target, request, 1 << 10, wait).await
}

fn client() -> HttpClient {
    HttpClient::new(ClientOptions::default())
}

fn within(duration: Duration) -> Instant {
    Instant::now() + duration
}

/// Eight pieces, each in time; all of them take longer than one may.
fn drip(stream: &mut TcpStream) {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n";
    stream.write_all(head).unwrap();
    for _ in 0..8 {
        thread::sleep(PAUSE);
        if stream.write_all(b"x").is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_slow_body_is_waited_for_as_long_as_it_comes_or_until_an_instant() {
    let origin = server(drip);
    let wait = Wait::Pieces {
        head: within(PATIENCE),
        piece: PAUSE * 5,
    };
    let response = get(&client(), &origin, Addresses::Unchecked, wait).await;
    assert_eq!(response.unwrap().body(), b"xxxxxxxx");
    let wait = Wait::Until(within(PAUSE * 3));
    let error = get(&client(), &origin, Addresses::Unchecked, wait).await;
    assert!(matches!(error, Err(SendError::Unknown(_))), "{error:?}");
}

#[tokio::test]
async fn a_body_that_stops_ends_the_wait() {
    let origin = server(|stream| {
        let start = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nxx";
        stream.write_all(start).unwrap();
        thread::sleep(PATIENCE);
    });
    let started = Instant::now();
    let wait = Wait::Pieces {
        head: within(PATIENCE),
        piece: PAUSE,
    };
    let error = get(&client(), &origin, Addresses::Unchecked, wait).await;
    assert!(matches!(error, Err(SendError::Unknown(_))), "{error:?}");
    assert!(started.elapsed() < PATIENCE / 2);
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_wait() {
    let origin = server(|_| thread::sleep(PATIENCE));
    let started = Instant::now();
    let wait = Wait::Pieces {
        head: within(PAUSE),
        piece: PATIENCE,
    };
    let error = get(&client(), &origin, Addresses::Unchecked, wait).await;
    assert!(matches!(error, Err(SendError::Unknown(_))), "{error:?}");
    assert!(started.elapsed() < PATIENCE / 2);
}

#[tokio::test]
async fn what_was_not_sent_says_why() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let wait = Wait::Until(within(PATIENCE));
    let refused = get(&client(), &origin, Addresses::Unchecked, wait).await;
    assert!(matches!(refused, Err(SendError::Refused(_))), "{refused:?}");
    let private = get(&client(), &origin, Addresses::Public, wait).await;
    let Err(SendError::NotAllowed(refused)) = private else {
        panic!("{private:?}");
    };
    assert_eq!(refused.class, "a loopback address");
    let listening = server(drip);
    let late = get(
        &client(),
        &listening,
        Addresses::Any,
        Wait::Until(Instant::now()),
    )
    .await;
    assert!(matches!(late, Err(SendError::NotSent(_))), "{late:?}");
}

/// As many connections are kept as were used at the same time, up to the bound.
#[tokio::test]
async fn connections_are_kept_up_to_the_bound() {
    static ACCEPTED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            ACCEPTED.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut bytes = [0; 1024];
                while stream.read(&mut bytes).is_ok_and(|count| count > 0) {
                    thread::sleep(PAUSE);
                    let response = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(response).unwrap();
                }
            });
        }
    });
    let client = HttpClient::new(ClientOptions {
        idle_connections_max: 2,
        ..ClientOptions::default()
    });
    let wait = Wait::Until(within(PATIENCE));
    let one = || get(&client, &origin, Addresses::Unchecked, wait);
    let (first, second, third) = tokio::join!(one(), one(), one());
    for response in [first, second, third] {
        assert_eq!(response.unwrap().status(), 200);
    }
    // Two of the three connections are used again.
    let (first, second, third) = tokio::join!(one(), one(), one());
    for response in [first, second, third] {
        assert_eq!(response.unwrap().status(), 200);
    }
    assert_eq!(ACCEPTED.load(std::sync::atomic::Ordering::SeqCst), 4);
}
