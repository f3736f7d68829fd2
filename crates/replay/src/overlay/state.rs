//! The contents of an overlay, and how reads and writes use them.

use crate::{
    list::{List, Position, narrowed, position, whole},
    recorded_state::{Known, QueryKey, RecordedState},
    writes::Writes,
};
use observation::ObservedCall;
use std::collections::{BTreeMap, BTreeSet};
use storage::{
    Call, DeleteOutcome, Direction, Document, Entry, Item, Key, Operation, Page, Precondition,
    PutOptions, PutOutcome, QueryOptions, Revision, Span, TransactOutcome,
};

/// What is known about the store, and what the request wrote.
pub(super) struct State {
    pub(super) recorded_state: RecordedState,
    /// Items that the request has written; `None`: deleted.
    pub(super) current: BTreeMap<Key, Option<Item>>,
    pub(super) writes: Writes,
    pub(super) calls: Vec<ObservedCall>,
    pub(super) misses: Vec<String>,
}

/// The tape lacks what a call needs.
pub(super) enum MissingError {
    Items(Vec<Key>),
    Part(Box<Span<Position>>),
    Cursor,
}

impl State {
    /// The current state of an item.
    fn known(&self, call: &Call, key: &Key) -> Option<Known> {
        let known = match self.current.get(key) {
            Some(Some(item)) => Known::Present(item.clone()),
            Some(None) => Known::Absent,
            None => self.recorded_state.initial(key)?,
        };
        Some(match known {
            Known::Present(item) if call.is_expired(item.expires_at) => Known::Absent,
            known => known,
        })
    }

    pub(super) fn read(&self, call: &Call, key: &Key) -> Result<Option<Item>, MissingError> {
        match self.known(call, key) {
            Some(Known::Present(item)) => Ok(Some(item)),
            Some(Known::Absent) => Ok(None),
            Some(Known::Exists(_)) | None => Err(MissingError::Items(vec![key.clone()])),
        }
    }

    /// Checks a precondition; if it does not hold, returns the existing item.
    fn holds(
        &self,
        call: &Call,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<Result<(), Option<Item>>, MissingError> {
        if *precondition == Precondition::None {
            return Ok(Ok(()));
        }
        let holds = match (precondition, self.known(call, key)) {
            (_, None) => return Err(MissingError::Items(vec![key.clone()])),
            (Precondition::Absent, Some(Known::Absent))
            | (Precondition::Present, Some(Known::Present(_) | Known::Exists(_))) => true,
            (Precondition::Revision(wanted), Some(Known::Present(item))) => {
                item.revision == *wanted
            }
            (Precondition::Revision(wanted), Some(Known::Exists(Some(revision)))) => {
                revision == *wanted
            }
            (Precondition::Revision(_), Some(Known::Exists(None))) => {
                return Err(MissingError::Items(vec![key.clone()]));
            }
            _ => false,
        };
        if holds {
            Ok(Ok(()))
        } else {
            self.read(call, key).map(Err)
        }
    }

    /// The revision of a write: the recorded one of the same item's same write, so that an additional or missing write elsewhere does not
    /// change it.
    fn revision(&mut self, key: &Key, call: &Call) -> Revision {
        let next = call.next_revision();
        self.recorded_state
            .revisions
            .get_mut(key)
            .and_then(std::collections::VecDeque::pop_front)
            .unwrap_or(next)
    }

    fn write(&mut self, key: &Key, document: &Document, options: &PutOptions, revision: &Revision) {
        let item = Item {
            document: document.clone(),
            revision: revision.clone(),
            index: options.index.clone(),
            expires_at: options.expires_at,
        };
        self.current.insert(key.clone(), Some(item));
    }

    pub(super) fn put(
        &mut self,
        call: &Call,
        key: &Key,
        document: &Document,
        options: &PutOptions,
    ) -> Result<PutOutcome, MissingError> {
        if let Err(item) = self.holds(call, key, &options.precondition)? {
            return Ok(PutOutcome::PreconditionFailed(item));
        }
        let revision = self.revision(key, call);
        self.write(key, document, options, &revision);
        self.writes.put(key, Some(document), options);
        Ok(PutOutcome::Done(revision))
    }

    pub(super) fn delete(
        &mut self,
        call: &Call,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<DeleteOutcome, MissingError> {
        if let Err(item) = self.holds(call, key, precondition)? {
            return Ok(DeleteOutcome::PreconditionFailed(item));
        }
        self.current.insert(key.clone(), None);
        self.writes.delete(key, precondition);
        Ok(DeleteOutcome::Done)
    }

    /// A page of what is known, including the request's writes.
    pub(super) fn page(
        &mut self,
        call: &Call,
        list: &List,
        options: &QueryOptions,
    ) -> Result<Page, MissingError> {
        let is_descending = options.direction == Direction::Descending;
        let mut span = whole(&options.range);
        if let Some(cursor) = &options.cursor {
            let resume = self.recorded_state.resume(list, is_descending, cursor);
            span = narrowed(span, resume.ok_or(MissingError::Cursor)?);
        }
        let end = self
            .recorded_state
            .ends
            .get(&QueryKey::new(list, options))
            .cloned();
        if let Some(end) = &end
            && end.last.is_none()
        {
            return Ok(Page {
                entries: Vec::new(),
                cursor: Some(end.cursor.clone()),
            });
        }
        let is_before_end = |at: &Position| {
            let last = end.as_ref().and_then(|end| end.last.as_ref());
            last.is_none_or(|last| {
                if is_descending {
                    at >= last
                } else {
                    at <= last
                }
            })
        };
        let mut entries = self.entries(call, list, &span)?;
        if is_descending {
            entries.reverse();
        }
        let limit = options.limit as usize;
        let found = entries
            .iter()
            .take(limit)
            .take_while(|(at, _)| is_before_end(at))
            .count();
        let has_further = entries.len() > found;
        entries.truncate(found);
        let last = entries.last().map(|(at, _)| at.clone());
        let is_full = found == limit || end.is_some();
        let seen = match (&last, is_full) {
            (Some(last), true) => up_to(&span, last, is_descending),
            _ => span.clone(),
        };
        if !self.recorded_state.covers(list, &seen) {
            return Err(MissingError::Part(Box::new(seen)));
        }
        // A full page has a cursor unless it is known that nothing follows.
        let goes_on = is_full && (has_further || !self.recorded_state.covers(list, &span));
        let cursor = match (goes_on, &last) {
            (true, Some(last)) => Some(self.recorded_state.cursor_after(list, is_descending, last)),
            _ => None,
        };
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        Ok(Page { entries, cursor })
    }

    /// The known entries in a part of a list, in order.
    fn entries(
        &self,
        call: &Call,
        list: &List,
        span: &Span<Position>,
    ) -> Result<Vec<(Position, Entry)>, MissingError> {
        let keys: BTreeSet<&Key> = self
            .recorded_state
            .items
            .keys()
            .chain(self.current.keys())
            .collect();
        let mut entries = Vec::new();
        for key in keys {
            if !list.is_index && key.partition != list.partition {
                continue;
            }
            let item = match self.known(call, key) {
                Some(Known::Present(item)) => item,
                Some(Known::Exists(_)) if !list.is_index => {
                    let at = (key.sort.clone(), String::new(), String::new());
                    if contains(span, &at) {
                        return Err(MissingError::Items(vec![key.clone()]));
                    }
                    continue;
                }
                Some(Known::Absent | Known::Exists(_)) | None => continue,
            };
            let is_listed = match &item.index {
                _ if !list.is_index => true,
                Some(index) => index.partition == list.partition,
                None => false,
            };
            let at = position(list, key, &item);
            if is_listed && contains(span, &at) {
                let key = key.clone();
                entries.push((at, Entry { key, item }));
            }
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    }

    pub(super) fn transact(
        &mut self,
        call: &Call,
        operations: &[Operation],
    ) -> Result<TransactOutcome, MissingError> {
        for (position, operation) in (0..).zip(operations) {
            let precondition = match operation {
                Operation::Put { options, .. } => &options.precondition,
                Operation::Delete { precondition, .. } | Operation::Check { precondition, .. } => {
                    precondition
                }
            };
            if let Err(item) = self.holds(call, operation.key(), precondition)? {
                return Ok(TransactOutcome::PreconditionFailed { position, item });
            }
        }
        let mut revisions = Vec::with_capacity(operations.len());
        for operation in operations {
            revisions.push(match operation {
                Operation::Put {
                    key,
                    document,
                    options,
                } => {
                    let revision = self.revision(key, call);
                    self.write(key, document, options, &revision);
                    Some(revision)
                }
                Operation::Delete { key, .. } => {
                    self.current.insert(key.clone(), None);
                    None
                }
                Operation::Check { .. } => None,
            });
        }
        self.writes.transact(operations);
        Ok(TransactOutcome::Done(revisions))
    }
}

fn contains(span: &Span<Position>, at: &Position) -> bool {
    *at >= span.lower && span.upper.as_ref().is_none_or(|upper| at < upper)
}

/// The part from the beginning of a query up to and including an entry.
fn up_to(span: &Span<Position>, last: &Position, is_descending: bool) -> Span<Position> {
    let mut seen = span.clone();
    if is_descending {
        seen.lower = last.clone();
    } else {
        seen.upper = Some((last.0.clone(), last.1.clone(), format!("{}\0", last.2)));
    }
    seen
}
