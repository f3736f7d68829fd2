//! Delivers a Lambda response as the HTTP response that a gateway would send its client. `host-cli serve` uses it, so that a response that
//! a gateway would refuse is also refused locally.

mod direct;

use super::{EventKind, Origin, envelope::Text, media};
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::http::{has_content, is_field_value, is_token};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// The response to the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// 200 to 599.
    pub status: u16,
    /// Names as the function wrote them; always a `content-type`, unless the status has no content.
    pub headers: Vec<(String, String)>,
    /// Decoded.
    pub body: Vec<u8>,
    /// Why the gateway answered instead of the function, for the log. The client does not see it.
    pub fault: Option<String>,
}

/// How a REST API decides whether a body in base64 is decoded.
#[derive(Clone, Copy, Debug)]
pub struct BinaryMedia<'a> {
    /// The client's `accept` header.
    pub accept: Option<&'a str>,
    /// The API's `binaryMediaTypes`, like `*/*` or `image/png`.
    pub types: &'a [&'a str],
}

/// A response as functions may write it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer<'a> {
    #[serde(borrow)]
    status_code: Option<&'a RawValue>,
    #[serde(borrow)]
    headers: Option<Members<'a>>,
    #[serde(borrow)]
    multi_value_headers: Option<Members<'a>>,
    #[serde(borrow)]
    cookies: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    is_base64_encoded: Option<bool>,
}

/// Members that only some gateways know; REST APIs refuse unknown members.
const REST_MEMBERS: [&str; 5] = [
    "statusCode",
    "headers",
    "multiValueHeaders",
    "body",
    "isBase64Encoded",
];

/// Capacity for the headers of most responses.
const MEMBERS_USUAL: usize = 12;

/// A JSON object, one level deep.
#[derive(Default)]
struct Members<'a>(Vec<(Text<'a>, &'a RawValue)>);

/// Delivers `response`, the bytes that a function returned.
pub fn deliver(origin: &Origin, response: &[u8], binary: &BinaryMedia<'_>) -> Delivery {
    let delivered = match origin.kind {
        EventKind::Rest => rest(response, binary),
        EventKind::HttpApi | EventKind::FunctionUrl => http_api(origin.kind, response),
        EventKind::Alb => load_balancer(response, origin.multi_value),
    };
    delivered.unwrap_or_else(|fault| fault_answer(origin.kind, fault))
}

fn rest(response: &[u8], binary: &BinaryMedia<'_>) -> Result<Delivery, String> {
    let members: Members<'_> = read(response)?;
    if members.0.is_empty() {
        return Err("response is empty".to_owned());
    }
    if let Some((Text(name), _)) = members
        .0
        .iter()
        .find(|(name, _)| !REST_MEMBERS.contains(&&*name.0))
    {
        return Err(format!("response member `{name}` is unknown to REST APIs"));
    }
    let answer: Answer<'_> = read(response)?;
    let mut headers = Vec::new();
    answer
        .multi_value_headers
        .unwrap_or_default()
        .lists_into(&mut headers)?;
    answer
        .headers
        .unwrap_or_default()
        .texts_into(&mut headers)?;
    let is_base64 = answer.is_base64_encoded.unwrap_or(false) && binary.first_accepted_matches();
    let status = answer.status_code.map_or(Ok(200), status)?;
    Ok(finish(
        status,
        headers,
        body(answer.body, is_base64)?,
        default_type(EventKind::Rest),
    ))
}

fn http_api(kind: EventKind, response: &[u8]) -> Result<Delivery, String> {
    let Some(answer) = structured(response)? else {
        let whole: &RawValue = read(response)?;
        return Ok(finish(
            200,
            Vec::new(),
            scalar(whole).into_owned().into_bytes(),
            "application/json",
        ));
    };
    let mut headers = Vec::new();
    answer
        .headers
        .unwrap_or_default()
        .texts_into(&mut headers)?;
    for Text(cookie) in answer.cookies.unwrap_or_default() {
        push(&mut headers, "set-cookie", &cookie)?;
    }
    let status = answer.status_code.map_or(Ok(200), status)?;
    Ok(finish(
        status,
        headers,
        body(answer.body, answer.is_base64_encoded.unwrap_or(false))?,
        default_type(kind),
    ))
}

/// A response with a status. `None` if the whole response is the body.
fn structured(response: &[u8]) -> Result<Option<Answer<'_>>, String> {
    let is_object = response.trim_ascii_start().starts_with(b"{");
    match read::<Answer<'_>>(response) {
        Ok(answer) if is_object && answer.status_code.is_some() => Ok(Some(answer)),
        Err(error) if is_object && response.windows(12).any(|text| text == b"\"statusCode\"") => {
            Err(error)
        }
        Ok(_) | Err(_) => Ok(None),
    }
}

fn load_balancer(response: &[u8], multi_value: bool) -> Result<Delivery, String> {
    let answer: Answer<'_> = read(response)?;
    let mut headers = Vec::new();
    if multi_value {
        answer
            .multi_value_headers
            .unwrap_or_default()
            .lists_into(&mut headers)?;
    } else {
        answer
            .headers
            .unwrap_or_default()
            .texts_into(&mut headers)?;
    }
    let status = status(answer.status_code.ok_or("response has no `statusCode`")?)?;
    Ok(finish(
        status,
        headers,
        body(answer.body, answer.is_base64_encoded.unwrap_or(false))?,
        default_type(EventKind::Alb),
    ))
}

/// The type of a response with a status, if no header has one.
fn default_type(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Rest | EventKind::FunctionUrl => "application/json",
        EventKind::HttpApi => "text/plain; charset=utf-8",
        EventKind::Alb => "application/octet-stream",
    }
}

fn finish(
    status: u16,
    mut headers: Vec<(String, String)>,
    body: Vec<u8>,
    default_type: &str,
) -> Delivery {
    let has_type = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !has_type && has_content(status) {
        headers.push(("content-type".to_owned(), default_type.to_owned()));
    }
    Delivery {
        status,
        headers,
        body: if has_content(status) {
            body
        } else {
            Vec::new()
        },
        fault: None,
    }
}

/// The gateway's own response instead of the function's.
fn fault_answer(kind: EventKind, fault: String) -> Delivery {
    let (status, content_type, body) = match kind {
        EventKind::Rest => (
            502,
            "application/json",
            r#"{"message": "Internal server error"}"#,
        ),
        EventKind::HttpApi => (
            500,
            "application/json",
            r#"{"message":"Internal Server Error"}"#,
        ),
        EventKind::FunctionUrl => (502, "text/plain", "Internal Server Error"),
        EventKind::Alb => (
            502,
            "text/html",
            "<html><head><title>502 Bad Gateway</title></head></html>",
        ),
    };
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    Delivery {
        status,
        headers,
        body: body.as_bytes().to_vec(),
        fault: Some(fault),
    }
}

fn read<'a, T: Deserialize<'a>>(response: &'a [u8]) -> Result<T, String> {
    json::read(response).map_err(|error| format!("response cannot be read: {error}"))
}

/// A number, or a number as a string.
fn status(code: &RawValue) -> Result<u16, String> {
    let text = scalar(code);
    let status = text
        .parse()
        .ok()
        .filter(|status| (200..=599).contains(status));
    status.ok_or_else(|| format!("response member `statusCode` is not a status: {text}"))
}

fn body(body: Option<&RawValue>, is_base64: bool) -> Result<Vec<u8>, String> {
    let Some(body) = body.filter(|body| body.get() != "null") else {
        return Ok(Vec::new());
    };
    if body.get().starts_with(['{', '[']) {
        return Err("response member `body` must be a string".to_owned());
    }
    let text = scalar(body);
    if !is_base64 {
        return Ok(text.into_owned().into_bytes());
    }
    STANDARD
        .decode(text.as_bytes())
        .map_err(|error| format!("response member `body` is not base64: {error}"))
}

/// The text of a string; the JSON of any other value.
#[expect(clippy::disallowed_methods, reason = "read into a string")]
fn scalar(value: &RawValue) -> Cow<'_, str> {
    let json = value.get();
    match json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        // Checked first, because most headers are strings and a status never is, and serde_json's errors are slow.
        None => Cow::Borrowed(json),
        Some(text) if !text.contains('\\') => Cow::Borrowed(text),
        Some(_) => match serde_json::from_str::<Text<'_>>(json) {
            Ok(Text(text)) => text,
            Err(_) => Cow::Borrowed(json),
        },
    }
}

fn push(headers: &mut Vec<(String, String)>, name: &str, value: &str) -> Result<(), String> {
    if !is_token(name) || !is_field_value(value) {
        return Err(format!(
            "response header `{}` is not valid HTTP",
            name.escape_debug()
        ));
    }
    headers.push((name.to_owned(), value.to_owned()));
    Ok(())
}

impl Members<'_> {
    /// Appends each member as a field; numbers and booleans count as text, `null` as absent.
    fn texts_into(self, headers: &mut Vec<(String, String)>) -> Result<(), String> {
        for (Text(name), value) in self.0 {
            match value.get() {
                "null" => {}
                json if json.starts_with(['{', '[']) => {
                    return Err(format!("response header `{name}` must be a string"));
                }
                _ => push(headers, &name, &scalar(value))?,
            }
        }
        Ok(())
    }

    /// Appends each member's items as fields.
    #[expect(
        clippy::disallowed_methods,
        reason = "read into spans of a text that was read as an answer: no tree, no recursion"
    )]
    fn lists_into(self, headers: &mut Vec<(String, String)>) -> Result<(), String> {
        for (Text(name), values) in self.0 {
            let values: Vec<&RawValue> = serde_json::from_str(values.get()).map_err(|_| {
                format!("response member `multiValueHeaders.{name}` must be a list")
            })?;
            for value in values {
                push(headers, &name, &scalar(value))?;
            }
        }
        Ok(())
    }
}

impl BinaryMedia<'_> {
    /// REST APIs read only the first type of `accept`.
    fn first_accepted_matches(&self) -> bool {
        let first = self
            .accept
            .unwrap_or_default()
            .split([',', ';'])
            .next()
            .unwrap_or_default()
            .trim();
        media::is_one_of(first, self.types)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(MEMBERS_USUAL);
        while let Some(member) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
