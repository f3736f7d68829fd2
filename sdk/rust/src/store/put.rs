//! Writing one item.

use super::{
    Item, Key, Precondition, StorageError, WriteError,
    attempts::Attempts,
    error::{Found, Lost},
};
use crate::{
    conditional::Conditions,
    contract::{RawItem, RawKey, RawLost, RawPut},
    host::Host,
    json::{FromJson, ToJson},
    store::Consistency,
};
use alloc::{boxed::Box, format, string::String};

/// A document with what is stored beside it. Made of the document alone with `into()`, which every function that takes one does by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write<T> {
    pub(super) value: T,
    pub(super) index: Option<Option<RawKey>>,
    pub(super) expires_at: Option<Option<u64>>,
}

impl<T> Write<T> {
    /// The document. A put removes secondary key and expiry, unless it is given them; an update keeps them.
    pub fn new(value: T) -> Self {
        Self {
            value,
            index: None,
            expires_at: None,
        }
    }

    /// The document.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// With a secondary key, under which [`Store::query_index`](super::Store::query_index) finds the item; `None` removes it.
    #[must_use]
    pub fn index(mut self, key: impl Into<Option<Key<T>>>) -> Self {
        self.index = Some(key.into().map(Key::into_raw));
        self
    }

    /// With the second since the Unix epoch from which the item counts as deleted; `None` removes it.
    #[must_use]
    pub fn expires_at(mut self, seconds: impl Into<Option<u64>>) -> Self {
        self.expires_at = Some(seconds.into());
        self
    }
}

impl<T> From<T> for Write<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// A put that is not sent yet; made by [`Store::put`](super::Store::put). Without a precondition it writes whatever was there.
#[must_use = "an item is written by `send`"]
pub struct Put<'a, T> {
    host: &'a Host,
    key: &'a Key<T>,
    write: Write<T>,
    when: When<'a>,
}

/// The condition under which a write happens.
pub(super) enum When<'a> {
    Holds(Precondition),
    Client(&'a Conditions),
}

impl When<'_> {
    /// Why the condition does not hold where nothing is; `None` if it does.
    fn for_nothing(&self) -> Option<Lost> {
        match self {
            Self::Holds(Precondition::None | Precondition::Absent) => None,
            Self::Holds(Precondition::Present) => Some(Lost::Present),
            Self::Holds(Precondition::Revision(_)) => Some(Lost::Revision),
            Self::Client(conditions) => conditions.check(None).is_err().then_some(Lost::Client),
        }
    }
}

impl<'a, T: ToJson + FromJson> Put<'a, T> {
    pub(super) fn new(host: &'a Host, key: &'a Key<T>, write: Write<T>) -> Self {
        Self {
            host,
            key,
            write,
            when: When::Holds(Precondition::None),
        }
    }

    /// Only if nothing is there.
    pub fn if_absent(mut self) -> Self {
        self.when = When::Holds(Precondition::Absent);
        self
    }

    /// Only if something is there.
    pub fn if_present(mut self) -> Self {
        self.when = When::Holds(Precondition::Present);
        self
    }

    /// Only if the item has this revision.
    pub fn if_revision(mut self, revision: impl Into<String>) -> Self {
        self.when = When::Holds(Precondition::Revision(revision.into()));
        self
    }

    /// Only if the client's conditions hold.
    pub fn when(mut self, conditions: &'a Conditions) -> Self {
        self.when = When::Client(conditions);
        self
    }

    /// With a secondary key; see [`Write::index`].
    pub fn index(mut self, key: impl Into<Option<Key<T>>>) -> Self {
        self.write = self.write.index(key);
        self
    }

    /// With an expiry; see [`Write::expires_at`].
    pub fn expires_at(mut self, seconds: impl Into<Option<u64>>) -> Self {
        self.write = self.write.expires_at(seconds);
        self
    }

    /// Writes the item, and returns it with its new revision.
    pub fn send(self) -> Result<Item<T>, WriteError<T>> {
        let key = self.key.raw();
        if let Err(error) = self.key.check() {
            return Err(match self.when.for_nothing() {
                Some(reason) => WriteError::Lost(Box::new(Found::new(key.clone(), None, reason))),
                None => error.into(),
            });
        }
        let mut put = raw_put(key, &self.write, None)?;
        let attempt = |precondition| {
            put.precondition = precondition;
            self.host.put(&put).map_err(of_document)
        };
        match write(self.host, key, &self.when, attempt)? {
            Ok(revision) => Ok(written(self.write, put.index, put.expires_at, revision)),
            Err((lost, reason)) => Err(WriteError::Lost(Box::new(Found::new(
                key.clone(),
                lost.0,
                reason,
            )))),
        }
    }
}

/// The result of a write under a condition.
pub(super) type Written<Done> = Result<Done, (RawLost, Lost)>;

/// Makes a write: in one call, unless a store cannot check the client's conditions by itself.
pub(super) fn write<Done>(
    host: &Host,
    key: &RawKey,
    when: &When<'_>,
    mut attempt: impl FnMut(Precondition) -> Result<Result<Done, RawLost>, StorageError>,
) -> Result<Written<Done>, StorageError> {
    let conditions = match when {
        When::Holds(precondition) => {
            let reason = match precondition {
                Precondition::None | Precondition::Present => Lost::Present,
                Precondition::Absent => Lost::Absent,
                Precondition::Revision(_) => Lost::Revision,
            };
            let outcome = attempt(precondition.clone())?;
            return Ok(outcome.map_err(|lost| (lost, reason)));
        }
        When::Client(conditions) => conditions,
    };
    if let Some(precondition) = conditions.precondition() {
        let outcome = attempt(precondition)?;
        return Ok(outcome.map_err(|lost| (lost, Lost::Client)));
    }
    let mut found = host.get(key, Consistency::Strong)?;
    let mut attempts = Attempts::default();
    while attempts.begin() {
        let revision = found.as_ref().map(|item| item.revision.as_str());
        if conditions.check(revision).is_err() {
            return Ok(Err((RawLost(found), Lost::Client)));
        }
        match attempt(precondition_of(found))? {
            Ok(done) => return Ok(Ok(done)),
            Err(RawLost(now)) => found = now,
        }
    }
    Err(StorageError::Conflict)
}

/// That the item is still as it was found.
fn precondition_of(found: Option<RawItem>) -> Precondition {
    found.map_or(Precondition::Absent, |item| {
        Precondition::Revision(item.revision)
    })
}

/// The put of a document. What it comes without, secondary key or expiry, is as in `kept`.
pub(super) fn raw_put<T: ToJson>(
    key: &RawKey,
    write: &Write<T>,
    kept: Option<&Beside>,
) -> Result<RawPut, StorageError> {
    let kept_index = || kept.and_then(|kept| kept.index.clone());
    let kept_expiry = || kept.and_then(|kept| kept.expires_at);
    Ok(RawPut {
        key: key.clone(),
        document: document(write.value.to_json())?,
        precondition: Precondition::None,
        index: write.index.clone().unwrap_or_else(kept_index),
        expires_at: write.expires_at.unwrap_or_else(kept_expiry),
    })
}

/// The same for a document that nobody needs afterwards, so that its text is not copied.
pub(super) fn into_raw_put<T: ToJson>(
    key: &RawKey,
    write: Write<T>,
) -> Result<RawPut, StorageError> {
    Ok(RawPut {
        key: key.clone(),
        document: document(write.value.into_json())?,
        precondition: Precondition::None,
        index: write.index.flatten(),
        expires_at: write.expires_at.flatten(),
    })
}

fn document(json: Result<String, String>) -> Result<String, StorageError> {
    json.map_err(|error| StorageError::Invalid(format!("a document is not JSON: {error}")))
}

/// What an item has beside its document.
pub(super) struct Beside {
    pub(super) index: Option<RawKey>,
    pub(super) expires_at: Option<u64>,
}

pub(super) fn written<T>(
    write: Write<T>,
    index: Option<RawKey>,
    expires_at: Option<u64>,
    revision: String,
) -> Item<T> {
    Item {
        value: write.value,
        revision,
        expires_at,
        index,
    }
}

/// The start of the hosts' texts about the rules of documents; in a transaction the operation precedes it. A test compares.
const DOCUMENT_RULES: &str = "the document";

/// A document that the store finds invalid comes from a client, because the API does not repeat the store's rules. All other rules, such as
/// that keys differ, are the program's to keep.
pub(super) fn of_document(error: StorageError) -> StorageError {
    let is_of_document = |rule: &str| {
        let rule = rule.strip_prefix("operation ").map_or(rule, |rest| {
            let rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
            rest.strip_prefix(": ").unwrap_or(rest)
        });
        rule.starts_with(DOCUMENT_RULES)
    };
    match error {
        StorageError::Invalid(rule) if is_of_document(&rule) => StorageError::InvalidDocument(rule),
        error => error,
    }
}
