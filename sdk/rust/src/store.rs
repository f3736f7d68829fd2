//! The store: documents under typed keys. A document is of a type that serde describes, a [`Value`](crate::json::Value), or its text alone, a
//! [`Document`](crate::json::Document).
//!
//! A [`Partition`] groups documents of one type and gives their [`Key`]s. [`Store`] reads them as [`Item`]s, whose revision is the entity tag
//! for clients and the precondition for writes. Every error becomes a [`Problem`](crate::Problem) with `?`: what a client may repeat is 503
//! with `Retry-After`, a write that lost against another one 409 or 412.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tenon::{Created, Context, Json, Problem, store::Partition};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Booking {
//!     guest: String,
//! }
//!
//! /// The bookings of a room by day, of which there is one a day.
//! fn bookings(room: &str) -> Partition<Booking> {
//!     Partition::named(format!("rooms/{room}"))
//! }
//!
//! fn book(context: Context, Json(booking): Json<Booking>) -> Result<impl tenon::IntoResponse, Problem> {
//!     let store = context.store();
//!     let booked = store.put(&bookings("7").key("2026-05-01"), booking).if_absent().send()?;
//!     Ok(Created::at(["rooms", "7", "2026-05-01"], booked))
//! }
//!
//! let client = tenon::App::new().post("/bookings", book).test();
//! let booking = serde_json::json!({"guest": "Ada"});
//! assert_eq!(client.post("/bookings").json(&booking).send().status(), 201);
//! assert_eq!(client.post("/bookings").json(&booking).send().status(), 409);
//! ```

mod attempts;
mod delete;
mod error;
mod item;
mod key;
mod modify;
mod put;
mod query;
mod transaction;

pub use crate::contract::{Consistency, Direction, Precondition, SortRange, StorageError};
pub use delete::Delete;
pub use error::{Found, WriteError};
pub use item::{Entry, Item};
pub use key::{Key, Partition};
pub use modify::Replaced;
pub use put::{Put, Write};
pub use query::{Entries, Query};
pub use transaction::{LostOperation, Operation, Transaction, TransactionError};

use crate::{
    host::Host,
    json::{FromJson, ToJson},
};
use alloc::vec::Vec;
use core::fmt;

/// The store of the API, in its own namespace.
#[derive(Clone)]
pub struct Store {
    host: Host,
}

impl Store {
    pub(crate) fn new(host: Host) -> Self {
        Self { host }
    }

    /// Reads one item, with every write acknowledged before. A key that is empty or longer than keys may be has none.
    pub fn get<T: FromJson>(&self, key: &Key<T>) -> Result<Option<Item<T>>, StorageError> {
        self.get_with(key, Consistency::Strong)
    }

    /// Reads one item.
    pub fn get_with<T: FromJson>(
        &self,
        key: &Key<T>,
        consistency: Consistency,
    ) -> Result<Option<Item<T>>, StorageError> {
        if !key.is_possible() {
            return Ok(None);
        }
        let found = self.host.get(key.raw(), consistency)?;
        found.map(|found| Item::read(key.raw(), found)).transpose()
    }

    /// Reads 1 to 100 different items, in the order of the keys. Not a snapshot.
    pub fn get_many<T: FromJson>(
        &self,
        keys: &[Key<T>],
        consistency: Consistency,
    ) -> Result<Vec<Option<Item<T>>>, StorageError> {
        let possible = keys.iter().filter(|key| key.is_possible());
        let raw: Vec<_> = possible.map(|key| key.raw().clone()).collect();
        let found = if raw.is_empty() && !keys.is_empty() {
            Vec::new()
        } else {
            self.host.get_many(raw, consistency)?
        };
        let mut found = found.into_iter();
        let read = |key: &Key<T>| {
            let found = key.is_possible().then(|| found.next().flatten()).flatten();
            found.map(|found| Item::read(key.raw(), found)).transpose()
        };
        keys.iter().map(read).collect()
    }

    /// Writes one item, when [`Put::send`] is called.
    pub fn put<'a, T: ToJson + FromJson>(
        &'a self,
        key: &'a Key<T>,
        write: impl Into<Write<T>>,
    ) -> Put<'a, T> {
        Put::new(&self.host, key, write.into())
    }

    /// Removes one item, when [`Delete::send`] is called.
    pub fn delete<'a, T: FromJson>(&'a self, key: &'a Key<T>) -> Delete<'a, T> {
        Delete::new(&self.host, key)
    }

    /// The items of a partition in the order of their sort keys.
    pub fn query<T: FromJson>(&self, partition: &Partition<T>) -> Query<'_, T> {
        Query::new(&self.host, partition, false)
    }

    /// The items whose secondary key ([`Write::index`]) is in this partition, in the order of its sort keys. It may lag behind writes.
    pub fn query_index<T: FromJson>(&self, partition: &Partition<T>) -> Query<'_, T> {
        Query::new(&self.host, partition, true)
    }

    /// Operations on different items, all or nothing.
    pub fn transaction(&self) -> Transaction<'_> {
        Transaction::new(&self.host)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Store(..)")
    }
}
