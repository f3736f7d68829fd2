//! Who calls: `--claims` and `--jwt`.

use crate::program::{Folder, Server, cli, image};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

/// Tokens and the keys that signed them, made by another implementation.
const TOKENS: &str = include_str!("../../../crates/jwt/tests/tokens.json");

pub fn token(name: &str) -> String {
    let file: Value = serde_json::from_str(TOKENS).unwrap();
    file["tokens"][name].as_str().unwrap().to_owned()
}

pub fn key_set() -> String {
    let file: Value = serde_json::from_str(TOKENS).unwrap();
    file["jwks"].to_string()
}

fn event(arguments: &[&str]) -> Value {
    let run = cli(&[&["event"], arguments].concat()).expect_code(0);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn events_have_claims_as_each_gateway_gives_them() {
    let claims = r#"{"sub":"ann","cognito:groups":["a","b"]}"#;
    let rest = event(&["rest", "GET", "/items", "--claims", claims]);
    let expected = json!({"claims": {"sub": "ann", "cognito:groups": "a,b"}});
    assert_eq!(rest["requestContext"]["authorizer"], expected);
    let http = event(&["http", "GET", "/", "--claims", claims, "--scope", "r"]);
    let expected =
        json!({"jwt": {"claims": {"sub": "ann", "cognito:groups": "[a b]"}, "scopes": ["r"]}});
    assert_eq!(http["requestContext"]["authorizer"], expected);
    let http = event(&[
        "http",
        "GET",
        "/",
        "--claims",
        claims,
        "--authorizer",
        "lambda",
    ]);
    let expected = json!({"lambda": {"sub": "ann", "cognito:groups": ["a", "b"]}});
    assert_eq!(http["requestContext"]["authorizer"], expected);
    let arn = "arn:aws:iam::123456789012:user/ann";
    let caller = json!({"userArn": arn}).to_string();
    let url = event(&["url", "GET", "/", "--claims", &caller]);
    assert_eq!(url["requestContext"]["authorizer"]["iam"]["userArn"], arn);
    let rest = event(&[
        "rest",
        "GET",
        "/",
        "--claims",
        &caller,
        "--authorizer",
        "iam",
    ]);
    assert_eq!(rest["requestContext"]["identity"]["userArn"], arn);
    let folder = Folder::new();
    let file = folder.write("claims.json", r#"{ "sub": "ann" }"#);
    let alb = event(&["alb", "GET", "/", "--claims", &file]);
    assert_eq!(
        alb["multiValueHeaders"]["x-amzn-oidc-identity"],
        json!(["ann"])
    );
}

#[test]
fn claims_that_cannot_be_used_are_named() {
    let run = |claims: &str, more: &[&str]| {
        cli(&[&["event", "http", "GET", "/", "--claims", claims], more].concat())
    };
    run("[1]", &[])
        .expect_failure(2, "claims are an array, not an object")
        .expect_hint();
    run("{", &[])
        .expect_failure(2, "claims are not JSON")
        .expect_hint();
    run("{}", &["--authorizer", "cognito"])
        .expect_failure(
            2,
            "has no authorizer `cognito`; it has `jwt`, `lambda`, `iam`",
        )
        .expect_hint();
    run("{}", &["--authorizer", "iam"])
        .expect_failure(2, "claim `userArn` is missing")
        .expect_hint();
    run("nowhere.json", &[])
        .expect_failure(
            3,
            "claims `nowhere.json` are neither a JSON object nor a file",
        )
        .expect_hint();
    let folder = Folder::new();
    let file = folder.write("claims.json", "[]");
    run(&file, &[])
        .expect_failure(3, "claims are an array, not an object")
        .expect_hint();
}

fn serve(more: &[&str]) -> crate::program::Run {
    let start = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--store",
        "memory",
        "--guest",
        image(),
    ];
    cli(&[&start, more].concat())
}

#[test]
fn servers_refuse_identities_that_their_gateway_does_not_know() {
    serve(&["--event-kind", "url", "--jwt"])
        .expect_failure(2, "`--jwt` is not for events of kind `url`")
        .expect_hint();
    serve(&["--claims", "7"]).expect_code(3);
    serve(&["--claims", "{}", "--jwt"]).expect_code(2);
    serve(&["--jwks", "keys.json"]).expect_code(2);
    serve(&["--jwt", "--jwks", "nowhere.json"])
        .expect_failure(3, "key set `nowhere.json` does not exist");
    let folder = Folder::new();
    let broken = folder.write("keys.json", r#"{"keys":[]}"#);
    serve(&["--jwt", "--jwks", &broken])
        .expect_failure(3, "the key set has no key for signatures")
        .expect_hint();
    serve(&["--jwt", "--jwks", "http://example.com/keys"])
        .expect_failure(3, "without TLS, keys are fetched from this machine only")
        .expect_hint();
    let run = serve(&["--jwt", "--jwks", "https://ann:hunter2@localhost/keys"]);
    assert!(!run.stderr.contains("hunter2"), "{run:?}");
    run.expect_failure(2, "contains a user or password")
        .expect_hint();
    serve(&["--jwt-optional"]).expect_code(2);
    serve(&["--jwt", "--jwks", "http://127.0.0.1:1/keys"])
        .expect_failure(3, "failed to fetch keys from `http://127.0.0.1:1/keys`")
        .expect_hint();
}

/// The response to a request with a token.
fn ask(server: &Server, authorization: Option<&str>) -> String {
    let field = authorization.map_or(String::new(), |value| format!("authorization: {value}\r\n"));
    server.talk(format!(
        "GET /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{field}\r\n"
    ))
}

#[track_caller]
fn assert_unauthorized(answer: &str, body: &str) {
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer}");
}

#[test]
fn a_server_with_claims_answers_as_before() {
    let server = Server::start(&["--store", "memory", "--claims", r#"{"sub":"ann"}"#]);
    assert!(
        server
            .greeting
            .iter()
            .any(|line| line.starts_with("caller: as `--claims` says"))
    );
    assert!(ask(&server, None).starts_with("HTTP/1.1 200 "));
}

#[test]
fn tokens_are_verified_with_a_key_set() {
    let folder = Folder::new();
    let keys = folder.write("keys.json", key_set());
    for (kind, unauthorized, expired) in [
        (
            "rest",
            r#"{"message":"Unauthorized"}"#,
            r#"{"message":"The incoming token has expired"}"#,
        ),
        (
            "http",
            r#"{"message":"Unauthorized"}"#,
            r#"{"message":"Unauthorized"}"#,
        ),
        (
            "alb",
            "<html><head><title>401 Authorization Required</title></head></html>",
            "<html><head><title>401 Authorization Required</title></head></html>",
        ),
    ] {
        let server = Server::start(&[
            "--store",
            "memory",
            "--event-kind",
            kind,
            "--jwt",
            "--jwks",
            &keys,
        ]);
        for name in ["RS256", "ES256", "EdDSA"] {
            let answer = ask(&server, Some(&format!("Bearer {}", token(name))));
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
        assert_unauthorized(&ask(&server, None), unauthorized);
        for name in ["none", "HS256 with the public key", "unknown kid", "no exp"] {
            assert_unauthorized(
                &ask(&server, Some(&format!("Bearer {}", token(name)))),
                unauthorized,
            );
        }
        assert_unauthorized(&ask(&server, Some("Basic YTpi")), unauthorized);
        assert_unauthorized(
            &ask(&server, Some(&format!("Bearer {}", token("expired")))),
            expired,
        );
        let (code, stderr) = server.stop();
        assert_eq!(code, 0);
        assert!(
            stderr.contains("not authorized: the token has expired"),
            "{stderr}"
        );
        // No token and no claim reaches the log.
        assert!(
            !stderr.contains("eyJ") && !stderr.contains("ann"),
            "{stderr}"
        );
    }
}

#[test]
fn where_tokens_are_optional_a_request_without_one_has_no_caller() {
    let folder = Folder::new();
    let keys = folder.write("keys.json", key_set());
    let server = Server::start(&[
        "--store",
        "memory",
        "--jwt",
        "--jwt-optional",
        "--jwks",
        &keys,
    ]);
    assert!(
        server
            .greeting
            .iter()
            .any(|line| line.starts_with("caller: from a request's bearer token, if it has one"))
    );
    assert!(ask(&server, None).starts_with("HTTP/1.1 200 "));
    let valid = format!("Bearer {}", token("RS256"));
    assert!(ask(&server, Some(&valid)).starts_with("HTTP/1.1 200 "));
    let unauthorized = r#"{"message":"Unauthorized"}"#;
    assert_unauthorized(&ask(&server, Some("Basic YTpi")), unauthorized);
    let forged = format!("Bearer {}", token("unknown kid"));
    assert_unauthorized(&ask(&server, Some(&forged)), unauthorized);
}

#[test]
fn without_keys_tokens_are_believed_and_a_warning_says_so() {
    let server = Server::start(&["--store", "memory", "--jwt"]);
    let answer = ask(&server, Some(&format!("Bearer {}", token("none"))));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_unauthorized(
        &ask(&server, Some(&token("expired"))),
        r#"{"message":"Unauthorized"}"#,
    );
    let (_, stderr) = server.stop();
    assert!(
        stderr.contains("warning: tokens are not verified"),
        "{stderr}"
    );
}

#[test]
fn keys_are_fetched_from_their_issuer() {
    let issuer = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/keys", issuer.local_addr().unwrap());
    thread::spawn(move || {
        for stream in issuer.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let keys = key_set();
            let head = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                keys.len()
            );
            let _ = stream.write_all((head + &keys).as_bytes());
        }
    });
    let server = Server::start(&["--store", "memory", "--jwt", "--jwks", &address]);
    let answer = ask(&server, Some(&format!("Bearer {}", token("ES256"))));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = ask(&server, Some(&format!("Bearer {}", token("unknown kid"))));
    assert_unauthorized(&answer, r#"{"message":"Unauthorized"}"#);
}
