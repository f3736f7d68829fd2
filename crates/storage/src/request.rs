//! A guest's storage call and its result, as one request and one response, so that layers between guest and store pass them on without a
//! case for each function. Another function starts here; the compiler leads to the rest.

use super::{
    Call, Consistency, DeleteOutcome, Direction, Document, Item, Key, Operation, Page,
    Precondition, PutOptions, PutOutcome, QueryOptions, SortRange, StorageError, TransactOutcome,
};
use serde::Deserialize;
use std::fmt;

/// The functions of `tenon:handler/storage`, with their names there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // described in `wit/storage.wit`
pub enum StorageFunction {
    Get,
    GetMany,
    Put,
    Delete,
    Query,
    QueryIndex,
    Transact,
}

impl StorageFunction {
    /// The name in the WIT.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::GetMany => "get-many",
            Self::Put => "put",
            Self::Delete => "delete",
            Self::Query => "query",
            Self::QueryIndex => "query-index",
            Self::Transact => "transact",
        }
    }

    /// Whether it may change stored data.
    pub fn writes(self) -> bool {
        match self {
            Self::Put | Self::Delete | Self::Transact => true,
            Self::Get | Self::GetMany | Self::Query | Self::QueryIndex => false,
        }
    }
}

impl fmt::Display for StorageFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One call of a guest. `D` is the type of documents: a tape may have only the digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageRequest<D = Document> {
    /// Reads one item.
    Get {
        /// The key.
        key: Key,
        /// The consistency of the read.
        consistency: Consistency,
    },
    /// Reads up to [`GET_MANY_KEYS_MAX`](contract::limits::GET_MANY_KEYS_MAX) items; the result is in the order of `keys`.
    GetMany {
        /// The keys.
        keys: Vec<Key>,
        /// The consistency of the read.
        consistency: Consistency,
    },
    /// Writes one item.
    Put {
        /// The key.
        key: Key,
        /// The document.
        document: D,
        /// The precondition, secondary key and expiry.
        options: PutOptions,
    },
    /// Removes one item.
    Delete {
        /// The key.
        key: Key,
        /// The precondition.
        precondition: Precondition,
    },
    /// Reads a partition in the order of its sort keys.
    Query {
        /// The partition.
        partition: String,
        /// The consistency of the read.
        consistency: Consistency,
        /// The part of the partition, and the order.
        options: QueryOptions,
    },
    /// Reads by secondary key, ordered by secondary sort key, primary partition, primary sort key.
    QueryIndex {
        /// The partition of the secondary keys.
        partition: String,
        /// The part of the partition, and the order.
        options: QueryOptions,
    },
    /// Applies all operations or none.
    Transact {
        /// The operations, each on a different item.
        operations: Vec<Operation<D>>,
        /// The token that makes the transaction happen only once.
        token: Option<String>,
    },
}

impl<D> StorageRequest<D> {
    /// Which function was called.
    pub fn function(&self) -> StorageFunction {
        match self {
            Self::Get { .. } => StorageFunction::Get,
            Self::GetMany { .. } => StorageFunction::GetMany,
            Self::Put { .. } => StorageFunction::Put,
            Self::Delete { .. } => StorageFunction::Delete,
            Self::Query { .. } => StorageFunction::Query,
            Self::QueryIndex { .. } => StorageFunction::QueryIndex,
            Self::Transact { .. } => StorageFunction::Transact,
        }
    }

    /// What the call is about, for all functions alike.
    pub fn subject(&self) -> Subject<'_> {
        match self {
            Self::Get { key, .. } | Self::Put { key, .. } | Self::Delete { key, .. } => {
                Subject::Items(vec![key])
            }
            Self::GetMany { keys, .. } => Subject::Items(keys.iter().collect()),
            Self::Transact { operations, .. } => {
                Subject::Items(operations.iter().map(Operation::key).collect())
            }
            Self::Query {
                partition, options, ..
            } => Subject::part(false, partition, options),
            Self::QueryIndex { partition, options } => Subject::part(true, partition, options),
        }
    }

    /// Calls `each` with every document that the guest wants to write.
    pub fn documents(&self, each: &mut dyn FnMut(&D)) {
        match self {
            Self::Put { document, .. } => each(document),
            Self::Transact { operations, .. } => {
                for operation in operations {
                    match operation {
                        Operation::Put { document, .. } => each(document),
                        Operation::Delete { .. } | Operation::Check { .. } => {}
                    }
                }
            }
            Self::Get { .. }
            | Self::GetMany { .. }
            | Self::Delete { .. }
            | Self::Query { .. }
            | Self::QueryIndex { .. } => {}
        }
    }
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// Items by their keys, in the order of the call.
    Items(Vec<&'a Key>),
    /// Part of the items of a partition.
    Part {
        /// Whether the partition is one of the secondary keys.
        is_index: bool,
        /// The partition.
        partition: &'a str,
        /// The range of sort keys.
        range: &'a SortRange,
        /// The order.
        direction: Direction,
        /// The cursor of an earlier page.
        cursor: Option<&'a str>,
    },
}

impl<'a> Subject<'a> {
    fn part(is_index: bool, partition: &'a str, options: &'a QueryOptions) -> Self {
        Self::Part {
            is_index,
            partition,
            range: &options.range,
            direction: options.direction,
            cursor: options.cursor.as_deref(),
        }
    }
}

/// The result of a successful call. A store answers each function with the response of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // described by `StorageRequest` and the types
pub enum StorageResponse {
    Get(Option<Item>),
    GetMany(Vec<Option<Item>>),
    Put(PutOutcome),
    Delete(DeleteOutcome),
    Query(Page),
    QueryIndex(Page),
    Transact(TransactOutcome),
}

impl StorageResponse {
    /// Calls `each` with every document that the guest receives.
    pub fn documents(&self, each: &mut dyn FnMut(&Document)) {
        match self {
            Self::Get(found)
            | Self::Put(PutOutcome::PreconditionFailed(found))
            | Self::Delete(DeleteOutcome::PreconditionFailed(found))
            | Self::Transact(TransactOutcome::PreconditionFailed { item: found, .. }) => {
                found.iter().for_each(|item| each(&item.document));
            }
            Self::GetMany(found) => {
                let items = found.iter().flatten();
                items.for_each(|item| each(&item.document));
            }
            Self::Query(page) | Self::QueryIndex(page) => {
                let items = page.entries.iter().map(|entry| &entry.item);
                items.for_each(|item| each(&item.document));
            }
            Self::Put(PutOutcome::Done(_))
            | Self::Delete(DeleteOutcome::Done)
            | Self::Transact(TransactOutcome::Done(_)) => {}
        }
    }
}

/// The response for one function. Another function's response is a bug of the store.
impl StorageResponse {
    /// The item of a get.
    pub fn into_get(self) -> Result<Option<Item>, StorageError> {
        match self {
            Self::Get(answer) => Ok(answer),
            _ => Err(StorageError::Internal),
        }
    }

    /// The items of a `get-many`.
    pub fn into_get_many(self) -> Result<Vec<Option<Item>>, StorageError> {
        match self {
            Self::GetMany(answer) => Ok(answer),
            _ => Err(StorageError::Internal),
        }
    }

    /// The outcome of a put.
    pub fn into_put(self) -> Result<PutOutcome, StorageError> {
        match self {
            Self::Put(answer) => Ok(answer),
            _ => Err(StorageError::Internal),
        }
    }

    /// The outcome of a delete.
    pub fn into_delete(self) -> Result<DeleteOutcome, StorageError> {
        match self {
            Self::Delete(answer) => Ok(answer),
            _ => Err(StorageError::Internal),
        }
    }

    /// The page of a query.
    pub fn into_query(self) -> Result<Page, StorageError> {
        match self {
            Self::Query(answer) => Ok(answer),
            _ => Err(StorageError::Internal),
        }
    }

    /// The page of a query by secondary key.
    pub fn into_query_index(self) -> Result<Page, StorageError> {
        match self {
            Self::QueryIndex(answer) => Ok(answer),
            _ => Err(StorageError::Internal),
        }
    }

    /// The outcome of a transaction.
    pub fn into_transact(self) -> Result<TransactOutcome, StorageError> {
        match self {
            Self::Transact(answer) => Ok(answer),
            _ => Err(StorageError::Internal),
        }
    }
}

/// A document store. Every call is atomic for the items it names.
#[async_trait::async_trait]
pub trait Storage: Send + Sync {
    /// Performs one request.
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError>;
}

/// Typed calls. [`StorageRequest`] describes each; a response to another function is a bug of the store, [`StorageError::Internal`].
pub trait StorageExt: Storage {
    /// Reads one item.
    fn get(
        &self,
        call: &Call,
        key: &Key,
        consistency: Consistency,
    ) -> impl Future<Output = Result<Option<Item>, StorageError>> + Send {
        let request = StorageRequest::Get {
            key: key.clone(),
            consistency,
        };
        async move { self.perform(call, request).await?.into_get() }
    }

    /// Reads items; the result is in the order of `keys`.
    fn get_many(
        &self,
        call: &Call,
        keys: &[Key],
        consistency: Consistency,
    ) -> impl Future<Output = Result<Vec<Option<Item>>, StorageError>> + Send {
        let request = StorageRequest::GetMany {
            keys: keys.to_vec(),
            consistency,
        };
        async move { self.perform(call, request).await?.into_get_many() }
    }

    /// Writes one item.
    fn put(
        &self,
        call: &Call,
        key: &Key,
        document: &Document,
        options: &PutOptions,
    ) -> impl Future<Output = Result<PutOutcome, StorageError>> + Send {
        let request = StorageRequest::Put {
            key: key.clone(),
            document: document.clone(),
            options: options.clone(),
        };
        async move { self.perform(call, request).await?.into_put() }
    }

    /// Removes one item.
    fn delete(
        &self,
        call: &Call,
        key: &Key,
        precondition: &Precondition,
    ) -> impl Future<Output = Result<DeleteOutcome, StorageError>> + Send {
        let request = StorageRequest::Delete {
            key: key.clone(),
            precondition: precondition.clone(),
        };
        async move { self.perform(call, request).await?.into_delete() }
    }

    /// Reads a partition.
    fn query(
        &self,
        call: &Call,
        partition: &str,
        consistency: Consistency,
        options: &QueryOptions,
    ) -> impl Future<Output = Result<Page, StorageError>> + Send {
        let request = StorageRequest::Query {
            partition: partition.to_owned(),
            consistency,
            options: options.clone(),
        };
        async move { self.perform(call, request).await?.into_query() }
    }

    /// Reads by secondary key.
    fn query_index(
        &self,
        call: &Call,
        partition: &str,
        options: &QueryOptions,
    ) -> impl Future<Output = Result<Page, StorageError>> + Send {
        let request = StorageRequest::QueryIndex {
            partition: partition.to_owned(),
            options: options.clone(),
        };
        async move { self.perform(call, request).await?.into_query_index() }
    }

    /// Applies all operations or none.
    fn transact(
        &self,
        call: &Call,
        operations: &[Operation],
        token: Option<&str>,
    ) -> impl Future<Output = Result<TransactOutcome, StorageError>> + Send {
        let request = StorageRequest::Transact {
            operations: operations.to_vec(),
            token: token.map(str::to_owned),
        };
        async move { self.perform(call, request).await?.into_transact() }
    }
}

impl<T: Storage + ?Sized> StorageExt for T {}
