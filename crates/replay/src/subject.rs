//! What a storage call is about: a call is answered as the recorded one that was about the same.

use super::list::List;
use storage::{Direction, Key, Operation, SortRange, StorageFunction, StorageRequest};

/// The items that a call names, or the part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Items(StorageFunction, Vec<Key>),
    Part {
        list: List,
        range: SortRange,
        direction: Direction,
        cursor: Option<String>,
    },
}

impl Subject {
    pub(super) fn of<D>(request: &StorageRequest<D>) -> Self {
        let function = request.function();
        match request {
            StorageRequest::Get { key, .. }
            | StorageRequest::Put { key, .. }
            | StorageRequest::Delete { key, .. } => Self::Items(function, vec![key.clone()]),
            StorageRequest::GetMany { keys, .. } => Self::Items(function, keys.clone()),
            StorageRequest::Query {
                partition, options, ..
            }
            | StorageRequest::QueryIndex { partition, options } => Self::Part {
                list: List {
                    is_index: function == StorageFunction::QueryIndex,
                    partition: partition.clone(),
                },
                range: options.range.clone(),
                direction: options.direction,
                cursor: options.cursor.clone(),
            },
            StorageRequest::Transact { operations, .. } => {
                let keys = operations.iter().map(Operation::key);
                Self::Items(function, keys.cloned().collect())
            }
        }
    }
}
