//! Requests that are answered and recorded.

use crate::{Arrival, Deployment, Service};
use contract::outcome::Answer;
use gateway::Rejection;
use runtime::RuntimeOptions;
use std::sync::Arc;
use storage::Storage;
use tape::{RecordedHost, RecordedRequest, Recorder, is_failure};

/// [`Service::invoke`], and the line of tape for this request, without a line break at its end, if one is wanted.
///
/// An event that is not an HTTP request is not recorded: no guest answers it, and events of other services may contain anything.
pub async fn invoke_recorded(
    recorder: &Recorder,
    service: &Service,
    event: &[u8],
    arrival: Arrival,
) -> (Result<Answer, Rejection>, Option<Vec<u8>>) {
    let policy = recorder.options().policy;
    let is_sampled = policy.samples(&arrival.seed);
    if !is_sampled && !policy.wants_failures() {
        return (service.invoke(event, arrival).await, None);
    }
    let request = RecordedRequest {
        event,
        received_at_ms: arrival.received_at_ms,
        seed: arrival.seed.clone(),
    };
    let mut asked = None;
    let view = |deployment: &Deployment| -> Arc<dyn Storage> {
        let storage = Arc::new(recorder.view(deployment.storage().clone()));
        asked = Some((deployment.runtime().options().clone(), storage.clone()));
        storage
    };
    let answer = service.invoke_with(event, arrival, view).await;
    if !is_sampled && !is_failure(&answer) {
        return (answer, None);
    }
    // If a request was refused without calling a guest, only the limits applied.
    let (options, storage) = match asked {
        Some((options, storage)) => (options, Some(storage)),
        None => {
            let limits = service.limits();
            let options = RuntimeOptions {
                limits,
                ..RuntimeOptions::default()
            };
            (options, None)
        }
    };
    let host = RecordedHost {
        base_path: service.base_path(),
        limits: options.limits,
        log_level: options.log_level,
        environment: &options.environment,
    };
    let line = recorder.line(&host, &request, storage.as_deref(), &answer);
    (answer, line)
}
