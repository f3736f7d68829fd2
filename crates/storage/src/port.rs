//! The port of a document store, and its typed calls.

use super::{
    Call, Consistency, DeleteOutcome, Document, Item, Key, Operation, Page, Precondition,
    PutOptions, PutOutcome, QueryOptions, StorageError, StorageRequest, StorageResponse,
    TransactOutcome,
};

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
