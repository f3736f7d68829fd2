//! The guest's view of its secrets, with every call noted.

use super::{
    Omitted, RecordingStorage,
    calls::{Notes, microseconds},
    secret_calls::NotedSecretCall,
};
use crate::{
    outgoing::MessageView,
    redact::Marks,
    secret_calls::{NotedResult, write_request},
};
use contract::limits::TAPE_SECRETS_BYTES_MAX;
use json::Object;
use secrets::{GuestSecrets, SecretError, SecretRequest, SecretResponse};
use std::{sync::Arc, time::Instant};

/// Passes calls on, and notes them with their results.
pub struct RecordingSecrets {
    inner: Arc<dyn GuestSecrets>,
    notes: Notes,
}

impl RecordingSecrets {
    /// A view of `inner` that notes calls beside a request's storage calls.
    pub(super) fn new(inner: Arc<dyn GuestSecrets>, calls: &RecordingStorage) -> Self {
        Self {
            inner,
            notes: calls.notes.clone(),
        }
    }

    /// Returns where the result belongs; `None` if the call is not recorded.
    fn note_request(&self, request: &SecretRequest, started: Instant) -> Option<usize> {
        let mut noted = self.notes.lock();
        let noted = &mut *noted;
        let after = noted.count.saturating_add(noted.omitted_count);
        let room = TAPE_SECRETS_BYTES_MAX.saturating_sub(noted.secret_calls.bytes);
        let position = noted.secret_calls.calls.len();
        // After the first call that is not recorded, no further ones are, because a replay would take the next one for it.
        let is_recorded = noted.secret_calls.omitted_count == 0 && room > 0;
        let mut text = Vec::new();
        let mut object = Object::begin(&mut text);
        object.number("after", after.into());
        object.number("at_us", microseconds(self.notes.started, started));
        let out = object.name("request");
        let bytes_max = self.notes.options.text_bytes_max.min(room);
        let (mut ignored_marks, mut ignored) = (Marks::default(), Vec::new());
        let (marks, omitted) = match is_recorded {
            true => (&mut noted.marks, &mut noted.omitted),
            false => (&mut ignored_marks, &mut ignored),
        };
        let mut view = MessageView {
            redaction: &self.notes.options.redaction,
            at: format!("/secrets/{position}/request"),
            marks,
            // Also of a call that is not recorded, because the guest may copy it elsewhere.
            secrets: Some(&mut noted.secrets),
            omits: &mut |at, message| {
                let is_omitted = message.len() > bytes_max;
                if is_omitted {
                    // As for documents: of what is redacted.
                    omitted.push(Omitted::new(at.to_owned(), message));
                }
                is_omitted
            },
        };
        let tag = write_request(out, request, &mut view).map(<[u8]>::to_vec);
        if !is_recorded {
            noted.secret_calls.omitted_count += 1;
            return None;
        }
        noted.secret_calls.bytes += text.len() + 2 * tag.as_ref().map_or(0, Vec::len);
        noted.secret_calls.calls.push(NotedSecretCall {
            text,
            tag,
            result: None,
        });
        Some(position)
    }

    fn note_result(
        &self,
        position: Option<usize>,
        started: Instant,
        result: Result<&SecretResponse, &SecretError>,
    ) {
        let mut noted = self.notes.lock();
        if let Ok(SecretResponse::Revealed(value)) = result {
            noted.secrets.add_revealed(value.expose());
        }
        let calls = &mut noted.secret_calls.calls;
        if let Some(call) = position.and_then(|position| calls.get_mut(position)) {
            let us = microseconds(started, Instant::now());
            call.result = Some((NotedResult::of(result), us));
        }
    }
}

#[async_trait::async_trait]
impl GuestSecrets for RecordingSecrets {
    async fn perform(
        &self,
        request: SecretRequest,
        deadline: Instant,
    ) -> Result<SecretResponse, SecretError> {
        let started = Instant::now();
        let position = self.note_request(&request, started);
        let result = self.inner.perform(request, deadline).await;
        self.note_result(position, started, result.as_ref());
        result
    }
}
