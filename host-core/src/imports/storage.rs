//! `tenon:handler/storage`. The rules of the interface are `storage::tenant`'s; a document is checked here, where text becomes one.

mod convert;

use crate::{
    bindings::tenon::handler::storage as wit,
    runtime::State,
    storage::{Document, StorageError},
};
use convert::{consistency, error, item, key, operation, options, page, precondition, query};
use std::time::Instant;

type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

impl wit::Host for State {
    async fn get(&mut self, at: wit::Key, how: wit::Consistency) -> Answer<Option<wit::Item>> {
        let started = self.start_storage_call()?;
        let found = self
            .storage
            .get(&self.call, &key(at), consistency(how))
            .await;
        self.end_storage_call(started, found.map(|found| found.map(item)))
    }

    async fn get_many(
        &mut self,
        keys: Vec<wit::Key>,
        how: wit::Consistency,
    ) -> Answer<Vec<Option<wit::Item>>> {
        let started = self.start_storage_call()?;
        let keys: Vec<_> = keys.into_iter().map(key).collect();
        let found = self
            .storage
            .get_many(&self.call, &keys, consistency(how))
            .await;
        let convert =
            |found: Vec<Option<_>>| found.into_iter().map(|found| found.map(item)).collect();
        self.end_storage_call(started, found.map(convert))
    }

    async fn put(
        &mut self,
        at: wit::Key,
        document: String,
        how: wit::PutOptions,
    ) -> Answer<wit::PutOutcome> {
        let started = self.start_storage_call()?;
        let outcome = match Document::parse(&document) {
            Ok(document) => {
                self.storage
                    .put(&self.call, &key(at), &document, &options(how))
                    .await
            }
            Err(error) => Err(error),
        };
        self.end_storage_call(started, outcome.map(convert::put_outcome))
    }

    async fn delete(
        &mut self,
        at: wit::Key,
        when: wit::Precondition,
    ) -> Answer<wit::DeleteOutcome> {
        let started = self.start_storage_call()?;
        let outcome = self
            .storage
            .delete(&self.call, &key(at), &precondition(when))
            .await;
        self.end_storage_call(started, outcome.map(convert::delete_outcome))
    }

    async fn query(
        &mut self,
        partition: String,
        how: wit::Consistency,
        what: wit::QueryOptions,
    ) -> Answer<wit::Page> {
        let started = self.start_storage_call()?;
        let found = self
            .storage
            .query(&self.call, &partition, consistency(how), &query(what))
            .await;
        self.end_storage_call(started, found.map(page))
    }

    async fn query_index(
        &mut self,
        partition: String,
        what: wit::QueryOptions,
    ) -> Answer<wit::Page> {
        let started = self.start_storage_call()?;
        let found = self
            .storage
            .query_index(&self.call, &partition, &query(what))
            .await;
        self.end_storage_call(started, found.map(page))
    }

    async fn transact(
        &mut self,
        operations: Vec<wit::Operation>,
        token: Option<String>,
    ) -> Answer<wit::TransactOutcome> {
        let started = self.start_storage_call()?;
        let outcome = match operations
            .into_iter()
            .map(operation)
            .collect::<Result<Vec<_>, _>>()
        {
            Ok(operations) => {
                self.storage
                    .transact(&self.call, &operations, token.as_deref())
                    .await
            }
            Err(error) => Err(error),
        };
        self.end_storage_call(started, outcome.map(convert::transact_outcome))
    }
}

impl State {
    /// Counts one call; over the bound, the guest is stopped.
    fn start_storage_call(&mut self) -> wasmtime::Result<Instant> {
        self.meter.count_storage_call()?;
        Ok(Instant::now())
    }

    /// The outer error would stop the guest, the inner one is the guest's to handle.
    fn end_storage_call<T>(
        &mut self,
        started: Instant,
        answer: Result<T, StorageError>,
    ) -> Answer<T> {
        self.meter.storage_duration += started.elapsed();
        Ok(answer.map_err(error))
    }
}
