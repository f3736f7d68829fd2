//! Other services in a strict replay: compares each request with the tape's and returns the tape's result. Nothing is sent.

use super::storage::{Divergence, StrictStorage, is_same_value};
use contract::{count::counted, digest::Digest};
use outgoing::{OutgoingError, OutgoingHttp, OutgoingRequest, OutgoingResponse};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use tape::{Exchange, OutgoingRecord, OutgoingResultError, outgoing::shown_request};

/// An exchange on the tape.
struct Recorded {
    after: usize,
    request: String,
    /// Method and URL, for messages.
    named: String,
    result: Option<Result<Result<OutgoingResponse, OutgoingError>, OutgoingResultError>>,
}

/// Answers from the tape.
pub(super) struct StrictOutgoing {
    /// Has the first difference of the whole replay.
    storage: Arc<StrictStorage>,
    exchanges: Vec<Recorded>,
    next: AtomicUsize,
}

impl StrictOutgoing {
    pub(super) fn new(storage: &Arc<StrictStorage>, exchange: &Exchange<'_>) -> Self {
        let recorded = |record: &OutgoingRecord<'_>| Recorded {
            after: record.after as usize,
            request: record.request.get().to_owned(),
            named: match record.recorded_request() {
                Ok(request) => format!("{} {}", request.method, request.url),
                Err(error) => error.to_string(),
            },
            result: record.read_result(),
        };
        Self {
            storage: storage.clone(),
            exchanges: exchange.outgoing.iter().map(recorded).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// What is said about the first recorded request that the guest did not make.
    pub(super) fn missing(&self) -> Option<String> {
        let next = self.next.load(Ordering::Relaxed);
        let recorded = self.exchanges.get(next)?;
        let (number, named) = (next + 1, &recorded.named);
        Some(format!(
            "outgoing request {number}: the tape has `{named}`, the guest made no further request"
        ))
    }

    /// The request as the recorder would have written it.
    fn written(&self, position: usize, request: &OutgoingRequest) -> String {
        let storage = &self.storage;
        let at = format!("/outgoing/{position}/request");
        let secrets = &mut storage.secrets();
        shown_request(request, &storage.redaction, at, secrets, &mut |at, body| {
            let digest = storage.omitted_at(at);
            digest.is_some_and(|digest| digest == Digest::of(body.as_bytes()))
        })
    }

    /// Compares a request with the next one on the tape.
    fn check(&self, request: &OutgoingRequest) -> Result<&Recorded, Divergence> {
        let position = self.next.fetch_add(1, Ordering::Relaxed);
        let number = position + 1;
        let text = self.written(position, request);
        let Some(recorded) = self.exchanges.get(position) else {
            return Err(Divergence::said(format!(
                "outgoing request {number}: the guest sent `{} {}`, the tape has {}",
                request.method,
                self.storage.redaction.shown_url(&request.url),
                counted(position, "outgoing request", "outgoing requests")
            )));
        };
        if recorded.request != text && !is_same_value(&recorded.request, text.as_bytes()) {
            let what = format!("outgoing request {number}");
            return Err(Divergence::of_arguments(&what, &recorded.request, &text));
        }
        let what = format!("outgoing request {number}");
        self.storage.check_after(&what, "sent", recorded.after)?;
        Ok(recorded)
    }
}

/// What follows a difference has no meaning.
fn meaningless() -> OutgoingError {
    OutgoingError::Unreachable("the replay has ended".to_owned())
}

#[async_trait::async_trait]
impl OutgoingHttp for StrictOutgoing {
    async fn send(
        &self,
        request: OutgoingRequest,
        _: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        if self.storage.is_over() {
            return Err(meaningless());
        }
        let recorded = match self.check(&request) {
            Ok(recorded) => recorded,
            Err(divergence) => {
                self.storage.diverge(divergence);
                return Err(meaningless());
            }
        };
        let number = self.next.load(Ordering::Relaxed);
        let what = format!("outgoing request {number}");
        let result = recorded.result.as_ref().map(|result| result.as_ref());
        match self.storage.give(&what, result).await {
            Some(result) => result.clone(),
            None => Err(meaningless()),
        }
    }
}
