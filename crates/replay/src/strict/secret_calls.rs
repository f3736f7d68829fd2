//! Secrets in a strict replay: compares each call with the tape's and returns the tape's result. No secret is read.

use super::storage::{Divergence, StrictStorage, is_same_value};
use contract::{count::counted, digest::Digest};
use secrets::{GuestSecrets, SecretError, SecretRequest, SecretResponse};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use tape::{
    Exchange, SecretCallRecord, SecretResultError,
    secret_calls::{RecordedSecretRequest, shown_request},
};

type Answer = Result<SecretResponse, SecretError>;

/// A call on the tape.
struct Recorded {
    after: usize,
    request: String,
    identity: Result<RecordedSecretRequest, SecretResultError>,
    /// Taken when it is given: a call gets its result once.
    result: Mutex<Option<Result<Answer, SecretResultError>>>,
}

/// Answers from the tape.
pub(super) struct StrictSecrets {
    /// Has the first difference of the whole replay.
    storage: Arc<StrictStorage>,
    calls: Vec<Recorded>,
    next: AtomicUsize,
    /// Places of messages that could not be redacted.
    left_out: Vec<String>,
}

impl StrictSecrets {
    pub(super) fn new(storage: &Arc<StrictStorage>, exchange: &Exchange<'_>) -> Self {
        let recorded = |record: &SecretCallRecord<'_>| Recorded {
            after: record.after as usize,
            request: record.request.get().to_owned(),
            identity: record.recorded_request(),
            result: Mutex::new(record.read_result()),
        };
        let redacted = exchange.redacted.iter();
        let left_out = redacted.flat_map(|redacted| redacted.left_out.iter());
        Self {
            storage: storage.clone(),
            calls: exchange.secrets.iter().map(recorded).collect(),
            next: AtomicUsize::new(0),
            left_out: left_out.map(|place| place.clone().into_owned()).collect(),
        }
    }

    /// What is said about the first recorded call that the guest did not make.
    pub(super) fn missing(&self) -> Option<String> {
        let next = self.next.load(Ordering::Relaxed);
        let number = next + 1;
        let named = match &self.calls.get(next)?.identity {
            Ok(identity) => identity.to_string(),
            Err(error) => error.to_string(),
        };
        Some(format!(
            "secret call {number}: the tape has `{named}`, the guest made no further call"
        ))
    }

    /// The request as the recorder would have written it.
    fn written(&self, position: usize, request: &SecretRequest) -> String {
        let storage = &self.storage;
        let at = format!("/secrets/{position}/request");
        let identity = self.calls.get(position).map(|call| &call.identity);
        let is_tag_redacted = matches!(identity, Some(Ok(identity)) if identity.is_tag_redacted());
        let is_omitted = &mut |at: &str, message: &str| {
            self.left_out.iter().any(|place| place == at)
                || storage
                    .omitted_at(at)
                    .is_some_and(|digest| digest == Digest::of(message.as_bytes()))
        };
        let (redaction, secrets) = (&storage.redaction, &mut storage.secrets());
        shown_request(request, is_tag_redacted, redaction, at, secrets, is_omitted)
    }

    /// Compares a call with the next one on the tape.
    fn check(&self, number: usize, request: &SecretRequest) -> Result<&Recorded, Divergence> {
        let position = number - 1;
        let text = self.written(position, request);
        let Some(recorded) = self.calls.get(position) else {
            return Err(Divergence::said(format!(
                "secret call {number}: the guest called `{}`, the tape has {}",
                named(&text),
                counted(position, "call about secrets", "calls about secrets")
            )));
        };
        if recorded.request != text && !is_same_value(&recorded.request, text.as_bytes()) {
            let called = named(&text);
            return Err(match &recorded.identity {
                Ok(identity) if identity.to_string() == called => {
                    let what = format!("secret call {number}, `{called}`");
                    Divergence::of_arguments(&what, &recorded.request, &text)
                }
                Ok(identity) => Divergence::said(format!(
                    "secret call {number}: the tape has `{identity}`, the guest called `{called}`"
                )),
                Err(error) => Divergence::said(format!("secret call {number}: {error}")),
            });
        }
        let what = format!("secret call {number}");
        self.storage.check_after(&what, "made", recorded.after)?;
        Ok(recorded)
    }
}

/// A request that was just written, by names only.
fn named(text: &str) -> String {
    match RecordedSecretRequest::read(text) {
        Ok(identity) => identity.to_string(),
        Err(error) => error.to_string(),
    }
}

/// What follows a difference has no meaning.
fn meaningless() -> SecretError {
    SecretError::Unavailable("the replay has ended".to_owned())
}

#[async_trait::async_trait]
impl GuestSecrets for StrictSecrets {
    async fn perform(&self, request: SecretRequest, _: Instant) -> Answer {
        if self.storage.is_over() {
            return Err(meaningless());
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let recorded = match self.check(number, &request) {
            Ok(recorded) => recorded,
            Err(divergence) => {
                self.storage.diverge(divergence);
                return Err(meaningless());
            }
        };
        let result = recorded.result.lock();
        let result = result.unwrap_or_else(PoisonError::into_inner).take();
        let what = format!("secret call {number}");
        let given = self.storage.give(&what, result).await;
        given.unwrap_or_else(|| Err(meaningless()))
    }
}
