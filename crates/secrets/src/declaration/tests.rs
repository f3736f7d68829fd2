use super::*;

fn read(json: &str) -> SecretDeclarations {
    SecretDeclarations::from_json(json).unwrap()
}

#[test]
fn the_whole_form_and_its_defaults() {
    let declarations = read(
        r#"{
            "stripe-key": {"from": "env:STRIPE_KEY", "for": ["https://api.stripe.com"]},
            "bot": {"from": "ssm:/bot", "for": ["https://api.telegram.org"], "in": ["url", "body"]},
            "webhook": {"from": "file:key", "encoding": "base64", "hmac": true, "reveal": false}
        }"#,
    );
    declarations.check().unwrap();
    let stripe = declarations.get("stripe-key").unwrap();
    assert_eq!(stripe.from.to_string(), "env:STRIPE_KEY");
    assert_eq!(stripe.places, [Place::Headers].into());
    assert!(!stripe.hmac && !stripe.reveal);
    let bot = declarations.get("bot").unwrap();
    assert_eq!(bot.places, [Place::Url, Place::Body].into());
    let webhook = declarations.get("webhook").unwrap();
    assert_eq!(webhook.encoding, ValueEncoding::Base64);
    assert!(webhook.hmac && !webhook.reveal && webhook.places.is_empty());
    assert!(declarations.get("other").is_none());
    // Channels' documents are written, too.
    let written = serde_json::to_string(&declarations).unwrap();
    assert_eq!(
        written,
        r#"{"bot":{"from":"ssm:/bot","for":["https://api.telegram.org"],"in":["url","body"]},"stripe-key":{"from":"env:STRIPE_KEY","for":["https://api.stripe.com"]},"webhook":{"from":"file:key","encoding":"base64","hmac":true}}"#
    );
    assert_eq!(read(&written), declarations);
}

#[test]
fn a_short_form_says_only_where_a_secret_is_found() {
    let base = read(
        r#"{
            "a": {"from": "env:A", "for": ["https://a.example"], "in": ["url"], "hmac": true},
            "b": {"from": "env:B", "reveal": true}
        }"#,
    );
    let short = read(r#"{"a": "ssm:/prod/a"}"#);
    assert_eq!(
        short.check(),
        Err(DeclarationError::NoUse("a".parse().unwrap()))
    );
    let both = short.over(&base);
    both.check().unwrap();
    let a = both.get("a").unwrap();
    assert_eq!(a.from.to_string(), "ssm:/prod/a");
    assert!(a.hmac && a.places == [Place::Url].into() && a.origins.len() == 1);
    assert!(both.get("b").unwrap().reveal);
    // One in full takes nothing from the base.
    let full = read(r#"{"a": {"from": "env:A", "reveal": true}}"#).over(&base);
    let a = full.get("a").unwrap();
    assert!(a.reveal && !a.hmac && a.origins.is_empty());
}

#[test]
fn what_has_no_effect_is_an_error_by_name() {
    for (json, words) in [
        (
            r#"{"a": {"from": "env:A"}}"#,
            "secret `a` has no use: say `for = [\"https://HOST\"]` to have it filled into requests, `hmac = true` or `reveal = true`",
        ),
        (
            r#"{"a": {"from": "env:A", "in": ["body"], "hmac": true}}"#,
            "secret `a` has `in`, which has no effect without `for`",
        ),
    ] {
        assert_eq!(read(json).check().unwrap_err().to_string(), words);
    }
    let origins: Vec<_> = (1..=9)
        .map(|number| format!("https://a{number}.example"))
        .collect();
    let json = format!(r#"{{"a": {{"from": "env:A", "for": {origins:?}}}}}"#);
    let error = read(&json).check().unwrap_err();
    assert_eq!(error.to_string(), "secret `a` is for more than 8 origins");
}

#[test]
fn unreadable_declarations_are_refused_without_repeating_sources() {
    for (json, part) in [
        ("", "EOF"),
        ("[]", "an object with a member for each secret"),
        (
            r#"{"A": "env:A"}"#,
            "a secret's name has 1 to 64 characters",
        ),
        (r#"{"a": "planted"}"#, "a source is `env:NAME`"),
        (
            r#"{"a": {"from": "planted", "hmac": true}}"#,
            "a source is `env:NAME`",
        ),
        (r#"{"a": {"hmac": true}}"#, "missing field `from`"),
        (
            r#"{"a": {"from": "env:A", "HMAC": true}}"#,
            "expected one of `from`",
        ),
        (
            r#"{"a": {"from": "env:A", "for": ["https://a.example/v1"]}}"#,
            "an origin is",
        ),
        (
            r#"{"a": {"from": "env:A", "in": ["header"]}}"#,
            "expected one of",
        ),
        (
            r#"{"a": {"from": "env:A", "hmac": "planted"}}"#,
            "expected a boolean",
        ),
        (
            r#"{"a": {"from": "env:A", "encoding": "planted"}}"#,
            "expected",
        ),
        (
            r#"{"a": {"from": "env:A", "planted": 1}}"#,
            "expected one of `from`",
        ),
        (r#""planted""#, "an object with a member for each secret"),
        (r#"{"a": true}"#, "a source, or an object with `from`"),
        (r#"{"a": "env:A", "a": "env:B"}"#, "`a` is declared twice"),
    ] {
        let error = SecretDeclarations::from_json(json).unwrap_err().to_string();
        assert!(error.contains(part), "{json}: {error}");
        assert!(!error.contains("planted"), "{error}");
    }
    let many: Vec<_> = (0..33)
        .map(|number| format!(r#""a{number}": "env:A""#))
        .collect();
    let error = SecretDeclarations::from_json(&format!("{{{}}}", many.join(",")));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("at most 32 secrets")
    );
}

#[test]
fn relative_paths_are_below_the_project() {
    let declarations =
        read(r#"{"a": {"from": "file:a.key", "hmac": true}}"#).below(Path::new("/p"));
    assert_eq!(
        declarations.get("a").unwrap().from.to_string(),
        "file:/p/a.key"
    );
}
