//! `batch`: several keys in as few calls of the port as its limits allow. What is written in one call is written as a whole; the interface
//! promises less.

use super::{Answer, Error, layout::Bucket, store::put_options, values};
use crate::imports::RequestState;
use ::storage::{
    Consistency, Key, Operation, Precondition, StorageError, StorageRequest, StorageResponse,
    item_bytes,
};
use contract::limits::{
    GET_MANY_KEYS_MAX, GET_MANY_TEXT_BYTES_MAX, KEYVALUE_BATCH_KEYS_MAX, NAMESPACE_BYTES_MAX,
    TRANSACTION_BYTES_MAX, TRANSACTION_OPERATIONS_MAX,
};
use std::collections::{BTreeMap, BTreeSet};
use wasmtime::component::{
    LinkerInstance, Resource,
    types::{ComponentItem, Type},
};

/// Bytes of items in one transaction. The port counts the namespace as well, which is not known here.
const CHUNK_BYTES_MAX: usize =
    TRANSACTION_BYTES_MAX - TRANSACTION_OPERATIONS_MAX * (NAMESPACE_BYTES_MAX + 1);

/// Values by key.
type Values = BTreeMap<String, Vec<u8>>;

/// Keys in the order in which they were asked for, with their values.
type Found = Vec<(String, Option<Vec<u8>>)>;

/// Defines the interface; the type of `get-many`, if the component imports it, decides what it returns.
pub(super) fn define(
    interface: &mut LinkerInstance<'_, RequestState>,
    get_many: Option<ComponentItem>,
) -> wasmtime::Result<()> {
    let name = "get-many";
    if get_many.is_some_and(|imported| returns_all_keys(&imported)) {
        interface.func_wrap_async(
            name,
            |mut store, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
                Box::new(async move { Ok((store.data_mut().find_many(&bucket, keys).await?,)) })
            },
        )?;
    } else {
        interface.func_wrap_async(
            name,
            |mut store, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
                Box::new(async move {
                    let found = store.data_mut().find_many(&bucket, keys).await?;
                    let pairs = found.map(|found| -> Vec<Option<(String, Vec<u8>)>> {
                        let found = found.into_iter();
                        found.map(|(key, value)| Some((key, value?))).collect()
                    });
                    Ok((pairs,))
                })
            },
        )?;
    }
    interface.func_wrap_async(
        "set-many",
        |mut store, (bucket, pairs): (Resource<Bucket>, Vec<(String, Vec<u8>)>)| {
            Box::new(async move { Ok((store.data_mut().set_many(&bucket, pairs).await?,)) })
        },
    )?;
    interface.func_wrap_async(
        "delete-many",
        |mut store, (bucket, keys): (Resource<Bucket>, Vec<String>)| {
            Box::new(async move { Ok((store.data_mut().delete_many(&bucket, keys).await?,)) })
        },
    )
}

/// Whether this `get-many` returns a pair for each key, as Spin has it, instead of one for each key that is there. Any other type is refused
/// when the component is linked.
fn returns_all_keys(get_many: &ComponentItem) -> bool {
    let ComponentItem::ComponentFunc(function) = get_many else {
        return false;
    };
    let Some(Type::Result(result)) = function.results().next() else {
        return false;
    };
    matches!(result.ok(), Some(Type::List(pairs)) if matches!(pairs.ty(), Type::Tuple(_)))
}

impl RequestState {
    /// Each key with its value.
    async fn find_many(&mut self, bucket: &Resource<Bucket>, keys: Vec<String>) -> Answer<Found> {
        self.meter.count_host_call()?;
        if let Err(error) = check_count(keys.len()) {
            return Ok(Err(error));
        }
        let bucket = self.bucket(bucket)?;
        let mut values = Values::new();
        let different: BTreeSet<&String> = keys.iter().collect();
        let different: Vec<&String> = different.into_iter().collect();
        for keys in different.chunks(GET_MANY_KEYS_MAX) {
            if let Err(error) = self.add_values(&bucket, keys, &mut values).await? {
                return Ok(Err(error));
            }
            if let Err(error) = check_bytes(values.values()) {
                return Ok(Err(error));
            }
        }
        if let Err(error) = check_bytes(keys.iter().filter_map(|key| values.get(key))) {
            return Ok(Err(error));
        }
        let pair = |key: String| {
            let value = values.get(&key).cloned();
            (key, value)
        };
        Ok(Ok(keys.into_iter().map(pair).collect()))
    }

    /// Adds the values of those keys that are there; the keys are as many as one call of the port may have.
    async fn add_values(
        &mut self,
        bucket: &Bucket,
        keys: &[&String],
        values: &mut Values,
    ) -> Answer<()> {
        let request = || {
            let keys: Result<Vec<Key>, _> = keys.iter().map(|key| bucket.place(key)).collect();
            Ok(StorageRequest::GetMany {
                keys: keys?,
                consistency: Consistency::Strong,
            })
        };
        let answer = self.perform(request).await?;
        let items = match answer.and_then(StorageResponse::into_get_many) {
            Ok(items) => items,
            Err(error) => return Ok(Err(error.into())),
        };
        for (key, item) in keys.iter().zip(items) {
            match item.as_ref().map(values::bytes).transpose() {
                Ok(value) => values.extend(value.map(|value| ((*key).clone(), value))),
                Err(error) => return Ok(Err(error.into())),
            }
        }
        Ok(Ok(()))
    }

    async fn set_many(
        &mut self,
        bucket: &Resource<Bucket>,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> Answer<()> {
        self.meter.count_host_call()?;
        if let Err(error) = check_count(pairs.len()) {
            return Ok(Err(error));
        }
        let bucket = self.bucket(bucket)?;
        // Of several values for a key, the last one stays.
        let pairs: Values = pairs.into_iter().collect();
        let operations = pairs.into_iter().map(|(key, value)| {
            Ok(Operation::Put {
                key: bucket.place(&key)?,
                document: values::document(&value)?,
                options: put_options(Precondition::None),
            })
        });
        self.write_many(operations).await
    }

    async fn delete_many(&mut self, bucket: &Resource<Bucket>, keys: Vec<String>) -> Answer<()> {
        self.meter.count_host_call()?;
        if let Err(error) = check_count(keys.len()) {
            return Ok(Err(error));
        }
        let bucket = self.bucket(bucket)?;
        let keys: BTreeSet<String> = keys.into_iter().collect();
        let operations = keys.into_iter().map(|key| {
            Ok(Operation::Delete {
                key: bucket.place(&key)?,
                precondition: Precondition::None,
            })
        });
        self.write_many(operations).await
    }

    /// Applies operations on different keys, as many at a time as a transaction may have.
    async fn write_many(
        &mut self,
        operations: impl Iterator<Item = Result<Operation, StorageError>> + Send,
    ) -> Answer<()> {
        let mut chunk = Vec::new();
        let mut chunk_bytes = 0;
        for operation in operations {
            let operation = match operation {
                Ok(operation) => operation,
                Err(error) => return Ok(Err(error.into())),
            };
            let bytes = operation_bytes(&operation);
            let is_full =
                chunk.len() == TRANSACTION_OPERATIONS_MAX || chunk_bytes + bytes > CHUNK_BYTES_MAX;
            if is_full && !chunk.is_empty() {
                if let Err(error) = self.write(std::mem::take(&mut chunk)).await? {
                    return Ok(Err(error.into()));
                }
                chunk_bytes = 0;
            }
            chunk_bytes += bytes;
            chunk.push(operation);
        }
        if chunk.is_empty() {
            return Ok(Ok(()));
        }
        Ok(self.write(chunk).await?.map_err(Error::from))
    }

    /// One operation by itself, which costs a store less, or several as a whole.
    async fn write(
        &mut self,
        mut operations: Vec<Operation>,
    ) -> wasmtime::Result<Result<(), StorageError>> {
        let request = || {
            Ok(match operations.pop() {
                Some(last) if operations.is_empty() => alone(last),
                last => {
                    operations.extend(last);
                    StorageRequest::Transact {
                        operations,
                        token: None,
                    }
                }
            })
        };
        Ok(self.perform(request).await?.map(drop))
    }
}

/// The request that does only this.
fn alone(operation: Operation) -> StorageRequest {
    match operation {
        Operation::Put {
            key,
            document,
            options,
        } => StorageRequest::Put {
            key,
            document,
            options,
        },
        Operation::Delete { key, precondition } => StorageRequest::Delete { key, precondition },
        check @ Operation::Check { .. } => StorageRequest::Transact {
            operations: vec![check],
            token: None,
        },
    }
}

/// The share of an operation in the size of a transaction, or the text of its document if that is longer, because it is in memory.
fn operation_bytes(operation: &Operation) -> usize {
    match operation {
        Operation::Put {
            key,
            document,
            options,
        } => item_bytes(key, document, options).max(document.as_str().len()),
        Operation::Delete { key, .. } | Operation::Check { key, .. } => {
            key.partition.len() + key.sort.len()
        }
    }
}

/// Refuses more values than one call may return.
fn check_bytes<'v>(values: impl Iterator<Item = &'v Vec<u8>>) -> Result<(), Error> {
    let bytes: usize = values.map(Vec::len).sum();
    if bytes > GET_MANY_TEXT_BYTES_MAX {
        return Err(Error::Other(format!(
            "the values found have {bytes} bytes, at most {GET_MANY_TEXT_BYTES_MAX} are allowed: ask for fewer keys at a time"
        )));
    }
    Ok(())
}

fn check_count(count: usize) -> Result<(), Error> {
    if count > KEYVALUE_BATCH_KEYS_MAX {
        return Err(Error::Other(format!(
            "the call has {count} keys, at most {KEYVALUE_BATCH_KEYS_MAX} are allowed"
        )));
    }
    Ok(())
}
