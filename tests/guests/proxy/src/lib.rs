//! A component of `wasi:http/proxy` that uses its interfaces in every way, and breaks one of their rules for each path that says so.

wit_bindgen::generate!({
    inline: "
        package test:proxy;
        world proxy {
            import wasi:clocks/monotonic-clock@0.2.6;
            import wasi:config/store@0.2.0-rc.1;
            import wasi:http/outgoing-handler@0.2.6;
            import wasi:http/types@0.2.6;
            import wasi:io/poll@0.2.6;
            import wasi:io/streams@0.2.6;
            export wasi:http/incoming-handler@0.2.6;
        }
    ",
    path: ["../../../wit", "../../../crates/runtime/wit"],
    world: "test:proxy/proxy",
    generate_all,
});

mod broken;
mod fetch;
mod sandbox;

use exports::wasi::http::incoming_handler::Guest;
use wasi::http::types::{
    ErrorCode, Fields, HeaderError, IncomingRequest, OutgoingBody, OutgoingResponse,
    ResponseOutparam,
};

struct Proxy;

impl Guest for Proxy {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        match path {
            "/" => text(out, "hello"),
            "/echo" => echo(&request, out),
            "/read" => text(out, &read(&request).to_ascii_uppercase()),
            "/request" => text(out, &describe(&request)),
            "/fields" => text(out, &fields()),
            "/large" => bytes(out, query.parse().unwrap_or(0)),
            "/late" => late(out),
            "/empty" => empty(out),
            "/status" => {
                let response = OutgoingResponse::new(Fields::new());
                let status = query.parse().unwrap_or(0);
                if response.set_status_code(status).is_err() {
                    return text(out, "no such status");
                }
                ResponseOutparam::set(out, Ok(response));
            }
            "/trailers" => trailers(&request, out),
            "/sleep" => text(out, &sandbox::sleep()),
            "/poll" => text(out, &sandbox::poll()),
            "/random" => text(out, &sandbox::random()),
            "/env" => text(out, &sandbox::environment(query)),
            "/sealed" => text(out, &sandbox::sealed()),
            "/fetch" => text(out, &fetch::many(query.parse().unwrap_or(0))),
            "/fetch-quietly" => {
                let lines = fetch::many(query.parse().unwrap_or(0));
                text(out, lines.lines().next().unwrap_or_default());
            }
            "/fetch-from" => text(out, &fetch::one(query)),
            "/fetch-within" => text(out, &fetch::within_a_second()),
            "/fetch-unfinished" => fetch::unfinished(),
            "/fetch-shared" => fetch::shared_fields(query.parse().unwrap_or(0)),
            "/fetch-nowhere" => text(out, &fetch::nowhere()),
            _ => broken::run(path, out),
        }
    }
}

/// A response with this text.
fn text(out: ResponseOutparam, text: &str) {
    println!("answers with {} bytes", text.len());
    let headers = [("content-type".to_owned(), b"text/plain".to_vec())];
    let response = OutgoingResponse::new(Fields::from_list(&headers).unwrap());
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    write(&body, text.as_bytes()).unwrap();
    OutgoingBody::finish(body, None).unwrap();
}

/// Writes as much as the stream accepts at a time.
fn write(body: &OutgoingBody, mut bytes: &[u8]) -> Result<(), wasi::io::streams::StreamError> {
    let stream = body.write().unwrap();
    while !bytes.is_empty() {
        stream.subscribe().block();
        let room = stream.check_write()? as usize;
        let (now, later) = bytes.split_at(bytes.len().min(room));
        stream.write(now)?;
        bytes = later;
    }
    stream.blocking_flush()
}

fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let kind = request.headers().get("content-type");
    let headers = Fields::new();
    headers.set("Content-Type", &kind).unwrap();
    let response = OutgoingResponse::new(headers);
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    {
        let content = request.consume().unwrap();
        let (source, target) = (content.stream().unwrap(), body.write().unwrap());
        while target.blocking_splice(&source, u64::MAX).is_ok() {}
    }
    OutgoingBody::finish(body, None).unwrap();
}

/// The body, three bytes at a time.
fn read(request: &IncomingRequest) -> String {
    let body = request.consume().unwrap();
    assert!(request.consume().is_err(), "a body is consumed once");
    let stream = body.stream().unwrap();
    assert!(body.stream().is_err(), "a body has one stream");
    let mut bytes = Vec::new();
    stream.skip(1).unwrap();
    while let Ok(piece) = stream.blocking_read(3) {
        assert!(piece.len() <= 3);
        bytes.extend(piece);
    }
    String::from_utf8(bytes).unwrap()
}

fn describe(request: &IncomingRequest) -> String {
    let mut text = format!(
        "{:?} {:?} {:?} {:?}\n",
        request.method(),
        request.path_with_query(),
        request.scheme(),
        request.authority()
    );
    for (name, value) in request.headers().entries() {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    assert!(matches!(
        request.headers().append("x", b"y"),
        Err(HeaderError::Immutable)
    ));
    text
}

fn fields() -> String {
    let fields = Fields::new();
    let mut text = String::new();
    let mut note = |what: &str, result: Result<(), HeaderError>| {
        let result = match result {
            Ok(()) => "ok",
            Err(HeaderError::InvalidSyntax) => "invalid syntax",
            Err(HeaderError::Forbidden) => "forbidden",
            Err(HeaderError::Immutable) => "immutable",
        };
        text += &format!("{what}: {result}\n");
    };
    note("append", fields.append("X-A", b"1"));
    note("append again", fields.append("x-a", b"2"));
    note("space in name", fields.append("x a", b"1"));
    note("no name", fields.append("", b"1"));
    note("line break", fields.append("x-b", b"1\r\nx-c: 2"));
    note("connection", fields.append("Connection", b"close"));
    note("set host", fields.set("host", &[b"example.org".to_vec()]));
    note("delete upgrade", fields.delete("upgrade"));
    let copy = fields.clone();
    note("delete", fields.delete("X-A"));
    let response = OutgoingResponse::new(fields);
    note("after use", response.headers().append("x", b"y"));
    assert!(copy.has("x-A") && !response.headers().has("x-a"));
    text + &format!("{:?}\n", copy.get("X-a"))
}

fn bytes(out: ResponseOutparam, length: usize) {
    let response = OutgoingResponse::new(Fields::new());
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    write(&body, &vec![b'x'; length]).unwrap();
    OutgoingBody::finish(body, None).unwrap();
}

/// A response that says itself that it has no content.
fn empty(out: ResponseOutparam) {
    let fields = Fields::new();
    fields.append("content-length", b"0").unwrap();
    let response = OutgoingResponse::new(fields);
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    OutgoingBody::finish(body, None).unwrap();
}

/// Goes on after the response is whole.
fn late(out: ResponseOutparam) {
    text(out, "early");
    println!("still runs");
}

fn trailers(request: &IncomingRequest, out: ResponseOutparam) {
    let body = request.consume().unwrap();
    drop(body.stream().unwrap());
    let trailers = wasi::http::types::IncomingBody::finish(body);
    trailers.subscribe().block();
    let first = matches!(trailers.get(), Some(Ok(Ok(None))));
    let second = matches!(trailers.get(), Some(Err(())));
    let response = OutgoingResponse::new(Fields::new());
    let body = response.body().unwrap();
    write(&body, format!("{first} {second}").as_bytes()).unwrap();
    let sent = Fields::new();
    sent.append("x-trailer", b"1").unwrap();
    OutgoingBody::finish(body, Some(sent)).unwrap();
    ResponseOutparam::set(out, Ok(response));
}

export!(Proxy);
