//! Takes secrets out of what goes onto a tape: values of headers and query parameters by name, fields of JSON bodies and documents by
//! pointer. What is replaced is marked, and keeps its JSON type, so that a guest still reads the rest as it did.
//!
//! The replacement is always the same. So a guest that only passes a value on does so with the replacement as well, and a replay of
//! it comes out the same; a guest that computes with the value does not, which the marks explain.

pub(super) mod places;

pub use places::InvalidPointer;

use super::json::{Splices, elements, members, span, string};
use crate::json::write_string;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use places::Pointer;
use std::{borrow::Cow, collections::BTreeSet};

/// What stands in the place of a text. Letters only: it passes through headers, queries and paths unchanged.
pub(super) const REPLACEMENT: &str = "REDACTED";
const REPLACEMENT_JSON: &str = "\"REDACTED\"";

/// Headers that carry credentials, of clients, gateways and load balancers.
const HEADERS: [&str; 11] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-amz-security-token",
    "x-amzn-oidc-accesstoken",
    "x-amzn-oidc-data",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-xsrf-token",
];

/// Query parameters that carry credentials: OAuth, keys, presigned AWS requests.
const QUERY: [&str; 12] = [
    "access_token",
    "api_key",
    "apikey",
    "client_secret",
    "id_token",
    "password",
    "refresh_token",
    "sig",
    "signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
];

/// What is redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// Lower case.
    headers: BTreeSet<String>,
    /// Lower case.
    query: BTreeSet<String>,
    fields: Vec<Pointer>,
}

impl Redaction {
    /// Nothing is redacted: for tapes that are encrypted, or hold no secrets.
    pub fn nothing() -> Self {
        Self {
            headers: BTreeSet::new(),
            query: BTreeSet::new(),
            fields: Vec::new(),
        }
    }

    /// What is known to carry credentials.
    pub fn credentials() -> Self {
        Self {
            headers: HEADERS.map(str::to_owned).into(),
            query: QUERY.map(str::to_owned).into(),
            fields: Vec::new(),
        }
    }

    /// Further headers, by name.
    #[must_use]
    pub fn with_headers<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.headers
            .extend(names.into_iter().map(str::to_ascii_lowercase));
        self
    }

    /// Further query parameters, by name.
    #[must_use]
    pub fn with_query<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.query
            .extend(names.into_iter().map(str::to_ascii_lowercase));
        self
    }

    /// Fields of JSON bodies, stored documents and log attributes, as JSON pointers (RFC 6901) in which `*` stands for every element
    /// or member.
    pub fn with_fields<'a>(
        mut self,
        pointers: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidPointer> {
        for pointer in pointers {
            self.fields.push(pointer.parse()?);
        }
        Ok(self)
    }

    /// The rules that a tape names. What cannot be a rule hit nothing.
    pub(super) fn of_rules(
        headers: &[Cow<'_, str>],
        query: &[Cow<'_, str>],
        fields: &[Cow<'_, str>],
    ) -> Self {
        let mut rules = Self::nothing()
            .with_headers(headers.iter().map(|name| &**name))
            .with_query(query.iter().map(|name| &**name));
        rules.fields = fields
            .iter()
            .filter_map(|pointer| pointer.parse().ok())
            .collect();
        rules
    }

    /// Whether nothing is redacted.
    pub fn is_nothing(&self) -> bool {
        self.headers.is_empty() && self.query.is_empty() && self.fields.is_empty()
    }

    /// Whether documents stay as they are.
    pub(super) fn keeps_documents(&self) -> bool {
        self.fields.is_empty()
    }

    /// A gateway event without its secrets.
    pub(super) fn event<'a>(&self, event: &'a str, marks: &mut Marks) -> Cow<'a, str> {
        if self.is_nothing() {
            return Cow::Borrowed(event);
        }
        let mut edit = Edit::new(event, "/event", marks);
        let members = members(event);
        for (name, value) in &members {
            match &**name {
                "headers" | "multiValueHeaders" => self.header_map(&mut edit, name, value),
                "cookies" if self.headers.contains("cookie") => {
                    edit.header("cookie", name, value);
                }
                "queryStringParameters" | "multiValueQueryStringParameters" => {
                    self.query_map(&mut edit, name, value);
                }
                "rawQueryString" => self.query_text(&mut edit, name, value),
                "requestContext" if self.headers.contains("x-api-key") => {
                    api_key(&mut edit, value);
                }
                "body" => self.body(&mut edit, value, is_base64(&members)),
                _ => {}
            }
        }
        edit.splices.apply(event)
    }

    /// What goes back to the gateway, without its secrets.
    pub(super) fn response<'a>(&self, response: &'a str, marks: &mut Marks) -> Cow<'a, str> {
        if self.is_nothing() {
            return Cow::Borrowed(response);
        }
        let mut edit = Edit::new(response, "/response", marks);
        let members = members(response);
        for (name, value) in &members {
            match &**name {
                "headers" | "multiValueHeaders" => self.header_map(&mut edit, name, value),
                "cookies" if self.headers.contains("set-cookie") => {
                    edit.header("set-cookie", name, value);
                }
                "body" => self.body(&mut edit, value, is_base64(&members)),
                _ => {}
            }
        }
        edit.splices.apply(response)
    }

    /// A stored document, or another JSON text whose place in the line is `at`.
    pub(super) fn document<'a>(&self, json: &'a str, at: &str, marks: &mut Marks) -> Cow<'a, str> {
        let mut splices = Splices::default();
        for pointer in &self.fields {
            pointer.find(json, &mut |value, place| {
                splices.replace(span(json, value), replacement(value));
                marks.field(pointer, format!("{at}{place}"));
            });
        }
        splices.apply(json)
    }

    /// Whether the attribute of a log line is named like a header, or like a field that is redacted.
    pub(super) fn attribute(
        &self,
        key: &str,
        at: impl FnOnce() -> String,
        marks: &mut Marks,
    ) -> bool {
        if self.headers.contains(&key.to_ascii_lowercase()) {
            marks.headers.insert(key.to_ascii_lowercase());
            marks.at.push(at());
            return true;
        }
        let pointer = self.fields.iter().find(|pointer| pointer.is_member(key));
        if let Some(pointer) = pointer {
            marks.field(pointer, at());
        }
        pointer.is_some()
    }

    fn header_map(&self, edit: &mut Edit<'_>, map: &str, json: &str) {
        for (name, value) in members(json) {
            let lower = name.to_ascii_lowercase();
            if self.headers.contains(&lower) {
                edit.header(&lower, &format!("{map}/{}", places::escape(&name)), value);
            }
        }
    }

    fn query_map(&self, edit: &mut Edit<'_>, map: &str, json: &str) {
        for (name, value) in members(json) {
            if let Some(parameter) = self.query_parameter(&name) {
                edit.query(parameter, &format!("{map}/{}", places::escape(&name)));
                edit.value(value);
            }
        }
    }

    fn query_text(&self, edit: &mut Edit<'_>, member: &str, json: &str) {
        let Some(query) = string(json) else {
            return;
        };
        let mut hit = false;
        let pairs: Vec<Cow<'_, str>> = query
            .split('&')
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                match self.query_parameter(name) {
                    Some(parameter) if !value.is_empty() => {
                        edit.query(parameter, member);
                        hit = true;
                        Cow::Owned(format!("{name}={REPLACEMENT}"))
                    }
                    Some(_) | None => Cow::Borrowed(pair),
                }
            })
            .collect();
        if hit {
            edit.replace(json, json_string(&pairs.join("&")));
        }
    }

    /// The rule for a parameter, whose name may be percent-encoded.
    fn query_parameter(&self, name: &str) -> Option<&str> {
        let decoded = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        self.query
            .get(&decoded.to_ascii_lowercase())
            .map(String::as_str)
    }

    /// A body that is JSON, in base64 or not. Anything else has no fields.
    fn body(&self, edit: &mut Edit<'_>, json: &str, is_base64: bool) {
        if self.fields.is_empty() {
            return;
        }
        let Some(text) = string(json) else {
            return;
        };
        let at = format!("{}/body#", edit.base);
        if is_base64 {
            let decoded = STANDARD
                .decode(text.as_bytes())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            if let Some(decoded) = decoded
                && let Cow::Owned(redacted) = self.document(&decoded, &at, edit.marks)
            {
                edit.replace(json, json_string(&STANDARD.encode(redacted)));
            }
        } else if let Cow::Owned(redacted) = self.document(&text, &at, edit.marks) {
            edit.replace(json, json_string(&redacted));
        }
    }
}

/// The key that API Gateway found, repeated in a REST event.
fn api_key(edit: &mut Edit<'_>, context: &str) {
    let identity = members(context)
        .into_iter()
        .find(|(name, _)| name == "identity");
    for (name, value) in identity
        .map(|(_, identity)| members(identity))
        .unwrap_or_default()
    {
        if name == "apiKey" && value != "null" {
            edit.header("x-api-key", "requestContext/identity/apiKey", value);
        }
    }
}

fn is_base64(members: &[(Cow<'_, str>, &str)]) -> bool {
    members
        .iter()
        .any(|(name, value)| name == "isBase64Encoded" && *value == "true")
}

/// Changes to one JSON text of a line.
struct Edit<'a> {
    whole: &'a str,
    /// Where the text stands in the line.
    base: &'static str,
    splices: Splices,
    marks: &'a mut Marks,
}

impl<'a> Edit<'a> {
    fn new(whole: &'a str, base: &'static str, marks: &'a mut Marks) -> Self {
        Self {
            whole,
            base,
            splices: Splices::default(),
            marks,
        }
    }

    fn replace(&mut self, value: &str, replacement: String) {
        self.splices.replace(span(self.whole, value), replacement);
    }

    /// Replaces a value, or each of a list of values.
    fn value(&mut self, value: &str) {
        let replacement = if value.starts_with('[') {
            format!(
                "[{}]",
                vec![REPLACEMENT_JSON; elements(value).len()].join(",")
            )
        } else {
            replacement(value).to_owned()
        };
        self.replace(value, replacement);
    }

    fn header(&mut self, name: &str, place: &str, value: &str) {
        self.marks.headers.insert(name.to_owned());
        self.marks.at.push(format!("{}/{place}", self.base));
        self.value(value);
    }

    fn query(&mut self, name: &str, place: &str) {
        self.marks.query.insert(name.to_owned());
        self.marks.at.push(format!("{}/{place}", self.base));
    }
}

/// What stands in the place of a value of the same type.
fn replacement(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'"') => REPLACEMENT_JSON,
        Some(b'{') => "{}",
        Some(b'[') => "[]",
        Some(b't' | b'f') => "false",
        Some(b'n') => "null",
        Some(_) | None => "0",
    }
}

fn json_string(text: &str) -> String {
    let mut json = Vec::with_capacity(text.len() + 16);
    write_string(&mut json, text);
    String::from_utf8(json).unwrap_or_default()
}

/// Which rules hit, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) headers: BTreeSet<String>,
    pub(super) query: BTreeSet<String>,
    pub(super) fields: BTreeSet<String>,
    pub(super) at: Vec<String>,
}

impl Marks {
    fn field(&mut self, pointer: &Pointer, place: String) {
        self.fields.insert(pointer.to_string());
        self.at.push(place);
    }
}

#[cfg(test)]
mod tests;
