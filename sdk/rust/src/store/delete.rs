//! Removing one item.

use super::{
    Key, Precondition, WriteError,
    error::{Found, Lost},
    put::{When, write},
};
use crate::{conditional::Conditions, host::Host};
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
        let attempt = |precondition| self.host.delete(key, precondition);
        match write(self.host, key, &self.when, attempt)? {
            Ok(()) => Ok(()),
            Err((lost, reason)) => {
                // There is nothing that a condition could be about.
                let reason = if lost.0.is_none() {
                    Lost::Present
                } else {
                    reason
                };
                Err(WriteError::Lost(Box::new(Found::new(
                    key.clone(),
                    lost.0,
                    reason,
                ))))
            }
        }
    }
}
