//! Claims as texts: what an authorizer makes of a token's values, whose types most of them lose.

use super::{
    authorizer::{Authorizer, ClaimsError},
    time::weekday_first,
};
use crate::envelope::{CallerIdentity, Text};
use json::{Object, Value, elements, string, write_array, write_string};
use std::borrow::Cow;

/// A claim: its name, and the text of its value.
pub type Claim<'a> = (Cow<'a, str>, &'a str);

/// The times among the registered claims (RFC 7519, 4.1), which a user pool writes as dates.
const TIMES: [&str; 3] = ["exp", "iat", "nbf"];

/// The claims in their order.
pub fn members(claims: &str) -> Result<Vec<Claim<'_>>, ClaimsError> {
    match json::value(claims.as_bytes())? {
        Value::Object(_) => {}
        Value::Array(_) => return Err(ClaimsError::NotAnObject("an array")),
        Value::String(_) => return Err(ClaimsError::NotAnObject("a string")),
        Value::Number(_) => return Err(ClaimsError::NotAnObject("a number")),
        Value::Bool(_) => return Err(ClaimsError::NotAnObject("a boolean")),
        Value::Null => return Err(ClaimsError::NotAnObject("null")),
    }
    let members = json::members(claims)?;
    for (index, (name, _)) in members.iter().enumerate() {
        if members
            .iter()
            .skip(index + 1)
            .any(|(other, _)| other == name)
        {
            return Err(ClaimsError::Repeated(name.to_string()));
        }
    }
    Ok(members)
}

/// The claims as an object without blanks.
pub fn object(members: &[Claim<'_>]) -> Vec<u8> {
    let mut json = Vec::new();
    let mut object = Object::begin(&mut json);
    for (name, value) in members {
        write_compact(object.key(name), value);
    }
    object.end();
    json
}

/// Writes each claim as the text that `text` gives; those without one are left out.
pub fn write_texts(
    mut object: Object<'_>,
    members: &[Claim<'_>],
    text: impl Fn(&str, &str) -> Result<Option<String>, ClaimsError>,
) -> Result<(), ClaimsError> {
    for (name, value) in members {
        if let Some(text) = text(name, value)? {
            object.entry(name, &text);
        }
    }
    object.end();
    Ok(())
}

/// A claim as a user pool gives it: times as dates, elements of lists after commas, objects as JSON.
pub fn text_of_cognito(name: &str, value: &str) -> Result<Option<String>, ClaimsError> {
    let seconds = TIMES.contains(&name).then(|| value.parse::<u64>().ok());
    if let Some(Some(seconds)) = seconds {
        return Ok(Some(weekday_first(seconds.saturating_mul(1000))));
    }
    Ok(match value.as_bytes().first() {
        Some(b'n') => None,
        Some(b'[') => {
            let texts: Result<Vec<_>, ClaimsError> = elements(value)?
                .into_iter()
                .map(|element| match element.starts_with('"') {
                    true => Ok(string(element)?.into_owned()),
                    false => Ok(compact(element)),
                })
                .collect();
            Some(texts?.join(","))
        }
        Some(b'"') => Some(string(value)?.into_owned()),
        Some(_) | None => Some(compact(value)),
    })
}

/// A claim as a JWT authorizer gives it: lists as `[a b]`, objects as `map[a:1 b:2]`.
pub fn text_of_jwt(_name: &str, value: &str) -> Result<Option<String>, ClaimsError> {
    if value == "null" {
        return Ok(None);
    }
    let mut text = String::new();
    push_text_of_jwt(&mut text, value)?;
    Ok(Some(text))
}

fn push_text_of_jwt(text: &mut String, value: &str) -> Result<(), ClaimsError> {
    match value.as_bytes().first() {
        Some(b'"') => text.push_str(&string(value)?),
        Some(b'[') => {
            text.push('[');
            for (position, element) in elements(value)?.into_iter().enumerate() {
                if position > 0 {
                    text.push(' ');
                }
                push_text_of_jwt(text, element)?;
            }
            text.push(']');
        }
        Some(b'{') => {
            let mut members = json::members(value)?;
            members.sort();
            text.push_str("map[");
            for (position, (name, value)) in members.into_iter().enumerate() {
                if position > 0 {
                    text.push(' ');
                }
                text.push_str(&name);
                text.push(':');
                push_text_of_jwt(text, value)?;
            }
            text.push(']');
        }
        Some(b'n') => text.push_str("<nil>"),
        Some(_) | None => text.push_str(value),
    }
    Ok(())
}

/// A REST API refuses a context of its Lambda authorizer that has objects or lists.
pub fn check_context_of_rest(members: &[Claim<'_>]) -> Result<(), ClaimsError> {
    for (name, value) in members {
        if value.starts_with(['{', '[']) {
            return Err(ClaimsError::Type {
                name: name.to_string(),
                expected: "a string, number or boolean: a REST API passes on nothing else of a Lambda authorizer",
            });
        }
    }
    let is_there = members.iter().any(|(name, _)| name == "principalId");
    if is_there {
        Ok(())
    } else {
        Err(ClaimsError::Missing("principalId", Authorizer::Lambda))
    }
}

/// The caller's `sub`, where the authorizer needs one.
pub fn subject(members: &[Claim<'_>]) -> Result<String, ClaimsError> {
    let sub = members.iter().find(|(name, _)| name == "sub");
    let (name, value) = sub.ok_or(ClaimsError::Missing("sub", Authorizer::Oidc))?;
    let text = text_of_member(name, value)?.unwrap_or_default();
    let is_field = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_field {
        Ok(text)
    } else {
        Err(ClaimsError::Type {
            name: name.to_string(),
            expected: "visible ASCII: it becomes a header",
        })
    }
}

/// The members of `authorizer.iam`, in the order of events.
const IAM_MEMBERS: [&str; 7] = [
    "accessKey",
    "accountId",
    "callerId",
    "cognitoIdentity",
    "principalOrgId",
    "userArn",
    "userId",
];

/// A caller that IAM authenticated, for an HTTP API or a function URL: all members, `null` where nothing is given.
pub fn iam_caller(members: &[Claim<'_>]) -> Result<Vec<u8>, ClaimsError> {
    let mut json = Vec::new();
    let mut object = Object::begin(&mut json);
    check_names(members, &IAM_MEMBERS)?;
    for name in IAM_MEMBERS {
        let value = members.iter().find(|(other, _)| other == name);
        match value {
            Some((_, value)) if name == "cognitoIdentity" => {
                if !value.starts_with('{') && *value != "null" {
                    return Err(ClaimsError::Type {
                        name: name.to_owned(),
                        expected: "an object, or null",
                    });
                }
                write_compact(object.name(name), value);
            }
            Some((name, value)) => {
                object.optional_string(name, text_of_member(name, value)?.as_deref());
            }
            None => object.null(name),
        }
    }
    object.end();
    let has_arn = members
        .iter()
        .any(|(name, value)| name == "userArn" && !["null", "\"\""].contains(value));
    if has_arn {
        Ok(json)
    } else {
        Err(ClaimsError::Missing("userArn", Authorizer::Iam))
    }
}

/// The same for a REST API, whose members have other names.
pub fn iam_caller_of_rest(members: &[Claim<'_>]) -> Result<CallerIdentity<'static>, ClaimsError> {
    let mut caller = CallerIdentity::default();
    let known = caller.members().map(|(name, _)| name);
    check_names(members, &known)?;
    for (name, value) in members {
        let text = text_of_member(name, value)?.map(|text| Text(Cow::Owned(text)));
        let member = match &**name {
            "accessKey" => &mut caller.access_key,
            "accountId" => &mut caller.account_id,
            "caller" => &mut caller.caller,
            "cognitoAuthenticationProvider" => &mut caller.cognito_authentication_provider,
            "cognitoAuthenticationType" => &mut caller.cognito_authentication_type,
            "cognitoIdentityId" => &mut caller.cognito_identity_id,
            "cognitoIdentityPoolId" => &mut caller.cognito_identity_pool_id,
            "principalOrgId" => &mut caller.principal_org_id,
            "user" => &mut caller.user,
            _ => &mut caller.user_arn,
        };
        *member = text;
    }
    if crate::envelope::text(&caller.user_arn).is_none() {
        return Err(ClaimsError::Missing("userArn", Authorizer::Iam));
    }
    Ok(caller)
}

fn check_names(members: &[Claim<'_>], known: &[&str]) -> Result<(), ClaimsError> {
    let unknown = members.iter().find(|(name, _)| !known.contains(&&**name));
    match unknown {
        None => Ok(()),
        Some((name, _)) => Err(ClaimsError::UnknownMember {
            name: name.to_string(),
            known: known
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

/// A text, or nothing where the member is `null`.
fn text_of_member(name: &str, value: &str) -> Result<Option<String>, ClaimsError> {
    match value.as_bytes().first() {
        Some(b'"') => Ok(Some(string(value)?.into_owned())),
        Some(b'n') => Ok(None),
        Some(_) | None => Err(ClaimsError::Type {
            name: name.to_owned(),
            expected: "a string",
        }),
    }
}

fn compact(value: &str) -> String {
    let mut out = Vec::new();
    write_compact(&mut out, value);
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes JSON that was read as a whole before without the blanks between its parts.
fn write_compact(out: &mut Vec<u8>, value: &str) {
    if let Ok(members) = json::members(value) {
        out.push(b'{');
        for (position, (name, value)) in members.into_iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            write_string(out, &name);
            out.push(b':');
            write_compact(out, value);
        }
        out.push(b'}');
    } else if let Ok(elements) = elements(value) {
        write_array(out, elements, write_compact);
    } else {
        out.extend_from_slice(value.as_bytes());
    }
}
