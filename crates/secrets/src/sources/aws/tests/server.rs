//! A server on this machine that answers as SSM and Secrets Manager do, as far as secrets need it.

use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// What the server knows, and what it was asked.
#[derive(Default)]
pub(super) struct State {
    /// Values of parameters by their names.
    pub(super) parameters: BTreeMap<String, String>,
    /// Members of `GetSecretValue`'s answer by the secret's id.
    pub(super) secrets: BTreeMap<String, Value>,
    /// Names that the role may not read.
    pub(super) denied: Vec<String>,
    /// Status and body of the next answers, before those of what is known.
    pub(super) faults: Vec<(u16, String)>,
    /// Before each answer.
    pub(super) delay: Duration,
    /// Operation and body of each request.
    pub(super) requests: Vec<(String, Value)>,
}

pub(super) struct Server {
    pub(super) address: String,
    pub(super) state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream, shared.clone()));
            }
        });
        Self {
            address,
            state,
            task,
        }
    }

    pub(super) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request, and its answer.
async fn answer(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Some((target, body)) = request(&mut stream).await else {
        return;
    };
    let ((status, answer), delay) = {
        let mut state = state.lock().unwrap();
        let answer = state.answer(&target, &body);
        state.requests.push((target, body));
        (answer, state.delay)
    };
    sleep(delay).await;
    let length = answer.len();
    let head =
        format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    let _ = stream.write_all((head + &answer).as_bytes()).await;
}

async fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let length = stream
            .read(&mut piece)
            .await
            .ok()
            .filter(|length| *length > 0)?;
        bytes.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let field = |name: &str| {
            let line = head
                .lines()
                .find(|line| line.to_ascii_lowercase().starts_with(name));
            line.and_then(|line| line.split_once(": "))
                .unwrap()
                .1
                .to_owned()
        };
        if body.len() == field("content-length").parse::<usize>().unwrap() {
            assert!(field("authorization").starts_with("AWS4-HMAC-SHA256 "));
            let body = serde_json::from_str(body).unwrap();
            return Some((field("x-amz-target"), body));
        }
    }
}

impl State {
    fn answer(&mut self, target: &str, body: &Value) -> (u16, String) {
        if !self.faults.is_empty() {
            return self.faults.remove(0);
        }
        let is_denied = |name: &str| self.denied.iter().any(|denied| denied == name);
        let denied = || {
            let message = "User: arn:aws:sts::123456789012:assumed-role/x is not authorized";
            let error = json!({"__type": "AccessDeniedException", "Message": message});
            (400, error.to_string())
        };
        match target {
            "AmazonSSM.GetParameters" => {
                assert_eq!(body["WithDecryption"], true);
                let names: Vec<_> = body["Names"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|name| name.as_str().unwrap())
                    .collect();
                assert!(names.len() <= 10, "{names:?}");
                if names.iter().any(|name| is_denied(name)) {
                    return denied();
                }
                let (known, unknown): (Vec<_>, Vec<_>) = names
                    .into_iter()
                    .partition(|name| self.parameters.contains_key(*name));
                let known: Vec<_> = known
                    .into_iter()
                    // As AWS does for an ARN.
                    .map(|name| {
                        json!({
                            "Name": name.rsplit_once(":parameter").map_or(name, |(_, name)| name),
                            "ARN": name,
                            "Type": "SecureString",
                            "Value": self.parameters[name],
                            "Version": 1,
                        })
                    })
                    .collect();
                let answer = json!({"Parameters": known, "InvalidParameters": unknown});
                (200, answer.to_string())
            }
            "secretsmanager.GetSecretValue" => {
                let id = body["SecretId"].as_str().unwrap();
                if is_denied(id) {
                    return denied();
                }
                match self.secrets.get(id) {
                    Some(secret) => (200, secret.to_string()),
                    None => (400, json!({"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find the specified secret."}).to_string()),
                }
            }
            other => panic!("{other}"),
        }
    }
}
