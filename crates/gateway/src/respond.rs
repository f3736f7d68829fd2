//! Converts a guest's response to the JSON that its gateway expects, and checks the rules for `record response` in `wit/http.wit`.

use super::{EventKind, Origin, media};
use crate::problem;
use base64::{Engine, engine::general_purpose::STANDARD};
use contract::{
    http::{
        CONNECTION_FIELDS, FieldError, Response, has_content, is_field_value, is_token,
        without_blanks,
    },
    limits::{ALB_PAYLOAD_BYTES_MAX, LAMBDA_PAYLOAD_BYTES_MAX},
};
use json::{self, Object, write_array, write_string};
use std::{borrow::Cow, mem, ops::Range};

/// A response that is not sent. The host answers 500 instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Not a final HTTP status.
    #[error("status {0} is outside 200..=599")]
    Status(u16),
    /// A field that HTTP does not allow.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A field that belongs to the connection and that a guest must not set.
    #[error("header `{0}` belongs to the connection and cannot be set by a guest")]
    ConnectionField(String),
    /// More cookies than can be sent without multi-value headers.
    #[error(
        "{count} cookies, but a load balancer accepts {count_max} per response; enable multi-value headers in its target group"
    )]
    TooManyCookies {
        /// Number of `set-cookie` fields.
        count: usize,
        /// Largest number for a load balancer without multi-value headers.
        count_max: usize,
    },
    /// Larger than the gateway accepts.
    #[error("encoded response has {bytes} bytes, the gateway accepts {bytes_max}")]
    TooLarge {
        /// Size of the encoded JSON.
        bytes: usize,
        /// The gateway's limit.
        bytes_max: usize,
    },
}

/// A response that its gateway accepts: checked, in the form that the gateway reads, not yet written.
#[derive(Debug)]
pub struct Reply {
    origin: Origin,
    status: u16,
    headers: Headers,
    body: Body,
    /// What the guest gave as length of a body that it left out, as in the response to `HEAD`.
    declared_length: Option<u64>,
    /// Its JSON, if that had to be written to determine the size.
    json: Option<Vec<u8>>,
}

/// Names and values, sorted by name, with repeated ones in their order. Names are lower-case tokens, which need no escapes in JSON.
type Fields = Vec<(String, String)>;

/// A reply's headers, by the member that its gateway reads.
#[derive(Debug)]
pub(super) enum Headers {
    /// Each name has a list of values: payload format 1.0, and load balancers with multi-value headers.
    MultiValue(Fields),
    /// Each name has one text. `set-cookie` cannot be joined (RFC 9110, 5.3): payload format 2.0 has `cookies` beside the headers; load
    /// balancers get each cookie under another spelling of the name, because case distinguishes names in JSON but not in HTTP.
    Single {
        fields: Fields,
        cookies: Vec<String>,
    },
}

/// A reply's body.
#[derive(Debug)]
pub(super) enum Body {
    Text(String),
    /// Sent as base64.
    Binary(Vec<u8>),
}

/// Encodes a response for the gateway that the request came from.
///
/// `content-length` is left out, because the gateway sets it; so are the bodies of statuses without content (204, 205, 304). A body is sent
/// as text if it is UTF-8, and in base64 otherwise: see `media`.
pub fn respond(origin: &Origin, response: Response) -> Result<Vec<u8>, ResponseError> {
    Reply::new(origin, response).map(Reply::into_json)
}

impl Reply {
    /// Checks a response by the rules of HTTP and of the gateway that the request came from.
    pub fn new(origin: &Origin, response: Response) -> Result<Self, ResponseError> {
        let mut reply = Self::without_size_check(origin, response)?;
        reply.json = reply.check_size()?;
        Ok(reply)
    }

    /// A status without headers and body, which every gateway accepts.
    pub fn without_content(origin: &Origin, status: u16) -> Self {
        Self {
            origin: *origin,
            status,
            headers: match origin.kind {
                EventKind::Rest => Headers::MultiValue(Vec::new()),
                EventKind::Alb if origin.multi_value => Headers::MultiValue(Vec::new()),
                EventKind::Alb | EventKind::HttpApi | EventKind::FunctionUrl => Headers::Single {
                    fields: Vec::new(),
                    cookies: Vec::new(),
                },
            },
            body: Body::Text(String::new()),
            declared_length: None,
            json: None,
        }
    }

    /// The JSON that the gateway reads.
    pub fn to_json(&self) -> Cow<'_, [u8]> {
        match &self.json {
            Some(json) => Cow::Borrowed(json),
            None => Cow::Owned(self.write_json()),
        }
    }

    /// The same, if the reply is not needed any more.
    pub fn into_json(mut self) -> Vec<u8> {
        self.json.take().unwrap_or_else(|| self.write_json())
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What the guest gave as length of a body that it left out: the `content-length` of a response to `HEAD`, for a server that is its own gateway.
    pub fn declared_length(&self) -> Option<u64> {
        self.declared_length
    }

    /// Status, headers and body.
    pub(super) fn into_parts(self) -> (u16, Headers, Body) {
        (self.status, self.headers, self.body)
    }

    fn without_size_check(origin: &Origin, response: Response) -> Result<Self, ResponseError> {
        let Response {
            status,
            headers,
            body,
        } = response;
        if !(200..=599).contains(&status) {
            return Err(ResponseError::Status(status));
        }
        let mut fields = checked_fields(headers)?;
        let declared_length =
            take_length(&mut fields).filter(|_| body.is_empty() && has_content(status));
        let body = if has_content(status) {
            media::text(body).map_or_else(Body::Binary, Body::Text)
        } else {
            Body::Text(String::new())
        };
        let headers = match origin.kind {
            EventKind::Rest => Headers::MultiValue(fields),
            EventKind::Alb if origin.multi_value => Headers::MultiValue(fields),
            EventKind::Alb => Headers::with_cookies_by_spelling(fields)?,
            EventKind::HttpApi | EventKind::FunctionUrl => Headers::with_cookies_apart(fields),
        };
        Ok(Self {
            origin: *origin,
            status,
            headers,
            body,
            declared_length,
            json: None,
        })
    }

    fn write_json(&self) -> Vec<u8> {
        let mut encoded = json::with_room(self.body.len());
        let mut answer = Object::begin(&mut encoded);
        answer.number("statusCode", self.status.into());
        if self.origin.kind.wants_status_description() {
            let (status, title) = (self.status, problem::title(self.status));
            answer.string("statusDescription", &format!("{status} {title}"));
        }
        match &self.headers {
            Headers::MultiValue(fields) => write_lists(answer.object("multiValueHeaders"), fields),
            Headers::Single { fields, cookies } => {
                let mut map = answer.object("headers");
                for (name, value) in fields {
                    map.string(name, value);
                }
                map.end();
                if !cookies.is_empty() {
                    write_array(answer.name("cookies"), cookies, |out, cookie| {
                        write_string(out, cookie);
                    });
                }
            }
        }
        match &self.body {
            Body::Text(text) => answer.string("body", text),
            Body::Binary(bytes) => answer.plain("body", &STANDARD.encode(bytes)),
        }
        answer.boolean("isBase64Encoded", matches!(self.body, Body::Binary(_)));
        answer.end();
        encoded
    }

    /// Whether its JSON is within the gateway's limit. The JSON is only written for this if the response is so large that the size is not
    /// obvious.
    fn check_size(&self) -> Result<Option<Vec<u8>>, ResponseError> {
        // An escape takes six bytes at most; 64 are enough for what surrounds a text, 1024 for the rest.
        let bytes = self.headers.texts().fold(self.body.len(), |bytes, text| {
            bytes.saturating_add(text.len()).saturating_add(64)
        });
        let bytes_max = self.bytes_max();
        if bytes < bytes_max / 6 - 1024 {
            return Ok(None);
        }
        let bytes =
            r#"{"statusCode":200,"body":""}"#.len() + self.body.written_bytes_min(bytes_max);
        if bytes > bytes_max {
            return Err(ResponseError::TooLarge { bytes, bytes_max });
        }
        let json = self.write_json();
        if json.len() > bytes_max {
            return Err(ResponseError::TooLarge {
                bytes: json.len(),
                bytes_max,
            });
        }
        Ok(Some(json))
    }

    fn bytes_max(&self) -> usize {
        match self.origin.kind {
            EventKind::Alb => ALB_PAYLOAD_BYTES_MAX,
            EventKind::Rest | EventKind::HttpApi | EventKind::FunctionUrl => {
                LAMBDA_PAYLOAD_BYTES_MAX
            }
        }
    }
}

/// Lower-case and sorted by name.
fn checked_fields(mut fields: Fields) -> Result<Fields, ResponseError> {
    for (name, value) in &mut fields {
        if !is_token(name) {
            return Err(FieldError::Name(mem::take(name)).into());
        }
        name.make_ascii_lowercase();
        if CONNECTION_FIELDS.contains(&name.as_str()) {
            return Err(ResponseError::ConnectionField(mem::take(name)));
        }
        if !is_field_value(value) {
            return Err(FieldError::Value(mem::take(name)).into());
        }
        let trimmed = without_blanks(value);
        if trimmed.len() < value.len() {
            *value = trimmed.to_owned();
        }
    }
    // Stable, so that repeated fields keep their order.
    fields.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(fields)
}

/// Removes the length, which the gateway sets, and returns it.
fn take_length(fields: &mut Fields) -> Option<u64> {
    let is_length = |(name, _): &mut (String, String)| name == "content-length";
    let lengths: Fields = fields.extract_if(.., is_length).collect();
    match &lengths[..] {
        [(_, length)] => length.parse().ok(),
        _ => None,
    }
}

impl Headers {
    fn with_cookies_apart(fields: Fields) -> Self {
        let mut cookies = Vec::new();
        let fields = joined(fields, |_, cookie| cookies.push(cookie));
        Self::Single { fields, cookies }
    }

    fn with_cookies_by_spelling(fields: Fields) -> Result<Self, ResponseError> {
        let count_max = SPELLINGS.len();
        let count = fields
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .count();
        if count > count_max {
            return Err(ResponseError::TooManyCookies { count, count_max });
        }
        let mut spellings = SPELLINGS;
        let fields = joined(fields, |fields, cookie| {
            let spelling = spellings.next();
            fields.extend(spelling.map(|spelling| (spelt("set-cookie", spelling), cookie)));
        });
        Ok(Self::Single {
            fields,
            cookies: Vec::new(),
        })
    }

    /// All names and values.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let (fields, cookies) = match self {
            Self::MultiValue(fields) => (fields, &[][..]),
            Self::Single { fields, cookies } => (fields, &cookies[..]),
        };
        let fields = fields.iter().flat_map(|(name, value)| [name, value]);
        fields.chain(cookies).map(String::as_str)
    }
}

/// Joins the values of repeated names, except cookies, which `cookie` handles.
fn joined(fields: Fields, mut cookie: impl FnMut(&mut Fields, String)) -> Fields {
    let mut joined: Fields = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        match joined.last_mut() {
            _ if name == "set-cookie" => cookie(&mut joined, value),
            Some((last, values)) if *last == name => {
                values.push_str(", ");
                values.push_str(&value);
            }
            Some(_) | None => joined.push((name, value)),
        }
    }
    joined
}

/// As a map of lists.
fn write_lists(mut map: Object<'_>, fields: &Fields) {
    for group in fields.chunk_by(|(left, _), (right, _)| left == right) {
        if let [(name, _), ..] = group {
            let values = group.iter().map(|(_, value)| value.as_str());
            write_array(map.name(name), values, write_string);
        }
    }
    map.end();
}

impl Body {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// The smallest size as JSON. Counted exactly only if it could exceed `bytes_max`: an escape takes six bytes at most, and a text
    /// consisting of escapes need not be written to be refused.
    fn written_bytes_min(&self, bytes_max: usize) -> usize {
        match self {
            Self::Text(text) if text.len() > bytes_max / 6 => {
                let escapes = text.bytes().map(|byte| match byte {
                    b'"' | b'\\' | 0x8..=0xa | 0xc..=0xd => 1,
                    0..0x20 => 5,
                    _ => 0,
                });
                text.len() + escapes.sum::<usize>()
            }
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len().div_ceil(3) * 4,
        }
    }
}

/// `set-cookie` has nine letters, and so 512 spellings: more cookies than any client accepts from one response.
const SPELLINGS: Range<u32> = 0..512;

/// `name` with those letters in upper case whose bit is set in `spelling`.
fn spelt(name: &str, spelling: u32) -> String {
    let mut bits = spelling;
    name.chars()
        .map(|letter| {
            if !letter.is_ascii_alphabetic() {
                return letter;
            }
            let upper = bits & 1 == 1;
            bits >>= 1;
            if upper {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
