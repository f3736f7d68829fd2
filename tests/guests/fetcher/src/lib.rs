//! A guest that sends what its own request says to other services, and answers with what came back.
//!
//! The body of a request is one request to another service: a line `METHOD URL`, lines `name: value`, an empty line, the body. A query
//! `timeout=MS` sets its timeout, `times=N` sends it so often, `log` writes its response to the log, `put` stores a document before each,
//! `key` adds the guest's key as a header. `$KEY` stands for that key, and `<<NAME>>` for the
//! placeholder of a secret.

wit_bindgen::generate!({ path: "../../../wit", world: "service-outgoing" });

use exports::tenon::handler::handler::{Guest, Request, Response};
use tenon::handler::{
    http::Field,
    log, outgoing,
    storage::{self, Key, Precondition, PutOptions},
};

use std::env;

struct Fetcher;

impl Guest for Fetcher {
    fn handle(request: Request) -> Response {
        let parameter = |name: &str| {
            let pairs = request
                .query
                .split('&')
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            pairs
                .into_iter()
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value.to_owned())
        };
        let times = parameter("times").map_or(1, |times| times.parse().unwrap());
        let mut lines = Vec::new();
        for _ in 0..times {
            if parameter("put").is_some() {
                put();
            }
            let timeout_ms = parameter("timeout").map(|timeout| timeout.parse().unwrap());
            let mut sent = outgoing_request(&request.body, timeout_ms);
            if parameter("key").is_some() {
                sent.headers.push(field("x-api-key", &key()));
            }
            let answer = outgoing::send(&sent);
            lines.extend(shown(answer));
            lines.push(Vec::new());
        }
        let body = lines.join(&b'\n');
        if parameter("log").is_some() {
            log::write(log::Level::Info, &String::from_utf8_lossy(&body), &[]);
        }
        Response {
            status: 200,
            headers: vec![field("content-type", "text/plain; charset=utf-8")],
            body,
        }
    }
}

/// What the guest has of its own, in its environment.
fn key() -> String {
    env::var("KEY").unwrap_or_default()
}

fn put() {
    let key = Key {
        partition: "fetched".to_owned(),
        sort: "last".to_owned(),
    };
    let options = PutOptions {
        precondition: Precondition::None,
        index: None,
        expires_at: None,
    };
    storage::put(&key, "{}", &options).unwrap();
}

fn outgoing_request(text: &[u8], timeout_ms: Option<u32>) -> outgoing::Request {
    let end = text.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((text, &[][..]), |end| (&text[..end], &text[end + 2..]));
    let head = String::from_utf8_lossy(head)
        .replace("$KEY", &key())
        .replace("<<", "__secret.")
        .replace(">>", "__");
    let mut lines = head.lines();
    let (method, url) = lines
        .next()
        .unwrap_or_default()
        .split_once(' ')
        .unwrap_or_default();
    outgoing::Request {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| field(name, value))
            .collect(),
        body: body.to_vec(),
        timeout_ms,
    }
}

/// `status`, one line for each header, an empty line, the body; or `error: detail`.
fn shown(answer: Result<outgoing::Response, outgoing::Error>) -> Vec<Vec<u8>> {
    let response = match answer {
        Ok(response) => response,
        Err(error) => {
            let (name, detail) = match error {
                outgoing::Error::InvalidRequest(detail) => ("invalid-request", detail),
                outgoing::Error::NotGranted(detail) => ("not-granted", detail),
                outgoing::Error::Unreachable(detail) => ("unreachable", detail),
                outgoing::Error::OutcomeUnknown(detail) => ("outcome-unknown", detail),
                outgoing::Error::ResponseTooLarge(detail) => ("response-too-large", detail),
            };
            return vec![format!("{name}: {detail}").into_bytes()];
        }
    };
    let mut lines = vec![response.status.to_string().into_bytes()];
    let headers = response.headers.into_iter();
    lines.extend(headers.map(|header| format!("{}: {}", header.name, header.value).into_bytes()));
    lines.push(Vec::new());
    lines.push(response.body);
    lines
}

fn field(name: &str, value: &str) -> Field {
    Field {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

export!(Fetcher);
