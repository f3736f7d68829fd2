//! A load generator with keep-alive connections, one request at a time on each, for a fixed time.

use anyhow::{Context, bail};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// Capacity for most responses.
const BUFFER_BYTES: usize = 16 << 10;

/// Requests per second over all connections.
pub fn rate(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    duration: Duration,
) -> anyhow::Result<f64> {
    let started = Instant::now();
    let until = started + duration;
    let requests: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|_| scope.spawn(move || connection(address, request, until)))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| bail!("a connection panicked"))
            })
            .sum::<anyhow::Result<u64>>()
    })?;
    Ok(requests as f64 / started.elapsed().as_secs_f64())
}

/// One request on a new connection; returns the status.
pub fn once(address: SocketAddr, request: &[u8]) -> anyhow::Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    exchange(&mut stream, request, &mut Vec::new())
}

fn connection(address: SocketAddr, request: &[u8], until: Instant) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let mut count = 0;
    while Instant::now() < until {
        let status = exchange(&mut stream, request, &mut buffer)?;
        if !(200..300).contains(&status) {
            bail!("answered {status}");
        }
        count += 1;
    }
    Ok(count)
}

/// Each connection has its own buffer, which is not cleared: with many connections, clearing would evict the server's memory from the
/// caches.
fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> anyhow::Result<u16> {
    stream.write_all(request)?;
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(filled + BUFFER_BYTES, 0);
        }
        let read = stream.read(&mut buffer[filled..])?;
        if read == 0 {
            bail!("the server closed the connection");
        }
        filled += read;
        let answer = &buffer[..filled];
        if let Some(head_bytes) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = std::str::from_utf8(&answer[..head_bytes])?;
            if answer.len() >= head_bytes + 4 + content_length(head)? {
                return status(head);
            }
        }
    }
}

fn status(head: &str) -> anyhow::Result<u16> {
    Ok(head.split(' ').nth(1).context("no status")?.parse()?)
}

fn content_length(head: &str) -> anyhow::Result<usize> {
    let line = head
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("content-length:"));
    Ok(line
        .and_then(|line| line.split(':').nth(1))
        .context("no content-length")?
        .trim()
        .parse()?)
}
