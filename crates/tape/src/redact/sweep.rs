//! Removes copies of redacted values from the rest of a line: the path, data that an authorizer repeated, keys, messages, responses.

use super::{
    REPLACEMENT, json_string,
    marks::{Marks, Place},
    values::Secrets,
    walk::Renamed,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use copies::{Copies, LENIENT, Pattern};
use gateway::message::{MemberKind, Message};
use json::{JsonError, Rewriter, Step, rewrite, string};
use std::borrow::Cow;

/// The member of a message to or from another service with a body that is not text.
pub const BODY_BASE64: &str = "body_base64";

/// The member of a call about a secret with a message that is not text.
pub const MESSAGE_BASE64: &str = "message_base64";

/// Depth to which JSON in strings of JSON is parsed; below it is treated as text.
const NESTED_MAX: usize = 4;

/// Searches for copies.
pub(crate) struct Sweep {
    /// `None` if there are no values.
    copies: Option<Copies>,
}

/// Which strings of a JSON text may be changed: foreign ones, but none that a reader of tapes depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Message(Message),
    Calls,
    Outgoing,
    Secrets,
    Logs,
}

impl Part {
    fn may_change_value(self, place: &[Step<'_>]) -> bool {
        let last = place.iter().rev().find_map(Step::name).unwrap_or_default();
        let in_document = place.iter().any(|step| step.name() == Some("document"));
        match self {
            Self::Message(_) => true,
            Self::Calls => {
                let is_fixed = matches!(
                    last,
                    "call" | "consistency" | "direction" | "precondition" | "error"
                );
                in_document || !is_fixed
            }
            Self::Outgoing => {
                let in_headers = place.iter().any(|step| step.name() == Some("headers"));
                in_headers || last != "error"
            }
            Self::Secrets => !matches!(last, "function" | "algorithm" | "error"),
            Self::Logs => last != "level" || place.len() > 2,
        }
    }

    fn may_change_name(self, place: &[Step<'_>]) -> bool {
        let is = |at: usize, wanted: &str| place.get(at).and_then(Step::name) == Some(wanted);
        match self {
            // Names chosen by the gateway are not changed: those of members, and those of the context.
            Self::Message(message) => place.first().is_some_and(|member| {
                member
                    .name()
                    .is_none_or(|name| message.kind(name) != MemberKind::Context)
            }),
            Self::Calls => place.iter().any(|step| step.name() == Some("document")),
            Self::Outgoing => place.iter().any(|step| step.name() == Some("headers")),
            Self::Secrets => false,
            Self::Logs => is(1, "attributes"),
        }
    }
}

impl Sweep {
    /// `None` if there are too many values. `spans_lines` as for [`Copies::of`].
    fn of(values: &[String], spans_lines: bool) -> Option<Self> {
        if values.is_empty() {
            return Some(Self { copies: None });
        }
        let patterns: Vec<_> = values
            .iter()
            .map(|value| Pattern::whole(value.as_bytes(), 0))
            .collect();
        let replacements = vec![REPLACEMENT.as_bytes().to_vec()];
        let copies = Copies::of(&patterns, replacements, spans_lines)?;
        Some(Self {
            copies: Some(copies),
        })
    }

    /// A text without copies; `None` if it has none.
    pub(crate) fn text(&self, text: &str) -> Option<String> {
        self.copies
            .as_ref()
            .and_then(|copies| without_copies(copies, text, 0))
    }

    /// A JSON text whose place in the line is `base`, without copies.
    pub(crate) fn json<'a>(
        &self,
        json: &'a str,
        part: Part,
        base: &str,
        marks: &mut Marks,
    ) -> Result<Cow<'a, str>, JsonError> {
        match &self.copies {
            Some(copies) if copies.may_be_in(json.as_bytes()) => rewrite(
                json,
                &mut Sweeper {
                    copies,
                    part,
                    base,
                    marks,
                    renamed: Renamed::default(),
                },
            ),
            Some(_) | None => Ok(Cow::Borrowed(json)),
        }
    }

    /// A body in base64 without copies; `None` if it has none.
    pub(super) fn base64(&self, body: &str) -> Option<String> {
        base64_without_copies(self.copies.as_ref()?, body)
    }
}

impl Secrets {
    /// Stored entries without copies of these values, whose place is `base`: an array of objects with keys and documents. `None` if they
    /// cannot be searched for them.
    pub fn removed_from_entries(
        &self,
        json: &str,
        base: &str,
        marks: &mut Marks,
    ) -> Option<String> {
        let swept = self.sweep()?.json(json, Part::Calls, base, marks).ok()?;
        Some(swept.into_owned())
    }

    /// A message to or from another service without copies of these values; `None` if it cannot be searched for them.
    pub(crate) fn removed_from_outgoing(&self, json: &str) -> Option<String> {
        let marks = &mut Marks::default();
        let swept = self.sweep()?.json(json, Part::Outgoing, "", marks).ok()?;
        Some(swept.into_owned())
    }

    /// A call about a secret without copies of these values; `None` if it cannot be searched for them.
    pub(crate) fn removed_from_secret_call(&self, json: &str) -> Option<String> {
        let marks = &mut Marks::default();
        let swept = self.sweep()?.json(json, Part::Secrets, "", marks).ok()?;
        Some(swept.into_owned())
    }

    /// The search for the values; `None` if there are too many.
    pub(crate) fn sweep(&self) -> Option<Sweep> {
        // What a guest may have encoded by lines.
        Sweep::of(&self.forms()?, self.has_revealed())
    }
}

impl Marks {
    /// Removes copies of redacted values from names and places, because clients choose them, too.
    pub(crate) fn remove_copies(&mut self, sweep: &Sweep) {
        self.replace_texts(|text| sweep.text(text));
    }
}

/// Strings, names and numbers of a JSON text are searched one by one, so that it stays JSON, and then the text as a whole.
fn without_copies(copies: &Copies, text: &str, nested: usize) -> Option<String> {
    if !copies.may_be_in(text.as_bytes()) {
        return None;
    }
    let is_nested = nested < NESTED_MAX && text.trim_start().starts_with(['{', '[']);
    let walked = match is_nested.then(|| {
        rewrite(
            text,
            &mut Nested {
                copies,
                nested,
                renamed: Renamed::default(),
            },
        )
    }) {
        Some(Ok(Cow::Owned(walked))) => Some(walked),
        // Not JSON: it is searched as text.
        Some(Ok(Cow::Borrowed(_)) | Err(_)) | None => None,
    };
    copies
        .replaced_text(walked.as_deref().unwrap_or(text))
        .or(walked)
}

/// The replacement of a string or number that contains a copy.
fn without_copies_in_value(copies: &Copies, json: &str, nested: usize) -> Option<String> {
    match string(json) {
        Ok(text) => without_copies(copies, &text, nested).map(|text| json_string(&text)),
        Err(_) => copies.is_in(json.as_bytes()).then(|| "0".to_owned()),
    }
}

/// A text in base64 without copies; `None` if it has none.
fn base64_without_copies(copies: &Copies, body: &str) -> Option<String> {
    let replaced = match String::from_utf8(LENIENT.decode(body).ok()?) {
        Ok(text) => without_copies(copies, &text, 0)?,
        // In content that is not text, no part can be replaced separately.
        Err(error) if copies.is_in(error.as_bytes()) => REPLACEMENT.to_owned(),
        Err(_) => return None,
    };
    Some(STANDARD.encode(replaced))
}

/// Searches JSON in a string.
struct Nested<'a> {
    copies: &'a Copies,
    nested: usize,
    renamed: Renamed,
}

impl Rewriter for Nested<'_> {
    fn takes_whole(&mut self, _: &[Step<'_>]) -> bool {
        false
    }

    fn replace(&mut self, _: &[Step<'_>], json: &str) -> Option<String> {
        without_copies_in_value(self.copies, json, self.nested + 1)
    }

    fn rename(&mut self, place: &[Step<'_>], name: &str) -> Option<String> {
        let replacement = self.copies.replaced_text(name)?;
        Some(self.renamed.unique(place, replacement))
    }
}

/// Searches a part of a line.
struct Sweeper<'a> {
    copies: &'a Copies,
    part: Part,
    base: &'a str,
    marks: &'a mut Marks,
    renamed: Renamed,
}

impl Rewriter for Sweeper<'_> {
    fn takes_whole(&mut self, _: &[Step<'_>]) -> bool {
        false
    }

    fn replace(&mut self, place: &[Step<'_>], json: &str) -> Option<String> {
        if !self.part.may_change_value(place) {
            return None;
        }
        let last = place.last().and_then(Step::name);
        let is_base64 = match self.part {
            Part::Outgoing => last == Some(BODY_BASE64),
            Part::Secrets => last == Some(MESSAGE_BASE64),
            Part::Message(_) | Part::Calls | Part::Logs => false,
        };
        let replacement = match is_base64 {
            true => json_string(&base64_without_copies(self.copies, &string(json).ok()?)?),
            false => without_copies_in_value(self.copies, json, 0)?,
        };
        self.marks.at(Place::below(self.base, place));
        Some(replacement)
    }

    fn rename(&mut self, place: &[Step<'_>], name: &str) -> Option<String> {
        if !self.part.may_change_name(place) {
            return None;
        }
        let replacement = self.copies.replaced_text(name)?;
        self.marks.at(Place::below(self.base, place));
        Some(self.renamed.unique(place, replacement))
    }
}
