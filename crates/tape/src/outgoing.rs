//! One exchange with another service on a tape: the guest's request, and the response or the error that it got, as JSON.
//!
//! The same request always gives the same bytes, which a strict replay compares: headers are in the order of
//! [`OutgoingRequest::in_order`]. `docs/tape.md` describes every member.

mod read;

pub use read::{OutgoingRecord, OutgoingResultError, RecordedOutgoingRequest};

use crate::redact::{BODY_BASE64, Marks, OutgoingBody, Redaction, Secrets, Sender};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use json::{Object, write_array, write_string};
use outgoing::{OutgoingError, OutgoingRequest, OutgoingResponse};
use std::{borrow::Cow, time::Duration};

/// The member with a body that is text.
const BODY: &str = "body";

/// How messages are shown: what is redacted, and what is left out.
pub struct MessageView<'a> {
    /// What is redacted.
    pub redaction: &'a Redaction,
    /// The place of the message in the line, as a JSON pointer.
    pub at: String,
    /// Gets what was redacted, and where.
    pub marks: &'a mut Marks,
    /// Gets the redacted values.
    pub secrets: Option<&'a mut Secrets>,
    /// Whether a body is left out, given its place and its JSON, redacted.
    pub omits: &'a mut dyn FnMut(&str, &str) -> bool,
}

/// Writes a request.
pub fn write_request(out: &mut Vec<u8>, request: &OutgoingRequest, view: &mut MessageView<'_>) {
    let mut object = Object::begin(out);
    object.string("method", &request.method);
    let (at, marks) = (format!("{}/url", view.at), &mut *view.marks);
    let secrets = view.secrets.as_deref_mut();
    let url = view.redaction.url(&request.url, &at, marks, secrets);
    object.string("url", &url);
    let headers = without_length(&request.headers, request.body.len());
    write_content(&mut object, &headers, &request.body, Sender::Foreign, view);
    if let Some(timeout) = request.timeout {
        object.number("timeout_ms", milliseconds(timeout));
    }
    object.end();
}

/// The fields without a `content-length` that is right, which the host writes whether or not the guest does. Redaction changes the length of the body, here or
/// where the guest has it from.
fn without_length(headers: &[(String, String)], body_bytes: usize) -> Cow<'_, [(String, String)]> {
    let is_length = |(name, value): &(String, String)| {
        name == "content-length" && value.trim() == body_bytes.to_string()
    };
    match headers.iter().any(is_length) {
        true => {
            let others = headers.iter().filter(|field| !is_length(field));
            Cow::Owned(others.cloned().collect())
        }
        false => Cow::Borrowed(headers),
    }
}

/// A request as a tape shows it, for comparing it with one: redacted, and without copies of what was redacted in it and in earlier requests,
/// whose values `secrets` collects. `omits` tells, by place and content, which bodies the tape does not have.
pub fn shown_request(
    request: &OutgoingRequest,
    redaction: &Redaction,
    at: String,
    secrets: &mut Secrets,
    omits: &mut dyn FnMut(&str, &str) -> bool,
) -> String {
    let sweep = |secrets: &Secrets, text: &str| secrets.removed_from_outgoing(text);
    let write = |out: &mut Vec<u8>, view: &mut MessageView<'_>| write_request(out, request, view);
    shown(redaction, at, secrets, omits, write, sweep)
}

/// What `write` writes, as a tape shows it: redacted, and without copies of what was redacted, which `sweep` removes.
pub(crate) fn shown(
    redaction: &Redaction,
    at: String,
    secrets: &mut Secrets,
    omits: &mut dyn FnMut(&str, &str) -> bool,
    write: impl FnOnce(&mut Vec<u8>, &mut MessageView<'_>),
    sweep: impl FnOnce(&Secrets, &str) -> Option<String>,
) -> String {
    let mut text = Vec::new();
    let mut view = MessageView {
        redaction,
        at,
        marks: &mut Marks::default(),
        secrets: Some(secrets),
        omits,
    };
    write(&mut text, &mut view);
    // Our own JSON is text.
    let text = String::from_utf8(text).unwrap_or_default();
    if redaction.is_nothing() {
        return text;
    }
    sweep(secrets, &text).unwrap_or(text)
}

/// Writes a result: `{"ok": RESPONSE}`, or `{"error": NAME, "detail": TEXT}`.
pub fn write_result(
    out: &mut Vec<u8>,
    result: Result<&OutgoingResponse, &OutgoingError>,
    view: &mut MessageView<'_>,
) {
    let mut object = Object::begin(out);
    match result {
        Ok(response) => {
            view.at.push_str("/ok");
            let mut ok = object.object("ok");
            ok.number("status", response.status.into());
            write_content(
                &mut ok,
                &response.headers,
                &response.body,
                Sender::Foreign,
                view,
            );
            ok.end();
        }
        Err(error) => {
            object.string("error", error.name());
            object.string("detail", error.detail());
        }
    }
    object.end();
}

/// Writes headers and body.
fn write_content(
    object: &mut Object<'_>,
    headers: &[(String, String)],
    body: &[u8],
    sender: Sender,
    view: &mut MessageView<'_>,
) {
    if !headers.is_empty() {
        let json = headers_json(headers);
        let at = format!("{}/headers", view.at);
        let secrets = view.secrets.as_deref_mut();
        let shown = view.redaction.headers(&json, &at, view.marks, secrets);
        object.raw("headers", shown.as_bytes());
    }
    if !body.is_empty() {
        write_bytes(object, [BODY, BODY_BASE64], headers, body, sender, view);
    }
}

/// Writes a body as the first of these members if it is text, otherwise as the second.
pub(crate) fn write_bytes(
    object: &mut Object<'_>,
    [as_text, as_base64]: [&str; 2],
    headers: &[(String, String)],
    body: &[u8],
    sender: Sender,
    view: &mut MessageView<'_>,
) {
    let text = str::from_utf8(body).ok();
    let name = match text {
        Some(_) => as_text,
        None => as_base64,
    };
    let mut json = Vec::with_capacity(body.len() + 16);
    match text {
        Some(text) => write_string(&mut json, text),
        None => write_string(&mut json, &STANDARD.encode(body)),
    }
    // Both are text.
    let json = String::from_utf8(json).unwrap_or_default();
    let at = format!("{}/{name}", view.at);
    let body = OutgoingBody {
        json: &json,
        is_base64: text.is_none(),
        headers,
        sender,
        at: &at,
    };
    let secrets = view.secrets.as_deref_mut();
    let shown = view.redaction.outgoing_body(&body, view.marks, secrets);
    match (view.omits)(&at, &shown) {
        true => object.null(name),
        false => object.raw(name, shown.as_bytes()),
    }
}

/// An object with a list of values for each name. Names are in order, so that those of one name follow each other.
fn headers_json(headers: &[(String, String)]) -> String {
    let mut json = Vec::new();
    let mut object = Object::begin(&mut json);
    for fields in headers.chunk_by(|(one, _), (other, _)| one == other) {
        let values = fields.iter().map(|(_, value)| value);
        write_array(object.key(&fields[0].0), values, |out, value| {
            write_string(out, value);
        });
    }
    object.end();
    String::from_utf8(json).unwrap_or_default()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
