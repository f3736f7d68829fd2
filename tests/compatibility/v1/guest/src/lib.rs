//! A guest that calls every function of version 0.1.0 of the interfaces and answers with what came of it.

wit_bindgen::generate!({
    path: "wit", // as `host-cli wit` wrote it
    inline: "
        package kept:first;
        world first {
            include tenon:handler/service-outgoing@0.1.0;
            include tenon:handler/service-secrets@0.1.0;
        }
    ",
    world: "kept:first/first",
    generate_all,
});

mod services;
mod stored;

use exports::tenon::handler::handler::{Guest, Request, Response};
use tenon::handler::{
    http::{Field, PathFidelity, Scheme},
    log::{self, Attribute, Level},
};

struct First;

impl Guest for First {
    fn handle(request: Request) -> Response {
        let attribute = Attribute {
            key: "path".to_owned(),
            value: quoted(&request.path),
        };
        log::write(Level::Info, "first", &[attribute]);
        match request.path.as_str() {
            "/request" => response(200, of_request(&request)),
            "/stored" => response(200, stored::every_function()),
            "/page" => response(200, stored::page(&request.query)),
            "/services" => response(200, services::every_function(&request.query)),
            _ => response(404, "{}".to_owned()),
        }
    }
}

/// What the host says about the request.
fn of_request(request: &Request) -> String {
    let context = &request.context;
    let scheme = match context.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let fidelity = match context.path_fidelity {
        PathFidelity::Encoded => "encoded",
        PathFidelity::DecodedByGateway => "decoded",
    };
    let identity = context.identity.as_ref();
    let subject = identity.and_then(|identity| identity.subject.as_deref());
    let greeting = std::env::var("GREETING").unwrap_or_default();
    object(&[
        ("method", &request.method),
        ("query", &request.query),
        ("body", &String::from_utf8_lossy(&request.body)),
        ("scheme", scheme),
        ("authority", &context.authority),
        ("base_path", &context.base_path),
        ("path", fidelity),
        ("subject", subject.unwrap_or_default()),
        ("greeting", &greeting),
    ])
}

fn response(status: u16, body: String) -> Response {
    let content_type = Field {
        name: "content-type".to_owned(),
        value: "application/json".to_owned(),
    };
    Response {
        status,
        headers: vec![content_type],
        body: body.into_bytes(),
    }
}

/// A JSON object of strings.
fn object(members: &[(&str, &str)]) -> String {
    let mut text = String::from("{");
    for (number, (name, value)) in members.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        text += &quoted(name);
        text.push(':');
        text += &quoted(value);
    }
    text.push('}');
    text
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        if character == '"' || character == '\\' {
            quoted.push('\\');
        }
        quoted.push(if character.is_control() {
            ' '
        } else {
            character
        });
    }
    quoted.push('"');
    quoted
}

export!(First);
