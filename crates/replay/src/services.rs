//! Other services as a tape knows them: a request of another guest gets the response to the recorded request that it repeats.

use super::{
    overlay::OnMiss, recording_error::RecordingError, values_left::ValuesLeft, view::View,
};
use contract::http::Request;
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

/// Headers by which servers and frameworks let a request ask for another method than its own.
const METHOD_OVERRIDES: [&str; 3] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// Whether a request asks for nothing to be done. The author of a tape chooses what a guest sends, and the host sends it with its own secrets:
/// so neither a body nor a header may say more than the method does.
fn is_harmless(request: &OutgoingRequest) -> bool {
    let overrides = |name: &str| {
        // Gateways between programs and their servers make one of `-` and `_`.
        let name = name.to_ascii_lowercase().replace('_', "-");
        METHOD_OVERRIDES.contains(&&*name)
    };
    SAFE_METHODS.contains(&&*request.method)
        && request.body.is_empty()
        && !request.headers.iter().any(|(name, _)| overrides(name))
}

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
    /// For what the guest sends.
    values_left: ValuesLeft,
    /// What was redacted in the guest's requests.
    secrets: Secrets,
    /// What sends requests to the real services while the guest handles this request of its client, if that is not [`RecordedServices::live`].
    live_for_client: Option<Arc<dyn OutgoingHttp>>,
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
        let mut values_left = ValuesLeft::default();
        let recorded = |record: &OutgoingRecord<'_>| {
            Ok(Recorded {
                request: record.recorded_request()?,
                normal: normal_request(record.request.get(), &mut values_left),
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
        match (self.on_miss, &self.live) {
            (OnMiss::Absent, _) => {}
            (OnMiss::Live, Some(live)) if is_harmless(&request) => {
                let for_client = self.lock().live_for_client.clone();
                let live = for_client.as_ref().unwrap_or(live);
                return live.send(request, deadline).await;
            }
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
    /// This object still answers, because it is asked afterwards what was sent.
    fn for_client(&self, request: &Request) -> Option<Arc<dyn OutgoingHttp>> {
        let live = self.live.as_ref()?;
        self.lock().live_for_client = live.for_client(request);
        None
    }

    async fn send(
        &self,
        request: OutgoingRequest,
        deadline: Instant,
    ) -> Result<OutgoingResponse, OutgoingError> {
        let shown = self.shown(&request);
        let identity = identity(&shown);
        let normal = {
            let mut state = self.lock();
            let normal = normal_request(&shown, &mut state.values_left);
            state.sent.requests.push(normal.clone());
            normal
        };
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
    let mut values_left = ValuesLeft::default();
    let requests = exchange.outgoing.iter();
    requests
        .map(|record| normal_request(record.request.get(), &mut values_left))
        .collect()
}

/// Method and URL of a request as a tape shows it.
fn identity(shown: &str) -> RecordedOutgoingRequest {
    // The text was written as an object of texts.
    let members = json::members(shown).unwrap_or_default();
    let member = |name: &str| {
        let member = members.iter().find(|(found, _)| found == name);
        let text = member.and_then(|(_, value)| json::string(value).ok());
        text.unwrap_or_default().into_owned()
    };
    RecordedOutgoingRequest {
        method: member("method"),
        url: member("url"),
    }
}

/// A request as it is compared: with its body as JSON, if it is JSON. Requests that have more values together than are read into trees are
/// compared as texts.
fn normal_request(text: &str, values_left: &mut ValuesLeft) -> Value {
    let mut request = values_left.read_or_text(text);
    if let Some(body) = request.get_mut("body")
        && let Some(text) = body.as_str()
        && text.starts_with(['{', '['])
        && let Some(parsed) = values_left.read(text)
    {
        *body = parsed;
    }
    request
}

#[cfg(test)]
mod tests;
