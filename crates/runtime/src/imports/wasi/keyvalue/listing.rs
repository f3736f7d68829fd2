//! Lists of keys: the partitions of a bucket in turn, each in the order of its sort keys, which begin with the hash of the key.
//!
//! A page says where the next one begins. In the second draft that is the number of a partition and the port's own cursor, which is sealed
//! for this partition. The first draft has 64 bits: the hash from which on keys are still to be listed. A page there ends before a hash, so
//! that keys with the same hash are on one page, and none is left out or listed twice. Any number is such a cursor, and leads to no key
//! outside of the bucket.

use super::{
    Answer, Error,
    layout::{Bucket, SHARDS, first_of_shard, key_of, lowest_sort, shard_of},
};
use crate::imports::RequestState;
use ::storage::{Consistency, Direction, QueryOptions, SortRange, StorageRequest, StorageResponse};
use contract::limits::PAGE_ENTRIES_MAX;
use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource};

/// Keys after which a page ends.
const PAGE_KEYS_MAX: usize = PAGE_ENTRIES_MAX as usize;

/// Queries after which a page ends: those of a bucket with few keys, and as many for partitions that are read in several pages, because
/// their values are large.
const PAGE_QUERIES_MAX: usize = 2 * SHARDS as usize;

/// `store.key-response`, with either draft's type of cursors.
#[derive(ComponentType, Lower)]
#[component(record)]
struct KeyResponse<C> {
    keys: Vec<String>,
    cursor: Option<C>,
}

/// Where a list goes on.
pub(super) struct Position {
    shard: u8,
    /// From this sort key on; absent: from the first one.
    from: Option<String>,
    /// The port's own, for the same range.
    cursor: Option<String>,
}

/// A key with its hash.
pub(super) type HashedKey = (u64, String);

/// Where a page may end.
#[derive(Clone, Copy)]
pub(super) enum PageEnd {
    Anywhere,
    BetweenHashes,
}

/// Defines `list-keys`, with the cursors of the first draft or those of the second.
pub(super) fn define(
    interface: &mut LinkerInstance<'_, RequestState>,
    is_first: bool,
) -> wasmtime::Result<()> {
    let name = "[method]bucket.list-keys";
    if is_first {
        interface.func_wrap_async(
            name,
            |mut store, (bucket, cursor): (Resource<Bucket>, Option<u64>)| {
                Box::new(async move { Ok((store.data_mut().keys_from(&bucket, cursor).await?,)) })
            },
        )
    } else {
        interface.func_wrap_async(
            name,
            |mut store, (bucket, cursor): (Resource<Bucket>, Option<String>)| {
                Box::new(async move { Ok((store.data_mut().keys_after(&bucket, cursor).await?,)) })
            },
        )
    }
}

impl Position {
    /// The beginning of a partition.
    pub(super) fn start(shard: u8) -> Self {
        Self {
            shard,
            from: None,
            cursor: None,
        }
    }

    /// The position of a cursor of the first draft.
    fn of_hash(hash: u64) -> Self {
        Self {
            from: Some(lowest_sort(hash)),
            ..Self::start(shard_of(hash))
        }
    }

    /// The position of a cursor of the second draft, which is `Position::text`. The port checks what follows the number.
    fn of_text(text: &str) -> Result<Self, Error> {
        let shard = text.chars().next().and_then(|digit| digit.to_digit(16));
        let (Some(shard), Some(cursor)) = (shard, text.get(1..)) else {
            return Err(Error::Other(
                "the cursor is not one of this bucket".to_owned(),
            ));
        };
        Ok(Self {
            cursor: (!cursor.is_empty()).then(|| cursor.to_owned()),
            ..Self::start(shard as u8)
        })
    }

    fn text(&self) -> String {
        let cursor = self.cursor.as_deref().unwrap_or_default();
        format!("{:x}{cursor}", self.shard)
    }
}

impl RequestState {
    /// `list-keys` of the first draft.
    async fn keys_from(
        &mut self,
        bucket: &Resource<Bucket>,
        cursor: Option<u64>,
    ) -> Answer<KeyResponse<u64>> {
        let start = Position::of_hash(cursor.unwrap_or(0));
        let page = self.page(bucket, start, PageEnd::BetweenHashes).await?;
        Ok(page.map(|(mut keys, next)| {
            let cursor = next.map(|next| match next.cursor {
                None => first_of_shard(next.shard),
                // The page ended within a partition: keys of its last hash may follow.
                Some(_) => give_back_last_hash(&mut keys),
            });
            response(keys, cursor)
        }))
    }

    /// `list-keys` of the second draft.
    async fn keys_after(
        &mut self,
        bucket: &Resource<Bucket>,
        cursor: Option<String>,
    ) -> Answer<KeyResponse<String>> {
        let start = match cursor.as_deref().map(Position::of_text) {
            None => Position::start(0),
            Some(Ok(position)) => position,
            Some(Err(error)) => {
                self.meter.count_host_call()?;
                return Ok(Err(error));
            }
        };
        let page = self.page(bucket, start, PageEnd::Anywhere).await?;
        Ok(page.map(|(keys, next)| response(keys, next.map(|next| next.text()))))
    }

    /// The keys from a position on, and where the next page begins. Their number is bounded by that of calls of one request.
    pub(super) async fn page(
        &mut self,
        bucket: &Resource<Bucket>,
        mut at: Position,
        end: PageEnd,
    ) -> Answer<(Vec<HashedKey>, Option<Position>)> {
        let bucket = self.bucket(bucket)?;
        let mut keys = Vec::new();
        let mut queries = 0;
        loop {
            let limit = PAGE_KEYS_MAX.saturating_sub(keys.len()).max(1);
            let cursor = match self.part(&bucket, &at, limit, &mut keys).await? {
                Ok(cursor) => cursor,
                Err(error) => return Ok(Err(error)),
            };
            queries += 1;
            if cursor.is_some() {
                at.cursor = cursor;
            } else if at.shard + 1 < SHARDS {
                at = Position::start(at.shard + 1);
            } else {
                return Ok(Ok((keys, None)));
            }
            let is_long = keys.len() >= PAGE_KEYS_MAX || queries >= PAGE_QUERIES_MAX;
            if is_long && can_end(&keys, &at, end) {
                return Ok(Ok((keys, Some(at))));
            }
        }
    }

    /// One query: adds its keys, and returns the port's cursor.
    async fn part(
        &mut self,
        bucket: &Bucket,
        at: &Position,
        limit: usize,
        keys: &mut Vec<HashedKey>,
    ) -> Answer<Option<String>> {
        let request = || {
            Ok(StorageRequest::Query {
                partition: bucket.partition(at.shard),
                consistency: Consistency::Strong,
                options: QueryOptions {
                    range: at.from.clone().map_or(SortRange::All, SortRange::AtLeast),
                    direction: Direction::Ascending,
                    limit: limit as u32,
                    cursor: at.cursor.clone(),
                },
            })
        };
        let answer = self.perform(request).await?;
        Ok(match answer.and_then(StorageResponse::into_query) {
            Ok(page) => {
                // What the component has stored there through another interface is not listed.
                let found = page
                    .entries
                    .iter()
                    .filter_map(|entry| key_of(&entry.key.sort));
                keys.extend(found.map(|(hash, key)| (hash, key.to_owned())));
                Ok(page.cursor)
            }
            Err(error) => Err(error.into()),
        })
    }
}

/// Whether a page with these keys may end before this position.
fn can_end(keys: &[HashedKey], next: &Position, end: PageEnd) -> bool {
    match end {
        PageEnd::Anywhere => true,
        // The keys of the last hash are left to the next page, and there has to be one before them.
        PageEnd::BetweenHashes => {
            next.cursor.is_none()
                || matches!((keys.first(), keys.last()), (Some((first, _)), Some((last, _))) if first < last)
        }
    }
}

/// Removes the keys of the last hash, from which on the next page lists.
fn give_back_last_hash(keys: &mut Vec<HashedKey>) -> u64 {
    let last = keys.last().map_or(0, |(hash, _)| *hash);
    keys.retain(|(hash, _)| *hash != last);
    last
}

fn response<C>(keys: Vec<HashedKey>, cursor: Option<C>) -> KeyResponse<C> {
    KeyResponse {
        keys: keys.into_iter().map(|(_, key)| key).collect(),
        cursor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(hashes: &[u64]) -> Vec<HashedKey> {
        (0..)
            .zip(hashes)
            .map(|(number, hash): (u32, _)| (*hash, number.to_string()))
            .collect()
    }

    fn within() -> Position {
        Position {
            cursor: Some("c".to_owned()),
            ..Position::start(3)
        }
    }

    #[test]
    fn a_page_of_the_first_draft_never_splits_a_hash() {
        let end = PageEnd::BetweenHashes;
        assert!(!can_end(&[], &within(), end));
        assert!(!can_end(&keys(&[7]), &within(), end));
        assert!(!can_end(&keys(&[7, 7, 7]), &within(), end));
        assert!(can_end(&keys(&[6, 7, 7]), &within(), end));
        assert!(can_end(&keys(&[7]), &Position::start(4), end));
        assert!(can_end(&[], &Position::start(4), end));
        assert!(can_end(&[], &within(), PageEnd::Anywhere));
        let mut given = keys(&[5, 6, 7, 7]);
        assert_eq!(give_back_last_hash(&mut given), 7);
        assert_eq!(given, keys(&[5, 6]));
    }

    #[test]
    fn any_number_is_a_position_in_the_bucket() {
        for (cursor, shard, from) in [
            (0, 0, "0000000000000000"),
            (1 << 60, 1, "1000000000000000"),
            (u64::MAX, 15, "ffffffffffffffff"),
        ] {
            let position = Position::of_hash(cursor);
            assert_eq!(
                (position.shard, position.from.as_deref()),
                (shard, Some(from))
            );
        }
    }

    #[test]
    fn text_is_a_position_only_if_it_begins_with_the_number_of_a_partition() {
        for position in [within(), Position::start(15)] {
            let read = Position::of_text(&position.text()).ok().unwrap();
            assert_eq!((read.shard, read.cursor), (position.shard, position.cursor));
        }
        for text in ["", "g", "ż", "-1", " 1"] {
            assert!(Position::of_text(text).is_err(), "{text}");
        }
    }
}
