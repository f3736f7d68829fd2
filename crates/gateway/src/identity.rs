//! The caller's identity, from every form in which gateways send it.
//!
//! | authorizer | `requestContext` | subject | claims |
//! |---|---|---|---|
//! | JWT (HTTP API 2.0, 1.0) | `authorizer.jwt`, `authorizer` with `claims` and `scopes` | `sub` | the claims; granted `scopes` added |
//! | Cognito user pool (REST) | `authorizer.claims` | `sub` | the claims |
//! | Lambda (HTTP API) | `authorizer.lambda` | `principalId` or `sub` | the context; `{}` where the authorizer gave none |
//! | Lambda (REST) | `authorizer` | `principalId` | the context |
//! | IAM (HTTP API, function URL) | `authorizer.iam` | Cognito identity or user ARN | the object |
//! | IAM (REST) | `identity` with `userArn` | Cognito identity or user ARN | its members that are about the caller |
//!
//! Empty members do not identify a caller: tools that write events from typed structures write all of them. The scopes that the gateway
//! granted replace a claim named `scopes`.

use super::envelope::{CallerIdentity, Text, text};
use contract::http::Identity;
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap};

/// Authorizer data in an unknown form. The request is refused, because running it without a caller could hide a bug.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizerError {
    #[error("must be an object")]
    NotAnObject,
    /// The parser's message is not used: it could quote a claim, and this is logged.
    #[error("has members of other types than an authorizer's")]
    Unreadable(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct HttpAuthorizer<'a> {
    #[serde(borrow)]
    jwt: Option<Jwt<'a>>,
    /// `null` if a Lambda authorizer allowed the request without any data about the caller.
    #[serde(borrow, default, deserialize_with = "present")]
    lambda: Option<&'a RawValue>,
    #[serde(borrow)]
    iam: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Jwt<'a> {
    #[serde(borrow)]
    claims: Option<&'a RawValue>,
    #[serde(borrow)]
    scopes: Option<&'a RawValue>,
}

/// The claims that are read. Raw, because an authorizer's context may have any type under these names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names<'a> {
    #[serde(borrow)]
    sub: Option<&'a RawValue>,
    #[serde(borrow)]
    principal_id: Option<&'a RawValue>,
    #[serde(borrow)]
    user_arn: Option<&'a RawValue>,
    #[serde(borrow)]
    cognito_identity: Option<&'a RawValue>,
    #[serde(borrow)]
    identity_id: Option<&'a RawValue>,
    scopes: Option<IgnoredAny>,
}

/// `requestContext.authorizer` of an HTTP API (2.0) or a function URL.
pub fn of_http_authorizer(authorizer: &str) -> Result<Option<Identity>, AuthorizerError> {
    let HttpAuthorizer { jwt, lambda, iam } = object(authorizer)?;
    let has_jwt = jwt.is_some();
    if let Some(Jwt {
        claims: Some(claims),
        scopes,
    }) = jwt
    {
        return of_claims(claims.get(), scopes).map(Some);
    }
    if let Some(context) = lambda.filter(|context| context.get() != "null") {
        let names = object::<Names<'_>>(context.get())?;
        let subject = names
            .principal_id
            .and_then(string)
            .or_else(|| names.sub.and_then(string));
        return Ok(Some(Identity {
            subject,
            claims: context.get().to_owned(),
        }));
    }
    let Some(caller) = iam else {
        let is_lambda = lambda.is_some() && !has_jwt;
        return Ok(is_lambda.then(|| Identity {
            subject: None,
            claims: "{}".to_owned(),
        }));
    };
    let names = object::<Names<'_>>(caller.get())?;
    let cognito = match names.cognito_identity {
        Some(cognito) => object::<Names<'_>>(cognito.get())?
            .identity_id
            .and_then(string),
        None => None,
    };
    let subject = cognito.or_else(|| names.user_arn.and_then(string));
    Ok(subject.map(|subject| Identity {
        subject: Some(subject),
        claims: caller.get().to_owned(),
    }))
}

/// `requestContext.authorizer` of a REST API, or of an HTTP API with payload format 1.0.
pub fn of_rest_authorizer(authorizer: &str) -> Result<Option<Identity>, AuthorizerError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct RestAuthorizer<'a> {
        #[serde(borrow)]
        claims: Option<&'a RawValue>,
        #[serde(borrow)]
        scopes: Option<&'a RawValue>,
        #[serde(borrow)]
        principal_id: Option<&'a RawValue>,
    }
    let RestAuthorizer {
        claims,
        scopes,
        principal_id,
    } = object(authorizer)?;
    match (claims, principal_id) {
        // A Lambda authorizer's context may have a member of that name, which is then a string.
        (Some(claims), None) if claims.get().starts_with('{') => {
            of_claims(claims.get(), scopes).map(Some)
        }
        (_, principal_id) if !is_empty_object(authorizer) => Ok(Some(Identity {
            subject: principal_id.and_then(string),
            claims: authorizer.to_owned(),
        })),
        (_, _) => Ok(None),
    }
}

/// `requestContext.identity` of a REST API, if IAM authenticated the caller.
pub fn of_iam_caller(caller: &CallerIdentity<'_>) -> Option<Identity> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Claims<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        access_key: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        account_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        caller: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cognito_authentication_provider: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cognito_authentication_type: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cognito_identity_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cognito_identity_pool_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        principal_org_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<&'a str>,
        user_arn: &'a str,
    }
    let user_arn = text(&caller.user_arn)?;
    let claims = Claims {
        access_key: text(&caller.access_key),
        account_id: text(&caller.account_id),
        caller: text(&caller.caller),
        cognito_authentication_provider: text(&caller.cognito_authentication_provider),
        cognito_authentication_type: text(&caller.cognito_authentication_type),
        cognito_identity_id: text(&caller.cognito_identity_id),
        cognito_identity_pool_id: text(&caller.cognito_identity_pool_id),
        principal_org_id: text(&caller.principal_org_id),
        user: text(&caller.user),
        user_arn,
    };
    // All callers from one identity pool share a role, and so an ARN: only the identity distinguishes them.
    let subject = claims.cognito_identity_id.unwrap_or(user_arn).to_owned();
    Some(Identity {
        subject: Some(subject),
        claims: serde_json::to_string(&claims).ok()?,
    })
}

/// Claims of a token, with the granted scopes as an additional member.
fn of_claims(claims: &str, scopes: Option<&RawValue>) -> Result<Identity, AuthorizerError> {
    let names = object::<Names<'_>>(claims)?;
    let subject = names.sub.and_then(string);
    let Some(scopes) = scopes.map(RawValue::get).filter(|scopes| *scopes != "null") else {
        return Ok(Identity {
            subject,
            claims: claims.to_owned(),
        });
    };
    let claims = match names.scopes {
        None => Cow::Borrowed(claims),
        Some(_) => Cow::Owned(without_scopes(claims)?),
    };
    let members = claims.strip_suffix('}').unwrap_or(&claims).trim_end();
    let separator = if is_empty_object(&claims) { "" } else { "," };
    Ok(Identity {
        subject,
        claims: format!("{members}{separator}\"scopes\":{scopes}}}"),
    })
}

/// Claims without the one whose name is used for the gateway's addition.
#[expect(
    clippy::disallowed_methods,
    reason = "read into spans of a text that was read as an event: no tree, no recursion"
)]
fn without_scopes(claims: &str) -> Result<String, AuthorizerError> {
    let mut members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(claims)?;
    members.remove("scopes");
    Ok(serde_json::to_string(&members)?)
}

/// A member that is present, even if it is `null`.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[expect(
    clippy::disallowed_methods,
    reason = "read into types of named members or spans: no tree, and no recursion beyond the type's own"
)]
fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, AuthorizerError> {
    // A derived struct would also accept a list.
    if json.starts_with('{') {
        Ok(serde_json::from_str(json)?)
    } else {
        Err(AuthorizerError::NotAnObject)
    }
}

fn is_empty_object(json: &str) -> bool {
    json.trim_start_matches('{')
        .trim_end_matches('}')
        .trim()
        .is_empty()
}

/// A non-empty string, or the digits of a whole number; any other value is not a subject.
#[expect(clippy::disallowed_methods, reason = "read into a string")]
fn string(value: &RawValue) -> Option<String> {
    let digits = value.get();
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(digits.to_owned());
    }
    let Text(text) = serde_json::from_str(value.get()).ok()?;
    Some(text.into_owned()).filter(|text| !text.is_empty())
}
