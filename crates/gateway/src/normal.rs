//! The normal form of responses, in which they are compared and shown in reports.
//!
//! The gateway of an event decides how its responses are written: headers as one text or as lists, cookies separately, the body in base64.
//! For the client they are the same, and so they are in normal form: `{status, headers, body, ...}`, where `headers` are lists by
//! lower-case name, a body that is a JSON object or array is that value, and absent, `null` and empty members are left out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use json::{self, Value};
use serde_json::{Map, json};

/// Members of a response in normal form besides status, headers and body: whether the body is base64, and the text after the status.
pub const RARE_MEMBERS: [&str; 2] = ["isBase64Encoded", "statusDescription"];

/// The name of a member of a response in normal form, if it differs.
pub fn normal_name(member: &str) -> Option<&'static str> {
    match member {
        "statusCode" => Some("status"),
        "multiValueHeaders" | "cookies" => Some("headers"),
        _ => None,
    }
}

/// The status of a Lambda response.
pub fn status_of(response: &Value) -> Option<u16> {
    u16::try_from(response.get("statusCode")?.as_u64()?).ok()
}

/// A Lambda response as cases contain it: a `body` with the text of a JSON object or array becomes that value, so that people can read it.
pub fn readable_response(mut response: Value) -> Value {
    if let Some(body) = response.get_mut("body")
        && let Some(value) = body.as_str().and_then(container)
    {
        *body = value;
    }
    response
}

/// The normal form of a Lambda response, or of the expectation of a case. A value that is not an object is unchanged.
pub fn normal_response(response: Value) -> Value {
    let Value::Object(mut response) = response else {
        return response;
    };
    let mut headers = Headers::default();
    for member in ["headers", "multiValueHeaders"] {
        match response.remove(member) {
            Some(Value::Object(fields)) => headers.add_all(fields),
            Some(other) if !other.is_null() => headers.add(member, other),
            Some(_) | None => {}
        }
    }
    match response.remove("cookies") {
        Some(Value::Array(cookies)) => headers.add("set-cookie", Value::Array(cookies)),
        Some(other) if !other.is_null() => headers.add("cookies", other),
        Some(_) | None => {}
    }
    let mut normal = Map::new();
    if let Some(status) = response.remove("statusCode") {
        normal.insert("status".to_owned(), status);
    }
    if let Some(reason) = response.remove("refusal") {
        normal.insert("rejection".to_owned(), reason);
    }
    if !headers.0.is_empty() {
        normal.insert("headers".to_owned(), headers.0.into());
    }
    let is_base64 = response.remove("isBase64Encoded").unwrap_or_default();
    let body = response.remove("body").unwrap_or_default();
    let (body, is_base64) = normal_body(body, is_base64);
    normal.insert("body".to_owned(), body);
    normal.insert("isBase64Encoded".to_owned(), is_base64);
    for (name, value) in response {
        normal.entry(name).or_insert(value);
    }
    normal.retain(|_, value| !value.is_null());
    normal.into()
}

/// The same for a response's text; `null` if it is not JSON.
pub fn normal_payload(payload: &[u8]) -> Value {
    json::value(payload).map_or(Value::Null, normal_response)
}

/// The normal form of an event that no guest answers.
pub fn normal_rejection(reason: &str) -> Value {
    json!({"rejection": reason})
}

/// A JSON body as its value, and whether a remaining text is base64: `true`, or `null` for `false`.
fn normal_body(body: Value, is_base64: Value) -> (Value, Value) {
    let is_base64 = match is_base64 {
        Value::Bool(false) => Value::Null,
        other => other,
    };
    let Value::String(text) = body else {
        return (body, is_base64);
    };
    if is_base64 != Value::Bool(true) {
        return (container(&text).unwrap_or(Value::String(text)), is_base64);
    }
    let decoded = STANDARD.decode(&text).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded.as_deref().and_then(container) {
        Some(value) => (value, Value::Null),
        None => (Value::String(text), is_base64),
    }
}

/// The JSON object or array in a text.
fn container(text: &str) -> Option<Value> {
    match json::value(text.as_bytes()) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => Some(value),
        Ok(_) | Err(_) => None,
    }
}

/// Lists of values by lower-case name.
#[derive(Default)]
struct Headers(Map<String, Value>);

impl Headers {
    fn add_all(&mut self, fields: Map<String, Value>) {
        for (name, value) in fields {
            self.add(&name, value);
        }
    }

    fn add(&mut self, name: &str, value: Value) {
        let list = self.0.entry(name.to_ascii_lowercase());
        let list = list.or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            match value {
                Value::Array(values) => list.extend(values),
                value => list.push(value),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(payload: &str) -> Value {
        normal_payload(payload.as_bytes())
    }

    #[test]
    fn answers_of_all_gateways_have_one_form() {
        let single = r#"{"statusCode":200,"headers":{"ETag":"x"},"cookies":["a=1"],"body":"{\"n\":1}","isBase64Encoded":false}"#;
        let multi = r#"{"statusCode":200,"multiValueHeaders":{"etag":["x"],"set-cookie":["a=1"]},"body":"eyJuIjoxfQ==","isBase64Encoded":true}"#;
        assert_eq!(normal(single), normal(multi));
        assert_eq!(
            normal(single),
            json!({"status": 200, "headers": {"etag": ["x"], "set-cookie": ["a=1"]}, "body": {"n": 1}})
        );
        assert_eq!(normal(r#"{"statusCode":204,"body":"5"}"#)["body"], "5");
    }

    #[test]
    fn nothing_else_of_a_response_is_lost() {
        let image = r#"{"statusCode":200,"statusDescription":"200 OK","body":"/9j/","isBase64Encoded":true,"other":[1]}"#;
        assert_eq!(
            normal(image),
            json!({"status": 200, "statusDescription": "200 OK", "body": "/9j/", "isBase64Encoded": true, "other": [1]})
        );
        assert_eq!(
            normal_response(json!({"refusal": "no"})),
            normal_rejection("no")
        );
        assert_eq!(normal("[1]"), json!([1]));
        assert_eq!(normal("no JSON"), Value::Null);
        assert_eq!(
            normal(r#"{"headers":5,"cookies":"a"}"#),
            json!({"headers": {"headers": [5], "cookies": ["a"]}})
        );
    }

    #[test]
    fn the_normal_form_has_itself_as_its_normal_form() {
        let once = normal(
            r#"{"statusCode":200,"headers":{"A":"1","a":"2"},"body":"{}","isBase64Encoded":false}"#,
        );
        assert_eq!(once["headers"]["a"], json!(["1", "2"]));
        assert_eq!(normal_response(once.clone()), once);
    }

    #[test]
    fn json_bodies_become_readable_and_others_stay() {
        let response = |body: &str| readable_response(json!({"statusCode": 200, "body": body}));
        assert_eq!(response(r#"{"a": 1}"#)["body"], json!({"a": 1}));
        assert_eq!(response("5")["body"], "5");
        assert_eq!(response("hello")["body"], "hello");
        let readable = response(r#"[{"a":1}]"#);
        assert_eq!(readable_response(readable.clone()), readable);
    }
}
