//! Callers in composed events: the guest gets the identity that it gets from AWS's own events.

use super::{
    composed::INCOMING,
    corpus::{folder, manifest},
    parse_bytes,
};
use contract::{http::Identity, limits::Limits, seed::Seed};
use gateway::{
    Event, EventKind, Origin, ParseContext,
    compose::{Authorization, Authorizer, Incoming, TokenRefusal, compose_for, unauthorized},
};
use serde_json::Value;
use std::fs;

fn authorization(
    kind: EventKind,
    authorizer: Authorizer,
    claims: &str,
    scopes: &[&str],
) -> Authorization {
    let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    Authorization::new(kind, authorizer, claims, &scopes).unwrap()
}

/// The identity that a guest gets, which is the same with and without JSON in between.
fn seen(kind: EventKind, authorization: &Authorization) -> Option<Identity> {
    let origin = Origin::new(kind);
    let event = compose_for(origin, &INCOMING, Some(authorization));
    let parsed = parse_bytes(&event.to_json()).unwrap();
    let context = ParseContext {
        received_at_ms: super::RECEIVED_AT_MS,
        seed: &Seed::new([1; 32]),
        base_path: None,
    };
    let direct = event.into_event(&context, &Limits::default()).unwrap();
    assert_eq!(direct, parsed);
    assert_eq!(parsed.origin, origin);
    parsed.request.context.identity
}

#[track_caller]
fn assert_seen(
    (kind, authorizer): (EventKind, Authorizer),
    claims: &str,
    scopes: &[&str],
    (subject, text): (Option<&str>, &str),
) {
    let identity = seen(kind, &authorization(kind, authorizer, claims, scopes)).unwrap();
    assert_eq!(
        (identity.subject.as_deref(), &*identity.claims),
        (subject, text)
    );
}

/// A token's payload, as a user pool of Cognito issues them.
const TOKEN: &str = r#"{
    "sub": "940805d0-a810-42da-9515-a213e211bbd1", "cognito:groups": ["admin", "user"], "email_verified": true,
    "identities": [{"userId": "7", "dateCreated": "1"}], "auth_time": 1513492092, "exp": 1513495692, "nothing": null
}"#;

#[test]
fn a_user_pool_writes_claims_as_texts_and_times_as_dates() {
    assert_seen(
        (EventKind::Rest, Authorizer::Cognito),
        TOKEN,
        &[],
        (
            Some("940805d0-a810-42da-9515-a213e211bbd1"),
            concat!(
                r#"{"sub":"940805d0-a810-42da-9515-a213e211bbd1","cognito:groups":"admin,user","email_verified":"true","#,
                r#""identities":"{\"userId\":\"7\",\"dateCreated\":\"1\"}","auth_time":"1513492092","exp":"Sun Dec 17 07:28:12 UTC 2017"}"#
            ),
        ),
    );
}

#[test]
fn a_jwt_authorizer_writes_claims_as_texts_and_adds_granted_scopes() {
    assert_seen(
        (EventKind::HttpApi, Authorizer::Jwt),
        TOKEN,
        &["items:read"],
        (
            Some("940805d0-a810-42da-9515-a213e211bbd1"),
            concat!(
                r#"{"sub":"940805d0-a810-42da-9515-a213e211bbd1","cognito:groups":"[admin user]","email_verified":"true","#,
                r#""identities":"[map[dateCreated:1 userId:7]]","auth_time":"1513492092","exp":"1513495692","scopes":["items:read"]}"#
            ),
        ),
    );
    let jwt = (EventKind::HttpApi, Authorizer::Jwt);
    assert_seen(jwt, r#"{"sub":"u"}"#, &[], (Some("u"), r#"{"sub":"u"}"#));
    assert_seen(jwt, "{}", &[], (None, "{}"));
}

#[test]
fn a_lambda_authorizer_passes_its_context_on() {
    assert_seen(
        (EventKind::Rest, Authorizer::Lambda),
        r#"{ "principalId": "admin", "clientId": 1, "isNew": true }"#,
        &[],
        (
            Some("admin"),
            r#"{"principalId":"admin","clientId":1,"isNew":true}"#,
        ),
    );
    assert_seen(
        (EventKind::HttpApi, Authorizer::Lambda),
        r#"{"sub": "s", "list": ["a", {"b": 1.50}]}"#,
        &[],
        (Some("s"), r#"{"sub":"s","list":["a",{"b":1.50}]}"#),
    );
}

#[test]
fn iam_callers_have_all_members_of_their_kind() {
    let arn = "arn:aws:iam::123456789012:user/ann";
    let claims = format!(r#"{{"userArn":"{arn}","accountId":"123456789012"}}"#);
    for kind in [EventKind::FunctionUrl, EventKind::HttpApi] {
        let text = format!(
            r#"{{"accessKey":null,"accountId":"123456789012","callerId":null,"cognitoIdentity":null,"principalOrgId":null,"userArn":"{arn}","userId":null}}"#
        );
        assert_seen((kind, Authorizer::Iam), &claims, &[], (Some(arn), &text));
    }
    let text = format!(r#"{{"accountId":"123456789012","userArn":"{arn}"}}"#);
    assert_seen(
        (EventKind::Rest, Authorizer::Iam),
        &claims,
        &[],
        (Some(arn), &text),
    );
}

#[test]
fn a_load_balancer_sends_headers_which_name_nobody_to_the_guest() {
    let authorization = authorization(EventKind::Alb, Authorizer::Oidc, r#"{"sub": "u-1"}"#, &[]);
    let headers = [
        ("x-amzn-oidc-identity", "forged"),
        ("X-Amzn-Oidc-Accesstoken", "forged"),
    ];
    let incoming = Incoming {
        headers: &headers,
        ..INCOMING
    };
    for multi_value in [true, false] {
        let origin = Origin {
            kind: EventKind::Alb,
            multi_value,
        };
        let event = compose_for(origin, &incoming, Some(&authorization));
        let request = parse_bytes(&event.to_json()).unwrap().request;
        assert_eq!(request.context.identity, None);
        let header = |name| request.headers.get(name);
        assert_eq!(header("x-amzn-oidc-identity"), Some("u-1"));
        assert_eq!(header("x-amzn-oidc-accesstoken"), None);
        let data: Vec<_> = header("x-amzn-oidc-data").unwrap().split('.').collect();
        assert_eq!((data.len(), data[1]), (3, "eyJzdWIiOiJ1LTEifQ=="));
    }
}

#[test]
fn claims_that_no_authorizer_gives_are_refused_by_name() {
    let error = |kind, authorizer, claims| {
        Authorization::new(kind, authorizer, claims, &[])
            .unwrap_err()
            .to_string()
    };
    let (rest, http) = (EventKind::Rest, EventKind::HttpApi);
    for (claims, message) in [
        ("[1]", "claims are an array, not an object"),
        ("\"admin\"", "claims are a string, not an object"),
        ("null", "claims are null, not an object"),
        (r#"{"a":1,"a":2}"#, "claim `a` is given twice"),
    ] {
        assert_eq!(error(http, Authorizer::Jwt, claims), message);
    }
    assert!(error(http, Authorizer::Jwt, "{").starts_with("claims are not JSON: "));
    assert_eq!(
        error(EventKind::FunctionUrl, Authorizer::Jwt, "{}"),
        "Lambda function URL has no authorizer `jwt`; it has `iam`"
    );
    assert_eq!(
        error(rest, Authorizer::Lambda, r#"{"sub":"a"}"#),
        "claim `principalId` is missing, from which lambda knows the caller"
    );
    assert!(
        error(rest, Authorizer::Lambda, r#"{"principalId":"a","b":[]}"#)
            .starts_with("claim `b` must be a string, number or boolean")
    );
    assert!(
        error(http, Authorizer::Iam, r#"{"user":"a"}"#)
            .starts_with("claim `user` is not a member of an IAM caller; these are `accessKey`")
    );
    for kind in [rest, http] {
        assert_eq!(
            error(kind, Authorizer::Iam, r#"{"userArn":null}"#),
            "claim `userArn` is missing, from which iam knows the caller"
        );
        assert_eq!(
            error(kind, Authorizer::Iam, r#"{"userArn":7}"#),
            "claim `userArn` must be a string"
        );
    }
    assert_eq!(
        error(EventKind::Alb, Authorizer::Oidc, r#"{"sub":"a\nb"}"#),
        "claim `sub` must be visible ASCII: it becomes a header"
    );
}

#[test]
fn a_large_caller_counts_for_the_size_of_the_event() {
    let claims = format!(r#"{{"sub":"{}"}}"#, "x".repeat(7 << 20));
    let authorization = authorization(EventKind::HttpApi, Authorizer::Jwt, &claims, &[]);
    let event = compose_for(
        Origin::new(EventKind::HttpApi),
        &INCOMING,
        Some(&authorization),
    );
    assert!(event.check_size().unwrap_err() > 7 << 20);
}

#[test]
fn gateways_refuse_tokens_in_their_own_words() {
    let answer = |kind, refusal| {
        let delivery = unauthorized(kind, refusal);
        let body = String::from_utf8(delivery.body).unwrap();
        (delivery.status, body, delivery.headers)
    };
    for refusal in [TokenRefusal::Missing, TokenRefusal::Invalid] {
        let (status, body, _) = answer(EventKind::Rest, refusal);
        assert_eq!((status, &*body), (401, r#"{"message":"Unauthorized"}"#));
    }
    let (_, body, _) = answer(EventKind::Rest, TokenRefusal::Expired);
    assert_eq!(body, r#"{"message":"The incoming token has expired"}"#);
    let challenge = |refusal| {
        let (status, body, headers) = answer(EventKind::HttpApi, refusal);
        assert_eq!((status, &*body), (401, r#"{"message":"Unauthorized"}"#));
        let (_, value) = headers
            .into_iter()
            .find(|(name, _)| name == "www-authenticate")
            .unwrap();
        value
    };
    assert_eq!(challenge(TokenRefusal::Missing), "Bearer");
    assert!(challenge(TokenRefusal::Expired).contains("the token has expired"));
    assert_eq!(answer(EventKind::FunctionUrl, TokenRefusal::Missing).0, 403);
    assert_eq!(answer(EventKind::Alb, TokenRefusal::Missing).0, 401);
}

/// JSON without the blanks between its parts, as AWS sends it; the files were indented for people.
fn compact(json: &str) -> String {
    let mut out = String::new();
    let (mut is_text, mut is_escaped) = (false, false);
    for character in json.chars() {
        match character {
            '"' if !is_escaped => is_text = !is_text,
            _ if !is_text && character.is_ascii_whitespace() => continue,
            _ => {}
        }
        is_escaped = is_text && character == '\\' && !is_escaped;
        out.push(character);
    }
    out
}

/// A member of an object, as its text.
fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let members = json::members(json).ok()?;
    let (_, value) = members.into_iter().find(|(member, _)| member == name)?;
    Some(value).filter(|value| *value != "null")
}

/// The authorizer and the claims of a recorded event.
fn recorded(kind: EventKind, event: &str) -> (Authorizer, String, Vec<String>) {
    let context = member(event, "requestContext").unwrap();
    let authorizer = member(context, "authorizer").unwrap_or("{}");
    let scopes = |json| -> Vec<String> {
        member(json, "scopes").map_or_else(Vec::new, |scopes| serde_json::from_str(scopes).unwrap())
    };
    if kind == EventKind::Rest {
        return match member(authorizer, "claims") {
            Some(claims) => (Authorizer::Cognito, claims.to_owned(), scopes(authorizer)),
            None if authorizer != "{}" => (Authorizer::Lambda, authorizer.to_owned(), Vec::new()),
            None => {
                let mut caller: Value =
                    serde_json::from_str(member(context, "identity").unwrap()).unwrap();
                for other in ["sourceIp", "userAgent", "apiKey", "apiKeyId", "clientCert"] {
                    caller.as_object_mut().unwrap().remove(other);
                }
                (Authorizer::Iam, caller.to_string(), Vec::new())
            }
        };
    }
    let claims = |name| member(authorizer, name);
    if let Some(jwt) = claims("jwt") {
        return (
            Authorizer::Jwt,
            member(jwt, "claims").unwrap().to_owned(),
            scopes(jwt),
        );
    }
    match claims("lambda") {
        Some(context) => (Authorizer::Lambda, context.to_owned(), Vec::new()),
        None => (
            Authorizer::Iam,
            claims("iam").unwrap().to_owned(),
            Vec::new(),
        ),
    }
}

#[test]
fn recorded_identities_come_out_byte_for_byte() {
    let Some(folder) = folder() else { return };
    let mut found = Vec::new();
    for (path, _) in manifest(&folder) {
        let text = compact(&fs::read_to_string(folder.join(&path)).unwrap());
        let Ok(Event {
            request, origin, ..
        }) = parse_bytes(text.as_bytes())
        else {
            continue;
        };
        let Some(identity) = request.context.identity else {
            continue;
        };
        let (authorizer, claims, scopes) = recorded(origin.kind, &text);
        let authorization =
            Authorization::new(origin.kind, authorizer, &claims, &scopes).expect(&path);
        assert_eq!(seen(origin.kind, &authorization), Some(identity), "{path}");
        if !found.contains(&(origin.kind, authorizer)) {
            found.push((origin.kind, authorizer));
        }
    }
    assert!(found.len() >= 4, "{found:?}");
}
