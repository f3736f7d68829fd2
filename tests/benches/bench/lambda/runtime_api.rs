//! As much of Lambda's runtime API as one function needs (AWS: "Using the Lambda runtime API"), with time measurement.
//!
//! Each connection has a thread that blocks in `read` and records the time when a message is complete: what this process does after that is
//! not measured.

use anyhow::{Context, bail};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// A deadline after the end of the run.
const DEADLINE_MS: u64 = 4_102_444_800_000;

/// What a function sent, and when.
enum Said {
    /// It waits for an event on this connection.
    Next(TcpStream),
    Answer(Vec<u8>),
    /// Its error message.
    Error(Vec<u8>),
}

/// The API of one process.
pub struct RuntimeApi {
    address: SocketAddr,
    said: Receiver<(Instant, Said)>,
    /// The connection that waits for an event, and since when.
    waiting: Option<(Instant, TcpStream)>,
    number: u64,
}

impl RuntimeApi {
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (sender, said) = mpsc::channel();
        thread::spawn(move || {
            // Threads end with their connections, this one with the process: there are at most a hundred.
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || serve(stream, &sender));
            }
        });
        Ok(Self {
            address,
            said,
            waiting: None,
            number: 0,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// When the function began to wait for the next event.
    pub fn ready_at(&mut self) -> anyhow::Result<Instant> {
        if let Some((at, _)) = self.waiting {
            return Ok(at);
        }
        match self.listen()? {
            (at, Said::Next(stream)) => {
                self.waiting = Some((at, stream));
                Ok(at)
            }
            (_, Said::Answer(_)) => bail!("the function answered what nobody asked"),
            (_, Said::Error(error)) => bail!("init failed: {}", String::from_utf8_lossy(&error)),
        }
    }

    /// Passes an event to the function as soon as it waits for one. Returns when it was sent, when the response was complete, and the
    /// response.
    pub fn invoke(&mut self, event: &[u8]) -> anyhow::Result<(Instant, Instant, Vec<u8>)> {
        self.ready_at()?;
        let (_, mut stream) = self.waiting.take().context("nobody waits")?;
        self.number += 1;
        let mut message = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
             lambda-runtime-aws-request-id: {:08x}-0000-4000-8000-000000000000\r\n\
             lambda-runtime-deadline-ms: {DEADLINE_MS}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:bench\r\n\
             lambda-runtime-trace-id: Root=1-5e6722a7-cc56aabbccdd47ae02d4da47;Sampled=0\r\n\
             content-length: {}\r\n\r\n",
            self.number,
            event.len()
        )
        .into_bytes();
        message.extend_from_slice(event);
        let sent_at = Instant::now();
        stream.write_all(&message)?;
        match self.listen()? {
            (at, Said::Answer(answer)) => Ok((sent_at, at, answer)),
            (_, Said::Next(_)) => bail!("the function wants an event before it answered"),
            (_, Said::Error(error)) => {
                bail!("the invocation failed: {}", String::from_utf8_lossy(&error))
            }
        }
    }

    fn listen(&self) -> anyhow::Result<(Instant, Said)> {
        let said = self.said.recv_timeout(PATIENCE);
        said.context("the function says nothing")
    }
}

/// Serves one connection until the other side closes it.
fn serve(stream: TcpStream, said: &Sender<(Instant, Said)>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = stream.try_clone().ok()?;
    let mut writer = stream.try_clone().ok()?;
    let mut buffer = Vec::with_capacity(64 * 1024);
    loop {
        let (head, body) = read_request(&mut reader, &mut buffer)?;
        let at = Instant::now();
        let target = head.split(' ').nth(1)?;
        let what = if target.ends_with("/invocation/next") {
            Said::Next(stream.try_clone().ok()?)
        } else {
            writer
                .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
                .ok()?;
            match target.rsplit('/').next() {
                Some("response") => Said::Answer(body),
                _ => Said::Error(body),
            }
        };
        said.send((at, what)).ok()?;
    }
}

/// Head and body of the next request; `None` at the end of the connection.
fn read_request(reader: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let mut chunk = [0; 64 * 1024];
    loop {
        if let Some(head_bytes) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..head_bytes].to_vec()).ok()?;
            let end = head_bytes + 4 + body_bytes(&head)?;
            if buffer.len() >= end {
                let body = buffer[head_bytes + 4..end].to_vec();
                buffer.drain(..end);
                return Some((head, body));
            }
        }
        match reader.read(&mut chunk).ok()? {
            0 => return None,
            read => buffer.extend_from_slice(&chunk[..read]),
        }
    }
}

/// The length of the body. Chunked bodies are not supported, because nothing here is streamed.
fn body_bytes(head: &str) -> Option<usize> {
    let header = |wanted: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim())
    };
    if header("transfer-encoding").is_some() {
        return None;
    }
    header("content-length").map_or(Some(0), |length| length.parse().ok())
}
