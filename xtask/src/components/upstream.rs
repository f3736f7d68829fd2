//! The service that the applications call: it answers what it was asked, until it is dropped.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// A running service on loopback.
pub struct Upstream {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Upstream {
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let ends = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // A client that goes away is no error of the service.
                let _ = stream.and_then(answer);
            }
        });
        Ok(Self {
            address,
            ends,
            thread: Some(thread),
        })
    }

    /// Its address as an origin.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // Wakes it up.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers one request, and closes the connection.
fn answer(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut asked, mut length, mut is_chunked) = (String::new(), 0, false);
    loop {
        let mut field = String::new();
        reader.read_line(&mut field)?;
        let Some((name, value)) = field.trim().split_once(':') else {
            break;
        };
        match (&*name.to_ascii_lowercase(), value.trim()) {
            ("x-asked", value) => asked = value.to_owned(),
            ("content-length", value) => length = value.parse().unwrap_or(0),
            ("transfer-encoding", "chunked") => is_chunked = true,
            _ => {}
        }
    }
    let mut body = if is_chunked {
        chunks(&mut reader)?
    } else {
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        body
    };
    let (status, kind) = match &*target {
        "/missing" => {
            body = b"nothing\n".to_vec();
            ("404 Not Found", "text/plain")
        }
        "/echo" => {
            body.make_ascii_uppercase();
            ("200 OK", "text/plain")
        }
        _ => {
            body = format!(r#"{{"path":"{target}","asked":"{asked}"}}"#).into_bytes();
            ("200 OK", "application/json")
        }
    };
    let mut response = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    response.extend_from_slice(&body);
    reader.into_inner().write_all(&response)
}

fn chunks(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16).unwrap_or(0);
        let mut chunk = vec![0; size];
        reader.read_exact(&mut chunk)?;
        content.extend_from_slice(&chunk);
        reader.read_line(&mut line)?;
        if size == 0 {
            return Ok(content);
        }
    }
}
