//! How a tape shows a guest's writes and responses, so that a replay can be compared with it.

use contract::digest::Digest;
use gateway::message::Message;
use std::borrow::Cow;
use storage::Document;
use tape::{
    Exchange,
    call::write::Documents,
    redact::{Marks, Redaction, Secrets},
    splices::{Splices, span},
};

/// How a tape shows texts: without what was redacted, `null` for what was too long.
#[derive(Clone, Debug)]
pub(super) struct View {
    redaction: Redaction,
    /// Digests of documents and bodies that were too long.
    omitted: Vec<Digest>,
}

impl View {
    /// The view of a request's tape.
    pub(super) fn of(exchange: &Exchange<'_>) -> Self {
        Self {
            redaction: exchange.redaction(),
            omitted: exchange
                .omitted
                .iter()
                .map(|omission| omission.sha256)
                .collect(),
        }
    }

    /// The view of texts that a tape already shows.
    pub(super) fn unredacted() -> Self {
        Self {
            redaction: Redaction::nothing(),
            omitted: Vec::new(),
        }
    }

    pub(super) fn is_omitted(&self, text: &str) -> bool {
        !self.omitted.is_empty() && self.omitted.contains(&Digest::of(text.as_bytes()))
    }

    /// A document's JSON.
    pub(super) fn document<'a>(&self, document: &'a Document) -> Cow<'a, str> {
        shown(&self.redaction, document, |text| self.is_omitted(text))
    }

    /// The response to the gateway.
    pub(super) fn response<'a>(&self, payload: &'a str) -> Cow<'a, str> {
        let redacted =
            self.redaction
                .response(payload, &mut Marks::default(), &mut Secrets::default());
        if self.omitted.is_empty() {
            return redacted;
        }
        let Ok(members) = Message::Response.members(&redacted) else {
            return redacted; // not an object, so it has no body
        };
        let mut splices = Splices::default();
        for body in members.bodies().filter(|body| self.is_omitted(body)) {
            splices.replace(span(&redacted, body), "null");
        }
        Cow::Owned(splices.apply(&redacted).into_owned())
    }

    /// What replaces the attributes of log lines.
    pub(super) fn redaction(&self) -> &Redaction {
        &self.redaction
    }
}

/// A document's JSON as a tape has it: redacted, and `null` where it was left out as a whole.
pub(super) fn shown<'a>(
    redaction: &Redaction,
    document: &'a Document,
    is_omitted: impl FnOnce(&str) -> bool,
) -> Cow<'a, str> {
    let redacted = redaction.document(document.as_str(), "", &mut Marks::default(), None);
    match is_omitted(&redacted) {
        true => Cow::Borrowed("null"),
        false => redacted,
    }
}

/// Documents of calls.
impl Documents for &View {
    fn write(&mut self, out: &mut Vec<u8>, document: &Document) {
        out.extend_from_slice(self.document(document).as_bytes());
    }
}
