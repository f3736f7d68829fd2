//! Reading many items.

use super::{Consistency, Direction, Entry, Item, Key, Partition, SortRange, StorageError, key};
use crate::{Page, Pagination, contract::RawQuery, host::Host, json::FromJson};
use alloc::{
    string::String,
    vec::{self, Vec},
};
use core::marker::PhantomData;

const PAGE_ENTRIES_DEFAULT: u32 = 100;
const PAGE_ENTRIES_MAX: u32 = 1000;

/// A component does not link the limit of hosts, which this is.
#[cfg(not(target_arch = "wasm32"))]
const _: () = assert!(PAGE_ENTRIES_MAX == contract::limits::PAGE_ENTRIES_MAX);

/// A query that is not sent yet; made by [`Store::query`](super::Store::query). It reads pages of 100 entries in ascending order, strongly
/// consistent, or eventually by secondary key.
#[must_use = "items are read by `page` or by iterating"]
pub struct Query<'a, T> {
    host: &'a Host,
    partition: String,
    is_index: bool,
    consistency: Consistency,
    raw: RawQuery,
    marker: PhantomData<fn() -> T>,
}

impl<'a, T: FromJson> Query<'a, T> {
    pub(super) fn new(host: &'a Host, partition: &Partition<T>, is_index: bool) -> Self {
        Self {
            host,
            partition: partition.name().into(),
            is_index,
            consistency: Consistency::Strong,
            raw: RawQuery {
                range: SortRange::All,
                direction: Direction::Ascending,
                limit: PAGE_ENTRIES_DEFAULT,
                cursor: None,
            },
            marker: PhantomData,
        }
    }

    /// Only these sort keys. Bounds may come from clients: where no key can be in the range, nothing is found, and a bound of more than 1,024
    /// bytes is [`StorageError::InvalidKey`], unless it is a prefix.
    pub fn range(mut self, range: SortRange) -> Self {
        self.raw.range = range;
        self
    }

    /// Only sort keys that start with this text; all, if it is empty.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.range(SortRange::Prefix(prefix.into()))
    }

    /// Only sort keys from the first to the last, both included; none, if the last is before the first.
    pub fn between(self, first: impl Into<String>, last: impl Into<String>) -> Self {
        self.range(SortRange::Between(first.into(), last.into()))
    }

    /// Highest sort keys first.
    pub fn descending(mut self) -> Self {
        self.raw.direction = Direction::Descending;
        self
    }

    /// At half the price on DynamoDB; may lag behind writes. Queries by secondary key always do.
    pub fn eventual(mut self) -> Self {
        self.consistency = Consistency::Eventual;
        self
    }

    /// Largest number of entries in a page, 1 to 1,000.
    pub fn limit(mut self, limit: u32) -> Self {
        self.raw.limit = limit;
        self
    }

    /// Where an earlier page of the same query ended.
    pub fn after(mut self, cursor: impl Into<Option<String>>) -> Self {
        self.raw.cursor = cursor.into();
        self
    }

    /// Limit, order and cursor as the client asked for them. Without an order of the client, that of the query stays.
    pub fn paged(mut self, page: &Pagination) -> Self {
        self.raw.limit = page.limit;
        if let Some(direction) = page.direction {
            self.raw.direction = direction;
        }
        self.raw.cursor.clone_from(&page.cursor);
        self
    }

    /// Reads one page. It may be shorter than the limit, or empty, and still have a cursor.
    pub fn page(self) -> Result<Page<Entry<T>>, StorageError> {
        self.read(self.raw.cursor.clone())
    }

    fn read(&self, cursor: Option<String>) -> Result<Page<Entry<T>>, StorageError> {
        let range = match key::check_partition(&self.partition) {
            Ok(()) => possible_range(&self.raw.range)?,
            Err(_) => None,
        };
        let Some(range) = range else {
            return Ok(Page {
                items: Vec::new(),
                cursor: None,
            });
        };
        let has_cursor = cursor.is_some();
        let is_limit_allowed = (1..=PAGE_ENTRIES_MAX).contains(&self.raw.limit);
        let raw = RawQuery {
            range,
            direction: self.raw.direction,
            limit: self.raw.limit,
            cursor,
        };
        let result = if self.is_index {
            self.host.query_index(&self.partition, raw)
        } else {
            self.host.query(&self.partition, self.consistency, raw)
        };
        let page = result.map_err(|error| match error {
            // Everything else in a query is the program's.
            StorageError::Invalid(_) if has_cursor && is_limit_allowed => {
                StorageError::InvalidCursor
            }
            error => error,
        })?;
        let entries = page.entries.into_iter().map(|(key, raw)| {
            Ok(Entry {
                item: Item::read(&key, raw)?,
                key: Key::of(key),
            })
        });
        Ok(Page {
            items: entries.collect::<Result<_, StorageError>>()?,
            cursor: page.cursor,
        })
    }
}

/// The range as the store takes it, whose bounds are not empty and in order; `None` if no sort key can be in it.
fn possible_range(range: &SortRange) -> Result<Option<SortRange>, StorageError> {
    let range = match range {
        SortRange::Prefix(first) | SortRange::AtLeast(first) if first.is_empty() => SortRange::All,
        SortRange::Prefix(prefix) if key::check_bound(prefix).is_err() => return Ok(None),
        SortRange::AtMost(last) if last.is_empty() => return Ok(None),
        SortRange::Between(first, last) if first > last || last.is_empty() => return Ok(None),
        SortRange::Between(first, last) if first.is_empty() => SortRange::AtMost(last.clone()),
        range => range.clone(),
    };
    match &range {
        SortRange::All => {}
        SortRange::Prefix(bound) | SortRange::AtLeast(bound) | SortRange::AtMost(bound) => {
            key::check_bound(bound)?;
        }
        SortRange::Between(first, last) => {
            key::check_bound(first)?;
            key::check_bound(last)?;
        }
    }
    Ok(Some(range))
}

/// Reads page after page, as far as it is asked for entries.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use tenon::{App, Problem, Store, store::Partition};
/// # #[derive(Serialize, Deserialize)]
/// # struct Room { beds: u32 }
/// # const ROOMS: Partition<Room> = Partition::new("rooms");
/// fn beds(store: Store) -> Result<String, Problem> {
///     let mut beds = 0;
///     for room in store.query(&ROOMS).limit(2) {
///         beds += room?.item.value.beds;
///     }
///     Ok(beds.to_string())
/// }
/// # let client = App::new().get("/beds", beds).test();
/// # for id in ["a", "b", "c", "d", "e"] {
/// #     client.store().put(&ROOMS.key(id), Room { beds: 2 }).send().unwrap();
/// # }
/// # assert_eq!(client.get("/beds").send().text(), "10");
/// ```
impl<'a, T: FromJson> IntoIterator for Query<'a, T> {
    type Item = Result<Entry<T>, StorageError>;
    type IntoIter = Entries<'a, T>;

    fn into_iter(self) -> Entries<'a, T> {
        Entries {
            next: Next::Page(self.raw.cursor.clone()),
            query: self,
            entries: vec::IntoIter::default(),
        }
    }
}

/// The entries of a query.
pub struct Entries<'a, T> {
    query: Query<'a, T>,
    entries: vec::IntoIter<Entry<T>>,
    next: Next,
}

enum Next {
    Page(Option<String>),
    Nothing,
}

impl<T: FromJson> Iterator for Entries<'_, T> {
    type Item = Result<Entry<T>, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.entries.next() {
                return Some(Ok(entry));
            }
            let Next::Page(cursor) = core::mem::replace(&mut self.next, Next::Nothing) else {
                return None;
            };
            match self.query.read(cursor) {
                Ok(page) => {
                    self.entries = page.items.into_iter();
                    if page.cursor.is_some() {
                        self.next = Next::Page(page.cursor);
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
