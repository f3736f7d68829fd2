//! Secrets of guests on Lambda, from an emulated Parameter Store.

use super::{
    bootstrap::{Bootstrap, Environment, image},
    events::event,
    runtime_api::{Invocation, read_message},
    table::Table,
};
use crate::support::guests::FETCHER;
use gateway::EventKind;
use serde_json::json;
use std::{
    io::{BufReader, Write},
    net::TcpListener,
    sync::mpsc,
    thread,
};

const PLANTED: &str = "planted-4f1c2d9e";

/// A server that answers every request with this body; its origin, and what it received.
fn server(body: String) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let Ok((line, headers, sent)) = read_message(&mut reader) else {
                continue;
            };
            let sent = String::from_utf8_lossy(&sent);
            let text = format!("{line}\n{headers:?}\n{sent}");
            // The test may have ended.
            let _ = sender.send(text);
            let length = body.len();
            let response = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            let _ = reader.get_mut().write_all(response.as_bytes());
        }
    });
    (origin, received)
}

#[test]
fn a_secret_is_read_with_the_role_and_filled_into_requests_only() {
    let table = Table::start();
    let parameters = json!({
        "Parameters": [{"Name": "/shop/key", "Type": "SecureString", "Value": PLANTED}],
        "InvalidParameters": [],
    });
    let (store, asked) = server(parameters.to_string());
    let (origin, received) = server(format!("you sent {PLANTED}"));
    let secrets = json!({"key": {"from": "ssm:/shop/key", "for": [origin]}});
    let grants = json!([{"origin": origin, "private_addresses": true}]);
    let environment = Environment::new(&image("secrets", FETCHER), &table.endpoint())
        .with("AWS_ENDPOINT_URL_SSM", &store)
        .with("TENON_SECRETS", &secrets.to_string())
        .with("TENON_OUTGOING", &grants.to_string())
        .with("TENON_TAPE", "all")
        .with("TENON_LOG_LEVEL", "trace");
    let host = Bootstrap::start(environment);
    let request = format!("GET {origin}/\nauthorization: Bearer <<key>>");
    for _ in 0..2 {
        let event = event(
            EventKind::Rest,
            "POST",
            "/?log",
            &[("content-type", "text/plain")],
            request.as_bytes(),
        );
        let response = host.api.invoke(Invocation::new(event)).response();
        let body = response["body"].as_str().unwrap();
        assert!(body.contains("you sent __secret.key__"), "{response}");
        let sent = received.recv().unwrap();
        assert!(sent.contains(&format!("Bearer {PLANTED}")), "{sent}");
        host.last_summary();
    }
    let call = asked.recv().unwrap();
    assert!(call.contains("AmazonSSM.GetParameters"), "{call}");
    assert!(call.contains("Credential=test/"), "{call}");
    assert!(asked.try_recv().is_err(), "the value is kept for a time");
    let lines = host.lines.all();
    assert!(lines.iter().any(|line| line.contains("tenon_tape")));
    assert!(
        lines.iter().all(|line| !line.contains(PLANTED)),
        "{lines:#?}"
    );
}

#[test]
fn a_secret_that_cannot_be_read_fails_its_requests_by_name() {
    let table = Table::start();
    let refusal = json!({"Parameters": [], "InvalidParameters": ["/shop/key"]});
    let (store, _asked) = server(refusal.to_string());
    let (origin, _received) = server(String::new());
    let secrets = json!({"key": {"from": "ssm:/shop/key", "for": [origin]}});
    let grants = json!([{"origin": origin, "private_addresses": true}]);
    let environment = Environment::new(&image("secrets-missing", FETCHER), &table.endpoint())
        .with("AWS_ENDPOINT_URL_SSM", &store)
        .with("TENON_SECRETS", &secrets.to_string())
        .with("TENON_OUTGOING", &grants.to_string());
    let host = Bootstrap::start(environment);
    let request = format!("GET {origin}/\nauthorization: Bearer <<key>>");
    let headers = [("content-type", "text/plain")];
    let event = event(EventKind::Rest, "POST", "/", &headers, request.as_bytes());
    let response = host.api.invoke(Invocation::new(event)).response();
    let body = response["body"].as_str().unwrap();
    assert!(body.contains("`key`"), "{response}");
    let told = host.lines.with_message("a secret cannot be read");
    assert_eq!(told[0]["secret"], "key");
    assert!(told[0]["error"].as_str().unwrap().contains("/shop/key"));
}
