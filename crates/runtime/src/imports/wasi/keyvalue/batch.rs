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
use std::{collections::BTreeMap, mem};
use wasmtime::component::{
    LinkerInstance, Resource,
    types::{ComponentItem, Type},
};

/// Bytes of items in one transaction. The port counts the namespace as well, which is not known here.
const CHUNK_BYTES_MAX: usize =
    TRANSACTION_BYTES_MAX - TRANSACTION_OPERATIONS_MAX * (NAMESPACE_BYTES_MAX + 1);

/// Keys in order, each once, with what is stored or to be stored. One type for all three calls, because each further one is several kilobytes of
/// code.
type Values = BTreeMap<String, Option<Vec<u8>>>;

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
        let mut values: Values = keys.iter().map(|key| (key.clone(), None)).collect();
        let mut places: Vec<_> = values.iter_mut().collect();
        let mut bytes = 0;
        for places in places.chunks_mut(GET_MANY_KEYS_MAX) {
            match self.read_values(&bucket, places).await? {
                Ok(read) => bytes += read,
                Err(error) => return Ok(Err(error)),
            }
            if let Err(error) = check_bytes(bytes) {
                return Ok(Err(error));
            }
        }
        let value_of = |key: &String| values.get(key).and_then(Option::as_ref);
        let lengths = keys.iter().filter_map(value_of).map(Vec::len);
        if let Err(error) = check_bytes(lengths.sum()) {
            return Ok(Err(error));
        }
        let pair = |key: String| {
            let value = value_of(&key).cloned();
            (key, value)
        };
        Ok(Ok(keys.into_iter().map(pair).collect()))
    }

    /// Reads the values of keys, as many as one call of the port may have, and returns their bytes.
    async fn read_values(
        &mut self,
        bucket: &Bucket,
        places: &mut [(&String, &mut Option<Vec<u8>>)],
    ) -> Answer<usize> {
        let request = || {
            let keys: Result<Vec<Key>, _> =
                places.iter().map(|(key, _)| bucket.place(key)).collect();
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
        let mut bytes = 0;
        for ((_, place), item) in places.iter_mut().zip(items) {
            match item.as_ref().map(values::bytes).transpose() {
                Ok(value) => {
                    bytes += value.as_ref().map_or(0, Vec::len);
                    **place = value;
                }
                Err(error) => return Ok(Err(error.into())),
            }
        }
        Ok(Ok(bytes))
    }

    async fn set_many(
        &mut self,
        bucket: &Resource<Bucket>,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> Answer<()> {
        let pairs = pairs.into_iter().map(|(key, value)| (key, Some(value)));
        self.write_many(bucket, pairs.collect()).await
    }

    async fn delete_many(&mut self, bucket: &Resource<Bucket>, keys: Vec<String>) -> Answer<()> {
        let keys = keys.into_iter().map(|key| (key, None));
        self.write_many(bucket, keys.collect()).await
    }

    /// Stores values, and removes those of keys without one, as many at a time as a transaction may have. Nothing is written if one of them
    /// cannot be.
    async fn write_many(
        &mut self,
        bucket: &Resource<Bucket>,
        values: Vec<(String, Option<Vec<u8>>)>,
    ) -> Answer<()> {
        self.meter.count_host_call()?;
        if let Err(error) = check_count(values.len()) {
            return Ok(Err(error));
        }
        let bucket = self.bucket(bucket)?;
        // Of several values for a key, the last one stays.
        let values: Values = values.into_iter().collect();
        let operations = values
            .into_iter()
            .map(|(key, value)| operation(&bucket, &key, value));
        let operations: Vec<Operation> = match operations.collect() {
            Ok(operations) => operations,
            Err(error) => return Ok(Err(StorageError::into(error))),
        };
        let mut chunk = Vec::new();
        let mut chunk_bytes = 0;
        for operation in operations {
            let bytes = operation_bytes(&operation);
            let is_full =
                chunk.len() == TRANSACTION_OPERATIONS_MAX || chunk_bytes + bytes > CHUNK_BYTES_MAX;
            if is_full && !chunk.is_empty() {
                if let Err(error) = self.write(mem::take(&mut chunk)).await? {
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

/// What stores a value, or removes that of a key without one.
fn operation(
    bucket: &Bucket,
    key: &str,
    value: Option<Vec<u8>>,
) -> Result<Operation, StorageError> {
    let key = bucket.place(key)?;
    Ok(match value {
        Some(value) => Operation::Put {
            key,
            document: values::document(&value)?,
            options: put_options(Precondition::None),
        },
        None => Operation::Delete {
            key,
            precondition: Precondition::None,
        },
    })
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
fn check_bytes(bytes: usize) -> Result<(), Error> {
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
