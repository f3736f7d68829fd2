//! Messages about secrets and about requests to other services: a guest may log them, and redaction takes nothing in them for a credential.

use super::Redaction;
use ::secrets::{
    GuestSecrets, HmacAlgorithm, HostSources, LocalSources, SecretDeclarations, SecretFiller,
    SecretOptions, SecretRequest, Secrets,
};
use outgoing::{
    Grant, GrantServices, Grants, NoOutgoing, OutgoingError, OutgoingHttp, OutgoingRequest,
    Services,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tape::redact::{Marks, Secrets as Redacted};

/// What people call their secrets, and the hosts of services.
const NAMES: [&str; 5] = ["api-key", "token", "client-secret", "password", "jwt"];
const ORIGINS: [&str; 3] = [
    "https://token.invalid",
    "https://secretsmanager.invalid:8443",
    "https://auth.invalid/session",
];

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

/// That a line of a guest's log stays as it is.
fn assert_stays(message: &str) {
    let redaction = Redaction::credentials();
    for text in [
        message.to_owned(),
        format!("request to another service failed: {message}"),
        format!("Error: {message}"),
    ] {
        let (mut marks, mut redacted) = (Marks::default(), Redacted::default());
        let shown = redaction.log_message(&text, "/logs/0/message", &mut marks, &mut redacted);
        assert_eq!(shown, text);
        let json = serde_json::to_string(&text).unwrap();
        let shown = redaction.attribute("error", &json, "/logs/0", &mut marks, &mut redacted);
        assert_eq!(shown, json);
        assert!(marks.is_empty(), "{text}: {marks:?}");
    }
}

fn secrets_of(name: &str, members: &str) -> Secrets {
    let declared = format!(r#"{{"{name}": {{"from": "env:{}"{members}}}}}"#, "ABSENT");
    let declarations = SecretDeclarations::from_json(&declared).unwrap();
    let sources = Arc::new(HostSources::new(LocalSources::new(|_| None), None));
    Secrets::new(declarations, sources, SecretOptions::default())
}

#[tokio::test]
async fn of_calls_about_secrets() {
    for name in NAMES {
        let sign = |name: &str| SecretRequest::Sign {
            name: name.to_owned(),
            algorithm: HmacAlgorithm::Sha256,
            message: Vec::new(),
        };
        let reveal = SecretRequest::Reveal { name: name.into() };
        let secrets = secrets_of(name, r#", "hmac": true"#);
        for request in [sign(name), reveal, sign("other-key"), sign("No_Name")] {
            let error = secrets.perform(request, deadline()).await.unwrap_err();
            assert_stays(&error.to_string());
            // As other languages show it.
            assert_stays(&format!("{}: {}", error.name(), error.detail()));
        }
    }
}

#[tokio::test]
async fn of_requests_with_placeholders() {
    let request = |url: &str, header: &str, body: &str| OutgoingRequest {
        method: "POST".into(),
        url: url.into(),
        headers: vec![("authorization".into(), header.into())],
        body: body.into(),
        timeout: None,
    };
    for name in NAMES {
        let placeholder = format!("__secret.{name}__");
        for members in [
            r#", "for": ["https://api.example"]"#,
            r#", "hmac": true"#,
            r#", "for": ["https://api.example"], "in": ["body"]"#,
        ] {
            let filler = SecretFiller::new(secrets_of(name, members), Arc::new(NoOutgoing));
            for request in [
                request("https://api.example/", &placeholder, ""),
                request("https://token.example:8443/", &placeholder, ""),
                request(&format!("https://api.example/{placeholder}"), "", ""),
                request(&format!("https://{placeholder}/"), "", ""),
                request("https://api.example", "", &placeholder),
                request("https://api.example", "__secret.other-token__", ""),
                request("https://api.example", "__secret.Token", ""),
                request("ftp://token:token@token.example", &placeholder, ""),
                request("https://api.example", &placeholder.repeat(65), ""),
            ] {
                let error = filler.send(request, deadline()).await.unwrap_err();
                assert_stays(&error.to_string());
            }
        }
    }
}

#[tokio::test]
async fn of_requests_to_other_services() {
    let request = |url: &str, header: &str| OutgoingRequest {
        method: "GET".into(),
        url: url.into(),
        headers: vec![(header.into(), "x".into())],
        ..OutgoingRequest::default()
    };
    let send = async |client: &dyn OutgoingHttp, request| -> OutgoingError {
        client.send(request, deadline()).await.unwrap_err()
    };
    for origin in ORIGINS {
        let grant: Grant = origin.parse().unwrap();
        let grants = Arc::new(Grants::new(vec![grant]).unwrap());
        let client = Services::new(None).granted(&grants);
        for request in [
            // No such host: nothing is sent.
            request(&format!("{origin}/"), "accept"),
            request(&format!("{origin}/../token"), "accept"),
            request("https://auth.invalid/other", "accept"),
            request("https://token.invalid:443/", "proxy-authorization"),
            request("https://token.invalid:1/", "accept"),
            request("https://session.token.invalid:65535", "accept"),
            request("https://token.invalid:65536", "accept"),
            request("https://token:password@token.invalid", "accept"),
            request(origin, "content-length"),
            request(origin, "host"),
            request(origin, "session token"),
        ] {
            assert_stays(&send(&*client, request).await.to_string());
        }
        assert_stays(
            &send(&NoOutgoing, request(origin, "accept"))
                .await
                .to_string(),
        );
    }
}
