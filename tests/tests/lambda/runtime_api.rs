//! Lambda's runtime API (AWS: "Using the Lambda runtime API for custom runtimes"), for invocations that the emulator cannot make.

use super::PATIENCE;
use serde_json::Value;
use std::{
    collections::{HashMap, VecDeque},
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// An invocation for the host.
#[derive(Clone)]
pub struct Invocation {
    pub event: Vec<u8>,
    /// Milliseconds since the Unix epoch at which it ends.
    pub deadline_ms: u64,
    pub trace: Option<String>,
}

impl Invocation {
    /// An event with plenty of time.
    pub fn new(event: impl Into<Vec<u8>>) -> Self {
        Self::within(event, Duration::from_secs(30))
    }

    /// An event with little time.
    pub fn within(event: impl Into<Vec<u8>>, duration: Duration) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            event: event.into(),
            deadline_ms: (now + duration).as_millis() as u64,
            trace: None,
        }
    }
}

/// The host's response to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Response(Vec<u8>),
    Error(Value),
}

impl Outcome {
    /// The response for a gateway.
    pub fn response(&self) -> Value {
        match self {
            Self::Response(bytes) => serde_json::from_slice(bytes).unwrap(),
            Self::Error(error) => panic!("invocation error: {error}"),
        }
    }

    /// Type and message of the invocation's error.
    pub fn error(&self) -> (&str, &str) {
        match self {
            Self::Response(bytes) => panic!("answered: {}", String::from_utf8_lossy(bytes)),
            Self::Error(error) => (
                error["errorType"].as_str().unwrap(),
                error["errorMessage"].as_str().unwrap(),
            ),
        }
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    count: u64,
    waiting: VecDeque<(String, Invocation)>,
    outcomes: HashMap<String, Outcome>,
    init_error: Option<Value>,
}

/// A server for one host.
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl RuntimeApi {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = theirs.clone();
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, shared }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Passes an invocation to the host, and waits for its outcome.
    pub fn invoke(&self, invocation: Invocation) -> Outcome {
        let id = self.begin(invocation);
        self.end(&id)
    }

    /// The id of the last invocation.
    pub fn last_id(&self) -> String {
        id(self.shared.state.lock().unwrap().count)
    }

    /// Passes an invocation to the host and returns its id.
    pub fn begin(&self, invocation: Invocation) -> String {
        let mut state = self.shared.state.lock().unwrap();
        state.count += 1;
        let id = id(state.count);
        state.waiting.push_back((id.clone(), invocation));
        self.shared.changed.notify_all();
        id
    }

    /// Waits until the host has an invocation's event.
    pub fn wait_until_taken(&self, id: &str) {
        let is_waiting = |state: &State| state.waiting.iter().any(|(waiting, _)| waiting == id);
        self.wait(
            |state| (!is_waiting(state)).then_some(()),
            "nobody takes the invocation",
        );
    }

    /// Waits for an invocation's outcome.
    pub fn end(&self, id: &str) -> Outcome {
        self.wait(
            |state| state.outcomes.remove(id),
            "the invocation has no outcome",
        )
    }

    /// Waits until the host reports that its init failed.
    pub fn init_error(&self) -> Value {
        self.wait(
            |state| state.init_error.take(),
            "no failed init was reported",
        )
    }

    fn wait<T>(&self, mut take: impl FnMut(&mut State) -> Option<T>, otherwise: &str) -> T {
        let mut taken = None;
        let lacks = |state: &mut State| {
            taken = take(state);
            taken.is_none()
        };
        let state = self.shared.state.lock().unwrap();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE * 2, lacks)
            .unwrap();
        drop(state);
        taken.unwrap_or_else(|| panic!("{otherwise}"))
    }
}

fn id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        stream.set_nodelay(true).ok();
        let mut reader = BufReader::new(stream);
        while let Ok((target, body)) = read_request(&mut reader) {
            let (head, body) = self.answer(&target, body);
            let stream = reader.get_mut();
            let head = format!("HTTP/1.1 {head}content-length: {}\r\n\r\n", body.len());
            if stream
                .write_all(&[head.as_bytes(), &body].concat())
                .is_err()
            {
                return;
            }
        }
    }

    /// Status line and header lines, and the body.
    fn answer(&self, target: &str, body: Vec<u8>) -> (String, Vec<u8>) {
        if target == "/2018-06-01/runtime/invocation/next" {
            let state = self.state.lock().unwrap();
            let mut state = self
                .changed
                .wait_while(state, |state| state.waiting.is_empty())
                .unwrap();
            let (id, invocation) = state.waiting.pop_front().unwrap();
            self.changed.notify_all();
            let mut head = format!(
                "200 OK\r\nlambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: {}\r\nlambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:123456789012:function:items\r\n",
                invocation.deadline_ms
            );
            if let Some(trace) = invocation.trace {
                head += &format!("lambda-runtime-trace-id: {trace}\r\n");
            }
            return (head, invocation.event);
        }
        let mut state = self.state.lock().unwrap();
        if target == "/2018-06-01/runtime/init/error" {
            state.init_error = Some(serde_json::from_slice(&body).unwrap());
        } else {
            let rest = target
                .strip_prefix("/2018-06-01/runtime/invocation/")
                .unwrap();
            let (id, verb) = rest.split_once('/').unwrap();
            let outcome = match verb {
                "response" => Outcome::Response(body),
                "error" => Outcome::Error(serde_json::from_slice(&body).unwrap()),
                other => panic!("the runtime API has no `{other}`"),
            };
            let earlier = state.outcomes.insert(id.to_owned(), outcome);
            assert_eq!(earlier, None, "invocation {id} was answered twice");
        }
        self.changed.notify_all();
        ("202 Accepted\r\n".to_owned(), Vec::new())
    }
}

/// The target and the body.
pub fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<(String, Vec<u8>)> {
    let (line, _, body) = read_message(reader)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    Ok((target, body))
}

/// The first line, the header fields by lower-case name, and the body.
pub fn read_message(
    reader: &mut BufReader<TcpStream>,
) -> io::Result<(String, HashMap<String, String>, Vec<u8>)> {
    let (line, headers) = read_head(reader)?;
    let length = headers.get("content-length");
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    assert!(!headers.contains_key("transfer-encoding"), "{line}");
    reader.read_exact(&mut body)?;
    Ok((line, headers, body))
}

/// The first line, and the header fields by lower-case name.
fn read_head(reader: &mut BufReader<TcpStream>) -> io::Result<(String, HashMap<String, String>)> {
    let mut next = || {
        let mut line = String::new();
        match reader.read_line(&mut line)? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            _ => Ok(line.trim_end().to_owned()),
        }
    };
    let first = next()?;
    let mut headers = HashMap::new();
    loop {
        let line = next()?;
        let Some((name, value)) = line.split_once(':') else {
            return Ok((first, headers));
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
}
