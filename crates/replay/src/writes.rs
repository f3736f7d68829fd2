//! The effect of a request on the store: for each item the last write, its conditions, and the other items of its transaction.

use super::{recording_error::RecordingError, values_left::ValuesLeft, view::View};
use json::{self, Value};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use storage::{Document, Key, Operation, Precondition, PutOptions};
use tape::{CallRecord, Exchange, call::read::ResultError, read_arguments};

/// The writes of one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Writes(BTreeMap<Key, Write>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Write {
    /// The preconditions of every write and check, in order.
    preconditions: Vec<Precondition>,
    last: Last,
    /// The other items of the transaction that it was part of.
    together_with: Vec<Key>,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Last {
    /// Only checked.
    #[default]
    Untouched,
    /// Its document; `None` if the tape does not contain it.
    Put(Option<Document>, Option<Key>, Option<u64>),
    Deleted,
}

/// A document, if it is known.
pub(super) trait Known {
    fn known(&self) -> Option<&Document>;
}

impl Known for Document {
    fn known(&self) -> Option<&Document> {
        Some(self)
    }
}

impl Known for Option<Document> {
    fn known(&self) -> Option<&Document> {
        self.as_ref()
    }
}

impl Writes {
    pub(super) fn put(&mut self, key: &Key, document: Option<&Document>, options: &PutOptions) {
        let write = self.0.entry(key.clone()).or_default();
        write.preconditions.push(options.precondition.clone());
        write.last = Last::Put(document.cloned(), options.index.clone(), options.expires_at);
    }

    pub(super) fn delete(&mut self, key: &Key, precondition: &Precondition) {
        let write = self.0.entry(key.clone()).or_default();
        write.preconditions.push(precondition.clone());
        write.last = Last::Deleted;
    }

    fn check(&mut self, key: &Key, precondition: &Precondition) {
        let write = self.0.entry(key.clone()).or_default();
        write.preconditions.push(precondition.clone());
    }

    /// Operations that were applied together.
    pub(super) fn transact<D: Known>(&mut self, operations: &[Operation<D>]) {
        for operation in operations {
            match operation {
                Operation::Put {
                    key,
                    document,
                    options,
                } => self.put(key, document.known(), options),
                Operation::Delete { key, precondition } => self.delete(key, precondition),
                Operation::Check { key, precondition } => self.check(key, precondition),
            }
        }
        self.bind(operations.iter().map(Operation::key).collect());
    }

    /// Notes which items were written together. One that is written alone stays with those that an earlier transaction wrote it with.
    fn bind(&mut self, keys: Vec<&Key>) {
        if keys.len() < 2 {
            return;
        }
        for key in &keys {
            if let Some(write) = self.0.get_mut(*key) {
                let others = keys.iter().filter(|other| *other != key);
                write.together_with = others.map(|other| (*other).clone()).collect();
                write.together_with.sort();
            }
        }
    }

    /// A list ordered by key: `{key, put: {document, index?, expires_at?} | deleted: true | checked: true, preconditions, together_with?}`.
    pub(super) fn to_value(&self, view: &View) -> Value {
        let mut values_left = ValuesLeft::default();
        self.0
            .iter()
            .map(|(key, write)| write.to_value(key, view, &mut values_left))
            .collect()
    }
}

impl Write {
    fn to_value(&self, key: &Key, view: &View, values_left: &mut ValuesLeft) -> Value {
        let mut entry = Map::new();
        entry.insert("key".to_owned(), key_value(key));
        match &self.last {
            Last::Untouched => entry.insert("checked".to_owned(), true.into()),
            Last::Deleted => entry.insert("deleted".to_owned(), true.into()),
            Last::Put(document, index, expires_at) => {
                let mut put = Map::new();
                let text = document.as_ref().map(|document| view.document(document));
                let value = text.map(|text| values_left.read_or_text(&text));
                put.insert("document".to_owned(), value.unwrap_or_default());
                if let Some(index) = index {
                    put.insert("index".to_owned(), key_value(index));
                }
                if let Some(expires_at) = expires_at {
                    put.insert("expires_at".to_owned(), (*expires_at).into());
                }
                entry.insert("put".to_owned(), put.into())
            }
        };
        let preconditions: Vec<Value> = self.preconditions.iter().map(precondition_value).collect();
        entry.insert("preconditions".to_owned(), preconditions.into());
        if !self.together_with.is_empty() {
            let keys: Vec<Value> = self.together_with.iter().map(key_value).collect();
            entry.insert("together_with".to_owned(), keys.into());
        }
        entry.into()
    }
}

fn key_value(key: &Key) -> Value {
    json!({"partition": key.partition, "sort": key.sort})
}

fn precondition_value(precondition: &Precondition) -> Value {
    match precondition {
        Precondition::None => "none".into(),
        Precondition::Absent => "absent".into(),
        Precondition::Present => "present".into(),
        Precondition::Revision(revision) => json!({"revision": revision.as_str()}),
    }
}

/// The writes of the calls on a tape; the reason if one cannot be read.
pub(super) fn recorded_writes(exchange: &Exchange<'_>) -> Result<Writes, RecordingError> {
    let mut writes = Writes::default();
    for (number, call) in (1..).zip(&exchange.calls) {
        if call.call.writes() {
            note_write(&mut writes, call)
                .map_err(|error| RecordingError::Call { number, error })?;
        }
    }
    Ok(writes)
}

fn note_write(writes: &mut Writes, call: &CallRecord<'_>) -> Result<(), ResultError> {
    let Some(result) = call.result()? else {
        return Ok(());
    };
    let request = read_arguments(call.call, call.arguments)?;
    let Ok(response) = result.read(call.call)? else {
        return Ok(());
    };
    let applied = request.findings(response).applied;
    let operations: Vec<_> = applied
        .into_iter()
        .map(|(operation, _)| operation)
        .collect();
    writes.transact(&operations);
    Ok(())
}
