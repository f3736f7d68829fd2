//! `store`: buckets, and what is done with one key at a time.

use super::{Answer, Error, layout::Bucket, listing, values};
use crate::imports::RequestState;
use ::storage::{Consistency, Item, Precondition, PutOptions, StorageRequest, StorageResponse};
use wasmtime::component::{LinkerInstance, Resource, ResourceType};

/// What a `set` writes besides the value, under this precondition.
pub(super) fn put_options(precondition: Precondition) -> PutOptions {
    PutOptions {
        precondition,
        index: None,
        expires_at: None,
    }
}

/// Defines the interface, with the cursors of the first draft or those of the second.
pub(super) fn define(
    interface: &mut LinkerInstance<'_, RequestState>,
    is_first: bool,
) -> wasmtime::Result<()> {
    define_bucket(interface, "bucket")?;
    interface.func_wrap("open", |mut store, (name,): (String,)| {
        Ok((store.data_mut().open(&name)?,))
    })?;
    interface.func_wrap_async(
        "[method]bucket.get",
        |mut store, (bucket, key): (Resource<Bucket>, String)| {
            Box::new(async move { Ok((store.data_mut().value(&bucket, &key).await?,)) })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.set",
        |mut store, (bucket, key, value): (Resource<Bucket>, String, Vec<u8>)| {
            Box::new(async move { Ok((store.data_mut().set(&bucket, &key, &value).await?,)) })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.delete",
        |mut store, (bucket, key): (Resource<Bucket>, String)| {
            Box::new(async move { Ok((store.data_mut().remove(&bucket, &key).await?,)) })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.exists",
        |mut store, (bucket, key): (Resource<Bucket>, String)| {
            Box::new(async move {
                let found = store.data_mut().stored(&bucket, &key).await?;
                Ok((found.map(|found| found.is_some()),))
            })
        },
    )?;
    listing::define(interface, is_first)
}

/// Defines the resource under its name in this interface.
pub(super) fn define_bucket(
    interface: &mut LinkerInstance<'_, RequestState>,
    name: &str,
) -> wasmtime::Result<()> {
    interface.resource(name, ResourceType::host::<Bucket>(), |mut store, handle| {
        let handle = Resource::<Bucket>::new_own(handle);
        store.data_mut().wasi.table.delete(handle)?;
        Ok(())
    })
}

impl RequestState {
    fn open(&mut self, identifier: &str) -> Answer<Resource<Bucket>> {
        self.meter.count_host_call()?;
        Ok(match Bucket::of(identifier) {
            Some(bucket) => Ok(self.wasi.table.push(bucket)?),
            None => Err(Error::NoSuchStore),
        })
    }

    /// The bucket of a handle.
    pub(super) fn bucket(&self, handle: &Resource<Bucket>) -> wasmtime::Result<Bucket> {
        Ok(self.wasi.table.get(handle)?.clone())
    }

    /// What is stored under a key.
    pub(super) async fn stored(
        &mut self,
        bucket: &Resource<Bucket>,
        key: &str,
    ) -> Answer<Option<Item>> {
        let bucket = self.bucket(bucket)?;
        let request = || {
            Ok(StorageRequest::Get {
                key: bucket.place(key)?,
                consistency: Consistency::Strong,
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer
            .and_then(StorageResponse::into_get)
            .map_err(Error::from))
    }

    pub(super) async fn value(
        &mut self,
        bucket: &Resource<Bucket>,
        key: &str,
    ) -> Answer<Option<Vec<u8>>> {
        let found = self.stored(bucket, key).await?;
        Ok(found.and_then(|found| {
            let bytes = found.as_ref().map(values::bytes).transpose();
            bytes.map_err(Error::from)
        }))
    }

    pub(super) async fn set(
        &mut self,
        bucket: &Resource<Bucket>,
        key: &str,
        value: &[u8],
    ) -> Answer<()> {
        let bucket = self.bucket(bucket)?;
        let request = || {
            Ok(StorageRequest::Put {
                key: bucket.place(key)?,
                document: values::document(value)?,
                options: put_options(Precondition::None),
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer
            .and_then(StorageResponse::into_put)
            .map(drop)
            .map_err(Error::from))
    }

    pub(super) async fn remove(&mut self, bucket: &Resource<Bucket>, key: &str) -> Answer<()> {
        let bucket = self.bucket(bucket)?;
        let request = || {
            Ok(StorageRequest::Delete {
                key: bucket.place(key)?,
                precondition: Precondition::None,
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer
            .and_then(StorageResponse::into_delete)
            .map(drop)
            .map_err(Error::from))
    }
}
