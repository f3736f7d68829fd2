//! Requests to other services.

use crate::wasi::{
    clocks::monotonic_clock,
    http::{
        outgoing_handler,
        types::{
            Fields, FutureIncomingResponse, IncomingBody, Method, OutgoingBody, OutgoingRequest,
            RequestOptions, Scheme,
        },
    },
    io::poll,
};

fn request(path: &str) -> OutgoingRequest {
    let headers = [("x-from".to_owned(), b"proxy".to_vec())];
    let request = OutgoingRequest::new(Fields::from_list(&headers).unwrap());
    request.set_method(&Method::Post).unwrap();
    request.set_scheme(Some(&Scheme::Http)).unwrap();
    request.set_authority(Some("up.example:8080")).unwrap();
    request.set_path_with_query(Some(path)).unwrap();
    request
}

/// Sends a request to a server, and says what came back.
pub fn one(authority: &str) -> String {
    let request = request("/");
    request.set_authority(Some(authority)).unwrap();
    OutgoingBody::finish(request.body().unwrap(), None).unwrap();
    let future = outgoing_handler::handle(request, None).unwrap();
    future.subscribe().block();
    received(&future)
}

/// Sends so many requests, waits for all of them, and lists what came back. As usual, the body is written after `handle`.
pub fn many(count: usize) -> String {
    let futures: Vec<_> = (0..count)
        .map(|number| {
            let request = request(&format!("/{number}?a=b"));
            let body = request.body().unwrap();
            assert!(request.body().is_err(), "a request has one body");
            let options = RequestOptions::new();
            options.set_first_byte_timeout(Some(2_000_000_000)).unwrap();
            let future = outgoing_handler::handle(request, Some(options)).unwrap();
            assert!(future.get().is_none(), "nothing was sent yet");
            body.write()
                .unwrap()
                .blocking_write_and_flush(format!("body {number}").as_bytes())
                .unwrap();
            OutgoingBody::finish(body, None).unwrap();
            future
        })
        .collect();
    let pollables: Vec<_> = futures.iter().map(|future| future.subscribe()).collect();
    let ready = poll::poll(&pollables.iter().collect::<Vec<_>>());
    drop(pollables);
    let mut lines = vec![format!("{} ready", ready.len())];
    lines.extend(futures.iter().map(received));
    lines.join("\n")
}

/// Status, one header, and body; or the error.
fn received(future: &FutureIncomingResponse) -> String {
    let response = match future.get().unwrap().unwrap() {
        Ok(response) => response,
        Err(error) => return format!("{error:?}"),
    };
    assert!(
        matches!(future.get(), Some(Err(()))),
        "a response is taken once"
    );
    let tag = response.headers().get("etag");
    let tag = tag
        .first()
        .map(|tag| String::from_utf8_lossy(tag).into_owned());
    let body = response.consume().unwrap();
    assert!(response.consume().is_err(), "a body is consumed once");
    let mut bytes = Vec::new();
    {
        let stream = body.stream().unwrap();
        while let Ok(piece) = stream.blocking_read(u64::MAX) {
            bytes.extend(piece);
        }
    }
    IncomingBody::finish(body);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    format!("{} {tag:?} {text}", response.status())
}

/// Waits for a response or a second, whichever comes first.
pub fn within_a_second() -> String {
    let future = outgoing_handler::handle(request("/slow"), None).unwrap();
    let (response, timer) = (
        future.subscribe(),
        monotonic_clock::subscribe_duration(1_000_000_000),
    );
    let before = monotonic_clock::now();
    let ready = poll::poll(&[&timer, &response]);
    let jumped = monotonic_clock::now() - before >= 1_000_000_000;
    format!("ready: {ready:?}, jumped: {jumped}")
}

/// Waits for the response to a request whose body it never finishes.
pub fn unfinished() {
    let request = request("/");
    let _body = request.body().unwrap();
    let future = outgoing_handler::handle(request, None).unwrap();
    future.subscribe().block();
}

/// Without an authority there is nobody to call.
pub fn nowhere() -> String {
    let request = OutgoingRequest::new(Fields::new());
    format!("{:?}", outgoing_handler::handle(request, None).err())
}

/// Keeps requests that share their header fields, which are long.
pub fn shared_fields(count: usize) {
    let headers = Fields::new();
    for number in 0..50 {
        let value = vec![vec![b'x'; 60_000]];
        headers.set(&format!("x-{number}"), &value).unwrap();
    }
    let futures: Vec<_> = (0..count)
        .map(|_| {
            let request = OutgoingRequest::new(headers.clone());
            request.set_authority(Some("up.example")).unwrap();
            outgoing_handler::handle(request, None).unwrap()
        })
        .collect();
    drop(futures);
}
