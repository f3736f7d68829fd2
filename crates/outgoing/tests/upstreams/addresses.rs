//! Where names lead, and what is not granted.

use crate::support::*;
use http_client::Resolve;
use outgoing::Grant;
use std::{
    collections::VecDeque,
    io::{self, Write},
    net::SocketAddr,
    sync::Mutex,
};

/// Answers once with each of these, then with none.
struct Answers(Mutex<VecDeque<Vec<&'static str>>>);

impl Answers {
    fn new<const N: usize>(answers: [&[&'static str]; N]) -> Self {
        Self(Mutex::new(answers.map(<[_]>::to_vec).into()))
    }
}

#[async_trait::async_trait]
impl Resolve for Answers {
    async fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let answer = self.0.lock().unwrap().pop_front();
        let answer = answer.ok_or_else(|| io::Error::other("asked once too often"))?;
        let address = |text: &&str| SocketAddr::new(text.parse().unwrap(), port);
        Ok(answer.iter().map(address).collect())
    }
}

fn closing() -> Upstream {
    Upstream::writing("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_needs_a_grant_for_that() {
    let upstream = closing();
    let origin = format!("http://service.example:{}", upstream.address.port());
    let public: Grant = origin.parse().unwrap();
    for (grant, answer, expected) in [
        (
            public.clone(),
            "127.0.0.1",
            "leads to 127.0.0.1, a loopback address: the grant has no `private_addresses`",
        ),
        (
            public.clone(),
            "::ffff:127.0.0.1",
            "a loopback address: the grant has no `private_addresses`",
        ),
        (
            public.clone(),
            "10.0.0.1",
            "a private address: the grant has no `private_addresses`",
        ),
        (
            public,
            "169.254.169.254",
            "a link-local address, which no grant allows",
        ),
        (
            private(&origin),
            "169.254.169.254",
            "a link-local address, which no grant allows",
        ),
        (
            private(&origin),
            "fd00:ec2::254",
            "a metadata address, which no grant allows",
        ),
        (private(&origin), "0.0.0.0", "which no grant allows"),
    ] {
        let http = http().with_resolver(Answers::new([&[answer]]));
        let error = send(&client_for(http, vec![grant]), get(&origin))
            .await
            .unwrap_err();
        let words = error.to_string();
        assert_eq!(error.name(), "not-granted", "{words}");
        assert!(words.contains(expected), "{words}");
    }
    assert_eq!(upstream.accepted(), 0);
    let http = http().with_resolver(Answers::new([&["127.0.0.1"]]));
    let client = client_for(http, vec![private(&origin)]);
    assert_eq!(body(send(&client, get(&origin)).await), "ok");
}

#[tokio::test]
async fn literal_addresses_are_checked_as_well() {
    let upstream = closing();
    for origin in [
        upstream.origin(),
        format!("http://[::ffff:127.0.0.1]:{}", upstream.address.port()),
    ] {
        let client = client_for(http(), vec![origin.parse().unwrap()]);
        let error = send(&client, get(&origin)).await.unwrap_err();
        assert_eq!(error.name(), "not-granted");
    }
    let metadata = "http://169.254.169.254";
    let client = client_for(http(), vec![private(metadata)]);
    let error = send(&client, get(metadata)).await.unwrap_err();
    assert_eq!(error.name(), "not-granted");
    assert_eq!(upstream.accepted(), 0);
}

/// Each connection goes to an address of the answer that was checked for it: there is no second question.
#[tokio::test]
async fn names_that_change_their_address_gain_nothing() {
    let upstream = closing();
    let origin = format!("http://service.example:{}", upstream.address.port());
    let answers: [&[&str]; 3] = [
        &["169.254.169.254", "127.0.0.1"],
        &["169.254.169.254"],
        &["127.0.0.1"],
    ];
    let http = http().with_resolver(Answers::new(answers));
    let client = client_for(http, vec![private(&origin)]);
    assert_eq!(body(send(&client, get(&origin)).await), "ok");
    let error = send(&client, get(&origin)).await.unwrap_err();
    assert_eq!(error.name(), "not-granted");
    assert_eq!(body(send(&client, get(&origin)).await), "ok");
    assert_eq!(upstream.accepted(), 2);
    let error = send(&client, get(&origin)).await.unwrap_err();
    assert_eq!(error.name(), "unreachable");
}

/// A grant of private addresses opens a connection that a guest with a narrower grant must not get.
#[tokio::test]
async fn kept_connections_are_for_the_same_addresses_only() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let origin = format!("http://service.example:{}", upstream.address.port());
    let answers = Answers::new([&["127.0.0.1"], &["127.0.0.1"]]);
    let http = std::sync::Arc::new(http().with_resolver(answers));
    let client = |grant: Grant| {
        let grants = outgoing::Grants::new(vec![grant]).unwrap();
        outgoing::GrantedClient::new(http.clone(), grants.into(), None)
    };
    let wide = client(private(&origin));
    let narrow = client(origin.parse().unwrap());
    assert_eq!(body(send(&wide, get(&origin)).await), "ok");
    let error = send(&narrow, get(&origin)).await.unwrap_err();
    assert_eq!(error.name(), "not-granted");
    assert_eq!(body(send(&wide, get(&origin)).await), "ok");
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn what_is_not_granted_is_not_sent() {
    let upstream = closing();
    let grant = private(&format!("{}/v1", upstream.origin()));
    let client = client_for(http(), vec![grant]);
    for path in ["/", "/v2", "/v1/../v2", "/v1/%2e%2e/v2", "/v1%2f..%2fv2"] {
        let url = format!("{}{path}", upstream.origin());
        let error = send(&client, get(&url)).await.unwrap_err();
        assert_eq!(error.name(), "not-granted", "{path}");
    }
    assert_eq!(upstream.accepted(), 0);
}

#[tokio::test]
async fn redirects_are_answers() {
    let upstream = Upstream::new(|_, mut stream| {
        see(&mut stream);
        let answer = b"HTTP/1.1 307 X\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).unwrap();
        wait_for_close(&mut stream);
    });
    let response = call(&upstream).await.unwrap();
    assert_eq!(response.status, 307);
    let location = (
        "location".to_owned(),
        "http://169.254.169.254/latest".to_owned(),
    );
    assert!(response.headers.contains(&location));
    assert_eq!(upstream.accepted(), 1);
}
