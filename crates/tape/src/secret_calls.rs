//! One call about a secret on a tape: what the guest asked, and what it got, as JSON, but no value. `docs/tape.md` describes every member.
//!
//! A value that was revealed is [`REPLACEMENT`], in its own place and wherever a copy of it is: a guest that passes it on passes the replacement on in a
//! replay, too. A tag is no secret, and is recorded, unless a text that encodes it was redacted elsewhere, such as the signature of a token.

mod read;

pub use read::{RecordedSecretRequest, SecretCallRecord, SecretResultError, read_result};

use crate::{
    outgoing::{MessageView, shown, write_bytes},
    redact::{MESSAGE_BASE64, REPLACEMENT, Redaction, Secrets, Sender},
};
use contract::hexadecimal::Hexadecimal;
use json::Object;
use secrets::{SecretError, SecretRequest, SecretResponse};

/// The member with a message that is text.
const MESSAGE: &str = "message";

/// Writes a request without its tag and without its end; returns the tag.
pub(crate) fn write_request<'a>(
    out: &mut Vec<u8>,
    request: &'a SecretRequest,
    view: &mut MessageView<'_>,
) -> Option<&'a [u8]> {
    let mut object = Object::begin(out);
    object.string("function", request.function().as_str());
    object.string("name", request.name());
    let (algorithm, message, tag) = match request {
        SecretRequest::Reveal { .. } => return None,
        SecretRequest::Sign {
            algorithm, message, ..
        } => (algorithm, message, None),
        SecretRequest::Verify {
            algorithm,
            message,
            tag,
            ..
        } => (algorithm, message, Some(&**tag)),
    };
    object.string("algorithm", algorithm.as_str());
    let names = [MESSAGE, MESSAGE_BASE64];
    write_bytes(&mut object, names, &[], message, Sender::Foreign, view);
    tag
}

/// A tag as a tape has it.
pub(crate) fn shown_tag(tag: &[u8], is_redacted: bool) -> String {
    match is_redacted {
        true => REPLACEMENT.to_owned(),
        false => Hexadecimal(tag).to_string(),
    }
}

/// A request as a tape shows it, for comparing it with one whose tag is redacted or not: redacted, and without copies of what was redacted in it
/// and in earlier requests, whose values `secrets` collects. `omits` tells, by place and content, which messages the tape does not have.
pub fn shown_request(
    request: &SecretRequest,
    is_tag_redacted: bool,
    redaction: &Redaction,
    at: String,
    secrets: &mut Secrets,
    omits: &mut dyn FnMut(&str, &str) -> bool,
) -> String {
    let sweep = |secrets: &Secrets, text: &str| secrets.removed_from_secret_call(text);
    let write = |out: &mut Vec<u8>, view: &mut MessageView<'_>| {
        let tag = write_request(out, request, view);
        write_end(out, tag.map(|tag| shown_tag(tag, is_tag_redacted)));
    };
    shown(redaction, at, secrets, omits, write, sweep)
}

/// Writes the end of a request.
pub(crate) fn write_end(out: &mut Vec<u8>, tag: Option<String>) {
    if let Some(tag) = tag {
        out.extend_from_slice(b",\"tag\":");
        json::write_string(out, &tag);
    }
    out.push(b'}');
}

/// A result without a value.
pub(crate) enum NotedResult {
    Tag(Vec<u8>),
    Valid(bool),
    Revealed,
    Error(SecretError),
}

impl NotedResult {
    pub(crate) fn of(result: Result<&SecretResponse, &SecretError>) -> Self {
        match result {
            Ok(SecretResponse::Signed(tag)) => Self::Tag(tag.clone()),
            Ok(SecretResponse::Verified(is_valid)) => Self::Valid(*is_valid),
            Ok(SecretResponse::Revealed(_)) => Self::Revealed,
            Err(error) => Self::Error(error.clone()),
        }
    }

    /// `{"ok": {...}}`, or `{"error": NAME, "detail": TEXT}`.
    pub(crate) fn write(&self, out: &mut Vec<u8>, is_tag_redacted: bool) {
        let mut object = Object::begin(out);
        match self {
            Self::Tag(tag) => {
                let mut ok = object.object("ok");
                ok.string("tag", &shown_tag(tag, is_tag_redacted));
                ok.end();
            }
            Self::Valid(is_valid) => {
                let mut ok = object.object("ok");
                let word: &[u8] = if *is_valid { b"true" } else { b"false" };
                ok.raw("valid", word);
                ok.end();
            }
            Self::Revealed => {
                let mut ok = object.object("ok");
                ok.string("value", REPLACEMENT);
                ok.end();
            }
            Self::Error(error) => {
                object.string("error", error.name());
                object.string("detail", error.detail());
            }
        }
        object.end();
    }
}

#[cfg(test)]
mod tests;
