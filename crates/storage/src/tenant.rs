//! One guest's view of a store: the rules of `wit/storage.wit` for arguments, the namespace prefix of partitions, sealed cursors.
//!
//! A stored namespace ends with `#`, which a namespace cannot contain. So a guest cannot reach another's partitions, nor partitions without
//! `#` or with a leading `#`, which belong to the host.

use super::{
    Call, Consistency, DeleteOutcome, Document, Entry, Item, Key, Operation, Page, Precondition,
    PutOptions, PutOutcome, QueryOptions, Storage, StorageError, StorageFunction, StorageRequest,
    StorageResponse, TransactOutcome, arguments, cursor::Binding, cursor::CursorKey,
    item_size::check_item,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::limits::{GET_MANY_KEYS_MAX, NAMESPACE_BYTES_MAX, TOKEN_BYTES_MAX};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr, sync::Arc};

/// Ends the namespace in a stored partition.
pub(super) const SEPARATOR: char = '#';

/// The namespace of one guest in a store: 1 to 64 characters of `[a-z0-9-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(String);

/// Text that is not a namespace.
#[derive(Debug, thiserror::Error)]
#[error(
    "a namespace is 1 to {NAMESPACE_BYTES_MAX} characters of `a-z`, `0-9` and `-`, which `{0}` is not"
)]
pub struct NamespaceError(String);

impl FromStr for Namespace {
    type Err = NamespaceError;

    fn from_str(text: &str) -> Result<Self, NamespaceError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() || text.len() > NAMESPACE_BYTES_MAX || !text.bytes().all(allowed) {
            return Err(NamespaceError(
                text.chars().take(NAMESPACE_BYTES_MAX + 1).collect(),
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Namespace {
    /// The namespace of a guest that does not share its store.
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    /// The prefix of the guest's partitions in the store.
    pub(super) fn prefix(&self) -> String {
        format!("{}{SEPARATOR}", self.0)
    }

    /// Converts an entry from the guest's names to the store's.
    pub fn enclose(&self, mut entry: Entry) -> Entry {
        let prefix = self.prefix();
        entry.key.partition.insert_str(0, &prefix);
        if let Some(index) = &mut entry.item.index {
            index.partition.insert_str(0, &prefix);
        }
        entry
    }

    /// Converts an entry from the store's names to the guest's; `None` if it belongs to another guest.
    pub fn disclose(&self, mut entry: Entry) -> Option<Entry> {
        let prefix = self.prefix();
        strip(&mut entry.key.partition, &prefix).ok()?;
        strip_item(&mut entry.item, &prefix).ok()?;
        Some(entry)
    }
}

/// A guest's storage: checks the guest's arguments and passes them to a backend.
pub struct Tenant {
    inner: Arc<dyn Storage>,
    prefix: String,
    cursors: Cursors,
}

/// How cursors represent a backend's position.
enum Cursors {
    /// The position, encrypted and authenticated.
    Sealed(CursorKey),
    /// The position itself, for a store that recognises the cursors that it returned.
    Open,
}

impl Tenant {
    /// The part of `inner` that belongs to `namespace`.
    pub fn new(inner: Arc<dyn Storage>, namespace: Namespace, cursor_key: CursorKey) -> Self {
        Self {
            inner,
            prefix: namespace.prefix(),
            cursors: Cursors::Sealed(cursor_key),
        }
    }

    /// Checks arguments only: partitions and cursors pass unchanged. For a store that replays what a guest saw.
    pub fn rules_only(inner: Arc<dyn Storage>) -> Self {
        Self {
            inner,
            prefix: String::new(),
            cursors: Cursors::Open,
        }
    }

    fn partition(&self, partition: String) -> Result<String, StorageError> {
        let enclosed = self.enclose(partition);
        arguments::check_partition(&enclosed, self.prefix.len())?;
        Ok(enclosed)
    }

    fn key(&self, key: Key) -> Result<Key, StorageError> {
        let enclosed = self.enclose_key(key);
        arguments::check_key(&enclosed, self.prefix.len())?;
        Ok(enclosed)
    }

    fn enclose(&self, mut partition: String) -> String {
        partition.insert_str(0, &self.prefix);
        partition
    }

    fn enclose_key(&self, key: Key) -> Key {
        Key {
            partition: self.enclose(key.partition),
            sort: key.sort,
        }
    }

    fn enclose_options(&self, options: PutOptions) -> PutOptions {
        PutOptions {
            index: options.index.map(|index| self.enclose_key(index)),
            ..options
        }
    }

    fn enclose_operation(&self, operation: Operation) -> Operation {
        match operation {
            Operation::Put {
                key,
                document,
                options,
            } => Operation::Put {
                key: self.enclose_key(key),
                document,
                options: self.enclose_options(options),
            },
            Operation::Delete { key, precondition } => Operation::Delete {
                key: self.enclose_key(key),
                precondition,
            },
            Operation::Check { key, precondition } => Operation::Check {
                key: self.enclose_key(key),
                precondition,
            },
        }
    }

    /// Makes tokens of different guests distinct, within the length that DynamoDB allows.
    fn token(&self, token: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(&self.prefix);
        digest.update(token);
        let mut text = URL_SAFE_NO_PAD.encode(digest.finalize());
        text.truncate(TOKEN_BYTES_MAX);
        text
    }

    fn disclose(&self, item: &mut Option<Item>) -> Result<(), StorageError> {
        item.as_mut()
            .map_or(Ok(()), |item| strip_item(item, &self.prefix))
    }

    /// The checked options for the backend, with its own position instead of the guest's cursor.
    fn open_query(&self, binding: Binding<'_>) -> Result<QueryOptions, StorageError> {
        let options = binding.options;
        arguments::check_query(options)?;
        let cursor = options
            .cursor
            .as_deref()
            .map(|cursor| match &self.cursors {
                Cursors::Sealed(key) => binding.open(key, cursor),
                Cursors::Open => Ok(cursor.to_owned()),
            })
            .transpose()?;
        Ok(QueryOptions {
            range: options.range.clone(),
            direction: options.direction,
            limit: options.limit,
            cursor,
        })
    }

    fn close_query(&self, binding: Binding<'_>, page: Page) -> Result<Page, StorageError> {
        let mut entries = page.entries;
        for entry in &mut entries {
            strip(&mut entry.key.partition, &self.prefix)?;
            strip_item(&mut entry.item, &self.prefix)?;
        }
        let cursor = page
            .cursor
            .map(|position| match &self.cursors {
                Cursors::Sealed(key) => binding.seal(key, &position),
                Cursors::Open => Ok(position),
            })
            .transpose()?;
        Ok(Page { entries, cursor })
    }
}

/// Removes the namespace from a partition. A partition outside of it is a bug of the backend.
fn strip(partition: &mut String, prefix: &str) -> Result<(), StorageError> {
    if !partition.starts_with(prefix) {
        return Err(StorageError::Internal);
    }
    partition.drain(..prefix.len());
    Ok(())
}

fn strip_item(item: &mut Item, prefix: &str) -> Result<(), StorageError> {
    item.index
        .as_mut()
        .map_or(Ok(()), |index| strip(&mut index.partition, prefix))
}

#[async_trait::async_trait]
impl Storage for Tenant {
    async fn perform(
        &self,
        call: &Call,
        request: StorageRequest,
    ) -> Result<StorageResponse, StorageError> {
        use StorageRequest as Request;
        use StorageResponse as Response;
        Ok(match request {
            Request::Get { key, consistency } => {
                Response::Get(self.get(call, key, consistency).await?)
            }
            Request::GetMany { keys, consistency } => {
                Response::GetMany(self.get_many(call, keys, consistency).await?)
            }
            Request::Put {
                key,
                document,
                options,
            } => Response::Put(self.put(call, key, document, options).await?),
            Request::Delete { key, precondition } => {
                Response::Delete(self.delete(call, key, precondition).await?)
            }
            Request::Query {
                partition,
                consistency,
                options,
            } => {
                let page = self.query(call, partition, consistency, &options);
                Response::Query(page.await?)
            }
            Request::QueryIndex { partition, options } => {
                Response::QueryIndex(self.query_index(call, partition, &options).await?)
            }
            Request::Transact { operations, token } => {
                Response::Transact(self.transact(call, operations, token).await?)
            }
        })
    }
}

/// Each checks the arguments, calls the backend with the store's names, and removes the namespace from the result.
impl Tenant {
    async fn get(
        &self,
        call: &Call,
        key: Key,
        consistency: Consistency,
    ) -> Result<Option<Item>, StorageError> {
        let request = StorageRequest::Get {
            key: self.key(key)?,
            consistency,
        };
        let mut found = self.inner.perform(call, request).await?.into_get()?;
        self.disclose(&mut found)?;
        Ok(found)
    }

    async fn get_many(
        &self,
        call: &Call,
        keys: Vec<Key>,
        consistency: Consistency,
    ) -> Result<Vec<Option<Item>>, StorageError> {
        let count = keys.len();
        arguments::check_count("`get-many` keys", count, GET_MANY_KEYS_MAX)?;
        let keys: Vec<Key> = keys
            .into_iter()
            .map(|key| self.key(key))
            .collect::<Result<_, _>>()?;
        arguments::check_different("key", &keys)?;
        let request = StorageRequest::GetMany { keys, consistency };
        let mut found = self.inner.perform(call, request).await?.into_get_many()?;
        if found.len() != count {
            return Err(StorageError::Internal);
        }
        for item in &mut found {
            self.disclose(item)?;
        }
        Ok(found)
    }

    async fn put(
        &self,
        call: &Call,
        key: Key,
        document: Document,
        options: PutOptions,
    ) -> Result<PutOutcome, StorageError> {
        let key = self.key(key)?;
        let options = self.enclose_options(options);
        arguments::check_put_options(&key, &options, self.prefix.len())?;
        check_item(&key, &document, &options)?;
        let request = StorageRequest::Put {
            key,
            document,
            options,
        };
        let mut outcome = self.inner.perform(call, request).await?.into_put()?;
        if let PutOutcome::PreconditionFailed(item) = &mut outcome {
            self.disclose(item)?;
        }
        Ok(outcome)
    }

    async fn delete(
        &self,
        call: &Call,
        key: Key,
        precondition: Precondition,
    ) -> Result<DeleteOutcome, StorageError> {
        arguments::check_precondition(&precondition)?;
        let request = StorageRequest::Delete {
            key: self.key(key)?,
            precondition,
        };
        let mut outcome = self.inner.perform(call, request).await?.into_delete()?;
        if let DeleteOutcome::PreconditionFailed(item) = &mut outcome {
            self.disclose(item)?;
        }
        Ok(outcome)
    }

    async fn query(
        &self,
        call: &Call,
        partition: String,
        consistency: Consistency,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        let partition = self.partition(partition)?;
        let binding = Binding {
            function: StorageFunction::Query.as_str(),
            partition: &partition,
            options,
        };
        let request = StorageRequest::Query {
            partition: partition.clone(),
            consistency,
            options: self.open_query(binding)?,
        };
        let page = self.inner.perform(call, request).await?.into_query()?;
        self.close_query(binding, page)
    }

    async fn query_index(
        &self,
        call: &Call,
        partition: String,
        options: &QueryOptions,
    ) -> Result<Page, StorageError> {
        let partition = self.partition(partition)?;
        let binding = Binding {
            function: StorageFunction::QueryIndex.as_str(),
            partition: &partition,
            options,
        };
        let request = StorageRequest::QueryIndex {
            partition: partition.clone(),
            options: self.open_query(binding)?,
        };
        let page = self
            .inner
            .perform(call, request)
            .await?
            .into_query_index()?;
        self.close_query(binding, page)
    }

    async fn transact(
        &self,
        call: &Call,
        operations: Vec<Operation>,
        token: Option<String>,
    ) -> Result<TransactOutcome, StorageError> {
        arguments::check_operation_count(operations.len(), token.is_some())?;
        token.as_deref().map_or(Ok(()), arguments::check_token)?;
        let operations: Vec<Operation> = operations
            .into_iter()
            .map(|operation| self.enclose_operation(operation))
            .collect();
        arguments::check_operations(&operations, token.is_some(), self.prefix.len())?;
        let request = StorageRequest::Transact {
            operations,
            token: token.map(|token| self.token(&token)),
        };
        let mut outcome = self.inner.perform(call, request).await?.into_transact()?;
        if let TransactOutcome::PreconditionFailed { item, .. } = &mut outcome {
            self.disclose(item)?;
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_holds_what_partitions_can_carry_and_no_separator() {
        for good in ["a", "0", "items-2", &"x".repeat(64)] {
            assert_eq!(good.parse::<Namespace>().unwrap().to_string(), good);
        }
        for bad in ["", "A", "a#", "a b", "ä", "a/b", &"x".repeat(65)] {
            assert!(bad.parse::<Namespace>().is_err(), "{bad}");
        }
    }
}
