//! Credentials that a guest can read are not on a tape, not in a message of the host, and not in a report, wherever the guest copies them.

use crate::support::{
    fresh_folder,
    guests::COPIER,
    host_cli,
    in_process::{NOW_MS, REQUEST_ID, runtime},
    recording::event,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::{limits::Limits, seed::Seed};
use gateway::{
    EventKind, Origin,
    compose::{Incoming, compose},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use replay::{local_view, replay_cursor_key};
use serde_json::{Value, json};
use service::{Recorder, Service};
use std::{fs, sync::Arc};
use storage::{MemoryStorage, Namespace, Snapshot};
use tape::{Exchange, RecordOptions, Redaction, TapePolicy};

const REQUESTS: u64 = 128;
const FORM: &str = "application/x-www-form-urlencoded";
const HEADERS: [&str; 18] = [
    "authorization",
    "Proxy-Authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "X-Access-Token",
    "x_vault_token",
    "x-goog-api-key",
    "X-Session-Id",
    "x-hub-signature-256",
    "sec-websocket-protocol",
    "x-amzn-oidc-data",
    "x-client-secret",
    "x-csrf-token",
    "X-Jwt-Assertion",
    "dpop",
    "x-tenant",
    "x-functions-key",
];
const PARAMETERS: [&str; 12] = [
    "token",
    "code",
    "jwt",
    "key",
    "secret",
    "passwd",
    "assertion",
    "SAMLResponse",
    "id_token_hint",
    "access_token[]",
    "X-Amz-Signature",
    "client%5Fsecret",
];
const MEMBERS: [&str; 8] = [
    "password",
    "newPassword",
    "token",
    "secret",
    "api_key",
    "email",
    "Session-Id",
    "credentials",
];

/// Generates requests, and records what must not be visible.
struct Draw {
    random: ChaCha8Rng,
    secrets: Vec<String>,
}

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        (self.random.next_u64() % bound as u64) as usize
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn odd(&mut self) -> bool {
        self.below(2) == 1
    }

    /// A unique value, with or without characters that encodings change.
    fn secret(&mut self) -> String {
        let secret = format!("zq{:016x}", self.random.next_u64());
        self.secrets.push(secret.clone());
        match self.below(3) {
            0 => secret,
            1 => format!("+{secret}/="),
            _ => format!("{secret}.\u{e4}"),
        }
    }

    fn header(&mut self) -> (String, String) {
        let name = self.one(&HEADERS).to_owned();
        let secret: String = self.secret().chars().filter(char::is_ascii).collect();
        let value = match (name.as_str(), self.below(3)) {
            ("cookie", _) => format!("theme=dark; sid={secret}; other={secret}"),
            ("authorization", 0) => format!("Bearer {secret}"),
            ("authorization", 1) => format!("Basic {}", STANDARD.encode(format!("u:{secret}"))),
            _ => secret,
        };
        (name, value)
    }

    fn query(&mut self) -> String {
        let mut pairs = vec!["limit=2".to_owned()];
        for _ in 0..self.below(3) {
            let name = self.one(&PARAMETERS);
            let secret = encoded(&self.secret());
            pairs.push(format!("{name}={secret}"));
        }
        if self.odd() {
            let inner = format!("https://a.example/b?token={}", self.secret());
            pairs.push(format!("next={}", encoded(&inner)));
        }
        pairs.join("&")
    }

    /// A body with its content type.
    fn body(&mut self) -> (&'static str, Vec<u8>) {
        let name = self.one(&MEMBERS);
        let secret = self.secret();
        let nested =
            json!({"name": "lamp", "list": [{"deeper": {name: secret}}], name: {"a": [secret]}});
        // Only a value that a pointer names at the top level is hidden as a field there.
        let nested = match name {
            "email" => json!({"email": secret}),
            _ => nested,
        };
        let text = nested.to_string();
        match self.below(19) {
            0 => ("application/json", text.into_bytes()),
            1 => ("text/plain", text.into_bytes()),
            2 => ("application/json", format!("\u{feff}{text}").into_bytes()),
            3 => ("application/json", format!("{},}}", &text[..text.len() - 1]).into_bytes()),
            4 => ("application/x-ndjson", format!("{{\"a\":1}}\n{text}\n").into_bytes()),
            5 => (
                "application/x-www-form-urlencoded",
                format!("user=u&password={}", encoded(&secret)).into_bytes(),
            ),
            6 => (
                "multipart/form-data; boundary=b",
                format!("--b\r\ncontent-disposition: form-data; name=\"password\"\r\n\r\n{secret}\r\n--b--").into_bytes(),
            ),
            7 => ("text/xml", format!("<a><password>{secret}</password></a>").into_bytes()),
            // What tools send with their default type, or without one.
            8 => (FORM, text.into_bytes()),
            9 => (FORM, format!("<a><password>{secret}</password></a>").into_bytes()),
            10 => (FORM, format!("a=1;password={secret};b=2&c=d").into_bytes()),
            11 => (FORM, format!("a=1\npassword: {secret}\n").into_bytes()),
            12 => (FORM, format!("next=/cb?token={}&x=1", encoded(&secret)).into_bytes()),
            13 => (FORM, format!("doc={}", encoded(&text.replace("email", "token"))).into_bytes()),
            14 => ("text/plain", format!("<a><password>{secret}</password></a>").into_bytes()),
            15 => (
                "text/plain",
                format!("--b\r\ncontent-disposition: form-data; name=\"password\"\r\n\r\n{secret}\r\n--b--").into_bytes(),
            ),
            16 => ("text/plain", format!("user=u&password=two {secret}").into_bytes()),
            17 => (
                "text/plain",
                format!(
                    "authorization=Bearer {secret}\n{{\\\"password\\\": \\\"x\\\", password=\\\"{secret}\\\", password => '{secret}'"
                )
                .into_bytes(),
            ),
            _ => {
                let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                ("application/json; charset=utf-16", utf16)
            }
        }
    }

    fn event(&mut self, kind: EventKind) -> Vec<u8> {
        let target_secret = self.secret();
        let target = format!("/r/{}?{}", encoded(&target_secret), self.query());
        let mut headers = vec![self.header(), self.header()];
        headers.push(("x-reset-token".to_owned(), ascii(&target_secret)));
        if self.odd() {
            let referer = format!("https://a.example/?code={}", ascii(&self.secret()));
            headers.push(("referer".to_owned(), referer));
        }
        let (content_type, body) = match self.below(4) {
            0 => (
                "application/json",
                escaped_copy(&ascii(&target_secret)).into_bytes(),
            ),
            _ => self.body(),
        };
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        let mut fields = vec![("host", "localhost")];
        fields.extend(headers.iter().map(|(name, value)| (&**name, &**value)));
        let incoming = Incoming {
            method: "POST",
            target: &target,
            headers: &fields,
            body: &body,
            client_address: "192.0.2.1",
            scheme: contract::http::Scheme::Https,
            request_id: REQUEST_ID,
            received_at_ms: NOW_MS,
        };
        let event = compose(Origin::new(kind), &incoming).to_json();
        self.changed(kind, serde_json::from_slice(&event).unwrap(), &headers)
    }

    /// Other behaviour of gateways and clients: echoes of authorizers, base64 without padding.
    fn changed(
        &mut self,
        kind: EventKind,
        mut event: Value,
        headers: &[(String, String)],
    ) -> Vec<u8> {
        let echo = &headers[0].1;
        let token = self.secret();
        let context = json!({"echo": echo, "authorizationToken": token, "sub": "kept"});
        match kind {
            EventKind::Rest => event["requestContext"]["authorizer"] = context,
            EventKind::HttpApi => {
                event["requestContext"]["authorizer"] = json!({"lambda": context});
            }
            EventKind::FunctionUrl | EventKind::Alb => {}
        }
        event["stageVariables"] = json!({"dbPassword": self.secret()});
        if event["isBase64Encoded"] == json!(false) && self.odd() {
            let body = STANDARD.encode(event["body"].as_str().unwrap_or_default());
            event["body"] = json!(body.trim_end_matches('='));
            event["isBase64Encoded"] = json!(true);
        }
        event.to_string().into_bytes()
    }
}

fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii).collect()
}

/// A body that repeats what is redacted elsewhere, spelt with an escape.
fn escaped_copy(secret: &str) -> String {
    let at = secret.find('z').unwrap_or_default();
    format!(
        "{{\"name\":\"lamp\",\"copy\":\"{}\\u007a{}\"}}",
        &secret[..at],
        secret[at + 1..].replace('/', "\\/")
    )
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn redaction() -> Redaction {
    Redaction::credentials()
        .with_headers(["x-tenant"])
        .with_fields(["/email"])
        .unwrap()
}

/// A service on a store that holds a credential.
fn service(draw: &mut Draw) -> Service {
    let store = Arc::new(MemoryStorage::new());
    let before = json!([{
        "partition": "copies", "sort": "stored", "revision": "r1",
        "document": {"name": "kept", "access_token": draw.secret()},
    }]);
    let before = serde_json::from_value(before).unwrap();
    store.load_namespace(&Namespace::local(), before).unwrap();
    let runtime = runtime(COPIER, Limits::default());
    Service::new(runtime, local_view(store, replay_cursor_key()))
}

/// A text with everything that may be encoded in it.
fn opened(text: &str) -> String {
    let mut opened = text.to_owned();
    if let Ok(line) = serde_json::from_str::<Value>(text) {
        for message in ["event", "response"] {
            let body = line[message]["body"].as_str().unwrap_or_default();
            opened.push_str(&body.replace("\\u007a", "z"));
            let body = STANDARD.decode(body).unwrap_or_default();
            opened.push_str(&String::from_utf8_lossy(&body).replace("\\u007a", "z"));
        }
    }
    for word in text.split(|character: char| !character.is_ascii_alphanumeric()) {
        let decoded = STANDARD.decode(word).unwrap_or_default();
        opened.push_str(&String::from_utf8_lossy(&decoded));
    }
    opened
}

#[tokio::test]
async fn what_is_redacted_is_nowhere_on_the_tape_and_not_in_a_report() {
    let folder = fresh_folder("tape-privacy");
    let (tape, report) = (folder.join("drawn.tape"), folder.join("report.html"));
    let mut options = RecordOptions::new(TapePolicy::ALL);
    options.redaction = redaction();
    let recorder = Recorder::new(options);
    let mut options = RecordOptions::new(TapePolicy::ALL);
    options.redaction = Redaction::nothing();
    let telling = Recorder::new(options);
    let (mut lines, mut all, mut seen, mut kept) = (Vec::new(), Vec::new(), 0, 0);
    for number in 0..REQUESTS {
        let mut draw = Draw {
            random: ChaCha8Rng::seed_from_u64(number),
            secrets: Vec::new(),
        };
        let kind = EventKind::ALL[number as usize % EventKind::ALL.len()];
        let service = service(&mut draw);
        let bytes = draw.event(kind);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let seed = || Seed::new([number as u8; 32]);
        let line = event(&service, &recorder, &bytes, NOW_MS, seed())
            .await
            .unwrap();
        let text = String::from_utf8(line.clone()).unwrap();
        let opened_text = opened(&text);
        for secret in &draw.secrets {
            assert!(
                !opened_text.contains(secret.as_str()),
                "request {number}: {secret}\n{shown}\n{text}"
            );
        }
        // The planted values would have been there, and the rest is.
        let line_with_all = event(&service, &telling, &bytes, NOW_MS, seed())
            .await
            .unwrap();
        let text_with_all = String::from_utf8(line_with_all).unwrap();
        seen += draw
            .secrets
            .iter()
            .filter(|secret| text_with_all.contains(secret.as_str()))
            .count();
        kept += usize::from(Exchange::read(&line).unwrap().calls.len() > 5);
        all.extend(draw.secrets);
        lines.extend(line);
        lines.push(b'\n');
    }
    assert!(
        seen > 5 * REQUESTS as usize,
        "only {seen} of {} were planted",
        all.len()
    );
    assert!(
        kept > REQUESTS as usize / 2,
        "only {kept} lines hold their calls"
    );
    fs::write(&tape, lines).unwrap();
    let guest = folder.join("copier.wasm");
    fs::write(&guest, COPIER).unwrap();
    let output = host_cli::command()
        .arg("replay")
        .arg(&tape)
        .arg("--guest")
        .arg(&guest)
        .arg("--report")
        .arg(&report)
        .output()
        .unwrap();
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    said.push_str(&fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {said}")));
    let telling: Vec<_> = all
        .iter()
        .filter(|secret| said.contains(secret.as_str()))
        .collect();
    assert!(telling.is_empty(), "{telling:?}");
}

#[tokio::test]
async fn what_is_no_request_is_not_recorded() {
    let mut draw = Draw {
        random: ChaCha8Rng::seed_from_u64(0),
        secrets: Vec::new(),
    };
    let service = service(&mut draw);
    let recorder = Recorder::new(RecordOptions::new(TapePolicy::ALL));
    for other in [
        json!({"Records": [{"eventSource": "aws:sqs", "body": "{\"password\":\"x\"}"}]}),
        json!({"source": "aws.events", "detail": {"token": "x"}}),
        json!({"anything": "else"}),
        json!(5),
    ] {
        let bytes = other.to_string();
        let line = event(
            &service,
            &recorder,
            bytes.as_bytes(),
            NOW_MS,
            Seed::new([1; 32]),
        )
        .await;
        assert_eq!(line, None, "{other}");
    }
}
