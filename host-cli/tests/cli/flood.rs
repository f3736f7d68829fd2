//! `serve` under clients that use up resources, while an honest client needs a response.

use crate::program::Server;
use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};
use tokio::net::TcpSocket;

const HOSTILE_CLIENTS: usize = 2_000;
/// Hostile clients between two requests of the honest client.
const CLIENTS_BETWEEN: usize = 20;
const ANSWER_DURATION_MAX: Duration = Duration::from_secs(1);
/// Memory above that after the first request: what the server may hold for clients (64 MiB), buffers of 512 connections, and requests that
/// are being answered, each with the memory of an instance.
const MEMORY_BYTES_MAX: usize = 192 << 20;

/// Sends a large document, which hostile clients then request without reading the response.
fn put_large(server: &Server) {
    let body = format!(
        r#"{{"name":"x","attributes":{{"a":"{}"}}}}"#,
        "v".repeat(200_000)
    );
    let answer = server.talk(format!(
        "PUT /items/large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

/// A client with the smallest possible receive buffer.
fn connect_narrow(server: &Server) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(server.address).await.unwrap();
        stream.into_std().unwrap()
    })
}

/// One attack of each kind in turn; returns what keeps its connection open.
fn hostile(server: &Server, number: usize) -> TcpStream {
    let (mut stream, bytes) = match number % 4 {
        0 => {
            let half_head = format!(
                "GET /health HTTP/1.1\r\nhost: localhost\r\nx: {}",
                "x".repeat(8_000)
            );
            (server.connect(), half_head)
        }
        1 => {
            let half_body = format!(
                "POST /items HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4000000\r\n\r\n{}",
                "x".repeat(400_000)
            );
            (server.connect(), half_body)
        }
        2 => {
            // Refused by its length, and sent nevertheless.
            let too_long = format!(
                "POST /items HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50000000\r\n\r\n{}",
                "x".repeat(400_000)
            );
            (server.connect(), too_long)
        }
        _ => {
            let unread = "GET /items/large HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(4);
            (connect_narrow(server), unread)
        }
    };
    stream.set_nonblocking(true).unwrap();
    // As much as the system accepts: the server may have closed the connection or stopped reading.
    let mut rest = bytes.as_bytes();
    for _ in 0..50 {
        match stream.write(rest) {
            Ok(count) if count < rest.len() => rest = &rest[count..],
            Ok(_) => break,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_micros(200));
            }
            Err(_) => break,
        }
    }
    stream
}

/// An honest client gets its response quickly.
fn expect_answer(server: &Server, hostile_clients: usize) {
    let started = Instant::now();
    let mut stream = server.connect();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let duration = started.elapsed();
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && duration < ANSWER_DURATION_MAX,
        "beside {hostile_clients} clients, after {duration:?}: {answer}"
    );
}

#[test]
fn an_honest_client_is_answered_at_once_beside_two_thousand_hostile_ones() {
    let server = Server::start(&["--store", "memory", "--quiet"]);
    put_large(&server);
    expect_answer(&server, 0);
    let before = server.memory_bytes("VmRSS:");
    let mut clients = Vec::with_capacity(HOSTILE_CLIENTS);
    for number in 0..HOSTILE_CLIENTS {
        clients.push(hostile(&server, number));
        if clients.len() % CLIENTS_BETWEEN == 0 {
            expect_answer(&server, clients.len());
        }
    }
    for _ in 0..20 {
        expect_answer(&server, clients.len());
    }
    let grown = server.memory_bytes("VmHWM:").saturating_sub(before);
    assert!(grown < MEMORY_BYTES_MAX, "{} MiB", grown >> 20);
    drop(clients);
    let (code, stderr) = server.stop();
    assert_eq!(code, 0);
    assert!(
        stderr.contains("connections closed: there were too many"),
        "{stderr}"
    );
}

#[test]
fn connections_closed_just_before_the_end_are_told_as_well() {
    let server = Server::start(&["--store", "memory", "--quiet"]);
    let clients: Vec<_> = (0..600).map(|_| server.connect()).collect();
    // All of them have been accepted, and the server ends before its next periodic check.
    expect_answer(&server, clients.len());
    let (code, stderr) = server.stop();
    assert_eq!(code, 0);
    assert!(stderr.contains(" connections closed: "), "{stderr}");
}
