//! The values of one guest's secrets, and the fetches that run.

use crate::{name::SecretName, source::SourceKind, sources::FetchErrorClass, value::SecretValue};
use contract::limits::SECRET_AGE_MAX;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::watch;

/// After a failed fetch of a secret, until the next one.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// The moment at which ages are taken, and the age from which a value is read anew.
pub(super) struct Ages {
    pub(super) now: SystemTime,
    pub(super) time_to_live: Duration,
}

/// A value in use.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) value: Arc<SecretValue>,
    /// Another one after each change of the value.
    pub(crate) version: u64,
}

/// What a use of a secret finds.
pub(super) enum Found {
    Fresh(Held),
    /// Usable, and due to be read anew.
    Stale(Held),
    /// To be waited for.
    Due,
    /// Failed a moment ago, and there is no usable value.
    Failed(FetchErrorClass),
}

#[derive(Default)]
pub(super) struct State {
    slots: BTreeMap<SecretName, Slot>,
    running: BTreeMap<SourceKind, watch::Receiver<()>>,
    versions: u64,
}

#[derive(Default)]
struct Slot {
    held: Option<Held>,
    /// The value before the last change: a service may still repeat it.
    previous: Option<Held>,
    /// When the fetch of the value began.
    read: Option<SystemTime>,
    failure: Option<(FetchErrorClass, SystemTime)>,
}

impl Ages {
    /// Zero for a moment in the future, since a clock may be set back.
    fn of(&self, moment: SystemTime) -> Duration {
        self.now.duration_since(moment).unwrap_or_default()
    }
}

impl Slot {
    fn age(&self, ages: &Ages) -> Option<Duration> {
        self.read.map(|read| ages.of(read))
    }

    fn usable(&self, ages: &Ages) -> Option<Held> {
        let is_usable = self.age(ages).is_some_and(|age| age < SECRET_AGE_MAX);
        self.held.clone().filter(|_| is_usable)
    }

    fn recent_failure(&self, ages: &Ages) -> Option<FetchErrorClass> {
        let (class, moment) = self.failure?;
        (ages.of(moment) < RETRY_PAUSE).then_some(class)
    }
}

impl State {
    pub(super) fn look(&self, name: &str, ages: &Ages) -> Found {
        let Some(slot) = self.slots.get(name) else {
            return Found::Due;
        };
        let age = slot.age(ages);
        match (slot.usable(ages), slot.recent_failure(ages)) {
            (Some(held), _) if age < Some(ages.time_to_live) => Found::Fresh(held),
            (Some(held), Some(_)) => Found::Fresh(held),
            (Some(held), None) if age < Some(2 * ages.time_to_live) => Found::Stale(held),
            (None, Some(class)) => Found::Failed(class),
            (_, None) => Found::Due,
        }
    }

    /// The value, if it may be used at its age.
    pub(super) fn usable(&self, name: &str, ages: &Ages) -> Option<Held> {
        self.slots.get(name)?.usable(ages)
    }

    /// The value and the one before it, at any age.
    pub(super) fn known(&self, name: &str) -> Vec<Held> {
        let slot = self.slots.get(name);
        let known = slot.map(|slot| [slot.held.clone(), slot.previous.clone()]);
        known.into_iter().flatten().flatten().collect()
    }

    /// Whether a fetch has to include it.
    pub(super) fn is_due(&self, name: &SecretName, ages: &Ages) -> bool {
        self.slots.get(name).is_none_or(|slot| {
            let is_fresh = slot.age(ages).is_some_and(|age| age < ages.time_to_live);
            !is_fresh && slot.recent_failure(ages).is_none()
        })
    }

    /// Closes when the fetch has ended, by a panic, too.
    pub(super) fn running(&self, kind: SourceKind) -> Option<watch::Receiver<()>> {
        let running = self.running.get(&kind)?;
        running.has_changed().is_ok().then(|| running.clone())
    }

    pub(super) fn run(&mut self, kind: SourceKind, running: watch::Receiver<()>) {
        self.running.insert(kind, running);
    }

    pub(super) fn succeeded(&mut self, name: SecretName, value: SecretValue, started: SystemTime) {
        let slot = self.slots.entry(name).or_default();
        slot.read = Some(started);
        slot.failure = None;
        let is_same = |held: &Held| held.value.expose() == value.expose();
        if !slot.held.as_ref().is_some_and(is_same) {
            self.versions += 1;
            slot.previous = slot.held.replace(Held {
                value: Arc::new(value),
                version: self.versions,
            });
        }
    }

    /// Returns the age of the value that remains usable.
    pub(super) fn failed(
        &mut self,
        name: &SecretName,
        class: FetchErrorClass,
        ages: &Ages,
    ) -> Option<Duration> {
        let slot = self.slots.entry(name.clone()).or_default();
        slot.failure = Some((class, ages.now));
        slot.usable(ages).and_then(|_| slot.age(ages))
    }
}
