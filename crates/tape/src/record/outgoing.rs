//! The guest's view of other services, with every exchange noted.

use super::{
    Omitted, RecordOptions, RecordingStorage,
    calls::{Noted, microseconds},
    exchanges::NotedExchange,
};
use crate::{
    outgoing::{MessageView, write_request, write_result},
    redact::Redaction,
};
use contract::limits::TAPE_OUTGOING_BYTES_MAX;
use json::Object;
use outgoing::{OutgoingError, OutgoingHttp, OutgoingRequest, OutgoingResponse};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Passes requests on, and notes them with their results.
pub struct RecordingOutgoing {
    inner: Arc<dyn OutgoingHttp>,
    options: Arc<RecordOptions>,
    started: Instant,
    noted: Arc<Mutex<Noted>>,
}

/// Where the result of a request belongs; `None` if the request is not recorded.
type Position = Option<usize>;

impl RecordingOutgoing {
    /// A view of `inner` that notes exchanges beside a request's storage calls.
    pub(super) fn new(
        inner: Arc<dyn OutgoingHttp>,
        options: Arc<RecordOptions>,
        calls: &RecordingStorage,
    ) -> Self {
        Self {
            inner,
            options,
            started: calls.started,
            noted: calls.noted.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_request(&self, request: &OutgoingRequest, started: Instant) -> Position {
        let mut noted = self.lock();
        let noted = &mut *noted;
        let after = noted.count.saturating_add(noted.omitted_count);
        let position = noted.outgoing.exchanges.len();
        let mut text = Vec::new();
        let mut object = Object::begin(&mut text);
        object.number("after", after.into());
        object.number("at_us", microseconds(self.started, started));
        let out = object.name("request");
        let at = format!("/outgoing/{position}/request");
        self.view(noted, at, |view| write_request(out, request, view));
        // The result completes the object.
        let bytes = noted.outgoing.bytes + text.len();
        // After the first exchange that is not recorded, no further ones are, because a replay would take the next one for it.
        if noted.outgoing.omitted_count > 0 || bytes > TAPE_OUTGOING_BYTES_MAX {
            noted.outgoing.omitted_count += 1;
            return None;
        }
        noted.outgoing.bytes = bytes;
        noted.outgoing.exchanges.push(NotedExchange { text });
        Some(position)
    }

    fn note_result(
        &self,
        position: Position,
        started: Instant,
        result: Result<&OutgoingResponse, &OutgoingError>,
    ) {
        let mut noted = self.lock();
        let noted = &mut *noted;
        let mut text = b",\"result\":".to_vec();
        let at = format!("/outgoing/{}/result", position.unwrap_or_default());
        self.view(noted, at, |view| write_result(&mut text, result, view));
        text.extend_from_slice(b",\"us\":");
        json::write_number(&mut text, microseconds(started, Instant::now()));
        let exchanges = &mut noted.outgoing;
        let Some(exchange) = position.and_then(|position| exchanges.exchanges.get_mut(position))
        else {
            return;
        };
        exchanges.bytes += text.len();
        exchange.text.extend_from_slice(&text);
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
        let redaction: &Redaction = &self.options.redaction;
        let room = TAPE_OUTGOING_BYTES_MAX.saturating_sub(outgoing.bytes);
        let bytes_max = self.options.text_bytes_max.min(room);
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
