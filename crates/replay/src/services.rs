//! Other services as a tape knows them: a request of another guest gets the response to the recorded request that it repeats.

use super::{overlay::OnMiss, recording_error::RecordingError, view::View};
use json::Value;
use outgoing::{OutgoingError, OutgoingHttp, OutgoingRequest, OutgoingResponse};
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tape::{
    Exchange, OutgoingRecord, OutgoingResultError,
    outgoing::{RecordedOutgoingRequest, shown_request},
    redact::Secrets,
};

/// Methods that ask for nothing to be done (RFC 9110, 9.2.1): their responses may be given again, and they may be sent during a replay.
const SAFE_METHODS: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// An exchange on the tape.
struct Recorded {
    request: RecordedOutgoingRequest,
    /// The whole request in normal form.
    normal: Value,
    result: Option<Result<Result<OutgoingResponse, OutgoingError>, OutgoingResultError>>,
}

/// The other services of one replayed request.
pub(super) struct RecordedServices {
    exchanges: Vec<Recorded>,
    on_miss: OnMiss,
    live: Option<Arc<dyn OutgoingHttp>>,
    view: View,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Which exchanges' responses were given.
    given: Vec<bool>,
    sent: SentRequests,
    /// What was redacted in the guest's requests.
    secrets: Secrets,
}

/// What the guest sent.
#[derive(Default)]
pub(super) struct SentRequests {
    /// Requests in normal form, in their order.
    pub(super) requests: Vec<Value>,
    /// Requests that the tape cannot answer.
    pub(super) misses: Vec<String>,
}

impl RecordedServices {
    pub(super) fn new(
        exchange: &Exchange<'_>,
        on_miss: OnMiss,
        live: Option<Arc<dyn OutgoingHttp>>,
        view: View,
    ) -> Result<Self, RecordingError> {
        let recorded = |record: &OutgoingRecord<'_>| {
            Ok(Recorded {
                request: record.recorded_request()?,
                normal: normal_request(record.request.get()),
                result: record.read_result(),
            })
        };
        let exchanges = exchange.outgoing.iter().map(recorded);
        let exchanges: Result<_, OutgoingResultError> = exchanges.collect();
        Ok(Self {
            exchanges: exchanges.map_err(RecordingError::Outgoing)?,
            on_miss,
            live,
            view,
            state: Mutex::default(),
        })
    }

    pub(super) fn take(&self) -> SentRequests {
        mem::take(&mut self.lock().sent)
    }

    /// The request as the tape would show it.
    fn shown(&self, request: &OutgoingRequest) -> String {
        let (redaction, secrets) = (self.view.redaction(), &mut self.lock().secrets);
        shown_request(
            request,
            redaction,
            String::new(),
            secrets,
            &mut |_, body| self.view.is_omitted(body),
        )
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The exchange whose response a request gets: the first one with the same request that was not given yet, otherwise one with the same
    /// method and URL, so that a change elsewhere in the request is shown as that. A safe request may be repeated.
    fn find(&self, request: &RecordedOutgoingRequest, normal: &Value) -> Option<&Recorded> {
        let mut state = self.lock();
        let given = &mut state.given;
        given.resize(self.exchanges.len(), false);
        let is_same = |at: &usize| self.exchanges[*at].normal == *normal;
        let is_alike = |at: &usize| self.exchanges[*at].request == *request;
        let all = 0..self.exchanges.len();
        let mut new = all.clone().filter(|at| !given[*at]);
        let found = new.clone().find(is_same).or_else(|| new.find(is_alike));
        let found = match found {
            None if SAFE_METHODS.contains(&&*request.method) => all
                .clone()
                .rev()
                .find(is_same)
                .or_else(|| all.rev().find(is_alike)),
            found => found,
        };
        let found = found?;
        given[found] = true;
        self.exchanges.get(found)
    }

    async fn miss(
        &self,
        request: OutgoingRequest,
        shown: &RecordedOutgoingRequest,
        deadline: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        let is_safe = SAFE_METHODS.contains(&&*request.method);
        match (self.on_miss, &self.live) {
            (OnMiss::Absent, _) => {}
            (OnMiss::Live, Some(live)) if is_safe => return live.send(request, deadline).await,
            (OnMiss::Fail | OnMiss::Live, _) => {
                let what = format!("{} {}", shown.method, shown.url);
                self.lock().sent.misses.push(what);
            }
        }
        Err(OutgoingError::Unreachable(
            "the tape has no response".to_owned(),
        ))
    }
}

#[async_trait::async_trait]
impl OutgoingHttp for RecordedServices {
    async fn send(
        &self,
        request: OutgoingRequest,
        deadline: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        let shown = self.shown(&request);
        let normal = normal_request(&shown);
        let member = |name: &str| normal[name].as_str().unwrap_or_default().to_owned();
        let identity = RecordedOutgoingRequest {
            method: member("method"),
            url: member("url"),
        };
        self.lock().sent.requests.push(normal.clone());
        let result = self
            .find(&identity, &normal)
            .and_then(|recorded| recorded.result.as_ref());
        match result {
            Some(Ok(result)) => result.clone(),
            // What was left out is as good as what was never recorded.
            Some(Err(_)) | None => self.miss(request, &identity, deadline).await,
        }
    }
}

/// The requests of a recording in normal form.
pub(super) fn recorded_requests(exchange: &Exchange<'_>) -> Vec<Value> {
    let requests = exchange.outgoing.iter();
    requests
        .map(|record| normal_request(record.request.get()))
        .collect()
}

/// A request as it is compared: with its body as JSON, if it is JSON.
fn normal_request(text: &str) -> Value {
    let mut request = json::value(text.as_bytes()).unwrap_or_default();
    if let Some(body) = request.get_mut("body")
        && let Some(text) = body.as_str()
        && text.starts_with(['{', '['])
        && let Ok(parsed) = json::value(text.as_bytes())
    {
        *body = parsed;
    }
    request
}
