//! From a Lambda response to the HTTP answer that a gateway would give its client. `host-cli serve` answers with this, so that a
//! response which a gateway would refuse is refused at home.

mod reading;

use super::{EventKind, Origin, envelope::Text};
use crate::{
    http::{is_field_value, is_token},
    json,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use reading::{Lenient, Nested, Plain, Reading, scalar};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{fmt, marker::PhantomData};

/// What the client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// 200 to 599.
    pub status: u16,
    /// Names as the function wrote them; always a `content-type`, except where a status has no content.
    pub headers: Vec<(String, String)>,
    /// Decoded.
    pub body: Vec<u8>,
    /// Why the gateway answered in the function's place, for the log. The client is not told.
    pub fault: Option<String>,
}

/// What a REST API looks at to decide whether a body in base64 is decoded.
#[derive(Clone, Copy, Debug)]
pub struct BinaryMedia<'a> {
    /// The client's `accept` header.
    pub accept: Option<&'a str>,
    /// The API's `binaryMediaTypes`, like `*/*` or `image/png`.
    pub types: &'a [&'a str],
}

/// A response as functions may write it.
#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    bound(deserialize = "R::Status: Deserialize<'de>, R::Value: Deserialize<'de>, 'de: 'a")
)]
struct Answer<'a, R: Reading<'a>> {
    status_code: Option<R::Status>,
    headers: Option<Members<'a, R::Value>>,
    multi_value_headers: Option<Members<'a, &'a RawValue>>,
    #[serde(borrow)]
    cookies: Option<Vec<Text<'a>>>,
    body: Option<R::Value>,
    is_base64_encoded: Option<bool>,
}

/// Members that only some gateways know; REST APIs refuse all that they do not.
const REST_MEMBERS: [&str; 5] = [
    "statusCode",
    "headers",
    "multiValueHeaders",
    "body",
    "isBase64Encoded",
];

/// Room for the headers of most answers.
const MEMBERS_USUAL: usize = 12;

/// A JSON object, one level deep.
struct Members<'a, V>(Vec<(Text<'a>, V)>);

/// Delivers `response`, the bytes that a function returned.
pub fn deliver(origin: &Origin, response: &[u8], binary: &BinaryMedia<'_>) -> Delivery {
    // What is not plain is read again, to be taken as it is or to be told what is wrong with it.
    read_as::<Plain>(origin, response, binary)
        .or_else(|_| read_as::<Lenient>(origin, response, binary))
        .unwrap_or_else(|fault| fault_answer(origin.kind, fault))
}

fn read_as<'a, R: Reading<'a>>(
    origin: &Origin,
    response: &'a [u8],
    binary: &BinaryMedia<'_>,
) -> Result<Delivery, String> {
    match origin.kind {
        EventKind::Rest => rest::<R>(response, binary),
        EventKind::HttpApi | EventKind::FunctionUrl => http_api::<R>(origin.kind, response),
        EventKind::Alb => load_balancer::<R>(response, origin.multi_value),
    }
}

fn rest<'a, R: Reading<'a>>(
    response: &'a [u8],
    binary: &BinaryMedia<'_>,
) -> Result<Delivery, String> {
    let members: Members<'_, IgnoredAny> = read(response)?;
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
    let answer: Answer<'_, R> = read(response)?;
    let mut headers = Vec::new();
    add_lists(answer.multi_value_headers, &mut headers)?;
    add_texts::<R>(answer.headers, &mut headers)?;
    let is_base64 = answer.is_base64_encoded.unwrap_or(false) && binary.first_accepted_matches();
    let status = answer.status_code.map_or(Ok(200), R::status)?;
    finish(
        status,
        headers,
        body::<R>(answer.body, is_base64)?,
        "application/json",
    )
}

fn http_api<'a, R: Reading<'a>>(kind: EventKind, response: &'a [u8]) -> Result<Delivery, String> {
    let Some(answer) = structured::<R>(response)? else {
        let whole: &RawValue = read(response)?;
        return finish(
            200,
            Vec::new(),
            scalar(whole).into_owned().into_bytes(),
            "application/json",
        );
    };
    let mut headers = Vec::new();
    add_texts::<R>(answer.headers, &mut headers)?;
    for Text(cookie) in answer.cookies.unwrap_or_default() {
        push(&mut headers, "set-cookie", &cookie)?;
    }
    let default_type = match kind {
        EventKind::FunctionUrl => "application/json",
        EventKind::HttpApi | EventKind::Rest | EventKind::Alb => "text/plain; charset=utf-8",
    };
    let status = answer.status_code.map_or(Ok(200), R::status)?;
    finish(
        status,
        headers,
        body::<R>(answer.body, answer.is_base64_encoded.unwrap_or(false))?,
        default_type,
    )
}

/// A response with a status. `None`: the whole of it is the body.
fn structured<'a, R: Reading<'a>>(response: &'a [u8]) -> Result<Option<Answer<'a, R>>, String> {
    let is_object = response.trim_ascii_start().starts_with(b"{");
    match read::<Answer<'_, R>>(response) {
        Ok(answer) if is_object && answer.status_code.is_some() => Ok(Some(answer)),
        Err(error) if R::IS_FIRST => Err(error),
        Err(error) if is_object && response.windows(12).any(|text| text == b"\"statusCode\"") => {
            Err(error)
        }
        Ok(_) | Err(_) => Ok(None),
    }
}

fn load_balancer<'a, R: Reading<'a>>(
    response: &'a [u8],
    multi_value: bool,
) -> Result<Delivery, String> {
    let answer: Answer<'_, R> = read(response)?;
    let mut headers = Vec::new();
    if multi_value {
        add_lists(answer.multi_value_headers, &mut headers)?;
    } else {
        add_texts::<R>(answer.headers, &mut headers)?;
    }
    let status = R::status(answer.status_code.ok_or("response has no `statusCode`")?)?;
    finish(
        status,
        headers,
        body::<R>(answer.body, answer.is_base64_encoded.unwrap_or(false))?,
        "application/octet-stream",
    )
}

fn finish(
    status: u16,
    mut headers: Vec<(String, String)>,
    body: Vec<u8>,
    default_type: &str,
) -> Result<Delivery, String> {
    let has_type = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !has_type && !matches!(status, 204 | 304) {
        headers.push(("content-type".to_owned(), default_type.to_owned()));
    }
    Ok(Delivery {
        status,
        headers,
        body,
        fault: None,
    })
}

/// What the gateway says in the function's place.
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

fn body<'a, R: Reading<'a>>(body: Option<R::Value>, is_base64: bool) -> Result<Vec<u8>, String> {
    let text = match body.map(R::text) {
        None | Some(Ok(None)) => return Ok(Vec::new()),
        Some(Ok(Some(text))) => text,
        Some(Err(Nested)) => return Err("response member `body` must be a string".to_owned()),
    };
    if !is_base64 {
        return Ok(text.into_owned().into_bytes());
    }
    STANDARD
        .decode(text.as_bytes())
        .map_err(|error| format!("response member `body` is not base64: {error}"))
}

/// Appends each member as a field.
fn add_texts<'a, R: Reading<'a>>(
    members: Option<Members<'a, R::Value>>,
    headers: &mut Vec<(String, String)>,
) -> Result<(), String> {
    for (Text(name), value) in members.into_iter().flat_map(|members| members.0) {
        match R::text(value) {
            Ok(Some(value)) => push(headers, &name, &value)?,
            Ok(None) => {}
            Err(Nested) => return Err(format!("response header `{name}` must be a string")),
        }
    }
    Ok(())
}

/// Appends each member's items as fields.
fn add_lists(
    members: Option<Members<'_, &RawValue>>,
    headers: &mut Vec<(String, String)>,
) -> Result<(), String> {
    for (Text(name), values) in members.into_iter().flat_map(|members| members.0) {
        let values: Vec<&RawValue> = serde_json::from_str(values.get())
            .map_err(|_| format!("response member `multiValueHeaders.{name}` must be a list"))?;
        for value in values {
            push(headers, &name, &scalar(value))?;
        }
    }
    Ok(())
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

impl BinaryMedia<'_> {
    /// REST APIs look at the first type of `accept` only.
    fn first_accepted_matches(&self) -> bool {
        let first = self
            .accept
            .unwrap_or_default()
            .split([',', ';'])
            .next()
            .unwrap_or_default()
            .trim();
        self.types
            .iter()
            .any(|binary| match binary.strip_suffix("/*") {
                Some("*") => true,
                Some(kind) => first
                    .split_once('/')
                    .is_some_and(|(major, _)| major.eq_ignore_ascii_case(kind)),
                None => first.eq_ignore_ascii_case(binary),
            })
    }
}

impl<'de: 'a, 'a, V: Deserialize<'de>> Deserialize<'de> for Members<'a, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData))
    }
}

struct MembersVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for MembersVisitor<V> {
    type Value = Members<'de, V>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(MEMBERS_USUAL);
        while let Some(member) = map.next_entry::<Text<'de>, V>()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests;
