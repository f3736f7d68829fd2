//! Tapes of real requests: the guest is called with events, on its own store, and recorded.

use super::in_process;
use contract::seed::Seed;
use observation::{Case, head};
use replay::{CaseStore, exchange_seed, local_view, replay_cursor_key};
use runtime::Runtime;
use serde_json::{Value, json};
use service::{Invocation, Recorder, Service};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use storage::{Namespace, Storage};
use tape::{RecordOptions, TapePolicy};

/// The results of a case's event: the line of tape, if there is one.
pub async fn case(
    case: &Case,
    runtime: &Runtime,
    store: Arc<dyn CaseStore>,
    recorder: &Recorder,
) -> Option<Vec<u8>> {
    let before = serde_json::from_value(case.before.clone()).unwrap();
    store.load_namespace(&Namespace::local(), before).unwrap();
    case_on(case, runtime, store, recorder).await
}

/// The same on a store with the case's initial entries.
pub async fn case_on(
    case: &Case,
    runtime: &Runtime,
    storage: Arc<dyn Storage>,
    recorder: &Recorder,
) -> Option<Vec<u8>> {
    let service = Service::new(runtime.clone(), local_view(storage, replay_cursor_key()));
    let at = head(&case.event).unwrap().received_at_ms;
    let seed = exchange_seed(&Seed::new([0; 32]), 0);
    event(&service, recorder, &case.event, at, seed).await
}

/// Whether a case's event is not an HTTP request, which leaves no line.
pub fn is_refused(case: &Case) -> bool {
    case.response
        .as_ref()
        .is_some_and(|response| response.get("refusal").is_some())
}

/// Whether the request's body is missing on its line, because its names cannot be recognised, so that it cannot be replayed.
pub fn lacks_body(line: &[u8]) -> bool {
    let line: Value = serde_json::from_slice(line).unwrap();
    line["redacted"]["left_out"] == json!(["/event/body"])
}

/// One event, recorded.
pub async fn event(
    service: &Service,
    recorder: &Recorder,
    event: &[u8],
    received_at_ms: u64,
    seed: Seed,
) -> Option<Vec<u8>> {
    let invocation = Invocation {
        received_at_ms,
        seed,
        deadline: Instant::now() + Duration::from_secs(20),
        trace_header: None,
    };
    recorder.invoke(service, event, invocation).await.1
}

/// Records everything, with default redaction.
pub fn recorder() -> Recorder {
    Recorder::new(RecordOptions::new(TapePolicy::ALL))
}

/// A request as an event of an HTTP API.
pub fn http_event(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    use gateway::{
        EventKind, Origin,
        compose::{Incoming, compose},
    };
    let mut fields = vec![("host", "localhost")];
    fields.extend_from_slice(headers);
    let incoming = Incoming {
        method,
        target,
        headers: &fields,
        body,
        client_address: "192.0.2.1",
        scheme: contract::http::Scheme::Https,
        request_id: in_process::REQUEST_ID,
        received_at_ms: in_process::NOW_MS,
    };
    compose(Origin::new(EventKind::HttpApi), &incoming).to_json()
}
