//! Servers with TLS. The files in the folder `tls` are an authority and a server `server.test`, made for these tests; the key protects nothing.

use crate::support::*;
use http_client::{Authorities, HttpClient, Resolve};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use std::{
    io::{self, Write},
    net::SocketAddr,
    sync::Arc,
};

const AUTHORITY: &[u8] = include_bytes!("../tls/authority.der");
const CERTIFICATE: &[u8] = include_bytes!("../tls/server.der");
const KEY: &[u8] = include_bytes!("../tls/server-key.der");

struct Loopback;

#[async_trait::async_trait]
impl Resolve for Loopback {
    async fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
    }
}

/// Answers with TLS until the client closes the connection, or once, and then closes it without saying so.
fn upstream(answer: &'static str, is_kept: bool) -> Upstream {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(CERTIFICATE)],
            PrivatePkcs8KeyDer::from(KEY).into(),
        )
        .unwrap();
    let config = Arc::new(config);
    Upstream::new(move |_, stream| {
        let session = ServerConnection::new(config.clone()).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        while see(&mut stream).is_some() {
            stream.write_all(answer.as_bytes()).unwrap();
            stream.flush().unwrap();
            if !is_kept {
                return;
            }
        }
    })
}

fn url(host: &str, upstream: &Upstream) -> String {
    format!("https://{host}:{}", upstream.address.port())
}

fn trusting() -> HttpClient {
    http()
        .with_resolver(Loopback)
        .with_authorities(Authorities::Der(vec![AUTHORITY.to_vec()]))
}

#[tokio::test]
async fn a_trusted_server_is_called_and_its_connection_used_again() {
    let upstream = upstream("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", true);
    let url = url("server.test", &upstream);
    let client = client_for(trusting(), vec![private(&url)]);
    for _ in 0..3 {
        assert_eq!(body(send(&client, get(&url)).await), "ok");
    }
    assert_eq!(upstream.accepted(), 1);
}

#[tokio::test]
async fn servers_that_cannot_prove_their_name_get_nothing() {
    let upstream = upstream("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", true);
    for (host, http) in [
        ("server.test", http().with_resolver(Loopback)),
        ("other.test", trusting()),
        ("127.0.0.1", trusting()),
    ] {
        let url = url(host, &upstream);
        let client = client_for(http, vec![private(&url)]);
        let error = send(&client, get(&url)).await.unwrap_err();
        assert_eq!(error.name(), "unreachable", "{error}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
    let plain = Upstream::new(|_, mut stream| {
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        wait_for_close(&mut stream);
    });
    let url = url("server.test", &plain);
    let client = client_for(trusting(), vec![private(&url)]);
    let error = send(&client, get(&url)).await.unwrap_err();
    assert_eq!(error.name(), "unreachable", "{error}");
}

/// Whoever cuts a connection must not decide where a response ends.
#[tokio::test]
async fn a_response_up_to_the_end_of_a_connection_that_was_cut_is_not_whole() {
    let upstream = upstream("HTTP/1.1 200 OK\r\n\r\nto the end", false);
    let url = url("server.test", &upstream);
    let client = client_for(trusting(), vec![private(&url)]);
    let error = send(&client, get(&url)).await.unwrap_err();
    assert_eq!(error.name(), "outcome-unknown", "{error}");
}
