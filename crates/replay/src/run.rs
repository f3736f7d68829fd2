//! Runs a case, with the same inputs every time.

use contract::{
    outcome::{Answer, Summary},
    seed::Seed,
};
use gateway::EventError;
use json::{self, Value};
use observation::{
    Case, CaseError, DifferingPart, EVENT_TIME_DEFAULT_MS, IgnoreRule, Ignored, Observation, Part,
    head, normal_response, readable_response,
};
use runtime::Runtime;
use serde_json::json;
use service::{Invocation, Service};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Instant};
use storage::{CursorKey, Namespace, Snapshot, Storage, Tenant};

/// A store that can be filled and read completely.
pub trait CaseStore: Storage + Snapshot {}

impl<T: Storage + Snapshot> CaseStore for T {}

/// One event to run, with everything that its outcome depends on besides guest and store.
#[derive(Clone, Debug)]
pub struct ReplayedEvent<'a> {
    /// The raw event.
    pub event: &'a [u8],
    /// Milliseconds since the Unix epoch.
    pub received_at_ms: u64,
    /// Source of everything random.
    pub seed: Seed,
}

impl ReplayedEvent<'_> {
    /// Lets the guest answer, within the time that its limits allow.
    pub async fn run(&self, service: &Service) -> Result<Answer, EventError> {
        let duration_max = service.limits().request_duration_max;
        let invocation = Invocation {
            received_at_ms: self.received_at_ms,
            seed: self.seed.clone(),
            deadline: Instant::now() + duration_max,
            trace_header: None,
        };
        service.invoke(self.event, invocation).await
    }
}

/// The result of a case.
#[derive(Debug)]
pub struct CaseOutcome {
    /// The Lambda response in readable form; `{"refusal": TEXT}` if the event was refused.
    pub response: Value,
    /// The guest's entries afterwards, a JSON array.
    pub after: Value,
    /// For people, the guest's log among it; `None` if the event was refused, or if what ran the case does not tell.
    pub summary: Option<Summary>,
}

impl CaseOutcome {
    /// The observation that is compared.
    pub fn into_observation(self) -> Observation {
        Observation {
            response: Some(normal_response(self.response)),
            stored: Some(self.after),
            ..Observation::default()
        }
    }

    /// The differences from the case's expectation that are not ignored. Takes the expectation out of the case.
    pub fn differences(self, case: &mut Case, ignore: &[IgnoreRule]) -> Vec<DifferingPart> {
        let ignored = Ignored::by(ignore);
        let actual = normal_response(self.response);
        let response = match case.response.take() {
            Some(expected) => {
                DifferingPart::of(Part::Response, normal_response(expected), actual, &ignored)
            }
            None => DifferingPart::unexpected(Part::Response, actual, &ignored),
        };
        // Without an expectation, the stored entries are not compared.
        let stored = case.after.take();
        let stored = stored
            .and_then(|expected| DifferingPart::of(Part::Stored, expected, self.after, &ignored));
        response.into_iter().chain(stored).collect()
    }
}

/// The seed of the event at `position` in a replay: SHA-256 over the base seed and the position as eight bytes, big endian.
pub fn exchange_seed(base: &Seed, position: u64) -> Seed {
    let digest = Sha256::new()
        .chain_update(base.as_bytes())
        .chain_update(position.to_be_bytes())
        .finalize();
    Seed::new(digest.into())
}

/// A guest's view of a store of its own: the namespace is `local`.
pub fn local_view(store: Arc<dyn Storage>, cursor_key: CursorKey) -> Arc<dyn Storage> {
    Arc::new(Tenant::new(store, Namespace::local(), cursor_key))
}

/// The cursor key of replays: always the same, so that cursors can occur in expectations and in recorded events.
pub fn replay_cursor_key() -> CursorKey {
    CursorKey::new([0; 32])
}

/// Runs a case on an empty store: fills the store, runs the event at its own time with the first seed after `base_seed`, unless the case has
/// its own time and seed, and reads the store.
pub async fn run_case(
    case: &Case,
    runtime: &Runtime,
    store: Arc<dyn CaseStore>,
    base_seed: &Seed,
) -> Result<CaseOutcome, CaseError> {
    let namespace = Namespace::local();
    store
        .load_namespace(&namespace, case.entries_before()?)
        .map_err(|error| case.bad_before(error.to_string()))?;
    // Loading the case has checked that the event is JSON.
    let received_at_ms = case.inputs.received_at_ms.unwrap_or_else(|| {
        head(&case.event).map_or(EVENT_TIME_DEFAULT_MS, |head| head.received_at_ms)
    });
    let seed = case.inputs.seed.clone();
    let run = ReplayedEvent {
        event: &case.event,
        received_at_ms,
        seed: seed.unwrap_or_else(|| exchange_seed(base_seed, 0)),
    };
    let storage: Arc<dyn Storage> = store.clone();
    let service = Service::new(runtime.clone(), local_view(storage, replay_cursor_key()));
    let (response, summary) = match run.run(&service).await {
        Ok(answer) => {
            // The response of a service is JSON.
            let response = json::value(&answer.payload).unwrap_or_default();
            (readable_response(response), Some(answer.summary))
        }
        Err(rejection) => (json!({"refusal": rejection.to_string()}), None),
    };
    let entries = store
        .namespace_entries(&namespace, received_at_ms)
        .map_err(|error| CaseError::Store {
            folder: case.folder.clone(),
            message: error.to_string(),
        })?;
    // Entries consist of strings, numbers and documents that were JSON before.
    let after = serde_json::to_value(entries).unwrap_or_default();
    Ok(CaseOutcome {
        response,
        after,
        summary,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_follow_from_base_and_position() {
        let base = Seed::new([0; 32]);
        assert_eq!(exchange_seed(&base, 1), exchange_seed(&base, 1));
        assert_ne!(exchange_seed(&base, 1), exchange_seed(&base, 2));
        assert_ne!(
            exchange_seed(&base, 1),
            exchange_seed(&Seed::new([1; 32]), 1)
        );
    }
}
