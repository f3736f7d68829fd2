//! Reading an item, changing it and writing it, as often as others interfere.

use super::{
    Consistency, Item, Key, Store, Write,
    error::interference,
    put::{ATTEMPTS_MAX, of_document, precondition_of, raw_put, written},
};
use crate::{
    Problem,
    conditional::Conditions,
    contract::{RawItem, RawLost},
};
use alloc::format;
use serde::{Serialize, de::DeserializeOwned};

/// An item that was created or replaced. As a response it is the [`Item`], with 201, `Location` and `Content-Location` if it is new.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replaced<T> {
    /// What is stored now.
    pub item: Item<T>,
    /// Whether nothing was there.
    pub is_new: bool,
}

impl Store {
    /// Reads an item, changes it and writes it. If another request changes it in between, the function is called again with its new state,
    /// unless the client's conditions forbid it.
    ///
    /// 404 if there is no item. Secondary key and expiry stay, unless the function returns a [`Write`] that sets them.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use tenon::{App, Conditions, Problem, Store, store::{Item, Partition}};
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Counter { value: u64 }
    /// # const COUNTERS: Partition<Counter> = Partition::new("counters");
    /// fn count(store: Store, conditions: Conditions) -> Result<Item<Counter>, Problem> {
    ///     store.update(&COUNTERS.key("visits"), &conditions, |mut counter| {
    ///         counter.value += 1;
    ///         Ok(counter)
    ///     })
    /// }
    /// # let client = App::new().post("/visits", count).test();
    /// # assert_eq!(client.post("/visits").send().status(), 404);
    /// # client.store().put(&COUNTERS.key("visits"), Counter { value: 1 }).send().unwrap();
    /// # assert_eq!(client.post("/visits").send().text(), r#"{"value":2}"#);
    /// # assert_eq!(client.post("/visits").header("if-match", "\"other\"").send().status(), 412);
    /// ```
    pub fn update<T, W>(
        &self,
        key: &Key<T>,
        conditions: &Conditions,
        mut change: impl FnMut(T) -> Result<W, Problem>,
    ) -> Result<Item<T>, Problem>
    where
        T: Serialize + DeserializeOwned,
        W: Into<Write<T>>,
    {
        let absent = || Problem::not_found(format!("there is no `{}`", key.sort()));
        let change = |found: Option<Item<T>>| {
            let found = found.ok_or_else(absent)?; // before any condition about it
            conditions.check(Some(&found.revision))?;
            change(found.value)
        };
        Ok(self.modify(key, Start::Read, change)?.item)
    }

    /// Creates or replaces an item. The function gets what is there, and returns what shall be. If another request changes it in between, it
    /// is called again.
    ///
    /// Without `If-Match` the first attempt creates, so that a creation takes one call.
    pub fn replace<T, W>(
        &self,
        key: &Key<T>,
        conditions: &Conditions,
        mut change: impl FnMut(Option<Item<T>>) -> Result<W, Problem>,
    ) -> Result<Replaced<T>, Problem>
    where
        T: Serialize + DeserializeOwned,
        W: Into<Write<T>>,
    {
        let start = if conditions.need_presence() {
            Start::Read
        } else {
            Start::Create
        };
        self.modify(key, start, |found: Option<Item<T>>| {
            conditions.check(found.as_ref().map(|item| item.revision.as_str()))?;
            change(found)
        })
    }

    fn modify<T, W>(
        &self,
        key: &Key<T>,
        start: Start,
        mut change: impl FnMut(Option<Item<T>>) -> Result<W, Problem>,
    ) -> Result<Replaced<T>, Problem>
    where
        T: Serialize + DeserializeOwned,
        W: Into<Write<T>>,
    {
        let raw = key.raw();
        let mut found: Option<RawItem> = match start {
            Start::Read if key.is_possible() => self.host.get(raw, Consistency::Strong)?,
            Start::Read | Start::Create => None,
        };
        for _ in 0..ATTEMPTS_MAX {
            let item = found
                .clone()
                .map(|found| Item::read(raw, found))
                .transpose()?;
            let is_new = item.is_none();
            let write: Write<T> = change(item)?.into();
            key.check()?;
            let mut put = raw_put(raw, &write, found.as_ref())?;
            put.precondition = precondition_of(found);
            let (index, expires_at) = (put.index.clone(), put.expires_at);
            match self.host.put(put).map_err(of_document)? {
                Ok(revision) => {
                    let item = written(write, index, expires_at, revision);
                    return Ok(Replaced { item, is_new });
                }
                Err(RawLost(now)) => found = now,
            }
        }
        Err(interference())
    }
}

/// What the first attempt is made on.
#[derive(Clone, Copy)]
enum Start {
    /// What the store has.
    Read,
    /// The guess that nothing is there, which costs no read.
    Create,
}
