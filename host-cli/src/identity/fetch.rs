//! Fetches one small document, with a bound for its size and its time. Redirects are not followed.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Uri;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::time::Duration;

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
pub async fn get(address: &str, bytes_max: usize) -> Result<Bytes, String> {
    let uri: Uri = address
        .parse()
        .map_err(|error| format!("not an address: {error}"))?;
    let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&uri.host().unwrap_or_default());
    if uri.scheme_str() == Some("http") && !is_local {
        return Err(
            "without TLS, keys are fetched from this machine only; write `https://`".to_owned(),
        );
    }
    tokio::time::timeout(FETCH_DURATION_MAX, fetch(uri, bytes_max))
        .await
        .unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

async fn fetch(uri: Uri, bytes_max: usize) -> Result<Bytes, String> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| format!("no trusted certificates: {error}"))?
        .https_or_http()
        .enable_http1()
        .build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    let response = client.get(uri).await.map_err(|error| with_causes(&error))?;
    if !response.status().is_success() {
        return Err(format!("the server answered {}", response.status()));
    }
    let body = Limited::new(response.into_body(), bytes_max)
        .collect()
        .await;
    Ok(body.map_err(|error| error.to_string())?.to_bytes())
}

/// An error with its causes, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
