//! Servers that follow a script, and clients that may call them.

use http_client::HttpClient;
use outgoing::{
    CLIENT_OPTIONS, Grant, GrantedClient, Grants, OutgoingError, OutgoingHttp, OutgoingRequest,
    OutgoingResponse,
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

/// Longer than anything takes.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A server on a port of its own.
pub struct Upstream {
    pub address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

/// A request as it came.
#[derive(Debug)]
pub struct Seen {
    pub head: String,
    pub body: Vec<u8>,
}

impl Upstream {
    /// Runs the script for each connection, with its number, from 0.
    pub fn new(script: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counter = accepted.clone();
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let number = counter.fetch_add(1, SeqCst);
                let script = script.clone();
                thread::spawn(move || script(number, stream.unwrap()));
            }
        });
        Self { address, accepted }
    }

    /// Reads one request, writes these bytes, and closes the connection.
    pub fn writing(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::new(move |_, mut stream| {
            if see(&mut stream).is_some() {
                // The client may have closed the connection before the end.
                let _ = stream.write_all(&bytes);
            }
        })
    }

    /// Answers requests on each connection until the client closes it.
    pub fn answering(bytes: &'static str) -> Self {
        Self::new(move |_, mut stream| {
            while see(&mut stream).is_some() {
                stream.write_all(bytes.as_bytes()).unwrap();
            }
        })
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connections until now.
    pub fn accepted(&self) -> usize {
        self.accepted.load(SeqCst)
    }
}

/// A request with a body of `content-length`; nothing if the client has closed the connection.
pub fn see(stream: &mut (impl Read + Write)) -> Option<Seen> {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { head, body })
}

/// Waits until the client closes the connection.
pub fn wait_for_close(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
}

/// A grant for servers on this machine.
pub fn private(origin: &str) -> Grant {
    let grant: Grant = origin.parse().unwrap();
    grant.with_private_addresses()
}

/// With the bounds of guests.
pub fn http() -> HttpClient {
    HttpClient::new(CLIENT_OPTIONS)
}

/// A client that may call these.
pub fn client_for(client: HttpClient, grants: Vec<Grant>) -> GrantedClient {
    let grants = Grants::new(grants).unwrap();
    GrantedClient::new(Arc::new(client), Arc::new(grants), None)
}

/// A client that may call this server.
pub fn client(upstream: &Upstream) -> GrantedClient {
    client_for(http(), vec![private(&upstream.origin())])
}

pub fn get(url: &str) -> OutgoingRequest {
    OutgoingRequest {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout: Some(PATIENCE),
    }
}

pub async fn send(
    client: &GrantedClient,
    request: OutgoingRequest,
) -> Result<OutgoingResponse, OutgoingError> {
    client.send(request, Instant::now() + PATIENCE).await
}

/// Calls a server once.
pub async fn call(upstream: &Upstream) -> Result<OutgoingResponse, OutgoingError> {
    send(&client(upstream), get(&upstream.origin())).await
}

/// The body of a successful answer as text.
pub fn body(result: Result<OutgoingResponse, OutgoingError>) -> String {
    String::from_utf8(result.unwrap().body).unwrap()
}
