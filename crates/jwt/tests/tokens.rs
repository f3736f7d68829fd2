//! Tokens that another implementation signed (`tokens.json`), and what attackers make of them.
#![allow(clippy::unwrap_used)] // clippy recognises tests by their attribute, but not their helpers
#![expect(clippy::disallowed_methods, reason = "tests read their own files")]

use jwt::{KeySet, KeySetError, LEEWAY_S, TokenError, read_unverified, verify};
use serde_json::{Value, json};

/// 2026-01-02.
const NOW_MS: u64 = 1_767_312_000_000;
const CLAIMS: &str =
    r#"{"sub":"ann","iss":"https://issuer.example","iat":1767225600,"exp":4102444800}"#;

fn file() -> Value {
    serde_json::from_str(include_str!("tokens.json")).unwrap()
}

fn keys() -> KeySet {
    KeySet::parse(file()["jwks"].to_string().as_bytes()).unwrap()
}

fn token(name: &str) -> String {
    file()["tokens"][name].as_str().unwrap().to_owned()
}

fn outcome(name: &str) -> Result<String, TokenError> {
    verify(&token(name), &keys(), NOW_MS)
}

#[test]
fn each_algorithm_is_verified_with_a_key_of_its_kind() {
    for name in ["RS256", "ES256", "EdDSA"] {
        assert_eq!(outcome(name).as_deref(), Ok(CLAIMS), "{name}");
        // Without a key id, there is one key for the algorithm.
        assert_eq!(
            outcome(&format!("{name} without kid")).as_deref(),
            Ok(CLAIMS)
        );
    }
}

#[test]
fn a_changed_token_is_refused() {
    for name in ["RS256", "ES256", "EdDSA"] {
        let token = token(name);
        let parts: Vec<_> = token.split('.').collect();
        let other = token_with(&parts, 1, r#"{"sub":"bob","exp":4102444800}"#);
        assert_eq!(verify(&other, &keys(), NOW_MS), Err(TokenError::Signature));
        for signature in ["", "AAAA", &"A".repeat(86)] {
            let other = format!("{}.{}.{signature}", parts[0], parts[1]);
            assert_eq!(verify(&other, &keys(), NOW_MS), Err(TokenError::Signature));
        }
    }
}

fn token_with(parts: &[&str], index: usize, json: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
    parts[index] = URL_SAFE_NO_PAD.encode(json);
    parts.join(".")
}

#[test]
fn a_token_cannot_choose_how_it_is_verified() {
    for (name, algorithm) in [
        ("none", "none"),
        ("none with kid", "none"),
        ("HS256 with the public key", "HS256"),
        ("RS256 with the key of ES256", "RS256"),
        ("ES256 with the key of RS256", "ES256"),
    ] {
        let expected = Err(TokenError::Algorithm(algorithm.to_owned()));
        assert_eq!(outcome(name), expected, "{name}");
    }
    for algorithm in ["None", "nOnE", "rs256", "PS256", "RS512", ""] {
        let token = token("RS256");
        let parts: Vec<_> = token.split('.').collect();
        let other = token_with(
            &parts,
            0,
            &json!({"alg": algorithm, "kid": "rsa"}).to_string(),
        );
        let expected = Err(TokenError::Algorithm(algorithm.to_owned()));
        assert_eq!(verify(&other, &keys(), NOW_MS), expected);
    }
    assert_eq!(outcome("unknown kid"), Err(TokenError::UnknownKey));
    assert!(matches!(outcome("crit"), Err(TokenError::Malformed(_))));
}

#[test]
fn times_have_a_leeway_and_must_be_numbers() {
    let at = |name, second: u64| verify(&token(name), &keys(), second * 1000).map(|_| ());
    let expiry = 1_767_225_600;
    assert_eq!(at("expired", expiry + LEEWAY_S - 1), Ok(()));
    assert_eq!(at("expired", expiry + LEEWAY_S), Err(TokenError::Expired));
    assert_eq!(at("nbf", expiry - LEEWAY_S), Ok(()));
    assert_eq!(
        at("nbf", expiry - LEEWAY_S - 1),
        Err(TokenError::NotYetValid)
    );
    // Issued in the future.
    assert_eq!(
        at("RS256", expiry - LEEWAY_S - 1),
        Err(TokenError::NotYetValid)
    );
    for (name, claim) in [("no exp", "exp"), ("exp text", "exp"), ("nbf text", "nbf")] {
        let error = outcome(name).unwrap_err();
        assert!(
            matches!(error, TokenError::Time(found, _) if found == claim),
            "{error}"
        );
    }
    let twice = "e30.eyJleHAiOjEsImV4cCI6NDEwMjQ0NDgwMH0.";
    assert!(read_unverified(twice, NOW_MS).is_err());
}

#[test]
fn what_is_not_a_token_is_refused() {
    for text in [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c.d",
        "e30.e30",
        "\u{e9}.e30.",
        "e30=.e30.",
        "e30.W10.",
        "e30.IiI.",
        "bnVsbA.e30.",
        "W10.e30.",
    ] {
        let error = verify(text, &keys(), NOW_MS).unwrap_err();
        assert!(matches!(error, TokenError::Malformed(_)), "{text}: {error}");
    }
    let long = format!("{}.{}.", token("RS256"), "a".repeat(jwt::TOKEN_BYTES_MAX));
    assert!(verify(&long, &keys(), NOW_MS).is_err());
    assert!(matches!(outcome("list"), Err(TokenError::Malformed(_))));
}

#[test]
fn without_keys_only_form_and_times_are_checked() {
    for name in ["RS256", "none", "HS256 with the public key"] {
        assert_eq!(read_unverified(&token(name), NOW_MS).as_deref(), Ok(CLAIMS));
    }
    assert_eq!(
        read_unverified(&token("expired"), NOW_MS),
        Err(TokenError::Expired)
    );
    assert!(read_unverified("a.b.c", NOW_MS).is_err());
}

#[test]
fn key_sets_are_public_usable_and_bounded() {
    let parsed = |keys: Value| KeySet::parse(json!({"keys": keys}).to_string().as_bytes());
    let published = file()["jwks"]["keys"].clone();
    let changed = |member: &str, value: Value| {
        let mut keys = published.clone();
        keys[2][member] = value;
        keys
    };
    assert!(matches!(
        parsed(changed("d", json!("AAAA"))),
        Err(KeySetError::Private)
    ));
    // A key for something else is no key for signatures.
    for (member, value) in [
        ("use", "enc"),
        ("alg", "ES256"),
        ("crv", "X25519"),
        ("x", "AAAA"),
        ("kty", "oct"),
    ] {
        let keys = parsed(changed(member, json!(value))).unwrap();
        assert!(verify(&token("EdDSA"), &keys, NOW_MS).is_err(), "{member}");
        assert!(verify(&token("ES256"), &keys, NOW_MS).is_ok(), "{member}");
    }
    assert!(matches!(parsed(json!([])), Err(KeySetError::Empty)));
    assert!(matches!(
        parsed(json!([{"kty": "oct"}])),
        Err(KeySetError::Empty)
    ));
    let many: Vec<_> = (0..=jwt::KEYS_MAX).map(|_| published[0].clone()).collect();
    assert!(matches!(parsed(json!(many)), Err(KeySetError::TooMany)));
    for text in ["", "{}", "[]", "null", r#"{"keys":{}}"#, r#"{"keys":[1]}"#] {
        assert!(
            matches!(KeySet::parse(text.as_bytes()), Err(KeySetError::NotASet(_))),
            "{text}"
        );
    }
    let large = " ".repeat(jwt::KEY_SET_BYTES_MAX + 1);
    assert!(matches!(
        KeySet::parse(large.as_bytes()),
        Err(KeySetError::TooLarge)
    ));
    // Two keys of one id, or of one algorithm without an id: it is not clear which one counts.
    let twice = parsed(json!([published[2], published[2]])).unwrap();
    assert!(verify(&token("EdDSA"), &twice, NOW_MS).is_err());
}
