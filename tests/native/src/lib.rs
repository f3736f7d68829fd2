//! The reference guest's logic compiled into a native program, on the same store, for comparison with the component.

pub mod stack;

use contract::{
    http::{Request, Response},
    seed::Seed,
};
use guest::{
    http::Request as GuestRequest,
    ports::{
        Consistency, DeleteOutcome, Direction, Host, Key, Level, Page, PageRequest, Precondition,
        Put, PutOutcome, StorageError, Stored, TransactOutcome,
    },
};
use std::{
    future::Future,
    pin::pin,
    sync::Mutex,
    task::{Context, Poll, Waker},
};
use storage::{self as port, Call, Document, Storage, StorageExt as _};

/// How the logic, which is synchronous, waits for a store.
pub trait Wait {
    /// The future's output.
    fn wait<T>(&self, future: impl Future<Output = T>) -> T;
}

/// For stores that respond at once, such as the memory store.
pub struct Never;

impl Wait for Never {
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => unreachable!("this store does not wait"),
        }
    }
}

/// Answers a request on a store that does not wait, with everything the runtime injects, but without a component.
pub fn handle(request: Request, storage: &dyn Storage, seed: &Seed) -> Response {
    let call = Call::new(request.context.received_at_ms, seed, None);
    handle_waiting(request, storage, &call, seed, &Never)
}

/// The same for any store.
pub fn handle_waiting(
    request: Request,
    storage: &dyn Storage,
    call: &Call,
    seed: &Seed,
    wait: &impl Wait,
) -> Response {
    let context = request.context;
    let host = NativeHost {
        storage,
        call,
        random: Mutex::new(seed.guest_random()),
        wait,
    };
    let request = GuestRequest {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers.into_string().into(),
        body: request.body,
        base_path: context.base_path,
        request_id: context.request_id,
        received_at_ms: context.received_at_ms,
        subject: context.identity.and_then(|identity| identity.subject),
    };
    let response = guest::handle(&request, &host);
    Response {
        status: response.status,
        headers: response
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into_owned()))
            .collect(),
        body: response.body,
    }
}

struct NativeHost<'a, W> {
    storage: &'a dyn Storage,
    call: &'a Call,
    random: Mutex<rand_chacha::ChaCha12Rng>,
    wait: &'a W,
}

impl<W: Wait> Host for NativeHost<'_, W> {
    fn get(&self, at: &Key, how: Consistency) -> Result<Option<Stored>, StorageError> {
        self.wait
            .wait(self.storage.get(self.call, &key(at), consistency(how)))
            .map(|item| item.map(stored))
            .map_err(error)
    }

    fn get_many(
        &self,
        keys: &[Key],
        how: Consistency,
    ) -> Result<Vec<Option<Stored>>, StorageError> {
        let keys: Vec<_> = keys.iter().map(key).collect();
        self.wait
            .wait(self.storage.get_many(self.call, &keys, consistency(how)))
            .map(|items| items.into_iter().map(|item| item.map(stored)).collect())
            .map_err(error)
    }

    fn put(&self, put: &Put) -> Result<PutOutcome, StorageError> {
        let document = Document::parse(&put.document).map_err(error)?;
        let outcome =
            self.wait.wait(
                self.storage
                    .put(self.call, &key(&put.key), &document, &options(put)),
            );
        Ok(match outcome.map_err(error)? {
            port::PutOutcome::Done(revision) => PutOutcome::Done(revision.into()),
            port::PutOutcome::PreconditionFailed(item) => {
                PutOutcome::PreconditionFailed(item.map(stored))
            }
        })
    }

    fn delete(&self, at: &Key, when: &Precondition) -> Result<DeleteOutcome, StorageError> {
        let outcome = self.wait.wait(
            self.storage
                .delete(self.call, &key(at), &precondition(when)),
        );
        Ok(match outcome.map_err(error)? {
            port::DeleteOutcome::Done => DeleteOutcome::Done,
            port::DeleteOutcome::PreconditionFailed(item) => {
                DeleteOutcome::PreconditionFailed(item.map(stored))
            }
        })
    }

    fn query(
        &self,
        partition: &str,
        how: Consistency,
        what: &PageRequest,
    ) -> Result<Page, StorageError> {
        self.wait
            .wait(
                self.storage
                    .query(self.call, partition, consistency(how), &query(what)),
            )
            .map(page)
            .map_err(error)
    }

    fn query_index(&self, partition: &str, what: &PageRequest) -> Result<Page, StorageError> {
        self.wait
            .wait(self.storage.query_index(self.call, partition, &query(what)))
            .map(page)
            .map_err(error)
    }

    fn transact(&self, puts: &[Put]) -> Result<TransactOutcome, StorageError> {
        let operations = puts.iter().map(operation).collect::<Result<Vec<_>, _>>()?;
        let outcome = self
            .wait
            .wait(self.storage.transact(self.call, &operations, None));
        Ok(match outcome.map_err(error)? {
            port::TransactOutcome::Done(revisions) => TransactOutcome::Done(
                revisions
                    .into_iter()
                    .map(|revision| revision.map(String::from))
                    .collect(),
            ),
            port::TransactOutcome::PreconditionFailed { position, item } => {
                TransactOutcome::PreconditionFailed {
                    position,
                    item: item.map(stored),
                }
            }
        })
    }

    fn random_u64(&self) -> u64 {
        use rand_chacha::rand_core::Rng;
        self.random.lock().map_or(0, |mut random| random.next_u64())
    }

    fn log(&self, _: Level, _: &str, _: &[(&str, &str)]) {}
}

fn key(key: &Key) -> port::Key {
    port::Key {
        partition: key.partition.clone(),
        sort: key.sort.clone(),
    }
}

fn consistency(consistency: Consistency) -> port::Consistency {
    match consistency {
        Consistency::Eventual => port::Consistency::Eventual,
        Consistency::Strong => port::Consistency::Strong,
    }
}

fn precondition(precondition: &Precondition) -> port::Precondition {
    match precondition {
        Precondition::None => port::Precondition::None,
        Precondition::Absent => port::Precondition::Absent,
        Precondition::Present => port::Precondition::Present,
        Precondition::Revision(revision) => port::Precondition::Revision(revision.clone().into()),
    }
}

fn options(put: &Put) -> port::PutOptions {
    port::PutOptions {
        precondition: precondition(&put.precondition),
        index: put.index.as_ref().map(key),
        expires_at: put.expires_at,
    }
}

fn operation(put: &Put) -> Result<port::Operation, StorageError> {
    Ok(port::Operation::Put {
        key: key(&put.key),
        document: Document::parse(&put.document).map_err(error)?,
        options: options(put),
    })
}

fn query(page: &PageRequest) -> port::QueryOptions {
    port::QueryOptions {
        range: port::SortRange::All,
        direction: match page.direction {
            Direction::Ascending => port::Direction::Ascending,
            Direction::Descending => port::Direction::Descending,
        },
        limit: page.limit,
        cursor: page.cursor.clone(),
    }
}

fn stored(item: port::Item) -> Stored {
    Stored {
        document: item.document.as_str().to_owned(),
        revision: item.revision.into(),
        index: item.index.map(|key| Key {
            partition: key.partition,
            sort: key.sort,
        }),
        expires_at: item.expires_at,
    }
}

fn page(page: port::Page) -> Page {
    Page {
        items: page
            .entries
            .into_iter()
            .map(|entry| stored(entry.item))
            .collect(),
        cursor: page.cursor,
    }
}

fn error(error: port::StorageError) -> StorageError {
    match error {
        port::StorageError::Invalid(rule) => StorageError::Invalid(rule),
        port::StorageError::TooLarge(rule) => StorageError::TooLarge(rule),
        port::StorageError::Throttled { retry_after_ms } => StorageError::Throttled(retry_after_ms),
        port::StorageError::Unavailable => StorageError::Unavailable,
        port::StorageError::Conflict => StorageError::Conflict,
        port::StorageError::OutcomeUnknown => StorageError::OutcomeUnknown,
        port::StorageError::Misconfigured => StorageError::Misconfigured,
        port::StorageError::Internal => StorageError::Internal,
    }
}
