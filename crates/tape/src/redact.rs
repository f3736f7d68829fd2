//! Removes credentials from what is written to a tape: values whose names match a pattern or are configured, in headers, queries, bodies,
//! stored documents, log lines and responses; fields by pointer; and copies of these values anywhere else in the line.
//!
//! It fails closed: a body whose names cannot be recognised is left out as a whole. What is replaced is recorded and keeps its JSON type,
//! so that a guest still reads the rest as before. The replacement is always the same: a guest that only passes a value on passes the
//! replacement on, and its replay gives the same result; for a guest that computes with the value it does not, which the record of the
//! redaction explains.

mod body;
mod harvest;
mod marks;
mod message;
mod names;
mod outgoing;
mod placeholders;
mod sweep;
mod text;
mod values;
mod walk;
mod words;

pub(crate) use body::Sender;
pub use marks::Marks;
pub(crate) use marks::Place;
pub(crate) use message::without_copies;
pub use message::{body_place, place_of};
pub(crate) use outgoing::OutgoingBody;
pub(crate) use sweep::{BODY_BASE64, MESSAGE_BASE64, Part, Sweep};
pub use values::Secrets;

use gateway::message::Message;
use json::{JsonError, Pointer, PointerError, rewrite, string, write_string};
use std::{borrow::Cow, collections::BTreeSet};
use walk::{Section, Walk};

/// The replacement of a text. Letters only: it passes through headers, queries and paths unchanged, and is valid base64.
pub const REPLACEMENT: &str = "REDACTED";
const REPLACEMENT_JSON: &str = "\"REDACTED\"";

/// What is redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// Normalised, as the other names are.
    headers: BTreeSet<String>,
    query: BTreeSet<String>,
    /// Members of JSON, attributes, form fields.
    names: BTreeSet<String>,
    fields: Vec<Pointer>,
    /// Whether names that match the patterns of credentials are redacted.
    is_by_pattern: bool,
    /// Whether bodies whose names cannot be recognised are left out.
    leaves_out: bool,
}

impl Redaction {
    /// Nothing is redacted: for tapes that are encrypted, or hold no secrets.
    pub fn nothing() -> Self {
        Self {
            headers: BTreeSet::new(),
            query: BTreeSet::new(),
            names: BTreeSet::new(),
            fields: Vec::new(),
            is_by_pattern: false,
            leaves_out: false,
        }
    }

    /// Everything with the name of a credential.
    pub fn credentials() -> Self {
        Self {
            is_by_pattern: true,
            leaves_out: true,
            ..Self::nothing()
        }
    }

    /// Further headers, by name.
    #[must_use]
    pub fn with_headers<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.headers
            .extend(names.into_iter().map(names::normalised));
        self
    }

    /// Further query parameters and form fields, by name.
    #[must_use]
    pub fn with_query<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.query.extend(names.into_iter().map(names::normalised));
        self
    }

    /// Fields of JSON bodies, stored documents and log attributes, as JSON pointers (RFC 6901) in which `*` stands for every element
    /// or member.
    pub fn with_fields<'a>(
        mut self,
        pointers: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PointerError> {
        for pointer in pointers {
            self.fields.push(pointer.parse()?);
            self.leaves_out = true;
        }
        Ok(self)
    }

    /// The rules that a tape names. Invalid rules match nothing.
    pub fn of_rules(
        [headers, query, names]: [&[Cow<'_, str>]; 3],
        fields: &[Cow<'_, str>],
        leaves_out: bool,
    ) -> Self {
        let mut rules = Self::nothing()
            .with_headers(headers.iter().map(|name| &**name))
            .with_query(query.iter().map(|name| &**name));
        rules.names = names.iter().map(|name| names::normalised(name)).collect();
        rules.fields = fields
            .iter()
            .filter_map(|pointer| pointer.parse().ok())
            .collect();
        rules.leaves_out = leaves_out;
        rules
    }

    /// Whether nothing is redacted.
    pub fn is_nothing(&self) -> bool {
        *self == Self::nothing()
    }

    fn hides_header(&self, name: &str) -> bool {
        let name = names::normalised(name);
        self.headers.contains(&name) || self.is_by_pattern && names::is_credential_header(&name)
    }

    fn hides_parameter(&self, name: &str) -> bool {
        names::is_hidden(name, |name| {
            self.query.contains(name) || self.is_by_pattern && names::is_credential_parameter(name)
        })
    }

    fn hides_member(&self, name: &str) -> bool {
        names::is_hidden(name, |name| {
            self.names.contains(name) || self.is_by_pattern && names::is_credential(name)
        })
    }

    /// A gateway event without its secrets, which are added to `secrets`. `None` if it cannot be parsed.
    pub fn event<'a>(
        &self,
        event: &'a str,
        marks: &mut Marks,
        secrets: &mut Secrets,
    ) -> Option<Cow<'a, str>> {
        if self.is_nothing() {
            return Some(Cow::Borrowed(event));
        }
        self.message(event, Message::Event, marks, Some(secrets))
    }

    /// A response to the gateway without its secrets, which are added to `secrets`.
    pub fn response<'a>(
        &self,
        response: &'a str,
        marks: &mut Marks,
        secrets: &mut Secrets,
    ) -> Cow<'a, str> {
        if self.is_nothing() {
            return Cow::Borrowed(response);
        }
        self.message(response, Message::Response, marks, Some(secrets))
            .unwrap_or(Cow::Borrowed("null")) // the response of a service is JSON
    }

    /// A JSON text; `None` if nothing in it changes.
    fn json(
        &self,
        json: &str,
        at: &str,
        marks: &mut Marks,
        secrets: Option<&mut Secrets>,
    ) -> Result<Option<String>, JsonError> {
        let mut walk = Walk {
            rules: self,
            section: Section::Json,
            base: at,
            parent: None,
            marks,
            secrets,
            renamed: walk::Renamed::default(),
        };
        Ok(match rewrite(json, &mut walk)? {
            Cow::Owned(redacted) => Some(redacted),
            Cow::Borrowed(_) => None,
        })
    }

    /// The query of a URL without the values of its secrets.
    pub fn query<'a>(&self, query: &'a str) -> Cow<'a, str> {
        text::replaced(query, &text::find(query, text::Kind::Query, self))
    }

    /// A stored document, or another JSON text, whose place in the line is `at`.
    pub fn document<'a>(
        &self,
        json: &'a str,
        at: &str,
        marks: &mut Marks,
        mut secrets: Option<&mut Secrets>,
    ) -> Cow<'a, str> {
        if self.is_nothing() {
            return Cow::Borrowed(json);
        }
        match self.json(json, at, marks, secrets.as_deref_mut()) {
            Ok(redacted) => redacted.map_or(Cow::Borrowed(json), Cow::Owned),
            Err(_) => {
                if let Some(secrets) = secrets {
                    self.harvest(json, secrets);
                }
                marks.left_out(at);
                Cow::Borrowed("null")
            }
        }
    }

    /// The message of a log line.
    pub fn log_message<'a>(
        &self,
        message: &'a str,
        at: &str,
        marks: &mut Marks,
        secrets: &mut Secrets,
    ) -> Cow<'a, str> {
        if self.is_nothing() {
            return Cow::Borrowed(message);
        }
        let mut walk = Walk {
            rules: self,
            section: Section::Json,
            base: at,
            parent: None,
            marks,
            secrets: Some(secrets),
            renamed: walk::Renamed::default(),
        };
        walk.text(message, text::Kind::Prose, &[])
            .map_or(Cow::Borrowed(message), Cow::Owned)
    }

    /// The value of a log line's attribute, which is JSON.
    pub fn attribute<'a>(
        &self,
        key: &str,
        json: &'a str,
        at: &str,
        marks: &mut Marks,
        secrets: &mut Secrets,
    ) -> Cow<'a, str> {
        if self.is_nothing() {
            return Cow::Borrowed(json);
        }
        let field = self
            .fields
            .iter()
            .find(|pointer| pointer.names(Some(key), &[]));
        let is_header = self.headers.contains(&names::normalised(key));
        if field.is_some() || is_header || self.hides_member(key) {
            let hidden = match string(json) {
                Ok(text) => placeholders::hidden(&text).map(|hidden| json_string(&hidden)),
                Err(_) => Some(REPLACEMENT_JSON.to_owned()),
            };
            let place = hidden.as_ref().map(|_| Place::of(at));
            match field {
                Some(field) => marks.field(field, place),
                None if is_header => marks.header(key, place),
                None => marks.name(key, place),
            }
            secrets.add_json(json);
            return hidden.map_or(Cow::Borrowed(json), Cow::Owned);
        }
        let mut walk = Walk {
            rules: self,
            section: Section::Json,
            base: at,
            parent: Some(key),
            marks,
            secrets: Some(secrets),
            renamed: walk::Renamed::default(),
        };
        rewrite(json, &mut walk).unwrap_or(Cow::Borrowed(REPLACEMENT_JSON))
    }
}

impl text::Hides for Redaction {
    fn parameter(&self, name: &str) -> bool {
        self.hides_parameter(name) || self.hides_member(name)
    }

    fn word(&self, name: &str) -> bool {
        self.hides_member(name)
    }
}

/// The replacement of a value, with the same type; `None` if it stays, because it consists of placeholders.
fn replacement(value: &str) -> Option<String> {
    let replacement = match value.as_bytes().first() {
        Some(b'"') => match string(value) {
            Ok(text) => return placeholders::hidden(&text).map(|hidden| json_string(&hidden)),
            Err(_) => REPLACEMENT_JSON,
        },
        Some(b'{') => "{}",
        Some(b'[') => "[]",
        Some(b't' | b'f') => "false",
        Some(b'n') => "null",
        Some(_) | None => "0",
    };
    Some(replacement.to_owned())
}

fn json_string(text: &str) -> String {
    let mut json = Vec::with_capacity(text.len() + 16);
    write_string(&mut json, text);
    String::from_utf8(json).unwrap_or_default()
}

#[cfg(test)]
mod tests;
