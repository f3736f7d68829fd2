//! A service that guests call.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// A server that answers so many requests, and its origin: `/echo` with the head of the request, every other path with `hello`. Closes each
/// connection.
pub fn upstream(count: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().take(count) {
            answer(&mut stream.unwrap());
        }
    });
    format!("http://{address}")
}

fn answer(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let body = match head.contains(" /echo HTTP/1.1") {
        true => head.as_str(),
        false => "hello",
    };
    let length = body.len();
    let response =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    // The client may have closed the connection before the end.
    let _ = stream.write_all(response.as_bytes());
}
