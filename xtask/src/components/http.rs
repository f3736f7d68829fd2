//! A client for one request at a time.

use anyhow::{Context, bail, ensure};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// How long a host may take for a response: with a component that it compiles first, or a trap whose backtrace it resolves.
const RESPONSE_DURATION_MAX: Duration = Duration::from_secs(60);

/// What is sent.
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What comes back; names of header fields are in lower case.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Sends a request on a connection of its own.
pub fn send(address: SocketAddr, request: &Request) -> anyhow::Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(RESPONSE_DURATION_MAX))?;
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    head.push_str("host: localhost\r\nconnection: close\r\n");
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !request.body.is_empty() || matches!(&*request.method, "POST" | "PUT") {
        head.push_str(&format!("content-length: {}\r\n", request.body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&request.body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    read(&bytes)
}

/// Reads a response that ends with its connection.
fn read(bytes: &[u8]) -> anyhow::Result<Response> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.context("a response without a whole head")?;
    let head = std::str::from_utf8(&bytes[..end])?;
    let (first, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let status = first
        .split(' ')
        .nth(1)
        .context("a response without status")?;
    let headers: Vec<_> = fields
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = &bytes[end + 4..];
    let length = headers.iter().find(|(name, _)| name == "content-length");
    if let Some((_, length)) = length.filter(|_| !body.is_empty()) {
        ensure!(
            *length == body.len().to_string(),
            "a body of {} bytes with `content-length: {length}`",
            body.len()
        );
    }
    let is_chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    Ok(Response {
        status: status.parse()?,
        body: if is_chunked {
            unchunked(body)?
        } else {
            body.to_vec()
        },
        headers,
    })
}

/// The chunks' content (RFC 9112, section 7.1).
fn unchunked(mut rest: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let end = rest.iter().position(|&byte| byte == b'\n');
        let end = end.context("a response that was cut")?;
        let size = std::str::from_utf8(&rest[..end])?.trim();
        let size = usize::from_str_radix(size, 16).context("a chunk without size")?;
        rest = &rest[end + 1..];
        if size == 0 {
            return Ok(content);
        }
        // Its end of line belongs to it.
        ensure!(rest.len() >= size + 2, "a response that was cut");
        content.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

/// Waits until a host answers with 200, but no longer than for any response.
pub fn wait(address: SocketAddr, is_alive: &mut dyn FnMut() -> bool) -> anyhow::Result<()> {
    let started = Instant::now();
    let request = Request {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    while is_alive() {
        if send(address, &request).is_ok_and(|response| response.status == 200) {
            return Ok(());
        }
        ensure!(
            started.elapsed() < RESPONSE_DURATION_MAX,
            "the host does not answer with 200"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("the host ended before it answered")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read_with_its_length_and_in_chunks() {
        let whole = b"HTTP/1.1 201 Created\r\nX-Own: a: b\r\ncontent-length: 2\r\n\r\nhi";
        let chunked =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\na\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n";
        let response = read(whole).unwrap();
        assert_eq!((response.status, &*response.body), (201, &b"hi"[..]));
        assert_eq!(response.headers[0], ("x-own".to_owned(), "a: b".to_owned()));
        assert_eq!(read(chunked).unwrap().body, b"a\r\n0123456789");
    }

    #[test]
    fn a_cut_response_is_an_error() {
        for cut in [
            &b"HTTP/1.1 200 OK\r\n"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        ] {
            assert!(read(cut).is_err());
        }
    }
}
