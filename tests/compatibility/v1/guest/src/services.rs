//! The functions of `outgoing` and `secrets`.

use crate::{
    object,
    tenon::handler::{
        http::Field,
        outgoing::{self, Error},
        secrets::{self, Algorithm, Error as SecretError},
    },
};

/// Calls each with what is granted and with what is not; `url` is that of a service that is.
pub fn every_function(url: &str) -> String {
    let tag = secrets::sign("webhook", Algorithm::Sha256, b"message");
    let tag = tag.unwrap_or_default();
    let verified = secrets::verify("webhook", Algorithm::Sha256, b"message", &tag);
    let revealed = secrets::reveal("api-key").map(|value| value.len() >= 8);
    object(&[
        ("sent", &send(url)),
        ("sent elsewhere", &send("http://192.0.2.1/")),
        ("signed", if tag.len() == 32 { "32 bytes" } else { "none" }),
        ("verified", shown(verified)),
        ("revealed", shown(revealed)),
        (
            "revealed, of the other",
            shown(secrets::reveal("webhook").map(|_| true)),
        ),
        (
            "revealed, of none",
            shown(secrets::reveal("none").map(|_| true)),
        ),
    ])
}

fn send(url: &str) -> String {
    let authorization = Field {
        name: "authorization".to_owned(),
        value: "Bearer __secret.api-key__".to_owned(),
    };
    let request = outgoing::Request {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: vec![authorization],
        body: b"asked".to_vec(),
        timeout_ms: Some(5_000),
    };
    match outgoing::send(&request) {
        Ok(response) => String::from_utf8_lossy(&response.body).into_owned(),
        Err(Error::InvalidRequest(_)) => "invalid-request".to_owned(),
        Err(Error::NotGranted(_)) => "not-granted".to_owned(),
        Err(Error::Unreachable(_)) => "unreachable".to_owned(),
        Err(Error::OutcomeUnknown(_)) => "outcome-unknown".to_owned(),
        Err(Error::ResponseTooLarge(_)) => "response-too-large".to_owned(),
    }
}

fn shown(result: Result<bool, SecretError>) -> &'static str {
    match result {
        Ok(true) => "yes",
        Ok(false) => "no",
        Err(SecretError::Unknown(_)) => "unknown",
        Err(SecretError::NotGranted(_)) => "not-granted",
        Err(SecretError::Unavailable(_)) => "unavailable",
    }
}
