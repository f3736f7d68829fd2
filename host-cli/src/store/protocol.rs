//! What `host-cli store` asks of a store: the same requests, whether the store is opened here or a running server has it open.

use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use storage::{
    Call, Consistency, Contents, CursorKey, DeleteOutcome, Direction, Entry, Key, Namespace,
    PART_BYTES_MAX, Position, Precondition, PutOptions, PutOutcome, QueryOptions, Revision,
    SortRange, StorageError, StorageExt, Tenant,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{seed, time};

/// Largest message: a part with all escapes, and the frame around it.
const MESSAGE_BYTES_MAX: usize = 8 * PART_BYTES_MAX;

/// Namespaces that are named. More are not a list that a person reads.
pub const NAMESPACES_MAX: usize = 20;

/// A request, and what it is about.
#[derive(Debug, Serialize, Deserialize)]
pub struct Message {
    /// The namespace; without one, that of the server's guests.
    pub namespace: Option<String>,
    /// The request.
    pub request: Request,
}

/// A request to a store.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Reads one item.
    Get { key: KeyText },
    /// Writes one item; its revision is made here.
    Put { entry: Entry, condition: Condition },
    /// Removes an item that exists.
    Delete { key: KeyText, condition: Condition },
    /// Reads a page of a partition.
    Query(Query),
    /// Reads a part of everything.
    Part { after: Option<KeyText> },
    /// Names the namespaces that have entries.
    Namespaces,
    /// Stores entries as they are; with `if_absent` only those whose key has no item.
    Load {
        entries: Vec<Entry>,
        if_absent: bool,
    },
}

/// A page of a partition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Query {
    /// The partition.
    pub partition: String,
    /// Whether it is one of the secondary keys.
    pub is_index: bool,
    /// The part of it.
    pub range: Range,
    /// Highest first.
    pub is_descending: bool,
    /// Entries of the page.
    pub limit: u32,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// Sort keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Range {
    All,
    Prefix(String),
    AtLeast(String),
    AtMost(String),
    Between(String, String),
}

/// Which state of an item a write replaces.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    Any,
    Absent,
    Revision(String),
}

/// A key as the guest names it, or a position as the store names it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyText {
    pub partition: String,
    pub sort: String,
}

/// The answer to a request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    Entry(Option<Entry>),
    Written {
        revision: String,
    },
    Deleted,
    /// The item is in another state than the condition says.
    Conflict(Option<Entry>),
    Page {
        entries: Vec<Entry>,
        cursor: Option<String>,
    },
    Part {
        entries: Vec<Entry>,
        next: Option<KeyText>,
    },
    Loaded {
        count: usize,
    },
    /// In order, the first [`NAMESPACES_MAX`]; `None` if the store could only be searched as a whole.
    Namespaces(Option<Vec<String>>),
    /// The request breaks a rule of the store.
    Invalid(String),
    /// The store cannot answer now.
    Failed(String),
}

/// What one guest holds, for people.
pub struct View {
    contents: Arc<dyn Contents>,
    tenant: Tenant,
    namespace: Namespace,
    cursor_key: CursorKey,
}

impl View {
    /// The part of a store that belongs to `namespace`; nothing else is seen.
    pub fn new(contents: Arc<dyn Contents>, namespace: Namespace, cursor_key: CursorKey) -> Self {
        Self {
            tenant: Tenant::new(contents.clone(), namespace.clone(), cursor_key.clone()),
            contents,
            namespace,
            cursor_key,
        }
    }

    /// The part of the same store that belongs to another namespace.
    pub fn within(&self, namespace: Namespace) -> Self {
        Self::new(self.contents.clone(), namespace, self.cursor_key.clone())
    }

    /// Carries out a request about any namespace now.
    pub async fn answer_message(&self, Message { namespace, request }: Message) -> Response {
        match namespace.as_deref().map(str::parse) {
            None => self.answer(request).await,
            Some(Ok(namespace)) => self.within(namespace).answer(request).await,
            Some(Err(error)) => Response::Invalid(error.to_string()),
        }
    }

    /// Carries out a request now.
    pub async fn answer(&self, request: Request) -> Response {
        let seed = match seed::of_request() {
            Ok(seed) => seed,
            Err(error) => return Response::Failed(error.message().to_owned()),
        };
        let call = Call::new(time::now_ms(), &seed, None);
        let answer = match request {
            Request::Get { key } => self.get(&call, key.into()).await,
            Request::Put { entry, condition } => self.put(&call, entry, condition).await,
            Request::Delete { key, condition } => self.delete(&call, key.into(), condition).await,
            Request::Query(query) => self.query(&call, query).await,
            Request::Part { after } => self.part(&call, after).await,
            Request::Namespaces => self.namespaces(&call).await,
            Request::Load { entries, if_absent } => self.load(&call, entries, if_absent).await,
        };
        answer.unwrap_or_else(|error| match error {
            StorageError::Invalid(_) | StorageError::TooLarge(_) => {
                Response::Invalid(error.to_string())
            }
            StorageError::Unavailable
            | StorageError::OutcomeUnknown
            | StorageError::Throttled { .. }
            | StorageError::Conflict
            | StorageError::Misconfigured
            | StorageError::Internal => Response::Failed(error.to_string()),
        })
    }

    async fn get(&self, call: &Call, key: Key) -> Result<Response, StorageError> {
        let item = self.tenant.get(call, &key, Consistency::Strong).await?;
        Ok(Response::Entry(item.map(|item| Entry { key, item })))
    }

    async fn put(
        &self,
        call: &Call,
        Entry { key, item }: Entry,
        condition: Condition,
    ) -> Result<Response, StorageError> {
        let options = PutOptions {
            precondition: condition.into(),
            index: item.index,
            expires_at: item.expires_at,
        };
        let put = self
            .tenant
            .put(call, &key, &item.document, &options)
            .await?;
        Ok(match put {
            PutOutcome::Done(revision) => Response::Written {
                revision: revision.into(),
            },
            PutOutcome::PreconditionFailed(item) => {
                Response::Conflict(item.map(|item| Entry { key, item }))
            }
        })
    }

    async fn delete(
        &self,
        call: &Call,
        key: Key,
        condition: Condition,
    ) -> Result<Response, StorageError> {
        let precondition = match condition {
            Condition::Any | Condition::Absent => Precondition::Present,
            Condition::Revision(revision) => Precondition::Revision(revision.into()),
        };
        Ok(match self.tenant.delete(call, &key, &precondition).await? {
            DeleteOutcome::Done => Response::Deleted,
            DeleteOutcome::PreconditionFailed(item) => {
                Response::Conflict(item.map(|item| Entry { key, item }))
            }
        })
    }

    async fn query(&self, call: &Call, query: Query) -> Result<Response, StorageError> {
        let options = QueryOptions {
            range: query.range.into(),
            direction: if query.is_descending {
                Direction::Descending
            } else {
                Direction::Ascending
            },
            limit: query.limit,
            cursor: query.cursor,
        };
        let page = if query.is_index {
            self.tenant
                .query_index(call, &query.partition, &options)
                .await?
        } else {
            let read = self
                .tenant
                .query(call, &query.partition, Consistency::Strong, &options);
            read.await?
        };
        Ok(Response::Page {
            entries: page.entries,
            cursor: page.cursor,
        })
    }

    async fn part(&self, call: &Call, after: Option<KeyText>) -> Result<Response, StorageError> {
        let after = after.map(|key| Position(key.into()));
        let part = self
            .contents
            .part(call, &self.namespace, after.as_ref())
            .await?;
        Ok(Response::Part {
            entries: part.entries,
            next: part.next.map(|Position(key)| key.into()),
        })
    }

    async fn namespaces(&self, call: &Call) -> Result<Response, StorageError> {
        let found = self.contents.namespaces(call, NAMESPACES_MAX).await?;
        let names = |found: Vec<Namespace>| found.iter().map(ToString::to_string).collect();
        Ok(Response::Namespaces(found.map(names)))
    }

    async fn load(
        &self,
        call: &Call,
        mut entries: Vec<Entry>,
        if_absent: bool,
    ) -> Result<Response, StorageError> {
        if if_absent {
            let mut absent = Vec::new();
            for entry in entries {
                let there = self
                    .tenant
                    .get(call, &entry.key, Consistency::Strong)
                    .await?;
                if there.is_none() {
                    absent.push(entry);
                }
            }
            entries = absent;
        }
        let count = entries.len();
        if count > 0 {
            self.contents
                .load_part(call, &self.namespace, entries)
                .await?;
        }
        Ok(Response::Loaded { count })
    }

    /// Whether a guest could store the entry.
    pub fn check(&self, entry: &Entry) -> Result<(), StorageError> {
        self.namespace.check(entry)
    }
}

impl From<KeyText> for Key {
    fn from(KeyText { partition, sort }: KeyText) -> Self {
        Self { partition, sort }
    }
}

impl From<Key> for KeyText {
    fn from(Key { partition, sort }: Key) -> Self {
        Self { partition, sort }
    }
}

impl From<Condition> for Precondition {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::Any => Self::None,
            Condition::Absent => Self::Absent,
            Condition::Revision(revision) => Self::Revision(Revision::from(revision)),
        }
    }
}

impl From<Range> for SortRange {
    fn from(range: Range) -> Self {
        match range {
            Range::All => Self::All,
            Range::Prefix(prefix) => Self::Prefix(prefix),
            Range::AtLeast(lower) => Self::AtLeast(lower),
            Range::AtMost(upper) => Self::AtMost(upper),
            Range::Between(lower, upper) => Self::Between(lower, upper),
        }
    }
}

/// Writes a message: its length in four bytes, big endian, then JSON.
pub async fn send<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> io::Result<()> {
    let json = serde_json::to_vec(message).map_err(io::Error::other)?;
    let length = u32::try_from(json.len())
        .ok()
        .filter(|_| json.len() <= MESSAGE_BYTES_MAX)
        .ok_or_else(|| io::Error::other("the message is too large"))?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&json).await?;
    stream.flush().await
}

/// Reads a message; `None` if the other side has closed the connection between two messages.
pub async fn receive<T: for<'a> Deserialize<'a>>(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_be_bytes(length);
    if length as usize > MESSAGE_BYTES_MAX {
        return Err(io::Error::other("the message is too large"));
    }
    // Grows with what arrives, so that a wrong length costs nothing.
    let mut json = Vec::new();
    stream.take(length.into()).read_to_end(&mut json).await?;
    if json.len() != length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    json::read(&json).map(Some).map_err(io::Error::other)
}
