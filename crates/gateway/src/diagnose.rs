//! Explains why an event was refused, in a second, slower pass for refused events only.

use super::{EventError, Origin, ParseContext, RefusedError, foreign, kind::of_value};
use json::{self, JsonError};
use serde_json::Value;

/// The required type of a member of an event.
#[derive(Clone, Copy)]
enum Expected {
    Text,
    Flag,
    TextList,
    Fields,
    Object,
}

/// Members by path, in the order in which errors are reported.
const MEMBERS: &[(&[&str], Expected)] = &[
    (&["requestContext"], Expected::Object),
    (&["requestContext", "http"], Expected::Object),
    (&["requestContext", "http", "method"], Expected::Text),
    (&["requestContext", "http", "sourceIp"], Expected::Text),
    (&["httpMethod"], Expected::Text),
    (&["path"], Expected::Text),
    (&["rawPath"], Expected::Text),
    (&["rawQueryString"], Expected::Text),
    (&["headers"], Expected::Fields),
    (&["multiValueHeaders"], Expected::Fields),
    (&["queryStringParameters"], Expected::Fields),
    (&["multiValueQueryStringParameters"], Expected::Fields),
    (&["cookies"], Expected::TextList),
    (&["body"], Expected::Text),
    (&["isBase64Encoded"], Expected::Flag),
    (&["version"], Expected::Text),
    (&["type"], Expected::Text),
    (&["requestContext", "stage"], Expected::Text),
    (&["requestContext", "path"], Expected::Text),
    (&["requestContext", "domainName"], Expected::Text),
    (&["requestContext", "requestId"], Expected::Text),
    (&["requestContext", "identity"], Expected::Object),
];

/// The rejection of bytes that are not an event of a known kind. `error` is the error of the first pass, if it failed.
pub fn rejection(
    event: &[u8],
    error: Option<&serde_json::Error>,
    context: &ParseContext<'_>,
) -> EventError {
    let (value, lone_surrogate) = match json::lenient_value(event) {
        Ok(read) => read,
        Err(JsonError {
            problem,
            line,
            column,
        }) => {
            return EventError::NotJson {
                problem,
                line,
                column,
            };
        }
    };
    let Some(kind) = of_value(&value) else {
        return EventError::NotHttp(foreign::of(&value));
    };
    let problem = wrong_member(&value)
        .or_else(|| lone_surrogate.map(|error| at_member(event, &error)))
        .or_else(|| error.map(ToString::to_string));
    let multi_value = kind.has_multi_value_setting()
        && value
            .get("multiValueHeaders")
            .is_some_and(|headers| !headers.is_null());
    let id = value
        .pointer("/requestContext/requestId")
        .and_then(Value::as_str);
    EventError::Http(Box::new(RefusedError {
        origin: Origin { kind, multi_value },
        status: 400,
        detail: problem.unwrap_or_else(|| "event cannot be read".to_owned()),
        request_id: context.request_id(id.filter(|id| !id.is_empty())),
        method: String::new(),
        route: String::new(),
    }))
}

/// The error in a text that JSON allows and Unicode does not, and the member of the event that contains it.
fn at_member(event: &[u8], error: &JsonError) -> String {
    let lines = event.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines
        .take(error.line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    let at = (before + error.column).saturating_sub(1);
    let text = str::from_utf8(event).unwrap_or_default();
    let members = json::members(text).unwrap_or_default();
    let member = members.iter().find(|(_, span)| {
        let start = span.as_ptr().addr().saturating_sub(text.as_ptr().addr());
        (start..start + span.len()).contains(&at)
    });
    match member {
        Some((name, _)) => format!("event field `{name}` has {error}"),
        None => format!("event has {error}"),
    }
}

/// The first member that has the wrong type, with its path.
fn wrong_member(event: &Value) -> Option<String> {
    MEMBERS
        .iter()
        .find_map(|(path, expected)| {
            let member = path.iter().try_fold(event, |value, name| value.get(name))?;
            expected.mismatch(member, &path.join("."))
        })
        .or_else(|| {
            let identity = event.pointer("/requestContext/identity")?.as_object()?;
            identity
                .iter()
                .filter(|(name, _)| CALLER_MEMBERS.contains(&name.as_str()))
                .find_map(|(name, value)| {
                    Expected::Text.mismatch(value, &format!("requestContext.identity.{name}"))
                })
        })
}

/// The members of `requestContext.identity` that are read.
const CALLER_MEMBERS: &[&str] = &[
    "sourceIp",
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
];

impl Expected {
    /// What is wrong with `value`, if anything. `null` always counts as absent.
    fn mismatch(self, value: &Value, path: &str) -> Option<String> {
        let wanted = match (self, value) {
            (_, Value::Null)
            | (Self::Text, Value::String(_))
            | (Self::Flag, Value::Bool(_))
            | (Self::Object, Value::Object(_)) => {
                return None;
            }
            (Self::TextList, Value::Array(items)) => return wrong_item(items, path),
            (Self::Fields, Value::Object(fields)) => {
                return fields.iter().find_map(|(name, value)| match value {
                    Value::String(_) => None,
                    Value::Array(items) => wrong_item(items, &format!("{path}.{name}")),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                        Some(message(
                            &format!("{path}.{name}"),
                            "a string or a list of strings",
                            value,
                        ))
                    }
                });
            }
            (Self::Text, _) => "a string",
            (Self::Flag, _) => "true or false",
            (Self::TextList, _) => "a list of strings",
            (Self::Fields | Self::Object, _) => "an object",
        };
        Some(message(path, wanted, value))
    }
}

fn wrong_item(items: &[Value], path: &str) -> Option<String> {
    let (index, item) = items
        .iter()
        .enumerate()
        .find(|(_, item)| !item.is_string())?;
    Some(message(&format!("{path}[{index}]"), "a string", item))
}

fn message(path: &str, wanted: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("event field `{path}` must be {wanted}, not {found}")
}
