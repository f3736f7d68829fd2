//! Recorded pairs of requests and responses of stock `wasi:http` components, over HTTP and through Lambda's emulator, each replayed twice.
//!
//! Components and pairs are not part of the project: `TENON_PAIRS` names a folder with `NAME.wasm` and `NAME.jsonl`, whose lines are
//! `{request, response}`, see CONTRIBUTING.md. Without it, nothing is checked.

use crate::support::{
    fresh_folder,
    host_cli::{self, Server},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::digest::Digest;
use gateway::EventKind;
use serde::Deserialize;
use serde_json::Value;
use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The variables that the components read.
pub const ENVIRONMENT: [(&str, &str); 2] = [("greeting", "hello"), ("colour", "blue")];

/// A key for tapes, which have every body if they are encrypted.
const IDENTITY: &str = "AGE-SECRET-KEY-1ADKVNJHKPU4LE9PMG84U78U8SYEN8AZFLUN5JWS9LDRA022FDU4QECXLGL";
pub const RECIPIENT: &str = "age1nge76wajuv5llg5cwjhrcq8yusvaut29p0m0aze3jmft0la88fwqmjfspd";

/// Requests whose response is another one behind a gateway: it adds fields that begin with `x-`, and passes on no bare `?`.
const DECIDED_BY_GATEWAYS: [&str; 2] = ["/headers", "/request?"];

/// The largest response that a load balancer takes.
const ALB_BODY_BYTES_MAX: usize = 1 << 20;

/// A component with its pairs, in their order.
pub struct Component {
    pub name: String,
    pub path: PathBuf,
    pub pairs: Vec<Pair>,
}

#[derive(Deserialize)]
pub struct Pair {
    pub request: Request,
    response: Expected,
    /// The host answers 500 in its own words.
    #[serde(default)]
    fails: bool,
    /// `body`: it differs from run to run.
    #[serde(default)]
    varies: String,
    /// `all`, or the member of the body about which hosts disagree.
    #[serde(default)]
    host_decides: String,
}

#[derive(Deserialize)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    #[serde(flatten)]
    content: Content,
}

#[derive(Deserialize)]
struct Expected {
    status: Option<u16>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(flatten)]
    content: Content,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Content {
    body: Option<String>,
    body_base64: Option<String>,
    body_repeat: Option<Repeat>,
    body_bytes: Option<usize>,
    body_sha256: Option<String>,
}

#[derive(Deserialize)]
struct Repeat {
    unit_base64: String,
    bytes: usize,
}

/// What came back.
pub struct Got {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Those of `TENON_PAIRS`.
pub fn components() -> Vec<Component> {
    let Some(folder) = env::var_os("TENON_PAIRS").map(PathBuf::from) else {
        eprintln!("SKIPPED: `TENON_PAIRS` names no folder with recorded pairs");
        return Vec::new();
    };
    let entries = fs::read_dir(&folder).unwrap();
    let mut components: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .map(|path| Component::read(&path))
        .collect();
    assert!(!components.is_empty(), "no pairs in {}", folder.display());
    components.sort_by(|one, other| one.name.cmp(&other.name));
    components
}

impl Component {
    fn read(pairs: &Path) -> Self {
        let text = fs::read_to_string(pairs).unwrap();
        Self {
            name: pairs.file_stem().unwrap().to_str().unwrap().to_owned(),
            path: pairs.with_extension("wasm"),
            pairs: text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        }
    }

    /// Whether a response depends on the requests before.
    pub fn keeps_state(&self) -> bool {
        let bytes = fs::read(&self.path).unwrap();
        let name = b"wasi:keyvalue/store";
        bytes.windows(name.len()).any(|window| window == name)
    }
}

impl Pair {
    /// Whether a gateway decides about the response.
    pub fn is_decided_by(&self, kind: EventKind) -> bool {
        let bytes = self.response.content.body_bytes;
        DECIDED_BY_GATEWAYS.contains(&self.request.path.as_str())
            || kind == EventKind::Alb && bytes.is_some_and(|bytes| bytes >= ALB_BODY_BYTES_MAX)
    }

    /// Whether a gateway loses something of the request: REST APIs and load balancers pass on no query without `=`, and REST APIs no binary
    /// body of a type that is not named.
    pub fn is_changed_by(&self, kind: EventKind) -> bool {
        let query = self.request.path.split_once('?').map(|(_, query)| query);
        let is_bare = query.is_some_and(|query| query.split('&').any(|part| !part.contains('=')));
        let is_binary = str::from_utf8(&self.request.body()).is_err();
        match kind {
            EventKind::Rest => is_bare || is_binary,
            EventKind::Alb => is_bare,
            EventKind::HttpApi | EventKind::FunctionUrl => false,
        }
    }

    /// What differs from what is expected. Some gateways send no `content-length` that can be compared.
    pub fn difference(&self, got: &Got, has_length: bool) -> Option<String> {
        let what = if self.fails {
            (got.status < 500).then(|| format!("it is {}", got.status))
        } else if self.response.status != Some(got.status) {
            Some(format!(
                "it is {}, not {:?}",
                got.status, self.response.status
            ))
        } else if self.host_decides == "all" {
            None
        } else if let Some(header) = self.missing_header(got, has_length) {
            Some(header)
        } else {
            let body = || String::from_utf8_lossy(&got.body).into_owned();
            (!self.has_content(got)).then(body)
        };
        let Request { method, path, .. } = &self.request;
        what.map(|what| format!("{method} {path}: {what}"))
    }

    fn missing_header(&self, got: &Got, has_length: bool) -> Option<String> {
        let has_length = has_length && got.status != 204 && self.host_decides.is_empty();
        let expected = self.response.headers.iter();
        let mut compared = expected.filter(|(name, _)| has_length || name != "content-length");
        let missing = compared.find(|field| !got.headers.contains(field));
        missing.map(|(name, value)| format!("no `{name}: {value}` in {:?}", got.headers))
    }

    fn has_content(&self, got: &Got) -> bool {
        let expected = &self.response.content;
        if self.varies == "body" || self.request.method == "HEAD" {
            return true;
        }
        if let (Some(bytes), Some(digest)) = (expected.body_bytes, &expected.body_sha256) {
            return got.body.len() == bytes && Digest::of(&got.body).to_string() == *digest;
        }
        if self.host_decides.is_empty() {
            return got.body == expected.bytes();
        }
        let read = |bytes: &[u8]| {
            let mut value: Value = serde_json::from_slice(bytes).unwrap();
            value.as_object_mut().unwrap().remove(&self.host_decides);
            value
        };
        read(&got.body) == read(&expected.bytes())
    }
}

impl Request {
    pub fn body(&self) -> Vec<u8> {
        self.content.bytes()
    }

    pub fn headers(&self) -> Vec<(&str, &str)> {
        let headers = self.headers.iter();
        headers
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}

impl Content {
    fn bytes(&self) -> Vec<u8> {
        if let Some(Repeat { unit_base64, bytes }) = &self.body_repeat {
            let unit = STANDARD.decode(unit_base64).unwrap();
            return unit.into_iter().cycle().take(*bytes).collect();
        }
        match (&self.body, &self.body_base64) {
            (_, Some(encoded)) => STANDARD.decode(encoded).unwrap(),
            (Some(text), None) => text.clone().into_bytes(),
            (None, None) => Vec::new(),
        }
    }
}

#[test]
fn every_pair_holds_over_http_and_replays_twice() {
    let mut complaints = Vec::new();
    for component in components() {
        for kind in EventKind::ALL {
            let is_changed = |pair: &Pair| pair.is_changed_by(kind);
            if component.keeps_state() && component.pairs.iter().any(is_changed) {
                continue;
            }
            for store in ["memory", "redb"] {
                serve(&component, kind, store, &mut complaints);
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn serve(component: &Component, kind: EventKind, store: &str, complaints: &mut Vec<String>) {
    let run = format!("{} {} {store}", component.name, kind.as_str());
    let folder = fresh_folder(&format!("pairs-{}", run.replace(' ', "-")));
    let tape = folder.join("day.tape");
    let (guest, tape) = (component.path.to_str().unwrap(), tape.to_str().unwrap());
    let store = match store {
        "redb" => format!("redb:{}", folder.join("items.redb").display()),
        other => other.to_owned(),
    };
    let variables = ENVIRONMENT.map(|(name, value)| format!("{name}={value}"));
    let [greeting, colour] = &variables;
    let environment = ["--env", greeting, "--env", colour];
    let options = [
        "--event-kind",
        kind.as_str(),
        "--store",
        &store,
        "--record",
        tape,
        "--record-recipient",
        RECIPIENT,
    ];
    let mut serve = host_cli::command();
    serve
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--quiet",
            "--guest",
            guest,
        ])
        .args(options)
        .args(environment);
    let server = Server::of(serve);
    let is_compared = |pair: &&Pair| !pair.is_changed_by(kind) && !pair.is_decided_by(kind);
    let mut count = 0;
    for pair in component.pairs.iter().filter(is_compared) {
        count += 1;
        let difference = pair.difference(&pair.send(&server), true);
        complaints.extend(difference.map(|difference| format!("{run}: {difference}")));
    }
    server.stop();
    complaints
        .extend(replayed_twice(component, Path::new(tape)).map(|text| format!("{run}: {text}")));
    println!("{run}: {count} pairs");
}

/// What two strict replays, each in a process of its own, say if not all is as expected.
pub fn replayed_twice(component: &Component, tape: &Path) -> impl Iterator<Item = String> {
    let identity = tape.with_extension("key");
    fs::write(&identity, IDENTITY).unwrap();
    fs::set_permissions(&identity, fs::Permissions::from_mode(0o600)).unwrap();
    let mut replay = host_cli::command();
    replay
        .args(["replay", "--mode", "strict", "--guest"])
        .args([&component.path, tape])
        .args([Path::new("--identity"), &identity]);
    for (name, value) in ENVIRONMENT {
        replay.args(["--env", &format!("{name}={value}")]);
    }
    (0..2).filter_map(move |_| {
        let output = replay.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (!output.status.success()).then(|| String::from_utf8_lossy(&text).into_owned())
    })
}

impl Pair {
    fn send(&self, server: &Server) -> Got {
        let Request { method, path, .. } = &self.request;
        let body = self.request.body();
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        for (name, value) in &self.request.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", body.len());
        let bytes = [head.into_bytes(), body].concat();
        let has_body = method != "HEAD";
        let answer = server.connect().send_raw(&bytes, has_body).unwrap();
        Got {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
        }
    }
}
