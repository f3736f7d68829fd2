//! The gate before a promotion: a new guest must respond like the current one.
//!
//! - *Cases*: each guest answers the event on its own store with the case's entries. The response and the stored entries afterwards must
//!   be equal. Without a current guest, they must be what the case expects, and a case must have an expectation.
//! - *Events*: each guest answers the events of a file one after the other on its own store. Every response must be equal, and so must
//!   the stored entries at the end. Without a current guest, no response may have a status of 500 or above. An event that no guest
//!   answers proves nothing, and stops the promotion.
//! - *Tapes*: each guest answers each recorded request on what the tape reveals about the store (state mode), whatever guest it was recorded with.
//!   Response and writes must be equal, nothing may be read that the tape does not know, and memory may not grow beyond
//!   [`ReplayOptions::cost_ratio_max`]. Without a current guest, the recording is the expectation. A request that cannot be
//!   replayed, and a line that cannot be read, stop the promotion. An incomplete line was left by a recorder that was stopped: it is
//!   not compared, but counted.
//!
//! Calls in another order, additional reads and other log lines are not differences. Where the host answers instead of both guests (it refuses the
//! request by a limit, or neither guest gives a response), equal answers say nothing about the guests: they are counted apart. A gate that has
//! compared nothing else stops the promotion.

use super::{
    Comparison, Mode, ReplayGuest, ReplayOptions, Replayer, Verdict, observe::of_answer, view::View,
};
use crate::{CaseOutcome, ReplayedEvent, exchange_seed, local_view, replay_cursor_key, run_case};
use contract::{outcome::Summary, seed::Seed};
use observation::{
    Case, CaseError, Differences, EventHead, IgnoreRule, Ignored, Observation, compare,
};
use runtime::Runtime;
use service::Service;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use storage::{MemoryStorage, Namespace, Snapshot as _, StorageError};
use tape::Exchange;

/// Compares two guests, or one guest with the expectation.
pub struct Gate {
    present: Option<Runtime>,
    new: Runtime,
    ignore: Vec<IgnoreRule>,
    replayer: Replayer,
    /// Notes about the environment that a result has.
    said: Mutex<BTreeSet<String>>,
}

/// The result of one comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateResult {
    /// The new guest responds as expected.
    Same,
    /// It does not, or it is unknown: the reasons, one per line.
    Differs(Vec<String>),
    /// Nothing could be compared, because the line is incomplete.
    Cut,
    /// The host answered instead of both guests, in the same way.
    OfHost,
    /// Nothing was compared, because the guests of another route answer the request.
    OfOtherRoute,
}

/// What has been compared so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateCounts {
    /// Number of cases, events, recorded requests and stores.
    pub compared: u64,
    /// How many of them differ.
    pub differing: u64,
    /// Number of incomplete lines.
    pub cut: u64,
    /// Number of cases, events and recorded requests that the host answered instead of both guests.
    pub of_host: u64,
    /// Number of cases, events and recorded requests that another route answers.
    pub of_other_routes: u64,
}

/// Whether the new guest may be promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateDecision {
    /// It responds as required.
    Pass,
    /// Something differs.
    Differs,
    /// Nothing was compared, which proves nothing.
    NothingCompared,
}

impl GateCounts {
    /// Counts a result.
    pub fn add(&mut self, result: &GateResult) {
        match result {
            GateResult::Same => self.compared += 1,
            GateResult::Differs(_) => {
                self.compared += 1;
                self.differing += 1;
            }
            GateResult::Cut => self.cut += 1,
            GateResult::OfHost => self.of_host += 1,
            GateResult::OfOtherRoute => self.of_other_routes += 1,
        }
    }

    /// The verdict over all results.
    pub fn decision(&self) -> GateDecision {
        match (self.compared, self.differing) {
            (0, _) => GateDecision::NothingCompared,
            (_, 0) => GateDecision::Pass,
            (_, _) => GateDecision::Differs,
        }
    }
}

impl GateResult {
    /// An input that cannot be read or run does not count in favour of the new guest.
    pub fn unusable(reason: impl Into<String>) -> Self {
        Self::Differs(vec![reason.into()])
    }

    fn of_lines(lines: Vec<String>) -> Self {
        match lines.is_empty() {
            true => Self::Same,
            false => Self::Differs(lines),
        }
    }

    /// The same, if a guest answered.
    fn unless_of_host(self, is_of_host: bool) -> Self {
        match self {
            Self::Same if is_of_host => Self::OfHost,
            result => result,
        }
    }

    fn of_comparison(comparison: Comparison) -> Self {
        match comparison.verdict {
            Verdict::Same | Verdict::EqualInEffect => {
                Self::Same.unless_of_host(comparison.is_of_host)
            }
            Verdict::Differs | Verdict::Redacted | Verdict::Unplayable => {
                Self::Differs(comparison.notes.into_iter().map(|note| note.text).collect())
            }
        }
    }

    /// The response to an event; `expected` is that of the current guest.
    fn of_event(
        expected: Option<&Observation>,
        actual: &Observation,
        ignored: &Ignored<'_>,
    ) -> Self {
        let response = actual.response.as_ref();
        if let Some(reason) = response.and_then(|response| response.get("rejection")) {
            return Self::unusable(format!("no guest was called: {reason}"));
        }
        let is_of_host =
            actual.is_of_host() && expected.is_none_or(|expected| expected.is_of_host());
        match (expected, actual.status()) {
            (Some(expected), _) => {
                Self::of_observations(expected, actual, ignored).unless_of_host(is_of_host)
            }
            (None, Some(..500)) => Self::Same.unless_of_host(is_of_host),
            (None, _) => {
                let response = response.cloned().unwrap_or_default();
                Self::unusable(format!("the response is {response}"))
            }
        }
    }

    fn of_observations(
        expected: &Observation,
        actual: &Observation,
        ignored: &Ignored<'_>,
    ) -> Self {
        Self::of_lines(compare(expected, actual, ignored).lines().collect())
    }
}

/// Two guests that nobody answers are equal, which says nothing about them.
const CALLS_SERVICES: &str =
    "the guest calls another service, which only a tape answers: pass one with `--gate`";

/// Whether the host answered a case instead of the guest.
fn is_of_host(outcome: &CaseOutcome) -> bool {
    let summary = outcome.summary.as_ref();
    summary.is_none_or(|summary| summary.fault.is_some())
}

fn calls_services(summary: Option<&Summary>) -> bool {
    summary.is_some_and(|summary| summary.usage.outgoing_calls > 0)
}

impl Gate {
    /// Compares `new` with `present`, if there is one, except for what `ignore` covers.
    pub fn new(present: Option<Runtime>, new: Runtime, ignore: Vec<IgnoreRule>) -> Self {
        let replayer = Replayer {
            guest: ReplayGuest::new(new.clone()),
            metered: None,
            baseline: present.clone().map(ReplayGuest::new),
            live: None,
            live_services: None,
            live_secrets: None,
            options: ReplayOptions {
                mode: Some(Mode::State),
                ignore: ignore.clone(),
                expects_baseline: true,
                ..ReplayOptions::default()
            },
        };
        Self {
            present,
            new,
            ignore,
            replayer,
            said: Mutex::default(),
        }
    }

    /// A case; fails if it cannot be run.
    pub async fn case(&self, case: &Case) -> Result<GateResult, CaseError> {
        let outcome = |runtime: &Runtime| {
            let (runtime, store) = (runtime.clone(), Arc::new(MemoryStorage::new()));
            async move { run_case(case, &runtime, store, &seed()).await }
        };
        let actual = outcome(&self.new).await?;
        if calls_services(actual.summary.as_ref()) {
            return Ok(GateResult::unusable(CALLS_SERVICES));
        }
        let is_actual_of_host = is_of_host(&actual);
        let Some(present) = &self.present else {
            let differing = actual.differences(&mut case.clone(), &self.ignore);
            let differences = Differences {
                parts: differing,
                fault: None,
            };
            let result = GateResult::of_lines(differences.lines().collect());
            return Ok(result.unless_of_host(is_actual_of_host));
        };
        let expected = outcome(present).await?;
        if calls_services(expected.summary.as_ref()) {
            return Ok(GateResult::unusable(CALLS_SERVICES));
        }
        let is_of_host = is_actual_of_host && is_of_host(&expected);
        let expected = expected.into_observation();
        let ignored = Ignored::by(&self.ignore);
        let result = GateResult::of_observations(&expected, &actual.into_observation(), &ignored);
        Ok(result.unless_of_host(is_of_host))
    }

    /// A line of tape, with the request read from it.
    pub async fn recorded(&self, line: &Arc<[u8]>, exchange: &Exchange<'_>) -> GateResult {
        let mut comparison = self.replayer.replay(line, exchange).await;
        // The same is true of every request of a tape.
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        comparison
            .notes
            .retain(|note| !note.is_about_environment || said.insert(note.text.clone()));
        drop(said);
        GateResult::of_comparison(comparison)
    }

    /// For the events of one file: both guests start with empty stores.
    pub fn events(&self) -> GateEvents<'_> {
        GateEvents {
            present: self.present.clone().map(Side::new),
            new: Side::new(self.new.clone()),
            ignored: Ignored::by(&self.ignore),
            is_answered: AtomicBool::new(false),
        }
    }
}

/// Events that each guest answers on one store.
pub struct GateEvents<'a> {
    present: Option<Side>,
    new: Side,
    ignored: Ignored<'a>,
    /// Whether a guest answered one of them.
    is_answered: AtomicBool,
}

impl GateEvents<'_> {
    /// The next event, at a position among all events of the gate.
    pub async fn event(&self, event: &[u8], head: EventHead, position: u64) -> GateResult {
        let run = ReplayedEvent {
            event,
            received_at_ms: head.received_at_ms,
            seed: exchange_seed(&seed(), position),
        };
        let Some(actual) = self.new.observe(&run).await else {
            return GateResult::unusable(CALLS_SERVICES);
        };
        let expected = match &self.present {
            Some(present) => match present.observe(&run).await {
                Some(expected) => Some(expected),
                None => return GateResult::unusable(CALLS_SERVICES),
            },
            None => None,
        };
        let result = GateResult::of_event(expected.as_ref(), &actual, &self.ignored);
        if result != GateResult::OfHost {
            self.is_answered.store(true, Relaxed);
        }
        result
    }

    /// The stored entries at the end; `None` if there is nothing to compare them with, or if they are the same and no guest answered an event.
    pub fn stored(&self) -> Option<Result<GateResult, StorageError>> {
        let present = self.present.as_ref()?;
        let compare = || {
            let (expected, actual) = (present.stored()?, self.new.stored()?);
            Ok(GateResult::of_observations(
                &expected,
                &actual,
                &self.ignored,
            ))
        };
        let result = compare();
        let is_void = matches!(result, Ok(GateResult::Same)) && !self.is_answered.load(Relaxed);
        (!is_void).then_some(result)
    }
}

/// One guest with its own store.
struct Side {
    store: Arc<MemoryStorage>,
    service: Service,
}

impl Side {
    fn new(runtime: Runtime) -> Self {
        let store = Arc::new(MemoryStorage::new());
        let view = local_view(store.clone(), replay_cursor_key());
        Self {
            service: Service::new(runtime, view),
            store,
        }
    }

    /// `None` if the guest called another service.
    async fn observe(&self, run: &ReplayedEvent<'_>) -> Option<Observation> {
        let answer = run.run(&self.service).await;
        let summary = answer.as_ref().ok().map(|answer| &answer.summary);
        (!calls_services(summary)).then(|| of_answer(&answer, &View::unredacted()))
    }

    fn stored(&self) -> Result<Observation, StorageError> {
        let entries = self.store.namespace_entries(&Namespace::local(), 0)?;
        Ok(Observation {
            // Entries consist of strings, numbers and documents that were JSON before.
            stored: Some(serde_json::to_value(entries).unwrap_or_default()),
            ..Observation::default()
        })
    }
}

/// Both guests get the same seed.
fn seed() -> Seed {
    Seed::new([0; 32])
}

#[cfg(test)]
mod tests;
