//! A scripted server between store and engine: it passes a request on, responds instead of the engine, or breaks the connection.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What happens to one request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// The engine responds.
    Pass,
    /// A response with this status and body; the engine does not see the request.
    Answer(u16, String),
    /// The engine responds, and then the connection ends.
    PassAndClose,
    /// The connection ends without a response; the engine does not see the request.
    Cut,
    /// The engine executes the request, and the connection ends without a response.
    PassAndCut,
    /// The connection ends in the middle of the engine's response.
    PassAndCutShort,
    /// The engine executes the request; the response is delayed by this time.
    PassLate(Duration),
    /// The engine executes the request, and this is the response.
    PassAndAnswer(u16, String),
}

/// A request as received.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// For example `PutItem`.
    pub(super) operation: String,
    /// In lower case.
    pub(super) head: String,
    pub(super) body: serde_json::Value,
}

/// The server. Without a script it passes everything on.
#[derive(Clone)]
pub(super) struct Script {
    pub(super) address: String,
    acts: Arc<Mutex<VecDeque<Act>>>,
    always: Arc<Mutex<Option<Act>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// An error in DynamoDB's format.
pub(super) fn error(status: u16, code: &str, message: &str) -> Act {
    let body =
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"{message}"}}"#);
    Act::Answer(status, body)
}

pub(super) fn throttling() -> Act {
    error(
        400,
        "ThrottlingException",
        "Throughput exceeds the current capacity",
    )
}

impl Script {
    /// A server in front of the engine at this address.
    pub(super) async fn before(engine: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let script = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            acts: Arc::default(),
            always: Arc::default(),
            seen: Arc::default(),
        };
        let engine = engine.trim_start_matches("http://").to_owned();
        let serving = script.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serving.clone().serve(stream, engine.clone()));
            }
        });
        script
    }

    /// Scripts the next requests.
    pub(super) fn play(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().unwrap().extend(acts);
    }

    /// Scripts all requests after those.
    pub(super) fn always(&self, act: Option<Act>) {
        *self.always.lock().unwrap() = act;
    }

    /// The requests since the last call.
    pub(super) fn take_seen(&self) -> Vec<Seen> {
        assert!(
            self.acts.lock().unwrap().is_empty(),
            "not all of the script was played"
        );
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// Their names.
    pub(super) fn take_operations(&self) -> Vec<String> {
        self.take_seen()
            .into_iter()
            .map(|seen| seen.operation)
            .collect()
    }

    fn next_act(&self) -> Act {
        let next = self.acts.lock().unwrap().pop_front();
        next.or_else(|| self.always.lock().unwrap().clone())
            .unwrap_or(Act::Pass)
    }

    async fn serve(self, mut stream: TcpStream, engine: String) {
        while let Some((head, body)) = read_message(&mut stream).await {
            self.seen.lock().unwrap().push(Seen {
                operation: operation(&head),
                head: head.to_lowercase(),
                body: serde_json::from_slice(&body).unwrap(),
            });
            let act = self.next_act();
            let is_last = matches!(act, Act::PassAndClose);
            let is_passed = !matches!(act, Act::Answer(..) | Act::Cut);
            let passed = if is_passed {
                pass(&engine, &head, &body).await
            } else {
                Vec::new()
            };
            let answer = match act {
                Act::Pass | Act::PassAndClose => passed,
                Act::PassLate(delay) => {
                    tokio::time::sleep(delay).await;
                    passed
                }
                Act::Answer(status, body) | Act::PassAndAnswer(status, body) => format!(
                    "HTTP/1.1 {status} Scripted\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
                .into_bytes(),
                Act::Cut | Act::PassAndCut => return,
                Act::PassAndCutShort => {
                    let _ = stream.write_all(&passed[..passed.len() - 2]).await;
                    return;
                }
            };
            if stream.write_all(&answer).await.is_err() || is_last {
                return;
            }
        }
    }
}

/// Passes a request to the engine and returns the complete response with its length.
async fn pass(engine: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(engine).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let (head, body) = read_message(&mut stream).await.unwrap();
    [head.as_bytes(), &body].concat()
}

/// Reads head and body; `None` at the end of the connection.
async fn read_message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap());
    let mut body = bytes.split_off(end);
    while body.len() < length {
        if stream.read_buf(&mut body).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    Some((head, body))
}

fn operation(head: &str) -> String {
    let target = head
        .lines()
        .find_map(|line| line.split_once("DynamoDB_20120810."));
    target.map_or(String::new(), |(_, operation)| operation.trim().to_owned())
}
