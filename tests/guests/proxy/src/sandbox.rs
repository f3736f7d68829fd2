//! What the world around the component looks like.

use crate::wasi::{
    clocks::monotonic_clock,
    config::store,
    http::{
        outgoing_handler,
        types::{ErrorCode, Fields, OutgoingRequest},
    },
    io::poll,
};
use std::{collections::HashMap, env, fs, net, thread, time::Duration};

/// Sleeping takes the time that it should, as the guest sees it.
pub fn sleep() -> String {
    let start = monotonic_clock::now();
    thread::sleep(Duration::from_secs(3600));
    let slept = monotonic_clock::now() - start;
    format!("slept an hour: {}", slept / 1_000_000_000 == 3600)
}

/// Only what is ready first is reported, and time does not pass for what is ready.
pub fn poll() -> String {
    let duration = monotonic_clock::subscribe_duration;
    let (hour, minute, now) = (
        duration(3_600_000_000_000),
        duration(60_000_000_000),
        duration(0),
    );
    let start = monotonic_clock::now();
    let first = poll::poll(&[&hour, &now, &minute]);
    let then = poll::poll(&[&hour, &minute]);
    let minutes = (monotonic_clock::now() - start) / 60_000_000_000;
    let last = poll::poll(&[&now, &hour, &minute]);
    format!(
        "{first:?} {then:?} {last:?} after {minutes} min; {}",
        hour.ready()
    )
}

/// The standard library's own randomness decides about the order.
pub fn random() -> String {
    let map: HashMap<u32, ()> = (0..20).map(|number| (number, ())).collect();
    format!("{:?}", map.keys().collect::<Vec<_>>())
}

pub fn environment(name: &str) -> String {
    let all = store::get_all().unwrap();
    let one = store::get(name).unwrap();
    format!("{:?} {one:?} {}", env::var(name).ok(), all.len())
}

/// Neither files nor sockets nor other servers.
pub fn sealed() -> String {
    let request = OutgoingRequest::new(Fields::new());
    request.set_authority(Some("example.org")).unwrap();
    let response = outgoing_handler::handle(request, None).unwrap();
    response.subscribe().block();
    format!(
        "open: {}\nlist: {}\nconnect: {}\nbind: {}\nresolve: {}\nfetch: {}\n",
        fs::read("/etc/passwd").is_err(),
        fs::read_dir("/").is_err(),
        net::TcpStream::connect("127.0.0.1:1").is_err(),
        net::UdpSocket::bind("127.0.0.1:0").is_err(),
        net::TcpStream::connect("example.org:80").is_err(),
        matches!(response.get(), Some(Ok(Err(ErrorCode::HttpRequestDenied)))),
    )
}
