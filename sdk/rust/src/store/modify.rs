//! Reading an item, changing it and writing it, as often as others interfere.

use super::{
    Consistency, Item, Key, Precondition, Store, Write,
    attempts::Attempts,
    error::interference,
    put::{Beside, of_document, raw_put, written},
};
use crate::{
    Problem,
    conditional::Conditions,
    contract::{RawItem, RawLost},
    json::{FromJson, ToJson},
};
use alloc::format;

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
        T: ToJson + FromJson,
        W: Into<Write<T>>,
    {
        let absent = || Problem::not_found(format!("there is no `{}`", key.sort()));
        let change = |found: Option<Item<T>>| {
            let found = found.ok_or_else(absent)?; // before any condition about it
            conditions.check(Some(&found.revision))?;
            change(found.value)
        };
        Ok(self.modify(key, change)?.item)
    }

    /// Creates or replaces an item, as PUT does. The function gets what is there, to keep of it what the client does not send, and returns what
    /// shall be. If another request changes it in between, it is called again.
    ///
    /// Without `If-Match` the first attempt creates, so that a creation takes one call. If the client has set no condition, or only that there is
    /// something, the last write wins: once a replacement has lost, the next one replaces whatever is there. What is computed from what is there,
    /// such as a counter, belongs to [`modify`](Self::modify).
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use tenon::{App, Conditions, Json, Problem, Store, store::{Item, Partition, Replaced}};
    /// # #[derive(Clone, Serialize, Deserialize)]
    /// # struct Room { beds: u32, first: u32 }
    /// # const ROOMS: Partition<Room> = Partition::new("rooms");
    /// fn replace(store: Store, conditions: Conditions, Json(beds): Json<u32>) -> Result<Replaced<Room>, Problem> {
    ///     store.replace(&ROOMS.key("a"), &conditions, |found: Option<Item<Room>>| {
    ///         let first = found.map_or(beds, |found| found.value.first);
    ///         Ok(Room { beds, first })
    ///     })
    /// }
    /// # let client = App::new().put("/rooms/a", replace).test();
    /// # assert_eq!(client.put("/rooms/a").json(&2).send().status(), 201);
    /// # client.lose_races(1_000);
    /// # assert_eq!(client.put("/rooms/a").json(&3).send().text(), r#"{"beds":3,"first":2}"#);
    /// ```
    pub fn replace<T, W>(
        &self,
        key: &Key<T>,
        conditions: &Conditions,
        mut change: impl FnMut(Option<Item<T>>) -> Result<W, Problem>,
    ) -> Result<Replaced<T>, Problem>
    where
        T: ToJson + FromJson,
        W: Into<Write<T>>,
    {
        let start = if conditions.need_presence() {
            Start::Read
        } else {
            Start::Create
        };
        let last_word = conditions.hold_for_any_item();
        self.change(key, start, last_word, |found: Option<Item<T>>| {
            conditions.check(found.as_ref().map(|item| item.revision.as_str()))?;
            change(found)
        })
    }

    /// Reads an item or that there is none, and writes what the function makes of it. If another request changes it in between, the function is
    /// called again with what is there then.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use tenon::{App, Problem, Store, store::{Item, Partition, Replaced}};
    /// # #[derive(Serialize, Deserialize)]
    /// # struct Counter { value: u64 }
    /// # const COUNTERS: Partition<Counter> = Partition::new("counters");
    /// fn count(store: Store) -> Result<Replaced<Counter>, Problem> {
    ///     store.modify(&COUNTERS.key("visits"), |found: Option<Item<Counter>>| {
    ///         Ok(Counter { value: found.map_or(0, |counter| counter.value.value) + 1 })
    ///     })
    /// }
    /// # let client = App::new().post("/visits", count).test();
    /// # assert_eq!(client.post("/visits").send().status(), 201);
    /// # client.lose_races(3);
    /// # assert_eq!(client.post("/visits").send().text(), r#"{"value":2}"#);
    /// ```
    pub fn modify<T, W>(
        &self,
        key: &Key<T>,
        change: impl FnMut(Option<Item<T>>) -> Result<W, Problem>,
    ) -> Result<Replaced<T>, Problem>
    where
        T: ToJson + FromJson,
        W: Into<Write<T>>,
    {
        self.change(key, Start::Read, false, change)
    }

    /// With `last_word` an attempt after a lost replacement writes over any item.
    fn change<T, W>(
        &self,
        key: &Key<T>,
        start: Start,
        last_word: bool,
        mut change: impl FnMut(Option<Item<T>>) -> Result<W, Problem>,
    ) -> Result<Replaced<T>, Problem>
    where
        T: ToJson + FromJson,
        W: Into<Write<T>>,
    {
        let raw = key.raw();
        let mut found: Option<RawItem> = match start {
            Start::Read if key.is_possible() => self.host.get(raw, Consistency::Strong)?,
            Start::Read | Start::Create => None,
        };
        let mut attempts = Attempts::default();
        let mut is_raced = false;
        while attempts.begin() {
            let is_new = found.is_none();
            let beside = found.as_ref().map(|found| Beside {
                index: found.index.clone(),
                expires_at: found.expires_at,
            });
            let precondition = match &found {
                None => Precondition::Absent,
                Some(_) if is_raced && last_word => Precondition::Present,
                Some(found) => Precondition::Revision(found.revision.clone()),
            };
            is_raced = matches!(precondition, Precondition::Revision(_));
            let item = found.map(|found| Item::read(raw, found)).transpose()?;
            let write: Write<T> = change(item)?.into();
            key.check()?;
            let mut put = raw_put(raw, &write, beside.as_ref())?;
            put.precondition = precondition;
            match self.host.put(&put).map_err(of_document)? {
                Ok(revision) => {
                    let item = written(write, put.index, put.expires_at, revision);
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
