//! `atomics`: changes that depend on the value before, each one write with the revision that was read as its precondition.

use super::{Answer, Error, layout::Bucket, store::put_options, values};
use crate::imports::RequestState;
use ::storage::{
    Item, Key, Precondition, PutOutcome, StorageError, StorageRequest, StorageResponse,
};
use contract::limits::{KEYVALUE_CAS_BYTES_MAX, KEYVALUE_INCREMENT_TRIES_MAX};
use std::{ops::RangeInclusive, time::Duration};
use tokio::time::sleep;
use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource, ResourceType};

/// The numbers of the first draft.
const UNSIGNED: RangeInclusive<i128> = 0..=u64::MAX as i128;
/// The numbers of the second draft.
const SIGNED: RangeInclusive<i128> = i64::MIN as i128..=i64::MAX as i128;

/// Before a further attempt to write, multiplied by the number of attempts, at most [`PAUSES_MAX`]. The guest's clocks stand still meanwhile.
const PAUSE: Duration = Duration::from_millis(1);
const PAUSES_MAX: u32 = 10;

/// A `cas` handle: what was stored under a key when it was made.
pub(super) struct Cas {
    key: Key,
    seen: Option<Item>,
}

/// `atomics.cas-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum CasError {
    #[component(name = "store-error")]
    StoreError(Error),
    #[component(name = "cas-failed")]
    CasFailed(Resource<Cas>),
}

/// Defines the interface, with the numbers of the first draft, or with those of the second and `cas`.
pub(super) fn define(
    interface: &mut LinkerInstance<'_, RequestState>,
    is_first: bool,
) -> wasmtime::Result<()> {
    if is_first {
        interface.func_wrap_async(
            "increment",
            |mut store, (bucket, key, delta): (Resource<Bucket>, String, u64)| {
                Box::new(async move {
                    let state = store.data_mut();
                    let sum = state
                        .increment(&bucket, &key, delta.into(), UNSIGNED)
                        .await?;
                    Ok((sum.map(|sum| sum as u64),))
                })
            },
        )
    } else {
        interface.func_wrap_async(
            "increment",
            |mut store, (bucket, key, delta): (Resource<Bucket>, String, i64)| {
                Box::new(async move {
                    let state = store.data_mut();
                    let sum = state.increment(&bucket, &key, delta.into(), SIGNED).await?;
                    Ok((sum.map(|sum| sum as i64),))
                })
            },
        )?;
        define_cas(interface)
    }
}

fn define_cas(interface: &mut LinkerInstance<'_, RequestState>) -> wasmtime::Result<()> {
    interface.resource("cas", ResourceType::host::<Cas>(), |mut store, handle| {
        store.data_mut().take_cas(Resource::new_own(handle))?;
        Ok(())
    })?;
    interface.func_wrap_async(
        "[static]cas.new",
        |mut store, (bucket, key): (Resource<Bucket>, String)| {
            Box::new(async move { Ok((store.data_mut().new_cas(&bucket, &key).await?,)) })
        },
    )?;
    interface.func_wrap(
        "[method]cas.current",
        |mut store, (cas,): (Resource<Cas>,)| Ok((store.data_mut().current(&cas)?,)),
    )?;
    interface.func_wrap_async(
        "swap",
        |mut store, (cas, value): (Resource<Cas>, Vec<u8>)| {
            Box::new(async move { Ok((store.data_mut().swap(cas, &value).await?,)) })
        },
    )
}

impl RequestState {
    /// Adds to a number in ASCII decimal, which is 0 if nothing is stored; both it and the sum are in `range`.
    async fn increment(
        &mut self,
        bucket: &Resource<Bucket>,
        key: &str,
        delta: i128,
        range: RangeInclusive<i128>,
    ) -> Answer<i128> {
        let mut seen = match self.stored(bucket, key).await? {
            Ok(seen) => seen,
            Err(error) => return Ok(Err(error)),
        };
        let place = self.bucket(bucket)?.place(key);
        for attempt in 0..KEYVALUE_INCREMENT_TRIES_MAX {
            // Whoever has just written is first again: others get a turn only if they leave some time.
            if attempt > 1 {
                sleep(PAUSE * attempt.min(PAUSES_MAX)).await;
            }
            let sum = match sum(seen.as_ref(), delta, &range) {
                Ok(sum) => sum,
                Err(error) => return Ok(Err(error)),
            };
            let value = sum.to_string();
            let key = place.clone();
            match self.put_after(key, seen.as_ref(), value.as_bytes()).await? {
                Ok(PutOutcome::Done(_)) => return Ok(Ok(sum)),
                Ok(PutOutcome::PreconditionFailed(newer)) => seen = newer,
                Err(error) => return Ok(Err(error.into())),
            }
        }
        Ok(Err(Error::Other(
            "other writers kept changing the value".to_owned(),
        )))
    }

    /// Writes a value if what is stored is still what was seen.
    async fn put_after(
        &mut self,
        key: Result<Key, StorageError>,
        seen: Option<&Item>,
        value: &[u8],
    ) -> wasmtime::Result<Result<PutOutcome, StorageError>> {
        let request = || {
            Ok(StorageRequest::Put {
                key: key?,
                document: values::document(value)?,
                options: put_options(match seen {
                    Some(item) => Precondition::Revision(item.revision.clone()),
                    None => Precondition::Absent,
                }),
            })
        };
        let answer = self.perform(request).await?;
        Ok(answer.and_then(StorageResponse::into_put))
    }

    async fn new_cas(&mut self, bucket: &Resource<Bucket>, key: &str) -> Answer<Resource<Cas>> {
        let seen = match self.stored(bucket, key).await? {
            Ok(seen) => seen,
            Err(error) => return Ok(Err(error)),
        };
        match self.bucket(bucket)?.place(key) {
            Ok(key) => self.keep_cas(Cas { key, seen }),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn current(&mut self, cas: &Resource<Cas>) -> Answer<Option<Vec<u8>>> {
        self.meter.count_host_call()?;
        let seen = self.wasi.table.get(cas)?.seen.as_ref();
        Ok(seen.map(values::bytes).transpose().map_err(Error::from))
    }

    async fn swap(
        &mut self,
        cas: Resource<Cas>,
        value: &[u8],
    ) -> wasmtime::Result<Result<(), CasError>> {
        let Cas { key, seen } = self.take_cas(cas)?;
        let outcome = self
            .put_after(Ok(key.clone()), seen.as_ref(), value)
            .await?;
        let newer = match outcome {
            Ok(PutOutcome::Done(_)) => return Ok(Ok(())),
            Ok(PutOutcome::PreconditionFailed(newer)) => newer,
            Err(error) => return Ok(Err(CasError::StoreError(error.into()))),
        };
        let newer = self.keep_cas(Cas { key, seen: newer })?;
        Ok(Err(
            newer.map_or_else(CasError::StoreError, CasError::CasFailed)
        ))
    }

    /// Makes a handle, unless all of them would keep too much.
    fn keep_cas(&mut self, cas: Cas) -> Answer<Resource<Cas>> {
        let bytes = self.wasi.cas_bytes + cas.bytes();
        if bytes > KEYVALUE_CAS_BYTES_MAX {
            return Ok(Err(Error::Other(format!(
                "the values of all `cas` handles have {bytes} bytes, at most {KEYVALUE_CAS_BYTES_MAX} are allowed: drop some of them"
            ))));
        }
        let handle = self.wasi.table.push(cas)?;
        self.wasi.cas_bytes = bytes;
        Ok(Ok(handle))
    }

    fn take_cas(&mut self, handle: Resource<Cas>) -> wasmtime::Result<Cas> {
        let cas = self.wasi.table.delete(handle)?;
        self.wasi.cas_bytes -= cas.bytes();
        Ok(cas)
    }
}

impl Cas {
    fn bytes(&self) -> usize {
        let value = self.seen.as_ref();
        value.map_or(0, |item| item.document.as_str().len())
    }
}

/// The number stored here plus `delta`.
fn sum(seen: Option<&Item>, delta: i128, range: &RangeInclusive<i128>) -> Result<i128, Error> {
    let before = match seen {
        Some(item) => number(&values::bytes(item)?),
        None => Some(0),
    };
    let before = before.filter(|number| range.contains(number));
    let before = before.ok_or_else(|| {
        let (first, last) = (range.start(), range.end());
        Error::Other(format!(
            "the value is not a decimal number from {first} to {last}"
        ))
    })?;
    let sum = before + delta;
    range
        .contains(&sum)
        .then_some(sum)
        .ok_or_else(|| Error::Other("the sum is out of range".to_owned()))
}

/// A number in ASCII decimal: digits, with a minus sign if it is below zero.
fn number(bytes: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_decimal = !text.starts_with('+') && text.len() <= DIGITS_MAX;
    is_decimal.then(|| text.parse().ok()).flatten()
}

/// Longest number that is read: more than any in range has.
const DIGITS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use ::storage::Revision;

    fn add(value: &str, delta: i128, range: RangeInclusive<i128>) -> Option<i128> {
        let item = Item {
            document: values::document(value.as_bytes()).unwrap(),
            revision: Revision::from("r".to_owned()),
            index: None,
            expires_at: None,
        };
        sum(Some(&item), delta, &range).ok()
    }

    #[test]
    fn numbers_are_decimal_and_in_range() {
        assert_eq!(sum(None, 5, &UNSIGNED).ok(), Some(5));
        assert_eq!(add("37", 5, UNSIGNED), Some(42));
        assert_eq!(add("-3", 5, SIGNED), Some(2));
        assert_eq!(add("-3", 5, UNSIGNED), None);
        for text in [
            "", "+1", " 1", "1.0", "1e3", "0x1", "one", "1\n", "٣", "--1", "-",
        ] {
            assert_eq!(add(text, 1, SIGNED), None, "{text}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_an_error() {
        let max = u64::MAX.to_string();
        assert_eq!(add(&max, 0, UNSIGNED), Some(u64::MAX.into()));
        assert_eq!(add(&max, 1, UNSIGNED), None);
        assert_eq!(add(&max, 0, SIGNED), None);
        let (min, max) = (i64::MIN.to_string(), i64::MAX.to_string());
        assert_eq!(add(&min, -1, SIGNED), None);
        assert_eq!(add(&max, 1, SIGNED), None);
        assert_eq!(add(&min, i128::from(i64::MAX), SIGNED), Some(-1));
        assert_eq!(add(&"9".repeat(39), 0, SIGNED), None);
    }
}
