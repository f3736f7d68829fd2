//! The guest's view of other services, with every exchange noted.

use super::{
    Omitted, RecordingStorage,
    calls::{Noted, Notes, microseconds},
    exchanges::NotedExchange,
};
use crate::{
    outgoing::{MessageView, write_request, write_result},
    redact::{Marks, Redaction},
};
use contract::limits::TAPE_OUTGOING_BYTES_MAX;
use json::Object;
use outgoing::{OutgoingError, OutgoingHttp, OutgoingRequest, OutgoingResponse};
use std::{sync::Arc, time::Instant};

/// Passes requests on, and notes them with their results.
pub struct RecordingOutgoing {
    inner: Arc<dyn OutgoingHttp>,
    notes: Notes,
}

/// Where the result of a request belongs; `None` if the request is not recorded.
type Position = Option<usize>;

impl RecordingOutgoing {
    /// A view of `inner` that notes exchanges beside a request's storage calls.
    pub(super) fn new(inner: Arc<dyn OutgoingHttp>, calls: &RecordingStorage) -> Self {
        Self {
            inner,
            notes: calls.notes.clone(),
        }
    }

    fn note_request(&self, request: &OutgoingRequest, started: Instant) -> Position {
        let mut noted = self.notes.lock();
        let noted = &mut *noted;
        let after = noted.count.saturating_add(noted.omitted_count);
        let position = noted.outgoing.exchanges.len();
        let mut text = Vec::new();
        // After the first exchange that is not recorded, no further ones are, because a replay would take the next one for it.
        if noted.outgoing.omitted_count > 0
            || noted.outgoing.bytes + bytes_max(request) > TAPE_OUTGOING_BYTES_MAX
        {
            noted.outgoing.omitted_count += 1;
            self.learn(noted, |view| write_request(&mut text, request, view));
            return None;
        }
        let mut object = Object::begin(&mut text);
        object.number("after", after.into());
        object.number("at_us", microseconds(self.notes.started, started));
        let out = object.name("request");
        let at = format!("/outgoing/{position}/request");
        self.view(noted, at, |view| write_request(out, request, view));
        // The result completes the object.
        noted.outgoing.bytes += text.len();
        noted.outgoing.exchanges.push(NotedExchange { text });
        Some(position)
    }

    fn note_result(
        &self,
        position: Position,
        started: Instant,
        result: Result<&OutgoingResponse, &OutgoingError>,
    ) {
        let mut noted = self.notes.lock();
        let noted = &mut *noted;
        let mut text = b",\"result\":".to_vec();
        let Some(position) = position else {
            self.learn(noted, |view| write_result(&mut text, result, view));
            return;
        };
        let at = format!("/outgoing/{position}/result");
        self.view(noted, at, |view| write_result(&mut text, result, view));
        text.extend_from_slice(b",\"us\":");
        json::write_number(&mut text, microseconds(started, Instant::now()));
        let exchanges = &mut noted.outgoing;
        let Some(exchange) = exchanges.exchanges.get_mut(position) else {
            return;
        };
        exchanges.bytes += text.len();
        exchange.text.extend_from_slice(&text);
    }

    /// Collects what would be redacted in a message that is not recorded, because the guest may copy it elsewhere.
    fn learn(&self, noted: &mut Noted, write: impl FnOnce(&mut MessageView<'_>)) {
        write(&mut MessageView {
            redaction: &self.notes.options.redaction,
            at: String::new(),
            marks: &mut Marks::default(),
            secrets: Some(&mut noted.secrets),
            omits: &mut |_, _| false,
        });
    }

    /// Lets `write` write a message whose place is `at`.
    fn view(&self, noted: &mut Noted, at: String, write: impl FnOnce(&mut MessageView<'_>)) {
        let Noted {
            marks,
            secrets,
            omitted,
            outgoing,
            ..
        } = noted;
        let redaction: &Redaction = &self.notes.options.redaction;
        let room = TAPE_OUTGOING_BYTES_MAX.saturating_sub(outgoing.bytes);
        let bytes_max = self.notes.options.text_bytes_max.min(room);
        write(&mut MessageView {
            redaction,
            at,
            marks,
            secrets: Some(secrets),
            omits: &mut |at, body| {
                let is_omitted = body.len() > bytes_max;
                if is_omitted {
                    // As for documents: of what is redacted.
                    omitted.push(Omitted::new(at.to_owned(), body));
                }
                is_omitted
            },
        });
    }
}

#[async_trait::async_trait]
impl OutgoingHttp for RecordingOutgoing {
    async fn send(
        &self,
        request: OutgoingRequest,
        deadline: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        let started = Instant::now();
        let position = self.note_request(&request, started);
        let result = self.inner.send(request, deadline).await;
        let result = result.map(OutgoingResponse::in_order);
        self.note_result(position, started, result.as_ref());
        result
    }
}

/// An upper bound of a written request without its body, which has a bound of its own. A guest may pass what the client then refuses.
fn bytes_max(request: &OutgoingRequest) -> usize {
    let headers = request.headers.iter();
    let texts = headers.map(|(name, value)| name.len() + value.len() + 8);
    // Six bytes for a control character.
    6 * (request.method.len() + request.url.len() + texts.sum::<usize>()) + 128
}
