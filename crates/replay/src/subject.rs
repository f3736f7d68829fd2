//! The subject of a storage call: a call gets the result of the recorded one with the same subject.

use super::list::List;
use storage::{Direction, Key, SortRange, StorageFunction, StorageRequest};

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
        match request.subject() {
            storage::Subject::Items(keys) => {
                Self::Items(function, keys.into_iter().cloned().collect())
            }
            storage::Subject::Part {
                is_index,
                partition,
                range,
                direction,
                cursor,
            } => Self::Part {
                list: List {
                    is_index,
                    partition: partition.to_owned(),
                },
                range: range.clone(),
                direction,
                cursor: cursor.map(str::to_owned),
            },
        }
    }
}
