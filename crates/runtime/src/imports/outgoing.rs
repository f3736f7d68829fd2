//! `tenon:handler/outgoing`. The port decides what may be sent; only what a request may use is counted here.

use super::{
    RequestState,
    bindings::tenon::handler::{http::Field, outgoing as wit},
};
use contract::outcome::Stop;
use outgoing::{OutgoingError, OutgoingRequest, OutgoingResponse, send_all};
use std::time::{Duration, Instant};

impl wit::Host for RequestState {
    async fn send(
        &mut self,
        request: wit::Request,
    ) -> wasmtime::Result<Result<wit::Response, wit::Error>> {
        let answer = self.exchange(vec![request.into()]).await?.pop();
        let answer = answer.unwrap_or_else(|| {
            let detail = "the host gave no answer".to_owned();
            Err(OutgoingError::OutcomeUnknown(detail))
        });
        Ok(answer.map(Into::into).map_err(Into::into))
    }
}

impl RequestState {
    /// Sends requests, all at the same time, and waits for every response.
    pub(in crate::imports) async fn exchange(
        &mut self,
        requests: Vec<OutgoingRequest>,
    ) -> Result<Vec<Result<OutgoingResponse, OutgoingError>>, Stop> {
        for request in &requests {
            self.meter.count_outgoing_call(request.body.len())?;
        }
        let started = Instant::now();
        let answers = send_all(&*self.outgoing, requests, self.deadline).await;
        self.meter.outgoing_duration += started.elapsed();
        for answer in answers.iter().flatten() {
            self.meter.count_outgoing_bytes(answer.body.len())?;
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
