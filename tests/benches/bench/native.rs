//! The reference guest's logic compiled into this program, on the same store: what the component is compared with.

use guest::{
    http::Request as GuestRequest,
    ports::{
        Consistency, DeleteOutcome, Direction, Host, Key, Level, Page, PageRequest, Precondition,
        Put, PutOutcome, StorageError, Stored, TransactOutcome,
    },
};
use host_core::{
    http::{Request, Response},
    seed::Seed,
    storage::{self as port, Call, Document, Storage},
};
use std::{
    future::Future,
    pin::pin,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

/// Answers a request with everything the runtime injects, but no component.
pub fn handle(request: Request, storage: &dyn Storage, seed: &Seed) -> Response {
    let context = request.context;
    let host = NativeHost {
        storage,
        call: Call::new(context.received_at_ms, seed, None),
        random: Mutex::new(seed.guest_random()),
    };
    let request = GuestRequest {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers.into_string(),
        body: request.body,
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

struct NativeHost<'a> {
    storage: &'a dyn Storage,
    call: Call,
    random: Mutex<rand_chacha::ChaCha12Rng>,
}

/// The memory store answers at once: its futures never wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the memory store does not wait"),
    }
}

impl Host for NativeHost<'_> {
    fn get(&self, at: &Key, how: Consistency) -> Result<Option<Stored>, StorageError> {
        now(self.storage.get(&self.call, &key(at), consistency(how)))
            .map(|item| item.map(stored))
            .map_err(error)
    }

    fn get_many(
        &self,
        keys: &[Key],
        how: Consistency,
    ) -> Result<Vec<Option<Stored>>, StorageError> {
        let keys: Vec<_> = keys.iter().map(key).collect();
        now(self.storage.get_many(&self.call, &keys, consistency(how)))
            .map(|items| items.into_iter().map(|item| item.map(stored)).collect())
            .map_err(error)
    }

    fn put(&self, put: &Put) -> Result<PutOutcome, StorageError> {
        let document = Document::parse(&put.document).map_err(error)?;
        let outcome = now(self
            .storage
            .put(&self.call, &key(&put.key), &document, &options(put)));
        Ok(match outcome.map_err(error)? {
            port::PutOutcome::Done(revision) => PutOutcome::Done(revision.into()),
            port::PutOutcome::PreconditionFailed(item) => {
                PutOutcome::PreconditionFailed(item.map(stored))
            }
        })
    }

    fn delete(&self, at: &Key, when: &Precondition) -> Result<DeleteOutcome, StorageError> {
        let outcome = now(self
            .storage
            .delete(&self.call, &key(at), &precondition(when)));
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
        now(self
            .storage
            .query(&self.call, partition, consistency(how), &query(what)))
        .map(page)
        .map_err(error)
    }

    fn query_index(&self, partition: &str, what: &PageRequest) -> Result<Page, StorageError> {
        now(self
            .storage
            .query_index(&self.call, partition, &query(what)))
        .map(page)
        .map_err(error)
    }

    fn transact(&self, puts: &[Put]) -> Result<TransactOutcome, StorageError> {
        let operations = puts.iter().map(operation).collect::<Result<Vec<_>, _>>()?;
        let outcome = now(self.storage.transact(&self.call, &operations, None));
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
