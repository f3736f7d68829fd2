//! One invocation: event in, answer or error out.

use crate::{
    channel,
    init::Ready,
    invocation::{TimeAndSeed, TimeAndSeedSource, deadline, now_ms},
    output::Output,
};
use contract::{log::LogLevel, outcome::Answer};
use gateway::EventError;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use rollout::Follower;
use serde::{Deserialize, Deserializer};
use serde_json::{json, value::RawValue};
use service::{Invocation, Recorder, Service};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use telemetry::{Ids, Report, Trace};

/// Answers invocations.
pub struct Handler<S> {
    service: Service,
    follower: Option<Follower>,
    recorder: Option<Recorder>,
    output: Arc<Output>,
    source: S,
    is_cold: AtomicBool,
}

/// An event as received. Invalid JSON is kept, so that it gets an error of our own.
pub enum Payload {
    /// One JSON value, not parsed.
    Json(Box<RawValue>),
    /// Why it is invalid.
    NotJson(String),
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Box::<RawValue>::deserialize(deserializer) {
            Ok(json) => Self::Json(json),
            Err(error) => Self::NotJson(error.to_string()),
        })
    }
}

/// An invocation without a response, for callers other than gateways. A gateway answers with 502.
#[derive(Debug)]
pub struct InvocationError {
    /// The error type, by which callers distinguish errors.
    kind: &'static str,
    reason: String,
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        Self {
            error_type: error.kind.to_owned(),
            error_message: error.reason,
        }
    }
}

impl<S: TimeAndSeedSource> Handler<S> {
    /// Ready for the first invocation.
    pub fn new(ready: Ready, recorder: Option<Recorder>, output: Arc<Output>, source: S) -> Self {
        Self {
            service: ready.service,
            follower: ready.follower,
            recorder,
            output,
            source,
            is_cold: AtomicBool::new(true),
        }
    }

    /// Answers one invocation and writes its lines.
    pub async fn handle(
        &self,
        LambdaEvent { payload, context }: LambdaEvent<Payload>,
    ) -> Result<Box<RawValue>, InvocationError> {
        let started = Instant::now();
        let trace = context.xray_trace_id.as_deref().and_then(Trace::parse);
        let answered = match payload {
            Payload::Json(event) => {
                self.answer(event.get().as_bytes(), &context, trace.as_ref(), started)
                    .await
            }
            Payload::NotJson(reason) => Err(InvocationError {
                kind: "Tenon.NotJson",
                reason: format!("event is not JSON: {reason}"),
            }),
        };
        answered.inspect_err(|error| {
            let ids = Ids {
                request_id: Some(&context.request_id),
                trace_id: trace.as_ref().map(Trace::root),
                ..Ids::default()
            };
            let members = [
                ("errorType", json!(error.kind)),
                ("error", json!(error.reason)),
            ];
            self.output
                .note_about(&ids, LogLevel::Error, "invocation refused", &members);
        })
    }

    async fn answer(
        &self,
        event: &[u8],
        context: &Context,
        trace: Option<&Trace>,
        started: Instant,
    ) -> Result<Box<RawValue>, InvocationError> {
        let clock_ms = now_ms();
        let TimeAndSeed {
            received_at_ms,
            seed,
        } = self.source.of(event).map_err(|_| InvocationError {
            kind: "Tenon.NoRandomness",
            reason: "failed to get random numbers from the operating system".to_owned(),
        })?;
        let duration_max = self.service.limits().request_duration_max;
        let deadline = deadline(context.deadline, clock_ms, started, duration_max);
        let invocation = Invocation {
            received_at_ms,
            seed,
            deadline,
            trace_header: trace.map(|trace| trace.header().to_owned()),
        };
        let (answered, tape) = match &self.recorder {
            Some(recorder) => recorder.invoke(&self.service, event, invocation).await,
            None => (self.service.invoke(event, invocation).await, None),
        };
        if let Some(line) = tape {
            self.output.tape(line);
        }
        let Answer { payload, summary } = answered.map_err(rejection)?;
        self.output.request(&Report {
            summary: &summary,
            request_id: &context.request_id,
            trace,
            received_at_ms: clock_ms,
            total_duration: started.elapsed(),
            is_cold_start: self.is_cold.swap(false, Ordering::Relaxed),
            channel: self
                .follower
                .as_ref()
                .map(|follower| channel::report(follower, &self.output, clock_ms)),
        });
        // The response of a service is JSON.
        let json = String::from_utf8(payload).ok().map(RawValue::from_string);
        json.and_then(Result::ok).ok_or_else(|| InvocationError {
            kind: "Tenon.Internal",
            reason: "the host's response is not JSON".to_owned(),
        })
    }
}

fn rejection(rejection: EventError) -> InvocationError {
    let kind = match &rejection {
        EventError::NotJson { .. } => "Tenon.NotJson",
        EventError::NotHttp(_) => "Tenon.NotHttp",
        // A service answers these cases itself.
        EventError::Http(_) => "Tenon.Refused",
    };
    InvocationError {
        kind,
        reason: rejection.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Payload {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_event_is_taken_as_it_came() {
        let text = r#"{ "a": 1.0000000000000000000000001, "b": [] }"#;
        assert!(matches!(read(text), Payload::Json(json) if json.get() == text));
    }

    #[test]
    fn what_is_not_json_is_an_event_too() {
        let mut deserializer = serde_json::Deserializer::from_str("{\"a\": secret}");
        let payload = Payload::deserialize(&mut deserializer).unwrap();
        let Payload::NotJson(reason) = payload else {
            panic!("it was read")
        };
        assert_eq!(reason, "expected value at line 1 column 7");
    }
}
