mod server;

use super::*;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use serde_json::json;
use server::Server;

fn sources(server: &Server) -> AwsSources {
    let credentials = Credentials::new("AKID", "key", None, None, "test");
    let credentials = SharedCredentialsProvider::new(credentials);
    let address = server.address.clone();
    AwsSources::new(move |name| AwsService::new(name, "eu-central-1", Some(&address), &credentials))
}

async fn fetch(server: &Server, texts: &[&str]) -> Vec<Result<String, FetchError>> {
    let parsed: Vec<Source> = texts.iter().map(|text| text.parse().unwrap()).collect();
    let fetched = sources(server).fetch(&parsed).await;
    assert_eq!(fetched.len(), texts.len());
    let text = |value: SecretValue| String::from_utf8(value.expose().to_vec()).unwrap();
    fetched.into_iter().map(|result| result.map(text)).collect()
}

fn class(result: &Result<String, FetchError>) -> FetchErrorClass {
    result.as_ref().unwrap_err().class
}

#[tokio::test]
async fn parameters_are_read_ten_at_a_time() {
    let server = Server::start().await;
    let names: Vec<_> = (0..23).map(|number| format!("/app/{number:02}")).collect();
    server.with(|state| {
        for name in &names {
            state
                .parameters
                .insert(name.clone(), format!("value of {name}\n"));
        }
    });
    let mut texts: Vec<_> = names.iter().map(|name| format!("ssm:{name}")).collect();
    // The same one again, which AWS would refuse within one call.
    texts.push(texts[0].clone());
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let fetched = fetch(&server, &texts).await;
    for (text, value) in texts.iter().zip(&fetched) {
        let name = text.trim_start_matches("ssm:");
        assert_eq!(value.as_ref().unwrap(), &format!("value of {name}\n"));
    }
    let lengths: Vec<_> = server.with(|state| {
        let names = |body: &serde_json::Value| body["Names"].as_array().unwrap().len();
        state.requests.iter().map(|(_, body)| names(body)).collect()
    });
    assert_eq!(lengths, [10, 10, 3]);
}

#[tokio::test]
async fn one_denied_parameter_does_not_hide_the_others() {
    let server = Server::start().await;
    server.with(|state| {
        for name in ["/a", "/b", "/c"] {
            state.parameters.insert(name.into(), "planted-value".into());
        }
        state.denied.push("/b".into());
    });
    let fetched = fetch(&server, &["ssm:/a", "ssm:/b", "ssm:/c", "ssm:/d"]).await;
    assert!(fetched[0].is_ok() && fetched[2].is_ok());
    assert_eq!(class(&fetched[1]), FetchErrorClass::Denied);
    assert_eq!(class(&fetched[3]), FetchErrorClass::Missing);
    let words = fetched[1].as_ref().unwrap_err().to_string();
    assert_eq!(
        words,
        "access denied: `ssm:/b`: ssm: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/x is not authorized"
    );
    assert!(!format!("{:?} {:?}", fetched[1], fetched[3]).contains("planted"));
}

#[tokio::test]
async fn arns_are_read_in_their_region_only() {
    let server = Server::start().await;
    let arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/a";
    server.with(|state| state.parameters.insert(arn.into(), "value".into()));
    let there = format!("ssm:{arn}");
    let elsewhere = "secretsmanager:arn:aws:secretsmanager:us-east-1:1:secret:a-AbCdEf";
    let fetched = fetch(&server, &[&there, elsewhere]).await;
    assert_eq!(fetched[0].as_deref(), Ok("value"));
    assert_eq!(class(&fetched[1]), FetchErrorClass::Unsupported);
    let words = fetched[1].as_ref().unwrap_err().to_string();
    assert!(
        words.ends_with("this host reads from `eu-central-1` only"),
        "{words}"
    );
    assert_eq!(server.with(|state| state.requests.len()), 1);
}

#[tokio::test]
async fn secrets_are_texts_members_or_bytes() {
    let server = Server::start().await;
    server.with(|state| {
        let object = r#"{"key": "pl\u0061nted", "port": 5432}"#;
        state.secrets = BTreeMap::from([
            (
                "text".into(),
                json!({"Name": "text", "SecretString": "planted \"text\""}),
            ),
            (
                "object".into(),
                json!({"SecretString": object, "VersionStages": ["AWSCURRENT"]}),
            ),
            ("binary".into(), json!({"SecretBinary": "cGxhbnRlZA=="})),
            ("broken".into(), json!({"SecretBinary": "planted!"})),
            ("none".into(), json!({"Name": "none"})),
            ("long".into(), json!({"SecretString": "x".repeat(65_537)})),
            ("form".into(), json!({"SecretString": ["planted"]})),
        ]);
    });
    let texts = [
        "secretsmanager:text",
        "secretsmanager:object#key",
        "secretsmanager:object",
        "secretsmanager:binary",
        "secretsmanager:object#port",
        "secretsmanager:object#other",
        "secretsmanager:text#key",
        "secretsmanager:binary#key",
        "secretsmanager:broken",
        "secretsmanager:none",
        "secretsmanager:long",
        "secretsmanager:form",
        "secretsmanager:unknown",
    ];
    let fetched = fetch(&server, &texts).await;
    assert_eq!(fetched[0].as_deref(), Ok("planted \"text\""));
    assert_eq!(fetched[1].as_deref(), Ok("planted"));
    assert_eq!(
        fetched[2].as_deref(),
        Ok(r#"{"key": "pl\u0061nted", "port": 5432}"#)
    );
    assert_eq!(fetched[3].as_deref(), Ok("planted"));
    for (text, result) in texts.iter().zip(&fetched).skip(4) {
        let expected = match *text {
            "secretsmanager:unknown" => FetchErrorClass::Missing,
            _ => FetchErrorClass::Unusable,
        };
        assert_eq!(class(result), expected, "{text}");
        let words = format!("{result:?}");
        assert!(
            (words.contains(text) || expected == FetchErrorClass::Missing)
                && !words.contains("planted"),
            "{words}"
        );
    }
    // One call for the three uses of one secret.
    let calls = server.with(|state| {
        let is_object = |body: &serde_json::Value| body["SecretId"] == "object";
        state
            .requests
            .iter()
            .filter(|(_, body)| is_object(body))
            .count()
    });
    assert_eq!(calls, 1);
}

#[tokio::test]
async fn failures_are_told_apart_after_a_few_attempts() {
    let error = |code: &str| json!({"__type": code, "message": "why\u{1b}[0m"}).to_string();
    for (status, body, expected, requests) in [
        (
            400,
            error("ThrottlingException"),
            FetchErrorClass::Throttled,
            3,
        ),
        (
            500,
            error("InternalServerError"),
            FetchErrorClass::Unreachable,
            3,
        ),
        (503, "busy".into(), FetchErrorClass::Unreachable, 3),
        (
            400,
            error("com.amazonaws#ExpiredTokenException"),
            FetchErrorClass::Denied,
            1,
        ),
        (
            400,
            error("ValidationException"),
            FetchErrorClass::Unusable,
            1,
        ),
        (403, "<html>".into(), FetchErrorClass::Denied, 1),
        (200, "planted".into(), FetchErrorClass::Unusable, 1),
        (
            200,
            r#"{"Parameters":[{"Name":"/a","Value":["planted"]}]}"#.into(),
            FetchErrorClass::Unusable,
            1,
        ),
        (
            200,
            r#"{"Parameters":[{"Name":"/b","Value":"planted"}]}"#.into(),
            FetchErrorClass::Unusable,
            1,
        ),
        (200, "{}".into(), FetchErrorClass::Unusable, 1),
        (
            200,
            "x".repeat(PARAMETERS_BYTES_MAX + 1),
            FetchErrorClass::Unusable,
            1,
        ),
    ] {
        let server = Server::start().await;
        server.with(|state| state.faults = vec![(status, body.clone()); 4]);
        let fetched = fetch(&server, &["ssm:/a"]).await;
        let words = format!("{:?}", fetched[0]);
        assert_eq!(class(&fetched[0]), expected, "{words}");
        assert!(
            !words.contains("planted") && !words.contains('\u{1b}'),
            "{words}"
        );
        assert_eq!(
            server.with(|state| state.requests.len()),
            requests,
            "{words}"
        );
    }
    // Nothing listens there any more.
    let server = Server::start().await;
    let sources = sources(&server);
    drop(server);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let fetched = sources.fetch(&["ssm:/a".parse().unwrap()]).await;
    assert_eq!(
        fetched[0].as_ref().unwrap_err().class,
        FetchErrorClass::Unreachable
    );
}

#[tokio::test]
async fn a_parameter_is_rotated_while_it_is_used() {
    use crate::{SecretDeclarations, SecretOptions, Secrets};
    use std::{
        sync::Mutex,
        time::{Instant, SystemTime},
    };

    let server = Server::start().await;
    let set = |value: &str| {
        server.with(|state| state.parameters.insert("/key".into(), value.into()));
    };
    let declarations =
        SecretDeclarations::from_json(r#"{"key": {"from": "ssm:/key", "reveal": true}}"#).unwrap();
    let now = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH));
    let (clock, failures) = (now.clone(), Arc::<Mutex<Vec<String>>>::default());
    let told = failures.clone();
    let options = SecretOptions {
        clock: Arc::new(move || *clock.lock().unwrap()),
        on_failure: Arc::new(move |failure| told.lock().unwrap().push(format!("{failure:?}"))),
        ..SecretOptions::default()
    };
    let secrets = Secrets::new(declarations, Arc::new(sources(&server)), options);
    let value = || async {
        let deadline = Instant::now() + Duration::from_secs(10);
        let held = secrets.value("key", deadline).await.unwrap();
        String::from_utf8(held.value.expose().to_vec()).unwrap()
    };
    let pass = |seconds| *now.lock().unwrap() += Duration::from_secs(seconds);

    set("planted-1");
    assert_eq!(value().await, "planted-1");
    set("planted-2");
    server.with(|state| state.delay = Duration::from_millis(100));
    pass(300);
    // Nobody waits for the slow service.
    assert_eq!(value().await, "planted-1");
    secrets
        .prefetch(Instant::now() + Duration::from_secs(10))
        .await;
    assert_eq!(value().await, "planted-2");
    // A service that is busy is asked three times, and the value of before is used.
    set("planted-3");
    server.with(|state| {
        state.requests.clear();
        state.faults = vec![(400, r#"{"__type":"ThrottlingException"}"#.into()); 3];
    });
    pass(700);
    assert_eq!(value().await, "planted-2");
    assert_eq!(server.with(|state| state.requests.len()), 3);
    pass(10);
    assert_eq!(value().await, "planted-3");
    let failures = failures.lock().unwrap();
    assert_eq!(failures.len(), 1);
    assert!(
        failures[0].contains("Throttled") && !failures[0].contains("planted"),
        "{failures:?}"
    );
}
