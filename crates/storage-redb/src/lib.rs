//! The store of the local host: one redb file. An acknowledged write is on the disk, and each write is stored completely or not at all.
//!
//! Reads run on snapshots, in the caller's thread. Writes queue for one writer thread, which commits waiting writes in one transaction, so that
//! many requests share one synchronisation of the disk.
//!
//! ```no_run
//! use storage_redb::RedbStorage;
//!
//! let store = RedbStorage::open("items.redb")?;
//! // The key that seals cursors is kept in the file: cursors outlive the process.
//! let cursor_key = store.cursor_key();
//! # Ok::<(), storage_redb::OpenError>(())
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod contents;
mod open;
mod tables;
mod writer;

pub use self::open::OpenError;
use self::{
    tables::{INDEX, ITEMS},
    writer::{Job, Writer},
};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};
use std::{
    fmt,
    ops::{
        Bound::{Excluded, Included},
        ControlFlow,
    },
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};
use storage::{
    Call, CursorKey, DeleteOutcome, Direction, Entry, FoundText, Item, Key, Operation, Page,
    PutOutcome, QueryOptions, Snapshot, Storage, StorageError, StorageRequest, StorageResponse,
    TransactOutcome,
    page::{Order, PageBuilder, Span, entry},
    transaction::{self, digest},
};

/// Documents in a redb file. Dropping it completes all pending writes.
pub struct RedbStorage {
    database: Arc<Database>,
    cursor_key: CursorKey,
    writer: Writer,
}

impl RedbStorage {
    /// Opens the store at `path`, or creates one if the file does not exist or is empty. A file that cannot be used is not changed.
    ///
    /// Files of up to 256 MiB are checked completely. Only one process can have a store open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let (database, cursor_key) = open::open(path.as_ref())?;
        let database = Arc::new(database);
        let writer = Writer::start(database.clone()).map_err(|source| OpenError::Unusable {
            path: path.as_ref().to_owned(),
            source,
        })?;
        Ok(Self {
            database,
            cursor_key,
            writer,
        })
    }

    /// The key that seals this store's cursors, created with the store and kept in it.
    pub fn cursor_key(&self) -> &CursorKey {
        &self.cursor_key
    }

    /// Reads from one snapshot of the store. redb panics on some files that were damaged while open.
    fn read<T>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StorageError> {
        catch_unwind(AssertUnwindSafe(|| read(&self.database.begin_read()?)))
            .map_err(|_| StorageError::Internal)?
            .map_err(failure)
    }

    async fn write(
        &self,
        call: &Call,
        operations: Vec<Operation>,
        token: Option<&str>,
    ) -> Result<TransactOutcome, StorageError> {
        let revisions = transaction::revisions(call, &operations);
        let token = token.map(|token| (token.to_owned(), digest(&operations)));
        self.writer
            .run(Job {
                now_ms: call.now_ms,
                operations,
                revisions,
                token,
            })
            .await
    }
}

impl fmt::Debug for RedbStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedbStorage")
            .finish_non_exhaustive()
    }
}

/// The part of a redb error that a guest may see.
fn failure(error: impl Into<redb::Error>) -> StorageError {
    match error.into() {
        redb::Error::Io(_)
        | redb::Error::PreviousIo
        | redb::Error::Backend(_)
        | redb::Error::DatabaseClosed => StorageError::Unavailable,
        // The enum is non-exhaustive; every other error means a damaged file or a bug of ours.
        _ => StorageError::Internal,
    }
}

fn live(item: Option<Item>, now_ms: u64) -> Option<Item> {
    item.filter(|item| !storage::is_expired(item.expires_at, now_ms))
}

#[async_trait::async_trait]
impl Storage for RedbStorage {
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError> {
        use StorageRequest as Request;
        use StorageResponse as Response;
        Ok(match request {
            Request::Get { key, .. } => Response::Get(self.get(call, &key)?),
            Request::GetMany { keys, .. } => Response::GetMany(self.get_many(call, &keys)?),
            Request::Put {
                key,
                document,
                options,
            } => {
                let put = Operation::Put {
                    key,
                    document,
                    options,
                };
                Response::Put(self.put_one(call, put).await?)
            }
            Request::Delete { key, precondition } => {
                let delete = Operation::Delete { key, precondition };
                Response::Delete(self.delete_one(call, delete).await?)
            }
            Request::Query {
                partition, options, ..
            } => Response::Query(self.query(call, &partition, &options)?),
            Request::QueryIndex { partition, options } => {
                Response::QueryIndex(self.query_index(call, &partition, &options)?)
            }
            Request::Transact { operations, token } => {
                Response::Transact(self.write(call, operations, token.as_deref()).await?)
            }
        })
    }
}

impl RedbStorage {
    fn get(&self, call: &Call, key: &Key) -> Result<Option<Item>, StorageError> {
        let item = self.read(|snapshot| {
            let items = snapshot.open_table(ITEMS)?;
            Ok(items
                .get((key.partition.as_str(), key.sort.as_str()))?
                .map(|found| tables::item(found.value())))
        })?;
        Ok(live(item, call.now_ms))
    }

    fn get_many(&self, call: &Call, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        self.read(|snapshot| {
            let items = snapshot.open_table(ITEMS)?;
            let mut found = Vec::with_capacity(keys.len());
            let mut text = FoundText::default();
            for key in keys {
                let item = items.get((key.partition.as_str(), key.sort.as_str()))?;
                let item = live(item.map(|item| tables::item(item.value())), call.now_ms);
                if let Err(error) = text.add(item.as_ref()) {
                    return Ok(Err(error));
                }
                found.push(item);
            }
            Ok(Ok(found))
        })?
    }

    async fn put_one(&self, call: &Call, put: Operation) -> Result<PutOutcome, StorageError> {
        match self.write(call, vec![put], None).await? {
            TransactOutcome::Done(revisions) => {
                let revision = revisions
                    .into_iter()
                    .next()
                    .flatten()
                    .ok_or(StorageError::Internal)?;
                Ok(PutOutcome::Done(revision))
            }
            TransactOutcome::PreconditionFailed { item, .. } => {
                Ok(PutOutcome::PreconditionFailed(item))
            }
        }
    }

    async fn delete_one(
        &self,
        call: &Call,
        delete: Operation,
    ) -> Result<DeleteOutcome, StorageError> {
        match self.write(call, vec![delete], None).await? {
            TransactOutcome::Done(_) => Ok(DeleteOutcome::Done),
            TransactOutcome::PreconditionFailed { item, .. } => {
                Ok(DeleteOutcome::PreconditionFailed(item))
            }
        }
    }

    fn query(
        &self,
        call: &Call,
        partition: &str,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        let mut page = PageBuilder::new(call, Order::Primary, options.limit);
        let span = Span::of_query(options);
        if span.is_empty() {
            return Ok(page.finish());
        }
        // Without an upper bound, the range ends where the next possible partition begins.
        let next_partition = format!("{partition}\0");
        let upper = span
            .upper
            .as_deref()
            .map_or((next_partition.as_str(), ""), |upper| (partition, upper));
        self.read(|snapshot| {
            let items = snapshot.open_table(ITEMS)?;
            let found = items.range::<(&str, &str)>((
                Included((partition, span.lower.as_str())),
                Excluded(upper),
            ))?;
            in_direction(found, options.direction, |(key, item)| {
                let (partition, sort) = key.value();
                Ok(page.offer(entry(partition, sort, tables::item(item.value()))))
            })
        })?;
        Ok(page.finish())
    }

    fn query_index(
        &self,
        call: &Call,
        partition: &str,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        let mut page = PageBuilder::new(call, Order::Secondary, options.limit);
        let span = Span::of_index_query(options)?;
        if span.is_empty() {
            return Ok(page.finish());
        }
        let next_partition = format!("{partition}\0");
        let lower = (
            partition,
            span.lower.0.as_str(),
            span.lower.1.as_str(),
            span.lower.2.as_str(),
        );
        let upper = span.upper.as_ref().map_or(
            (next_partition.as_str(), "", "", ""),
            |(secondary, primary, sort)| {
                (
                    partition,
                    secondary.as_str(),
                    primary.as_str(),
                    sort.as_str(),
                )
            },
        );
        self.read(|snapshot| {
            let items = snapshot.open_table(ITEMS)?;
            let index = snapshot.open_table(INDEX)?;
            let found =
                index.range::<(&str, &str, &str, &str)>((Included(lower), Excluded(upper)))?;
            in_direction(found, options.direction, |(position, _)| {
                let (_, _, partition, sort) = position.value();
                Ok(match items.get((partition, sort))? {
                    Some(item) => page.offer(entry(partition, sort, tables::item(item.value()))),
                    None => ControlFlow::Continue(()),
                })
            })
        })?;
        Ok(page.finish())
    }
}

/// Reads rows from either end until `visit` has enough.
fn in_direction<R>(
    mut rows: impl DoubleEndedIterator<Item = Result<R, redb::StorageError>>,
    direction: Direction,
    mut visit: impl FnMut(R) -> Result<ControlFlow<()>, redb::Error>,
) -> Result<(), redb::Error> {
    loop {
        let row = match direction {
            Direction::Ascending => rows.next(),
            Direction::Descending => rows.next_back(),
        };
        match row {
            Some(row) => {
                if visit(row?)?.is_break() {
                    return Ok(());
                }
            }
            None => return Ok(()),
        }
    }
}

impl Snapshot for RedbStorage {
    fn load(&self, entries: Vec<Entry>) -> Result<(), StorageError> {
        writer::load(&self.database, entries).map_err(failure)
    }

    fn entries(&self, now_ms: u64) -> Result<Vec<Entry>, StorageError> {
        self.read(|snapshot| {
            let items = snapshot.open_table(ITEMS)?;
            let mut entries = Vec::new();
            for row in items.iter()? {
                let (key, item) = row?;
                let (partition, sort) = key.value();
                entries.extend(
                    live(Some(tables::item(item.value())), now_ms)
                        .map(|item| entry(partition, sort, item)),
                );
            }
            Ok(entries)
        })
    }
}

#[cfg(test)]
mod tests;
