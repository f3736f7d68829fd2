//! A guest's storage call and its result, as one request and one response, so that layers between guest and store pass them on without a
//! case for each function. Another function starts here; the compiler leads to the rest.

use super::{
    Call, Consistency, DeleteOutcome, Document, Item, Key, Operation, Page, Precondition,
    PutOptions, PutOutcome, QueryOptions, Revision, StorageError, TransactOutcome,
    subject::{Findings, Subject},
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

    /// What must hold of which items for the call to write, without what holds always.
    pub fn preconditions(&self) -> Vec<(&Key, &Precondition)> {
        let mut all = match self {
            Self::Put { key, options, .. } => vec![(key, &options.precondition)],
            Self::Delete { key, precondition } => vec![(key, precondition)],
            Self::Transact { operations, .. } => {
                let operations = operations.iter();
                operations
                    .map(|operation| (operation.key(), operation.precondition()))
                    .collect()
            }
            Self::Get { .. }
            | Self::GetMany { .. }
            | Self::Query { .. }
            | Self::QueryIndex { .. } => Vec::new(),
        };
        all.retain(|(_, precondition)| **precondition != Precondition::None);
        all
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

impl<D> StorageRequest<Option<D>> {
    /// The same with all documents; `None` if one is not known.
    pub fn transpose(self) -> Option<StorageRequest<D>> {
        use StorageRequest as Request;
        Some(match self {
            Self::Get { key, consistency } => Request::Get { key, consistency },
            Self::GetMany { keys, consistency } => Request::GetMany { keys, consistency },
            Self::Put {
                key,
                document,
                options,
            } => Request::Put {
                key,
                document: document?,
                options,
            },
            Self::Delete { key, precondition } => Request::Delete { key, precondition },
            Self::Query {
                partition,
                consistency,
                options,
            } => Request::Query {
                partition,
                consistency,
                options,
            },
            Self::QueryIndex { partition, options } => Request::QueryIndex { partition, options },
            Self::Transact { operations, token } => Request::Transact {
                operations: operations
                    .into_iter()
                    .map(Operation::transpose)
                    .collect::<Option<_>>()?,
                token,
            },
        })
    }
}

impl<D> StorageRequest<D> {
    /// What a response to this request says about the store; nothing if it is one to another function.
    pub fn findings(self, response: StorageResponse) -> Findings<D> {
        use StorageResponse as Response;
        match (self, response) {
            (Self::Get { key, .. }, Response::Get(found)) => Findings::read([(key, found)]),
            (Self::GetMany { keys, .. }, Response::GetMany(found)) => {
                Findings::read(keys.into_iter().zip(found))
            }
            (Self::Put { key, .. }, Response::Put(PutOutcome::PreconditionFailed(item)))
            | (
                Self::Delete { key, .. },
                Response::Delete(DeleteOutcome::PreconditionFailed(item)),
            ) => Findings::read([(key, item)]),
            (
                Self::Put {
                    key,
                    document,
                    options,
                },
                Response::Put(PutOutcome::Done(revision)),
            ) => {
                let put = Operation::Put {
                    key,
                    document,
                    options,
                };
                Findings::applied([(put, Some(revision))])
            }
            (Self::Delete { key, precondition }, Response::Delete(DeleteOutcome::Done)) => {
                Findings::applied([(Operation::Delete { key, precondition }, None)])
            }
            (
                Self::Query {
                    partition, options, ..
                },
                Response::Query(page),
            ) => Findings::page(false, partition, options, page),
            (Self::QueryIndex { partition, options }, Response::QueryIndex(page)) => {
                Findings::page(true, partition, options, page)
            }
            (Self::Transact { operations, .. }, Response::Transact(outcome)) => match outcome {
                TransactOutcome::Done(revisions) => {
                    let revisions = revisions.into_iter().chain(std::iter::repeat(None));
                    Findings::applied(operations.into_iter().zip(revisions))
                }
                TransactOutcome::PreconditionFailed { position, item } => {
                    Findings::failed(&operations, position as usize, item)
                }
            },
            // Each function is named, so that one that is added is found here.
            (
                Self::Get { .. }
                | Self::GetMany { .. }
                | Self::Put { .. }
                | Self::Delete { .. }
                | Self::Query { .. }
                | Self::QueryIndex { .. }
                | Self::Transact { .. },
                _,
            ) => Findings::default(),
        }
    }

    /// The revision of each item that this request puts, in order, as the response has it: each is derived from the seed, also where nothing was
    /// written. `None` where the response does not have it, or may have that of an earlier request.
    pub fn revisions<'a>(&self, response: &'a StorageResponse) -> Vec<Option<&'a Revision>> {
        match (self, response) {
            (Self::Put { .. }, StorageResponse::Put(PutOutcome::Done(revision))) => {
                vec![Some(revision)]
            }
            (Self::Put { .. }, _) => vec![None],
            (Self::Transact { operations, token }, outcome) => {
                let made = match outcome {
                    StorageResponse::Transact(TransactOutcome::Done(made)) if token.is_none() => {
                        made.as_slice()
                    }
                    _ => &[],
                };
                let puts = (0..).zip(operations);
                puts.filter(|(_, operation)| matches!(operation, Operation::Put { .. }))
                    .map(|(position, _): (usize, _)| made.get(position).and_then(Option::as_ref))
                    .collect()
            }
            (
                Self::Get { .. }
                | Self::GetMany { .. }
                | Self::Delete { .. }
                | Self::Query { .. }
                | Self::QueryIndex { .. },
                _,
            ) => Vec::new(),
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

/// For each function the typed call, with the owned form of each argument, and the reader of its response.
macro_rules! typed_calls {
    ($(
        $(#[$doc:meta])*
        $name:ident($($argument:ident: $type:ty = $owned:expr),+) -> $result:ty = $variant:ident, $read:ident;
    )+) => {
        /// Typed calls. A response to another function is a bug of the store, [`StorageError::Internal`].
        pub trait StorageExt: Storage {
            $(
                $(#[$doc])*
                fn $name(
                    &self,
                    call: &Call,
                    $($argument: $type),+
                ) -> impl Future<Output = Result<$result, StorageError>> + Send {
                    let request = StorageRequest::$variant { $($argument: $owned),+ };
                    async move { self.perform(call, request).await?.$read() }
                }
            )+
        }

        impl<T: Storage + ?Sized> StorageExt for T {}

        impl StorageResponse {
            $(
                /// The result of this function. Another function's response is a bug of the store.
                pub fn $read(self) -> Result<$result, StorageError> {
                    match self {
                        Self::$variant(result) => Ok(result),
                        _ => Err(StorageError::Internal),
                    }
                }
            )+
        }
    };
}

typed_calls! {
    /// Reads one item.
    get(key: &Key = key.clone(), consistency: Consistency = consistency)
        -> Option<Item> = Get, into_get;
    /// Reads items; the result is in the order of `keys`.
    get_many(keys: &[Key] = keys.to_vec(), consistency: Consistency = consistency)
        -> Vec<Option<Item>> = GetMany, into_get_many;
    /// Writes one item.
    put(key: &Key = key.clone(), document: &Document = document.clone(), options: &PutOptions = options.clone())
        -> PutOutcome = Put, into_put;
    /// Removes one item.
    delete(key: &Key = key.clone(), precondition: &Precondition = precondition.clone())
        -> DeleteOutcome = Delete, into_delete;
    /// Reads a partition.
    query(partition: &str = partition.to_owned(), consistency: Consistency = consistency, options: &QueryOptions = options.clone())
        -> Page = Query, into_query;
    /// Reads by secondary key.
    query_index(partition: &str = partition.to_owned(), options: &QueryOptions = options.clone())
        -> Page = QueryIndex, into_query_index;
    /// Applies all operations or none.
    transact(operations: &[Operation] = operations.to_vec(), token: Option<&str> = token.map(str::to_owned))
        -> TransactOutcome = Transact, into_transact;
}
