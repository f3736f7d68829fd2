//! Several writes, all or nothing.

use super::{
    Item, Key, Precondition, StorageError, Write,
    error::interference,
    put::{into_raw_put, of_document},
};
use crate::{
    Problem,
    contract::{RawItem, RawKey, RawOperation, RawPut},
    host::Host,
    json::{FromJson, ToJson},
};
use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::fmt;

const OPERATIONS_MAX: usize = 100;

/// A component does not link the limit of hosts, which this is.
#[cfg(not(target_arch = "wasm32"))]
const _: () = assert!(OPERATIONS_MAX == contract::limits::TRANSACTION_OPERATIONS_MAX);

/// One operation of a [`Transaction`].
#[must_use = "an operation is part of a transaction"]
#[derive(Clone, Debug)]
pub struct Operation {
    /// An error in the key or the document is reported when the transaction is sent.
    raw: Result<RawOperation, StorageError>,
}

impl Operation {
    /// Writes an item.
    pub fn put<T: ToJson>(key: &Key<T>, write: impl Into<Write<T>>) -> Self {
        let put = || into_raw_put(key.raw(), write.into());
        Self {
            raw: key.check().and_then(|()| put()).map(RawOperation::Put),
        }
    }

    /// Removes an item.
    pub fn delete<T>(key: &Key<T>) -> Self {
        let delete = || RawOperation::Delete(key.raw().clone(), Precondition::None);
        Self {
            raw: key.check().map(|()| delete()),
        }
    }

    /// Writes nothing: the transaction depends on the precondition. Without one it is that the item is there.
    pub fn check<T>(key: &Key<T>) -> Self {
        let check = || RawOperation::Check(key.raw().clone(), Precondition::Present);
        Self {
            raw: key.check().map(|()| check()),
        }
    }

    /// Only if nothing is there.
    pub fn if_absent(self) -> Self {
        self.when(Precondition::Absent)
    }

    /// Only if something is there.
    pub fn if_present(self) -> Self {
        self.when(Precondition::Present)
    }

    /// Only if the item has this revision.
    pub fn if_revision(self, revision: impl Into<String>) -> Self {
        self.when(Precondition::Revision(revision.into()))
    }

    /// Only if the precondition holds.
    pub fn when(mut self, precondition: Precondition) -> Self {
        match &mut self.raw {
            Ok(RawOperation::Put(put)) => put.precondition = precondition,
            Ok(RawOperation::Delete(_, condition) | RawOperation::Check(_, condition)) => {
                *condition = precondition;
            }
            Err(_) => {}
        }
        self
    }
}

/// 1 to 100 operations on different items, of which all happen or none; made by [`Store::transaction`](super::Store::transaction). A
/// [`token`](Self::token) takes the place of one, and so does the record of [`send_once`](Self::send_once).
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use tenon::{App, Problem, Store, store::{Operation, Partition}};
/// # #[derive(Serialize, Deserialize)]
/// # struct Name { id: String }
/// # #[derive(Serialize, Deserialize)]
/// # struct User { name: String }
/// const NAMES: Partition<Name> = Partition::new("names");
/// const USERS: Partition<User> = Partition::new("users");
///
/// /// A name belongs to one user only.
/// fn register(store: Store) -> Result<(), Problem> {
///     let (id, name) = ("1".to_string(), "ada".to_string());
///     store
///         .transaction()
///         .with(Operation::put(&NAMES.key(&name), Name { id: id.clone() }).if_absent())
///         .with(Operation::put(&USERS.key(id), User { name }).if_absent())
///         .send()?;
///     Ok(())
/// }
/// # let client = App::new().post("/users", register).test();
/// # assert_eq!(client.post("/users").send().status(), 204);
/// # assert_eq!(client.post("/users").send().status(), 409);
/// ```
#[must_use = "a transaction happens by `send`"]
pub struct Transaction<'a> {
    host: &'a Host,
    operations: Vec<Operation>,
    token: Option<String>,
}

/// Why a transaction did not happen. As a [`Problem`] a lost one is 409.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransactionError {
    /// The precondition of an operation did not hold.
    Lost(Box<LostOperation>),
    /// The call has no result.
    Storage(StorageError),
}

/// The first operation whose precondition did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostOperation {
    /// Its position, from 0.
    pub position: usize,
    pub(crate) key: RawKey,
    pub(crate) found: Option<RawItem>,
    pub(crate) precondition: Precondition,
}

impl LostOperation {
    /// The existing item of the operation's key, which is of type `T`.
    pub fn item<T: FromJson>(&self) -> Result<Option<Item<T>>, StorageError> {
        let found = self.found.clone();
        found.map(|found| Item::read(&self.key, found)).transpose()
    }
}

impl<'a> Transaction<'a> {
    pub(super) fn new(host: &'a Host) -> Self {
        Self {
            host,
            operations: Vec::new(),
            token: None,
        }
    }

    /// With one more operation.
    pub fn with(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// With an operation before all others.
    pub(crate) fn after(mut self, operation: Operation) -> Self {
        self.operations.insert(0, operation);
        self
    }

    /// Fails if the operations leave no place for a record.
    pub(crate) fn check_place_for_record(&self) -> Result<(), StorageError> {
        let operations_max = OPERATIONS_MAX - 1 - usize::from(self.token.is_some());
        if self.len() <= operations_max {
            return Ok(());
        }
        let count = self.len();
        let rule =
            format!("{count} operations are sent once, at most {operations_max} are allowed");
        Err(StorageError::Invalid(rule))
    }

    /// With more operations.
    pub fn with_all(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.operations.extend(operations);
        self
    }

    /// With a token of 1 to 36 bytes: repeated within ten minutes, the transaction happens once and has the first result.
    /// It then has at most 99 operations.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The number of operations so far, which is the position of the next one.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there are no operations yet.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Applies the operations; the new revision of each put, and `None` for the others.
    pub fn send(self) -> Result<Vec<Option<String>>, TransactionError> {
        let mut operations = Vec::with_capacity(self.operations.len());
        let mut conditions = Vec::with_capacity(self.operations.len()); // without copies of the documents
        for operation in self.operations {
            let raw = operation.raw?;
            let (RawOperation::Put(RawPut {
                key, precondition, ..
            })
            | RawOperation::Delete(key, precondition)
            | RawOperation::Check(key, precondition)) = &raw;
            conditions.push((key.clone(), precondition.clone()));
            operations.push(raw);
        }
        let sent = self.host.transact(operations, self.token.as_deref());
        let lost = match sent.map_err(of_document)? {
            Ok(revisions) => return Ok(revisions),
            Err(lost) => lost,
        };
        let position = usize::try_from(lost.position).unwrap_or(usize::MAX);
        let Some((key, precondition)) = conditions.into_iter().nth(position) else {
            return Err(StorageError::Internal.into());
        };
        Err(TransactionError::Lost(Box::new(LostOperation {
            position,
            key,
            found: lost.found,
            precondition,
        })))
    }
}

impl From<StorageError> for TransactionError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<TransactionError> for Problem {
    fn from(error: TransactionError) -> Self {
        let lost = match error {
            TransactionError::Storage(error) => return error.into(),
            TransactionError::Lost(lost) => lost,
        };
        match lost.precondition {
            Precondition::Absent => {
                Self::conflict(format!("there is a `{}` already", lost.key.sort))
            }
            Precondition::Present => Self::conflict(format!("there is no `{}`", lost.key.sort)),
            Precondition::Revision(_) | Precondition::None => interference(),
        }
    }
}

impl fmt::Display for TransactionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(lost) => write!(
                formatter,
                "the precondition of operation {} did not hold",
                lost.position
            ),
            Self::Storage(error) => error.fmt(formatter),
        }
    }
}

impl core::error::Error for TransactionError {}
