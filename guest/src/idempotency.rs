//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a POST that is sent again has no further effect.
//!
//! The item and a record are written in one transaction, so that neither exists without the other. A record belongs to a caller and a key,
//! and expires after a day. It contains only what the response has beyond the request's content, which the repeated request brings again: a
//! record with a copy of the item would not fit into the store for the largest items.

use crate::{
    http::Request,
    json::{self, Parsed, Value, push_member},
    layout,
    ports::Key,
    problem::Problem,
};
use alloc::{
    format,
    string::{String, ToString},
};
use sha2::{Digest, Sha256};

const CHARACTERS_MAX: usize = 255;
const RECORD_SECONDS: u64 = 24 * 3600;

/// A client's name for one logical request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    key: Key,
    fingerprint: String,
    expires_at: u64,
}

/// What is kept of the first response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Hash of the payload that was answered.
    pub fingerprint: String,
    /// The item that was created.
    pub id: String,
    /// When it was created, in RFC 3339.
    pub created_at: String,
}

impl IdempotencyKey {
    /// Reads the header, if there is one.
    pub fn of(request: &Request) -> Result<Option<Self>, Problem> {
        let Some(field) = request.headers.get("idempotency-key") else {
            return Ok(None);
        };
        let Some(name) = parse(&field) else {
            let detail = format!(
                "`Idempotency-Key` is a string of 1 to {CHARACTERS_MAX} characters, such as `\"8e03978e\"`"
            );
            return Err(Problem::new(400, "invalid-header", detail));
        };
        // Each part is preceded by its length: otherwise two callers could share a record by moving text from one part to the other. A
        // missing caller is distinct from one with an empty name.
        let owner = match &request.subject {
            None => "-".to_string(),
            Some(subject) => format!("{}:{subject}", subject.len()),
        };
        Ok(Some(Self {
            key: layout::idempotency_record(&hash(format!("{owner}|{name}").as_bytes())),
            fingerprint: hash(&request.body),
            expires_at: request.received_at_ms / 1000 + RECORD_SECONDS,
        }))
    }

    /// The key of the record.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// When the record expires, in seconds since the Unix epoch.
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// The record of a creation.
    pub fn record(&self, id: &str, created_at: &str) -> String {
        let mut record = String::from("{");
        push_member(&mut record, "created_at", created_at);
        push_member(&mut record, "fingerprint", &self.fingerprint);
        push_member(&mut record, "id", id);
        record.push('}');
        record
    }

    /// Refuses a repetition with another payload.
    pub fn check(&self, record: &Record) -> Result<(), Problem> {
        if record.fingerprint == self.fingerprint {
            return Ok(());
        }
        let detail =
            "this `Idempotency-Key` was used with other content; a new request needs a new key";
        Err(Problem::new(422, "idempotency-key-reused", detail))
    }
}

impl Record {
    /// Reads a stored record; `None` if it is not one.
    pub fn from_document(document: &str) -> Option<Self> {
        let Ok(Parsed {
            value: Value::Object(mut members),
            ..
        }) = json::parse(document.as_bytes())
        else {
            return None;
        };
        let mut take = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            Some(_) | None => None,
        };
        Some(Self {
            fingerprint: take("fingerprint")?,
            id: take("id")?,
            created_at: take("created_at")?,
        })
    }
}

/// A structured-field string (RFC 9651, 3.3.3), or, as many clients send it, the same without quotes.
fn parse(field: &str) -> Option<String> {
    let field = field.trim_matches([' ', '\t']);
    let mut name = String::new();
    if let Some(quoted) = field.strip_prefix('"') {
        let mut characters = quoted.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => name.push(
                    characters
                        .next()
                        .filter(|escaped| matches!(escaped, '"' | '\\'))?,
                ),
                plain @ ' '..='~' => name.push(plain),
                _ => return None,
            }
        }
        if characters.next().is_some() {
            return None;
        }
    } else if field
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\"\\,;".contains(&byte))
    {
        name.push_str(field);
    }
    (1..=CHARACTERS_MAX).contains(&name.len()).then_some(name)
}

fn hash(bytes: &[u8]) -> String {
    use core::fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}"); // writing to a string cannot fail
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_structured_string_or_bare() {
        for (field, name) in [
            ("\"a b\"", Some("a b")),
            (r#""a\"b\\c""#, Some(r#"a"b\c"#)),
            ("8e03978e-40d5", Some("8e03978e-40d5")),
            ("", None),
            ("\"\"", None),
            ("\"a", None),
            ("\"a\"b", None),
            (r#""a\b""#, None),
            ("\"é\"", None),
            ("a b", None),
            ("a, b", None),
            ("\"a\", \"b\"", None),
        ] {
            assert_eq!(parse(field).as_deref(), name, "{field}");
        }
        assert!(parse(&"a".repeat(255)).is_some());
        assert!(parse(&"a".repeat(256)).is_none());
    }

    #[test]
    fn quotes_do_not_make_another_key_but_callers_do() {
        let key = |headers: &str, subject: Option<&str>| {
            let subject = subject.map(Into::into);
            let request = Request {
                headers: String::from(headers).into(),
                subject,
                ..Request::default()
            };
            IdempotencyKey::of(&request).unwrap().unwrap().key
        };
        let bare = key("idempotency-key: a\n", None);
        assert_eq!(bare, key("idempotency-key: \"a\"\n", None));
        assert_ne!(bare, key("idempotency-key: a\n", Some("")));
        assert_ne!(bare, key("idempotency-key: a\n", Some("alice")));
        assert_ne!(bare, key("idempotency-key: b\n", None));
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(
            hash(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
