//! `tenon:handler/storage`. `storage::tenant` implements the rules of the interface; only documents are checked here, where their text is
//! parsed.

mod conversion;

use super::{RequestState, bindings::tenon::handler::storage as wit};
use conversion::{consistency, error, item, key, operation, options, page, precondition, query};
use std::time::Instant;
use storage::{Document, StorageError, StorageRequest, StorageResponse};

/// The result for the guest. The outer error stops the guest, the inner one is returned to it.
type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

impl wit::Host for RequestState {
    async fn get(&mut self, at: wit::Key, how: wit::Consistency) -> Answer<Option<wit::Item>> {
        let request = || {
            Ok(StorageRequest::Get {
                key: key(at),
                consistency: consistency(how),
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer
            .and_then(StorageResponse::into_get)
            .map(|found| found.map(item))
            .map_err(error))
    }

    async fn get_many(
        &mut self,
        keys: Vec<wit::Key>,
        how: wit::Consistency,
    ) -> Answer<Vec<Option<wit::Item>>> {
        let request = || {
            Ok(StorageRequest::GetMany {
                keys: keys.into_iter().map(key).collect(),
                consistency: consistency(how),
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer
            .and_then(StorageResponse::into_get_many)
            .map(|found| found.into_iter().map(|found| found.map(item)).collect())
            .map_err(error))
    }

    async fn put(
        &mut self,
        at: wit::Key,
        document: String,
        how: wit::PutOptions,
    ) -> Answer<wit::PutOutcome> {
        let request = || {
            Ok(StorageRequest::Put {
                document: Document::parse(&document)?,
                key: key(at),
                options: options(how),
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer
            .and_then(StorageResponse::into_put)
            .map(conversion::put_outcome)
            .map_err(error))
    }

    async fn delete(
        &mut self,
        at: wit::Key,
        when: wit::Precondition,
    ) -> Answer<wit::DeleteOutcome> {
        let request = || {
            Ok(StorageRequest::Delete {
                key: key(at),
                precondition: precondition(when),
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer
            .and_then(StorageResponse::into_delete)
            .map(conversion::delete_outcome)
            .map_err(error))
    }

    async fn query(
        &mut self,
        partition: String,
        how: wit::Consistency,
        what: wit::QueryOptions,
    ) -> Answer<wit::Page> {
        let request = || {
            Ok(StorageRequest::Query {
                partition,
                consistency: consistency(how),
                options: query(what),
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer
            .and_then(StorageResponse::into_query)
            .map(page)
            .map_err(error))
    }

    async fn query_index(
        &mut self,
        partition: String,
        what: wit::QueryOptions,
    ) -> Answer<wit::Page> {
        let request = || {
            Ok(StorageRequest::QueryIndex {
                partition,
                options: query(what),
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer
            .and_then(StorageResponse::into_query_index)
            .map(page)
            .map_err(error))
    }

    async fn transact(
        &mut self,
        operations: Vec<wit::Operation>,
        token: Option<String>,
    ) -> Answer<wit::TransactOutcome> {
        let request = || {
            let operations: Result<Vec<_>, _> = operations.into_iter().map(operation).collect();
            Ok(StorageRequest::Transact {
                operations: operations?,
                token,
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer
            .and_then(StorageResponse::into_transact)
            .map(conversion::transact_outcome)
            .map_err(error))
    }
}

impl RequestState {
    /// Counts one call, and executes it; beyond the limit, the guest is stopped before its arguments are processed.
    pub(super) async fn perform(
        &mut self,
        request: impl FnOnce() -> Result<StorageRequest, StorageError>,
    ) -> wasmtime::Result<Result<StorageResponse, StorageError>> {
        self.meter.count_storage_call()?;
        let started = Instant::now();
        let answer = match request() {
            Ok(request) => self.storage.perform(&self.call, request).await,
            Err(error) => Err(error),
        };
        self.meter.storage_duration += started.elapsed();
        Ok(answer)
    }
}
