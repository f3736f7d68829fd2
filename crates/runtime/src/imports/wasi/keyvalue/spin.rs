//! `fermyon:spin/key-value`: the same buckets for components that were made with Spin's own interface.

use super::{
    Answer, Error,
    layout::Bucket,
    listing::{PageEnd, Position},
    store::define_bucket,
};
use crate::imports::RequestState;
use contract::limits::KEYVALUE_KEYS_BYTES_MAX;
use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource};

/// `key-value.error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum StoreError {
    #[component(name = "store-table-full")]
    TableFull,
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSuchStore => Self::NoSuchStore,
            Error::AccessDenied => Self::AccessDenied,
            Error::Other(text) => Self::Other(text),
        }
    }
}

/// Defines the interface.
pub(super) fn define(interface: &mut LinkerInstance<'_, RequestState>) -> wasmtime::Result<()> {
    define_bucket(interface, "store")?;
    interface.func_wrap("[static]store.open", |mut store, (label,): (String,)| {
        Ok((store.data_mut().open_store(&label)?,))
    })?;
    interface.func_wrap_async(
        "[method]store.get",
        |mut store, (bucket, key): (Resource<Bucket>, String)| {
            Box::new(async move {
                let found = store.data_mut().value(&bucket, &key).await?;
                Ok((found.map_err(StoreError::from),))
            })
        },
    )?;
    interface.func_wrap_async(
        "[method]store.set",
        |mut store, (bucket, key, value): (Resource<Bucket>, String, Vec<u8>)| {
            Box::new(async move {
                let done = store.data_mut().set(&bucket, &key, &value).await?;
                Ok((done.map_err(StoreError::from),))
            })
        },
    )?;
    interface.func_wrap_async(
        "[method]store.delete",
        |mut store, (bucket, key): (Resource<Bucket>, String)| {
            Box::new(async move {
                let done = store.data_mut().remove(&bucket, &key).await?;
                Ok((done.map_err(StoreError::from),))
            })
        },
    )?;
    interface.func_wrap_async(
        "[method]store.exists",
        |mut store, (bucket, key): (Resource<Bucket>, String)| {
            Box::new(async move {
                let found = store.data_mut().stored(&bucket, &key).await?;
                Ok((found.map(|found| found.is_some()).map_err(StoreError::from),))
            })
        },
    )?;
    interface.func_wrap_async(
        "[method]store.get-keys",
        |mut store, (bucket,): (Resource<Bucket>,)| {
            Box::new(async move {
                let keys = store.data_mut().all_keys(&bucket).await?;
                Ok((keys.map_err(StoreError::from),))
            })
        },
    )
}

impl RequestState {
    fn open_store(
        &mut self,
        label: &str,
    ) -> wasmtime::Result<Result<Resource<Bucket>, StoreError>> {
        self.meter.count_host_call()?;
        let Some(bucket) = Bucket::of(label) else {
            return Ok(Err(StoreError::NoSuchStore));
        };
        let handle = self.wasi.table.push(bucket);
        Ok(handle.map_err(|_| StoreError::TableFull))
    }

    /// The keys of all pages.
    async fn all_keys(&mut self, bucket: &Resource<Bucket>) -> Answer<Vec<String>> {
        let mut all = Vec::new();
        let mut bytes = 0;
        let mut next = Some(Position::start(0));
        while let Some(at) = next {
            let (keys, after) = match self.page(bucket, at, PageEnd::Anywhere).await? {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            bytes += keys.iter().map(|(_, key)| key.len()).sum::<usize>();
            if bytes > KEYVALUE_KEYS_BYTES_MAX {
                return Ok(Err(Error::Other(format!(
                    "the keys have more than {KEYVALUE_KEYS_BYTES_MAX} bytes together"
                ))));
            }
            all.extend(keys.into_iter().map(|(_, key)| key));
            next = after;
        }
        Ok(Ok(all))
    }
}
