//! A load generator with keep-alive connections, one request at a time on each, for a fixed time.

use anyhow::{Context, bail};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// Capacity for most responses.
const BUFFER_BYTES: usize = 16 << 10;

/// What a server answered under load.
pub struct Load {
    /// Of each request, in order of size.
    latencies: Vec<Duration>,
    duration: Duration,
}

impl Load {
    /// Requests a second over all connections.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.duration.as_secs_f64()
    }

    /// The latency in milliseconds that this part of the requests did not exceed.
    pub fn percentile_ms(&self, part: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let position = (last as f64 * part).round() as usize;
        let latency = self.latencies.get(position);
        latency.map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}

/// Requests per second over all connections.
pub fn rate(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    duration: Duration,
) -> anyhow::Result<f64> {
    Ok(run(address, request, connections, duration)?.rate())
}

/// The same request again and again, on each connection after the answer to the one before.
pub fn run(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    duration: Duration,
) -> anyhow::Result<Load> {
    let started = Instant::now();
    let until = started + duration;
    let latencies: Vec<Vec<Duration>> = std::thread::scope(|scope| {
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
            .collect::<anyhow::Result<_>>()
    })?;
    let duration = started.elapsed();
    let mut latencies = latencies.concat();
    latencies.sort_unstable();
    Ok(Load {
        latencies,
        duration,
    })
}

/// One request on a new connection; returns the status.
pub fn once(address: SocketAddr, request: &[u8]) -> anyhow::Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    exchange(&mut stream, request, &mut Vec::new())
}

fn connection(
    address: SocketAddr,
    request: &[u8],
    until: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let mut latencies = Vec::new();
    let mut now = Instant::now();
    while now < until {
        let status = exchange(&mut stream, request, &mut buffer)?;
        if !(200..300).contains(&status) {
            bail!("answered {status}");
        }
        let answered = Instant::now();
        latencies.push(answered - now);
        now = answered;
    }
    Ok(latencies)
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
            let body = &answer[head_bytes + 4..];
            let is_whole = match content_length(head)? {
                Some(length) => body.len() >= length,
                // Bodies of the compared servers contain no such line.
                None => body.ends_with(b"\r\n0\r\n\r\n") || body == b"0\r\n\r\n",
            };
            if is_whole {
                return status(head);
            }
        }
    }
}

fn status(head: &str) -> anyhow::Result<u16> {
    Ok(head.split(' ').nth(1).context("no status")?.parse()?)
}

/// The length of the body; `None` if it comes in chunks.
fn content_length(head: &str) -> anyhow::Result<Option<usize>> {
    let field = |name: &str| {
        let mut lines = head.lines();
        lines.find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    match (field("content-length"), field("transfer-encoding")) {
        (Some(length), None) => Ok(Some(length.parse()?)),
        (None, Some("chunked")) => Ok(None),
        _ => bail!("an answer without a length"),
    }
}
