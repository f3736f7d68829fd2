//! A small S3: GET, HEAD and PUT of objects for requests whose signature it verifies (AWS: Signature Version 4).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
pub const SECRET_KEY: &str = "secret/of+the+tests";
pub const REGION: &str = "eu-central-1";

/// Its faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Announces a body, sends half of it, and closes the connection.
    Truncates,
    /// Answers 503 this many times.
    Busy(u32),
}

struct State {
    objects: HashMap<String, Vec<u8>>,
    mood: Mood,
    requests: u32,
    conditional_writes: u32,
}

#[derive(Clone)]
pub struct S3Server {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
}

struct Request {
    method: String,
    path: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl S3Server {
    /// On a free port of the loopback interface, until the process ends.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::new(Mutex::new(State {
                objects: HashMap::new(),
                mood: Mood::Well,
                requests: 0,
                conditional_writes: 0,
            })),
        };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = serving.clone();
                thread::spawn(move || serving.answer(stream.unwrap()));
            }
        });
        server
    }

    pub fn set_mood(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// Requests since the last call.
    pub fn take_requests(&self) -> u32 {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    /// Conditional writes since the last call.
    pub fn take_conditional_writes(&self) -> u32 {
        std::mem::take(&mut self.state.lock().unwrap().conditional_writes)
    }

    pub fn objects(&self) -> Vec<String> {
        let mut names: Vec<String> = self.state.lock().unwrap().objects.keys().cloned().collect();
        names.sort();
        names
    }

    fn answer(&self, mut stream: TcpStream) {
        let Some(request) = read(&stream) else {
            return;
        };
        let mood = {
            let mut state = self.state.lock().unwrap();
            state.requests += 1;
            let is_conditional = request.headers.contains_key("if-none-match");
            state.conditional_writes += u32::from(is_conditional);
            let mood = state.mood;
            if let Mood::Busy(times) = mood {
                state.mood = if times > 1 {
                    Mood::Busy(times - 1)
                } else {
                    Mood::Well
                };
            }
            mood
        };
        let (status, body) = match mood {
            Mood::Busy(_) => (503, Vec::new()),
            Mood::Well | Mood::Truncates => self.object(&request),
        };
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let sent = if mood == Mood::Truncates {
            body.len() / 2
        } else {
            body.len()
        };
        let has_body = request.method != "HEAD";
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(if has_body { &body[..sent] } else { b"" });
    }

    fn object(&self, request: &Request) -> (u16, Vec<u8>) {
        if !is_signed(request) {
            return (
                403,
                b"<Error><Code>SignatureDoesNotMatch</Code></Error>".to_vec(),
            );
        }
        let objects = &mut self.state.lock().unwrap().objects;
        match request.method.as_str() {
            "PUT"
                if request.headers.contains_key("if-none-match")
                    && objects.contains_key(&request.path) =>
            {
                (412, Vec::new())
            }
            "PUT" => {
                objects.insert(request.path.clone(), request.body.clone());
                (200, Vec::new())
            }
            // As for a role without the permission to list.
            _ => objects
                .get(&request.path)
                .map_or((403, Vec::new()), |object| (200, object.clone())),
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        path,
        headers,
        body,
    })
}

/// Computes the signature as the service does, from the secret key and the received request.
fn is_signed(request: &Request) -> bool {
    let header = |name: &str| request.headers.get(name).map_or("", String::as_str);
    let authorization = header("authorization");
    let part = |name: &str| {
        let rest = authorization
            .split_once(&format!("{name}="))
            .map_or("", |(_, rest)| rest);
        rest.split(',').next().unwrap_or_default().trim().to_owned()
    };
    let (credential, signed_headers, signature) =
        (part("Credential"), part("SignedHeaders"), part("Signature"));
    let date_time = header("x-amz-date");
    let date = date_time.get(..8).unwrap_or_default();
    let scope = format!("{date}/{REGION}/s3/aws4_request");
    let payload = hex(&Sha256::digest(&request.body));
    let signs_enough = ["host", "x-amz-content-sha256", "x-amz-date"]
        .iter()
        .all(|name| signed_headers.split(';').any(|signed| signed == *name));
    if credential != format!("{ACCESS_KEY}/{scope}")
        || payload != header("x-amz-content-sha256")
        || !signs_enough
    {
        return false;
    }
    let headers: String = signed_headers
        .split(';')
        .map(|name| format!("{name}:{}\n", header(name)))
        .collect();
    let canonical = format!(
        "{}\n{}\n\n{headers}\n{signed_headers}\n{payload}",
        request.method, request.path
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{date_time}\n{scope}\n{}",
        hex(&Sha256::digest(canonical))
    );
    let mut key = format!("AWS4{SECRET_KEY}").into_bytes();
    for part in [date, REGION, "s3", "aws4_request"] {
        key = mac(&key, part);
    }
    hex(&mac(&key, &to_sign)) == signature
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
