//! A proxy in front of the DynamoDB engine that causes faults, request by request.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// It is passed on.
    Pass,
    /// The connection is closed before the request is read; nothing was done.
    Refuse,
    /// It is never answered; nothing was done.
    Stall,
    /// It is passed on and executed; the connection is closed instead of a response.
    LoseAnswer,
    /// It is answered with a DynamoDB error; nothing was done.
    Fail { status: u16, code: &'static str },
}

pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    /// Requests that are passed on before the mode applies.
    passes: usize,
    mode: Mode,
    /// Number of requests that it applies to; later ones are passed on.
    left: usize,
    /// Trace headers of the received requests.
    traces: Vec<Option<String>>,
}

impl Proxy {
    /// Listens on a free port, before the server at `upstream`.
    pub fn start(upstream: SocketAddr, mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            passes: 0,
            mode,
            left: usize::MAX,
            traces: Vec::new(),
        }));
        let theirs = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = theirs.clone();
                // A client that gives up closes the connection, which ends this.
                thread::spawn(move || serve(client, upstream, &state).ok());
            }
        });
        Self { address, state }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From the next request on.
    pub fn set(&self, mode: Mode) {
        self.set_for(usize::MAX, mode);
    }

    /// For the next requests; later ones are passed on again.
    pub fn set_for(&self, requests: usize, mode: Mode) {
        let mut state = self.state.lock().unwrap();
        (state.passes, state.left, state.mode) = (0, requests, mode);
    }

    /// From then on, after this many more requests have been passed on.
    pub fn set_after(&self, passes: usize, mode: Mode) {
        let mut state = self.state.lock().unwrap();
        (state.passes, state.left, state.mode) = (passes, usize::MAX, mode);
    }

    /// Trace headers of the requests since the last call.
    pub fn take_traces(&self) -> Vec<Option<String>> {
        std::mem::take(&mut self.state.lock().unwrap().traces)
    }
}

impl State {
    fn next_mode(&mut self) -> Mode {
        if self.passes > 0 || self.left == 0 {
            self.passes = self.passes.saturating_sub(1);
            return Mode::Pass;
        }
        self.left -= 1;
        self.mode
    }
}

fn serve(client: TcpStream, upstream: SocketAddr, state: &Mutex<State>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let server = TcpStream::connect(upstream)?;
    server.set_nodelay(true)?;
    let (mut client, mut server) = (BufReader::new(client), BufReader::new(server));
    loop {
        // Waits for the first byte, so that the mode at that moment applies.
        if client.fill_buf()?.is_empty() {
            return Ok(());
        }
        let mode = state.lock().unwrap().next_mode();
        if mode == Mode::Refuse {
            return client.get_ref().shutdown(Shutdown::Both);
        }
        let request = Message::read(&mut client)?;
        let trace = request.header("x-amzn-trace-id");
        state.lock().unwrap().traces.push(trace);
        match mode {
            Mode::Pass => {
                server.get_mut().write_all(&request.bytes)?;
                let answer = Message::read(&mut server)?;
                client.get_mut().write_all(&answer.bytes)?;
            }
            Mode::LoseAnswer => {
                server.get_mut().write_all(&request.bytes)?;
                Message::read(&mut server)?;
                return client.get_ref().shutdown(Shutdown::Both);
            }
            Mode::Stall => {
                // Until the client gives up.
                client.read_to_end(&mut Vec::new())?;
                return Ok(());
            }
            Mode::Fail { status, code } => {
                client.get_mut().write_all(&failure(status, code))?;
            }
            Mode::Refuse => {}
        }
    }
}

/// An error in DynamoDB's form (AWS: "Error handling with DynamoDB").
fn failure(status: u16, code: &str) -> Vec<u8> {
    let body = format!(
        r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"arn:aws:dynamodb:eu-central-1:123456789012:table/items"}}"#
    );
    format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\nx-amzn-requestid: 1\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A request or a response, byte for byte.
struct Message {
    bytes: Vec<u8>,
    head: String,
}

impl Message {
    fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Self> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut bytes)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut message = Self {
            head: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        };
        let length = message
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let start = message.bytes.len();
        message.bytes.resize(start + length, 0);
        reader.read_exact(&mut message.bytes[start..])?;
        Ok(message)
    }

    fn header(&self, name: &str) -> Option<String> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = fields.find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        Some(value.trim().to_owned())
    }
}
