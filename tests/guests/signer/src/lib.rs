//! A guest that does with its secrets what its own request says.
//!
//! Each line of the request's body is a step, and gives a line of the answer: `sign NAME ALGORITHM MESSAGE`, `verify NAME ALGORITHM TAG MESSAGE`,
//! `reveal NAME`, `send METHOD URL`, with `HEADER VALUE` and `BODY` after it, all without blanks, `log TEXT`, `say TEXT`, `put`, `trap`, `scan MASKED`. `$VALUE` stands for
//! what was revealed last, `$TAG` for the last tag in hexadecimal, `<<NAME>>` for the placeholder
//! of a secret.

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package test:signer;
        world signer {
            include tenon:handler/service-outgoing@0.1.0;
            include tenon:handler/service-secrets@0.1.0;
        }
    ",
    world: "test:signer/signer",
    generate_all,
});

use exports::tenon::handler::handler::{Guest, Request, Response};
use tenon::handler::{
    http::Field,
    log, outgoing,
    secrets::{self, Algorithm},
    storage::{self, Key, Precondition, PutOptions},
};

struct Signer;

/// What the steps so far gave.
#[derive(Default)]
struct State {
    value: String,
    tag: String,
}

impl Guest for Signer {
    fn handle(request: Request) -> Response {
        let body = String::from_utf8(request.body).unwrap();
        let body = body.replace("<<", "__secret.").replace(">>", "__");
        let mut state = State::default();
        let lines: Vec<String> = body.lines().map(|line| state.step(line)).collect();
        Response {
            status: 200,
            headers: vec![field("content-type", "text/plain; charset=utf-8")],
            body: lines.join("\n").into_bytes(),
        }
    }
}

impl State {
    fn step(&mut self, line: &str) -> String {
        let line = line
            .replace("$VALUE", &self.value)
            .replace("$TAG", &self.tag);
        let (step, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let words: Vec<&str> = rest.split(' ').collect();
        match step {
            "sign" => {
                let message = after(rest, 2);
                let tag = secrets::sign(words[0], algorithm(words[1]), message.as_bytes());
                self.tag = tag.as_deref().map(hexadecimal).unwrap_or_default();
                shown(tag.map(|tag| hexadecimal(&tag)))
            }
            "verify" => {
                let (tag, message) = (bytes(words[2]), after(rest, 3));
                let valid =
                    secrets::verify(words[0], algorithm(words[1]), message.as_bytes(), &tag);
                shown(valid.map(|valid| valid.to_string()))
            }
            "reveal" => {
                let value = secrets::reveal(words[0]);
                let value = value.map(|value| String::from_utf8_lossy(&value).into_owned());
                self.value = value.clone().unwrap_or_default();
                shown(value.map(|value| format!("{} bytes", value.len())))
            }
            "send" => send(&words),
            "log" => {
                log::write(log::Level::Info, rest, &[]);
                "logged".to_owned()
            }
            "say" => rest.to_owned(),
            "put" => {
                put();
                "stored".to_owned()
            }
            "scan" => format!("{} found", occurrences(&bytes(words[0]))),
            "trap" => panic!("trapped as it was told"),
            other => format!("no step `{other}`"),
        }
    }
}

/// How often a text is in the guest's own memory, each of whose bytes is given xor [`MASK`], so that the question is no occurrence.
#[expect(
    unsafe_code,
    reason = "reads the guest's own memory, as a core dump has it"
)]
fn occurrences(masked: &[u8]) -> usize {
    let length = core::arch::wasm32::memory_size(0) * 65_536;
    // Not null, which Rust does not read.
    let is_at = |start: usize| {
        masked.iter().enumerate().all(|(offset, byte)| {
            let address = (start + offset) as *const u8;
            // SAFETY: the address is within the memory, and nothing else runs meanwhile.
            let found = unsafe { address.read_volatile() };
            found ^ MASK == *byte
        })
    };
    (1..length - masked.len())
        .filter(|start| is_at(*start))
        .count()
}

/// Changes each byte.
const MASK: u8 = 0x5a;

/// The rest of a text after so many words.
fn after(text: &str, words: usize) -> &str {
    text.splitn(words + 1, ' ').nth(words).unwrap_or_default()
}

fn send(words: &[&str]) -> String {
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let mut headers = vec![field("content-type", "text/plain")];
    if words.len() > 2 {
        headers.push(field(word(2), &word(3).replace('+', " ")));
    }
    let answer = outgoing::send(&outgoing::Request {
        method: word(0).to_owned(),
        url: word(1).to_owned(),
        headers,
        body: word(4).as_bytes().to_vec(),
        timeout_ms: None,
    });
    match answer {
        Ok(response) => {
            let body = String::from_utf8_lossy(&response.body).into_owned();
            format!("{} {}", response.status, body.replace('\n', " "))
        }
        Err(error) => format!("{error:?}"),
    }
}

fn put() {
    let key = Key {
        partition: "signed".to_owned(),
        sort: "last".to_owned(),
    };
    let options = PutOptions {
        precondition: Precondition::None,
        index: None,
        expires_at: None,
    };
    storage::put(&key, "{}", &options).unwrap();
}

fn shown(result: Result<String, secrets::Error>) -> String {
    match result {
        Ok(text) => text,
        Err(secrets::Error::Unknown(detail)) => format!("unknown: {detail}"),
        Err(secrets::Error::NotGranted(detail)) => format!("not-granted: {detail}"),
        Err(secrets::Error::Unavailable(detail)) => format!("unavailable: {detail}"),
    }
}

fn algorithm(name: &str) -> Algorithm {
    match name {
        "sha1" => Algorithm::Sha1,
        "sha512" => Algorithm::Sha512,
        _ => Algorithm::Sha256,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits; none if they are something else.
fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let read = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(read).collect::<Option<_>>().unwrap_or_default()
}

fn field(name: &str, value: &str) -> Field {
    Field {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

export!(Signer);
