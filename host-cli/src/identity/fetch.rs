//! Fetches one small document, with a bound for its size and its time. Redirects are not followed.

use bytes::Bytes;
use contract::{
    address::Addresses,
    origin::{Host, Origin, Scheme},
};
use http_client::{ClientOptions, HttpClient, Target, Wait};
use hyper::Request;
use std::time::{Duration, Instant};

/// How long a fetch may take.
const FETCH_DURATION_MAX: Duration = Duration::from_secs(10);

/// Whether a text is meant as an address.
pub fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// Whether an address names a user. It is shown in messages, where a password must not be.
pub fn has_user(text: &str) -> bool {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.contains('@')
}

/// The body of a successful answer. Without TLS only from this machine, because anybody on the way could replace it.
pub async fn get(address: &str, bytes_max: usize) -> Result<Vec<u8>, String> {
    let (origin, rest) =
        Origin::split(address).map_err(|error| format!("not an address: it {error}"))?;
    if origin.scheme == Scheme::Http && !is_this_machine(&origin.host) {
        return Err(
            "without TLS, keys are fetched from this machine only; write `https://`".to_owned(),
        );
    }
    let path = match rest.split('#').next().unwrap_or_default() {
        path if path.starts_with('/') => path.to_owned(),
        query => format!("/{query}"),
    };
    let request = Request::get(path).body(Bytes::new());
    let request = request.map_err(|error| format!("not an address: {error}"))?;
    let target = Target {
        origin,
        addresses: Addresses::Unchecked,
    };
    let wait = Wait::Until(Instant::now() + FETCH_DURATION_MAX);
    let client = HttpClient::new(ClientOptions::default());
    let response = client.send(&target, request, bytes_max, wait).await;
    let response = response.map_err(|error| error.to_string())?;
    if !response.status().is_success() {
        return Err(format!("the server answered {}", response.status()));
    }
    Ok(response.into_body())
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Name(name) => name == "localhost",
        Host::Address(address) => address.is_loopback(),
    }
}
