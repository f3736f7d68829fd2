//! The caller's identity, in every form in which gateways send it.

use super::{http_api, refusal, request, rest};
use contract::http::Identity;
use serde_json::{Value, json};

fn of_http(authorizer: Value) -> Option<Identity> {
    request(&http_api::event(
        json!({"requestContext": {"authorizer": authorizer}}),
    ))
    .context
    .identity
}

fn of_rest(context: Value) -> Option<Identity> {
    request(&rest::event(json!({"requestContext": context})))
        .context
        .identity
}

#[track_caller]
fn assert_identity(identity: Option<Identity>, subject: Option<&str>, claims: Value) {
    let identity = identity.expect("an identity");
    assert_eq!(identity.subject.as_deref(), subject);
    assert_eq!(
        serde_json::from_str::<Value>(&identity.claims).unwrap(),
        claims
    );
}

#[test]
fn jwt_claims_with_granted_scopes() {
    let jwt = |claims: Value, scopes: Value| {
        of_http(json!({"jwt": {"claims": claims, "scopes": scopes}}))
    };
    assert_identity(
        jwt(json!({"sub": "u1", "exp": "1"}), json!(null)),
        Some("u1"),
        json!({"sub": "u1", "exp": "1"}),
    );
    assert_identity(
        jwt(json!({"sub": "u1"}), json!(["r"])),
        Some("u1"),
        json!({"sub": "u1", "scopes": ["r"]}),
    );
    assert_identity(jwt(json!({}), json!(["r"])), None, json!({"scopes": ["r"]}));
    assert_identity(
        jwt(json!({"scopes": "own", "a": {}}), json!(["r"])),
        None,
        json!({"scopes": ["r"], "a": {}}),
    );
    assert_identity(
        jwt(json!({"scopes": "own"}), json!(null)),
        None,
        json!({"scopes": "own"}),
    );
}

#[test]
fn numbers_in_claims_keep_all_their_digits() {
    let event = http_api::event(json!({})).to_string();
    let authorizer =
        r#""authorizer":{"lambda":{"n":12345678901234567890.123456789012345678}},"stage""#;
    let event = super::parse_bytes(event.replace("\"stage\"", authorizer).as_bytes()).unwrap();
    assert_eq!(
        event.request.context.identity.unwrap().claims,
        r#"{"n":12345678901234567890.123456789012345678}"#
    );
}

#[test]
fn lambda_authorizer_of_an_http_api() {
    assert_identity(
        of_http(json!({"lambda": {"principalId": "p"}})),
        Some("p"),
        json!({"principalId": "p"}),
    );
    assert_identity(
        of_http(json!({"lambda": {"sub": "s", "n": 1}})),
        Some("s"),
        json!({"sub": "s", "n": 1}),
    );
    assert_identity(
        of_http(json!({"lambda": {"principalId": 7}})),
        Some("7"),
        json!({"principalId": 7}),
    );
    assert_identity(of_http(json!({"lambda": null})), None, json!({}));
    for subject in [json!(7.5), json!(-1), json!(true), json!([1]), json!("")] {
        assert_identity(
            of_http(json!({"lambda": {"principalId": subject}})),
            None,
            json!({"principalId": subject}),
        );
    }
}

#[test]
fn lambda_authorizer_of_a_rest_api() {
    let authorizer = json!({"principalId": "admin", "clientId": 1, "claims": "not an object"});
    assert_identity(
        of_rest(json!({"authorizer": authorizer.clone()})),
        Some("admin"),
        authorizer,
    );
    let authorizer = json!({"principalId": 1234567890123456789_u64});
    assert_identity(
        of_rest(json!({"authorizer": authorizer.clone()})),
        Some("1234567890123456789"),
        authorizer,
    );
}

#[test]
fn cognito_user_pool_of_a_rest_api() {
    let claims = json!({"sub": "u1", "cognito:groups": "a,b"});
    assert_identity(
        of_rest(json!({"authorizer": {"claims": claims.clone()}})),
        Some("u1"),
        claims,
    );
}

#[test]
fn iam_caller_of_an_http_api_or_function_url() {
    let caller =
        json!({"userArn": "arn:aws:iam::1:user/a", "callerId": "c", "cognitoIdentity": null});
    assert_identity(
        of_http(json!({"iam": caller.clone()})),
        Some("arn:aws:iam::1:user/a"),
        caller.clone(),
    );
    let event =
        http_api::url_event(json!({"requestContext": {"authorizer": {"iam": caller.clone()}}}));
    assert_identity(
        request(&event).context.identity,
        Some("arn:aws:iam::1:user/a"),
        caller,
    );
}

#[test]
fn callers_from_an_identity_pool_are_told_apart_by_identity_not_by_shared_role() {
    let caller = json!({"userArn": "arn:role", "cognitoIdentity": {"identityId": "us-east-1:i"}});
    assert_identity(
        of_http(json!({"iam": caller.clone()})),
        Some("us-east-1:i"),
        caller,
    );
    let caller = json!({"userArn": "arn:role", "cognitoIdentityId": "us-east-1:i"});
    assert_identity(
        of_rest(json!({"identity": caller.clone()})),
        Some("us-east-1:i"),
        caller,
    );
}

#[test]
fn iam_caller_of_a_rest_api_without_the_api_key() {
    let identity = of_rest(
        json!({"identity": {"userArn": "arn:aws:iam::1:user/a", "accountId": "1", "user": ""}}),
    );
    assert_identity(
        identity,
        Some("arn:aws:iam::1:user/a"),
        json!({"accountId": "1", "userArn": "arn:aws:iam::1:user/a"}),
    );
}

#[test]
fn nobody_vouches_where_nothing_is_said() {
    for authorizer in [
        json!(null),
        json!({}),
        json!({"jwt": null}),
        json!({"jwt": {}}),
        json!({"other": {}}),
        json!({"jwt": null, "lambda": null, "iam": {}}),
        json!({"jwt": {"claims": null}, "lambda": null}),
        json!({"jwt": {"claims": null}, "iam": {
            "accessKey": "", "accountId": "", "callerId": "", "cognitoIdentity": null, "userArn": "", "userId": "",
        }}),
        json!({"iam": {"cognitoIdentity": {"identityId": ""}, "userArn": null}}),
    ] {
        assert_eq!(of_http(authorizer), None);
    }
    for authorizer in [json!(null), json!({})] {
        assert_eq!(of_rest(json!({"authorizer": authorizer})), None);
    }
    assert_eq!(
        of_rest(json!({"identity": {"user": "u", "caller": "c"}})),
        None
    );
}

#[test]
fn an_authorizer_that_cannot_be_read_is_refused_not_ignored() {
    for authorizer in [
        json!("admin"),
        json!([{"principalId": "admin"}]),
        json!(1),
        json!(true),
    ] {
        let context = json!({"requestContext": {"authorizer": authorizer}});
        for event in [http_api::event(context.clone()), rest::event(context)] {
            let refusal = refusal(&event);
            assert_eq!(refusal.status, 400);
            assert_eq!(
                refusal.detail,
                "event field `requestContext.authorizer` must be an object"
            );
        }
    }
    let lambda = json!({"requestContext": {"authorizer": {"lambda": ["admin"]}}});
    assert_eq!(refusal(&http_api::event(lambda)).status, 400);
}
