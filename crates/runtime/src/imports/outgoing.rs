//! `tenon:handler/outgoing`. The port decides what may be sent; only what a request may use is counted here.

use super::{
    RequestState,
    bindings::tenon::handler::{http::Field, outgoing as wit},
};
use contract::{deadline::end_of_calls, outcome::Stop};
use outgoing::{OutgoingError, OutgoingRequest, OutgoingResponse, send_all};
use std::time::{Duration, Instant};

impl wit::Host for RequestState {
    async fn send(
        &mut self,
        request: wit::Request,
    ) -> wasmtime::Result<Result<wit::Response, wit::Error>> {
        self.meter.count_outgoing_bytes(request.body.len())?;
        let answer = self.send_all(vec![request.into()]).await?.pop();
        let answer = answer.unwrap_or_else(|| {
            let detail = "the host gave no answer".to_owned();
            Err(OutgoingError::OutcomeUnknown(detail))
        });
        Ok(answer.map(Into::into).map_err(Into::into))
    }
}

impl RequestState {
    /// Sends requests, whose bodies are counted already, and waits for every response. They are sent at the same time as far as their responses may be kept, which the guest
    /// cannot see. They end before the guest's own time does, so that it can respond.
    pub(in crate::imports) async fn send_all(
        &mut self,
        requests: Vec<OutgoingRequest>,
    ) -> Result<Vec<Result<OutgoingResponse, OutgoingError>>, Stop> {
        for _ in &requests {
            self.meter.count_outgoing_call()?;
        }
        let mut answers = Vec::with_capacity(requests.len());
        let mut waiting = requests.into_iter().peekable();
        while waiting.peek().is_some() {
            let started = Instant::now();
            let deadline = end_of_calls(started, self.deadline);
            let together = waiting.by_ref().take(self.meter.outgoing_calls_together());
            let answered = send_all(&*self.outgoing, together.collect(), deadline).await;
            self.meter.outgoing_duration += started.elapsed();
            for answer in answered.iter().flatten() {
                self.meter.count_outgoing_bytes(answer.body.len())?;
            }
            answers.extend(answered);
        }
        Ok(answers)
    }
}

fn field(field: Field) -> (String, String) {
    (field.name, field.value)
}

impl From<wit::Request> for OutgoingRequest {
    fn from(request: wit::Request) -> Self {
        Self {
            method: request.method,
            url: request.url,
            headers: request.headers.into_iter().map(field).collect(),
            body: request.body,
            timeout: request
                .timeout_ms
                .map(|timeout_ms| Duration::from_millis(timeout_ms.into())),
        }
    }
}

impl From<OutgoingResponse> for wit::Response {
    fn from(response: OutgoingResponse) -> Self {
        let headers = response.headers.into_iter();
        Self {
            status: response.status,
            headers: headers.map(|(name, value)| Field { name, value }).collect(),
            body: response.body,
        }
    }
}

impl From<OutgoingError> for wit::Error {
    fn from(error: OutgoingError) -> Self {
        match error {
            OutgoingError::InvalidRequest(detail) => Self::InvalidRequest(detail),
            OutgoingError::NotGranted(detail) => Self::NotGranted(detail),
            OutgoingError::Unreachable(detail) => Self::Unreachable(detail),
            OutgoingError::OutcomeUnknown(detail) => Self::OutcomeUnknown(detail),
            OutgoingError::ResponseTooLarge(detail) => Self::ResponseTooLarge(detail),
        }
    }
}
