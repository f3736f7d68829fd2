//! Secrets as a tape knows them: a call of another guest gets the result of the recorded call that it repeats. Calls change nothing, so their order
//! and number have no meaning.

use super::{overlay::OnMiss, recording_error::RecordingError, view::View};
use secrets::{GuestSecrets, SecretError, SecretFunction, SecretRequest, SecretResponse};
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tape::{
    Exchange, SecretCallRecord,
    redact::Secrets,
    secret_calls::{RecordedSecretRequest, read_result, shown_request},
};

/// A call on the tape, whose result is read anew each time that it is given: values are not copied.
struct Recorded {
    request: RecordedSecretRequest,
    result: Option<String>,
}

/// The secrets of one replayed request.
pub(super) struct RecordedSecrets {
    calls: Vec<Recorded>,
    on_miss: OnMiss,
    live: Option<Arc<dyn GuestSecrets>>,
    view: View,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Calls that the tape cannot answer.
    misses: Vec<String>,
    /// What was redacted in the guest's calls.
    secrets: Secrets,
}

impl RecordedSecrets {
    pub(super) fn new(
        exchange: &Exchange<'_>,
        on_miss: OnMiss,
        live: Option<Arc<dyn GuestSecrets>>,
        view: View,
    ) -> Result<Self, RecordingError> {
        let recorded = |record: &SecretCallRecord<'_>| {
            // Whether the result can be read, too.
            if let Some(Err(error)) = record.read_result() {
                return Err(RecordingError::Secret(error));
            }
            Ok(Recorded {
                request: record.recorded_request().map_err(RecordingError::Secret)?,
                result: record.result.map(|result| result.get().to_owned()),
            })
        };
        let calls: Result<_, RecordingError> = exchange.secrets.iter().map(recorded).collect();
        Ok(Self {
            calls: calls?,
            on_miss,
            live,
            view,
            state: Mutex::default(),
        })
    }

    /// The calls that the tape could not answer.
    pub(super) fn take_misses(&self) -> Vec<String> {
        mem::take(&mut self.lock().misses)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request as the tape would show it.
    fn shown(&self, request: &SecretRequest) -> Option<RecordedSecretRequest> {
        let (redaction, secrets) = (self.view.redaction(), &mut self.lock().secrets);
        let omits = &mut |_: &str, message: &str| self.view.is_omitted(message);
        let shown = shown_request(request, false, redaction, String::new(), secrets, omits);
        RecordedSecretRequest::read(&shown).ok()
    }

    /// The recorded result of the same call.
    fn find(&self, shown: &RecordedSecretRequest) -> Option<Result<SecretResponse, SecretError>> {
        let is_same = |recorded: &&Recorded| {
            let RecordedSecretRequest {
                function,
                name,
                algorithm,
                message,
                tag,
            } = &recorded.request;
            let is_message = *message == shown.message;
            let is_tag = *tag == shown.tag || recorded.request.is_tag_redacted();
            let is_named =
                (function, name, algorithm) == (&shown.function, &shown.name, &shown.algorithm);
            is_named && is_message && is_tag
        };
        let found = self.calls.iter().find(is_same)?;
        read_result(&found.request, found.result.as_deref()?).ok()
    }

    /// Signing and verifying asks for nothing to be done; a value would reach what the replay writes.
    async fn miss(
        &self,
        request: SecretRequest,
        shown: &RecordedSecretRequest,
        deadline: Instant,
    ) -> Result<SecretResponse, SecretError> {
        let is_harmless = match request.function() {
            SecretFunction::Sign | SecretFunction::Verify => true,
            SecretFunction::Reveal => false,
        };
        match (self.on_miss, &self.live) {
            (OnMiss::Absent, _) => {}
            (OnMiss::Live, Some(live)) if is_harmless => {
                return live.perform(request, deadline).await;
            }
            (OnMiss::Fail | OnMiss::Live, _) => self.lock().misses.push(shown.to_string()),
        }
        Err(SecretError::Unavailable(
            "the tape has no result".to_owned(),
        ))
    }
}

#[async_trait::async_trait]
impl GuestSecrets for RecordedSecrets {
    async fn perform(
        &self,
        request: SecretRequest,
        deadline: Instant,
    ) -> Result<SecretResponse, SecretError> {
        let Some(shown) = self.shown(&request) else {
            return Err(SecretError::unknown(request.name()));
        };
        match self.find(&shown) {
            Some(result) => result,
            None => self.miss(request, &shown, deadline).await,
        }
    }
}
