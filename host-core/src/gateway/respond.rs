//! From a guest's response to the JSON that its gateway expects. Here the promises of `record response` in `wit/http.wit` are kept.

use super::{EventKind, Origin, media};
use crate::{
    http::{InvalidField, Response, is_field_value, is_token, without_blanks},
    json::{self, Object, write_array, write_string},
    limits::{ALB_PAYLOAD_BYTES_MAX, LAMBDA_PAYLOAD_BYTES_MAX},
    problem,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{borrow::Cow, ops::Range};

/// A response that is not sent. The host answers 500 in its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResponse {
    /// Not a final HTTP status.
    #[error("status {0} is outside 200..=599")]
    Status(u16),
    /// A field that HTTP does not allow.
    #[error(transparent)]
    Field(#[from] InvalidField),
    /// A field that belongs to the connection, which is not the guest's.
    #[error("header `{0}` belongs to the connection and is not a guest's to set")]
    ConnectionField(String),
    /// Larger than the gateway takes.
    #[error("encoded answer takes {bytes} bytes, the gateway takes {bytes_max}")]
    TooLarge {
        /// Size of the encoded JSON.
        bytes: usize,
        /// The gateway's limit.
        bytes_max: usize,
    },
}

/// Fields that speak about one connection (RFC 9110, 7.6.1) and never pass a gateway.
pub const CONNECTION_FIELDS: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// An answer as it is before it is written: checked, and in the order in which it is written.
pub struct Reply<'a> {
    pub origin: Origin,
    pub status: u16,
    pub headers: Headers<'a>,
    pub body: Cow<'a, str>,
    pub is_base64_encoded: bool,
}

/// The fields of an answer, sorted by name, the order of repetition kept. Names are tokens, which JSON writes as they are.
pub struct Headers<'a>(Vec<(Cow<'a, str>, &'a str)>);

/// The member that has an answer's headers, by what its gateway reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum HeadersMember {
    /// Lists: payload format 1.0, and load balancers with multi-value headers.
    MultiValue,
    /// One text for each name, cookies in a member of their own: payload format 2.0.
    SingleAndCookies,
    /// One text for each name, cookies each under another spelling of theirs, since names differ by case for JSON but not for HTTP.
    Single,
}

/// Encodes a response for the gateway that the request came from.
///
/// `content-length` is left out, for the gateway to set; so are the bodies of statuses that have none (204, 304). A body is sent in
/// base64 where it is not UTF-8, or where neither its type nor the lack of a content encoding says text.
pub fn respond(origin: &Origin, response: &Response) -> Result<Vec<u8>, InvalidResponse> {
    Reply::checked(origin, response)?.to_json()
}

impl<'a> Reply<'a> {
    /// All that is checked but the size.
    pub fn checked(origin: &Origin, response: &'a Response) -> Result<Self, InvalidResponse> {
        let Response {
            status,
            headers,
            body,
        } = response;
        if !(200..=599).contains(status) {
            return Err(InvalidResponse::Status(*status));
        }
        let headers = Headers::checked(headers)?;
        let body = if matches!(status, 204 | 304) {
            &[]
        } else {
            body.as_slice()
        };
        let (body, is_base64_encoded) = body_text(&headers, body);
        Ok(Self {
            origin: *origin,
            status: *status,
            headers,
            body,
            is_base64_encoded,
        })
    }

    /// What the gateway reads.
    fn to_json(&self) -> Result<Vec<u8>, InvalidResponse> {
        let mut encoded = json::with_room(self.body.len());
        let mut answer = Object::begin(&mut encoded);
        answer.number("statusCode", self.status.into());
        if self.origin.kind == EventKind::Alb {
            let (status, title) = (self.status, problem::title(self.status));
            answer.string("statusDescription", &format!("{status} {title}"));
        }
        match self.headers_member() {
            HeadersMember::MultiValue => {
                self.headers.write_lists(answer.object("multiValueHeaders"));
            }
            HeadersMember::SingleAndCookies => {
                self.write_headers(answer.object("headers"));
                let mut cookies = self.headers.cookies().peekable();
                if cookies.peek().is_some() {
                    write_array(answer.name("cookies"), cookies, write_string);
                }
            }
            HeadersMember::Single => self.write_headers(answer.object("headers")),
        }
        answer.string("body", &self.body);
        answer.boolean("isBase64Encoded", self.is_base64_encoded);
        answer.end();
        let bytes_max = self.bytes_max();
        if encoded.len() > bytes_max {
            return Err(InvalidResponse::TooLarge {
                bytes: encoded.len(),
                bytes_max,
            });
        }
        Ok(encoded)
    }

    /// Whether its JSON fits through the gateway. It is written for that only where the answer is so large that one cannot tell
    /// without.
    pub fn check_size(&self) -> Result<(), InvalidResponse> {
        // An escape takes six bytes at most; 64 are enough for what surrounds a field, 1024 for the rest.
        let fields = self.headers.0.iter();
        let bytes = fields.fold(self.body.len(), |bytes, (name, value)| {
            bytes + name.len() + value.len() + 64
        });
        if bytes < self.bytes_max() / 6 - 1024 {
            return Ok(());
        }
        self.to_json().map(drop)
    }

    fn bytes_max(&self) -> usize {
        match self.origin.kind {
            EventKind::Alb => ALB_PAYLOAD_BYTES_MAX,
            EventKind::Rest | EventKind::HttpApi | EventKind::FunctionUrl => {
                LAMBDA_PAYLOAD_BYTES_MAX
            }
        }
    }

    /// Where its gateway looks for headers.
    pub fn headers_member(&self) -> HeadersMember {
        match self.origin.kind {
            EventKind::Rest => HeadersMember::MultiValue,
            EventKind::Alb if self.origin.multi_value => HeadersMember::MultiValue,
            EventKind::Alb => HeadersMember::Single,
            EventKind::HttpApi | EventKind::FunctionUrl => HeadersMember::SingleAndCookies,
        }
    }

    fn write_headers(&self, mut map: Object<'_>) {
        self.each_header(|name, value| map.string(name, value));
        map.end();
    }

    /// Names with the one text that they have in the member `headers`.
    pub fn each_header(&self, mut take: impl FnMut(&str, &str)) {
        let has_cookies = self.headers_member() == HeadersMember::Single;
        for (name, group) in self.headers.groups() {
            match (name, group) {
                ("set-cookie", _) if !has_cookies => {}
                ("set-cookie", group) => {
                    // Cannot be joined (RFC 9110, 5.3).
                    for (spelling, (_, value)) in SPELLINGS.zip(group) {
                        take(&spelt("set-cookie", spelling), value);
                    }
                }
                (_, [(_, value)]) => take(name, value),
                (_, group) => {
                    let values: Vec<&str> = group.iter().map(|(_, value)| *value).collect();
                    take(name, &values.join(", "));
                }
            }
        }
    }
}

fn body_text<'b>(headers: &Headers<'_>, body: &'b [u8]) -> (Cow<'b, str>, bool) {
    if body.is_empty() {
        return (Cow::Borrowed(""), false);
    }
    let is_encoded = headers
        .get("content-encoding")
        .is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    let content_type = headers.get("content-type");
    match str::from_utf8(body) {
        Ok(text) if !is_encoded && (content_type.is_none() || media::is_text(content_type)) => {
            (Cow::Borrowed(text), false)
        }
        Ok(_) | Err(_) => (Cow::Owned(STANDARD.encode(body)), true),
    }
}

impl<'a> Headers<'a> {
    fn checked(fields: &'a [(String, String)]) -> Result<Self, InvalidResponse> {
        let mut headers = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            if !is_token(name) {
                return Err(InvalidField::Name(name.clone()).into());
            }
            let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                Cow::Owned(name.to_ascii_lowercase())
            } else {
                Cow::Borrowed(name.as_str())
            };
            if CONNECTION_FIELDS.contains(&&*name) {
                return Err(InvalidResponse::ConnectionField(name.into_owned()));
            }
            if !is_field_value(value) {
                return Err(InvalidField::Value(name.into_owned()).into());
            }
            if name != "content-length" {
                headers.push((name, without_blanks(value)));
            }
        }
        // Stable, so that repeated fields keep their order.
        headers.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(Self(headers))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| *value)
    }

    /// Every field.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// What the member `cookies` has.
    pub fn cookies(&self) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .map(|(_, value)| *value)
    }

    /// Names with all their values.
    fn groups(&self) -> impl Iterator<Item = (&str, &[(Cow<'a, str>, &'a str)])> {
        self.0
            .chunk_by(|(left, _), (right, _)| left == right)
            .filter_map(|group| Some((&*group.first()?.0, group)))
    }

    /// As a map of lists.
    fn write_lists(&self, mut map: Object<'_>) {
        for (name, group) in self.groups() {
            let values = group.iter().map(|(_, value)| *value);
            write_array(map.name(name), values, write_string);
        }
        map.end();
    }
}

/// `set-cookie` has nine letters, and so 512 spellings: more cookies than any client takes from one answer.
const SPELLINGS: Range<u32> = 0..512;

/// `name` with the letters upper-case whose bit is set in `spelling`.
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
