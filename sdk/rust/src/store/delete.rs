//! Removing one item.

use super::{
    Key, Precondition, WriteError,
    error::{Found, Lost},
    put::{When, write},
};
use crate::{conditional::Conditions, contract::RawLost, host::Host};
use alloc::{boxed::Box, string::String};

/// A delete that is not sent yet; made by [`Store::delete`](super::Store::delete). Without a precondition it is done even if nothing was
/// there.
#[must_use = "an item is removed by `send`"]
pub struct Delete<'a, T> {
    host: &'a Host,
    key: &'a Key<T>,
    when: When<'a>,
}

impl<'a, T> Delete<'a, T> {
    pub(super) fn new(host: &'a Host, key: &'a Key<T>) -> Self {
        Self {
            host,
            key,
            when: When::Holds(Precondition::None),
        }
    }

    /// Only if something is there: 404 as a problem.
    pub fn if_present(mut self) -> Self {
        self.when = When::Holds(Precondition::Present);
        self
    }

    /// Only if the item has this revision.
    pub fn if_revision(mut self, revision: impl Into<String>) -> Self {
        self.when = When::Holds(Precondition::Revision(revision.into()));
        self
    }

    /// Only if something is there and the client's conditions hold: 404 or 412 as a problem.
    pub fn when(mut self, conditions: &'a Conditions) -> Self {
        self.when = if conditions.hold_for_any_item() {
            When::Holds(Precondition::Present)
        } else {
            When::Client(conditions)
        };
        self
    }

    /// Removes the item.
    pub fn send(self) -> Result<(), WriteError<T>> {
        let key = self.key.raw();
        if !self.key.is_possible() {
            return match self.when {
                When::Holds(Precondition::None | Precondition::Absent) => Ok(()),
                When::Holds(_) | When::Client(_) => Err(WriteError::Lost(Box::new(Found::new(
                    key.clone(),
                    None,
                    Lost::Present,
                )))),
            };
        }
        let is_of_client = matches!(self.when, When::Client(_));
        let attempt = |precondition| {
            // The client's conditions hold for nothing, and there is nothing to remove.
            let is_missing = is_of_client && precondition == Precondition::Absent;
            let outcome = self.host.delete(key, precondition)?;
            Ok(outcome.map(|()| is_missing))
        };
        let (found, reason) = match write(self.host, key, &self.when, attempt)? {
            Ok(false) => return Ok(()),
            Ok(true) | Err((RawLost(None), _)) => (None, Lost::Present),
            Err((RawLost(found), reason)) => (found, reason),
        };
        let found = Found::new(key.clone(), found, reason);
        Err(WriteError::Lost(Box::new(found)))
    }
}
