//! A guest that copies everything it can read to everywhere it can write: log lines, keys, documents, headers and body of the response.

wit_bindgen::generate!({ path: "../../../wit", world: "service" });

use exports::tenon::handler::handler::{Guest, Request, Response};
use tenon::handler::{
    http::Field,
    log::{self, Attribute, Level},
    storage::{self, Consistency, Key, Precondition, PutOptions},
};

struct Copier;

impl Guest for Copier {
    fn handle(request: Request) -> Response {
        let mut read = vec![request.method, request.path, request.query];
        read.extend(request.headers.lines().map(str::to_owned));
        read.extend(request.headers.lines().filter_map(value));
        read.push(String::from_utf8_lossy(&request.body).into_owned());
        let context = request.context;
        read.extend([context.request_id, context.authority]);
        read.extend(context.client_address);
        if let Some(identity) = context.identity {
            read.extend(identity.subject);
            read.push(identity.claims);
        }
        if let Ok(Some(item)) = storage::get(&key("stored"), Consistency::Strong) {
            read.push(item.document);
        }
        let copies = json_list(&read);
        for (number, text) in read.iter().enumerate() {
            let attribute = Attribute {
                key: format!("copy{number}"),
                value: json(text),
            };
            log::write(Level::Info, text, &[attribute]);
            let sort = text.chars().take(300).collect::<String>() + "-";
            let options = PutOptions {
                precondition: Precondition::None,
                index: None,
                expires_at: None,
            };
            let document = format!("{{\"copies\":{copies}}}");
            let _ = storage::put(&key(&sort), &document, &options);
        }
        // What a header can contain unchanged.
        let is_plain = |text: &&String| text.bytes().all(|byte| byte.is_ascii_graphic());
        let plain: Vec<&str> = read.iter().filter(is_plain).map(String::as_str).collect();
        let plain = plain.join(",");
        Response {
            status: 200,
            headers: vec![
                field("content-type", "application/json"),
                field("x-copies", &plain),
            ],
            body: format!("{{\"copies\":{copies}}}").into_bytes(),
        }
    }
}

/// The value of a header line.
fn value(line: &str) -> Option<String> {
    line.split_once(": ").map(|(_, value)| value.to_owned())
}

fn key(sort: &str) -> Key {
    Key {
        partition: "copies".into(),
        sort: sort.into(),
    }
}

fn field(name: &str, value: &str) -> Field {
    Field {
        name: name.into(),
        value: value.into(),
    }
}

fn json_list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| json(text)).collect();
    format!("[{}]", texts.join(","))
}

fn json(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            control if control < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => json.push(other),
        }
    }
    json + "\""
}

export!(Copier);
