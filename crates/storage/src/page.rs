//! What a query covers and where its page ends: one rule for all ordered backends.
//!
//! A page ends when it has the requested number of entries, or when the next item would take it over [`PAGE_BYTES_MAX`]. Expired items
//! count, because they are read, too. The page has a cursor if the backend then found a further item.

use super::{
    Call, Direction, Entry, Item, Key, QueryOptions, SortRange, StorageError,
    item_size::stored_bytes,
};
use contract::limits::PAGE_BYTES_MAX;
use std::ops::ControlFlow;

/// From `lower` (inclusive) to `upper` (exclusive).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span<P> {
    /// The first position.
    pub lower: P,
    /// The first position after the span; `None` if it has no end.
    pub upper: Option<P>,
}

/// The position of an item in a secondary partition: secondary sort key, primary partition, primary sort key.
pub type IndexPosition = (String, String, String);

impl<P: PartialOrd> Span<P> {
    /// Whether the span is empty, which ordered maps do not accept.
    pub fn is_empty(&self) -> bool {
        self.upper
            .as_ref()
            .is_some_and(|upper| *upper <= self.lower)
    }

    fn narrow(&mut self, direction: Direction, before: P, after: P) {
        match direction {
            Direction::Ascending if after > self.lower => self.lower = after,
            Direction::Descending if self.upper.as_ref().is_none_or(|upper| before < *upper) => {
                self.upper = Some(before)
            }
            Direction::Ascending | Direction::Descending => {}
        }
    }
}

impl Span<String> {
    /// The sort keys that a query of a primary partition still has to read.
    pub fn of_query(options: &QueryOptions) -> Self {
        let mut span = Self::of_range(&options.range);
        if let Some(cursor) = &options.cursor {
            span.narrow(options.direction, cursor.clone(), next(cursor));
        }
        span
    }

    fn of_range(range: &SortRange) -> Self {
        match range {
            SortRange::All => Self {
                lower: String::new(),
                upper: None,
            },
            SortRange::Prefix(prefix) => Self {
                lower: prefix.clone(),
                upper: after_prefix(prefix),
            },
            SortRange::Between(lower, upper) => Self {
                lower: lower.clone(),
                upper: Some(next(upper)),
            },
            SortRange::AtLeast(lower) => Self {
                lower: lower.clone(),
                upper: None,
            },
            SortRange::AtMost(upper) => Self {
                lower: String::new(),
                upper: Some(next(upper)),
            },
        }
    }
}

impl Span<IndexPosition> {
    /// The positions that a query of a secondary partition still has to read.
    pub fn of_index_query(options: &QueryOptions) -> Result<Self, StorageError> {
        let range = Span::of_range(&options.range);
        let first = |sort: String| (sort, String::new(), String::new());
        let mut span = Self {
            lower: first(range.lower),
            upper: range.upper.map(first),
        };
        if let Some(cursor) = &options.cursor {
            let (secondary, partition, sort) =
                read_position(cursor).ok_or(StorageError::Internal)?;
            let before = (secondary.to_owned(), partition.to_owned(), sort.to_owned());
            let after = (secondary.to_owned(), partition.to_owned(), next(sort));
            span.narrow(options.direction, before, after);
        }
        Ok(span)
    }
}

impl SortRange {
    /// Whether the range contains this sort key.
    pub fn covers(&self, sort: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => sort.starts_with(prefix),
            Self::Between(lower, upper) => (lower.as_str()..=upper.as_str()).contains(&sort),
            Self::AtLeast(lower) => lower.as_str() <= sort,
            Self::AtMost(upper) => sort <= upper.as_str(),
        }
    }
}

/// The smallest text greater than `text`.
fn next(text: &str) -> String {
    let mut next = String::with_capacity(text.len() + 1);
    next.push_str(text);
    next.push('\0');
    next
}

/// The first text after all those that start with `prefix`; `None` if there is none, because the prefix has only the highest character.
pub fn after_prefix(prefix: &str) -> Option<String> {
    let mut rest = prefix.chars();
    loop {
        let following = match rest.next_back()? {
            char::MAX => continue,
            '\u{d7ff}' => '\u{e000}',
            character => char::from_u32(u32::from(character) + 1)?,
        };
        return Some(rest.as_str().chars().chain([following]).collect());
    }
}

/// `secondary length:partition length:` and the three texts.
fn write_position(index_sort: &str, key: &Key) -> String {
    format!(
        "{}:{}:{index_sort}{}{}",
        index_sort.len(),
        key.partition.len(),
        key.partition,
        key.sort
    )
}

/// The parts of a position in an index: secondary sort key, partition and sort key. `None` if the text is not such a position.
pub fn read_position(text: &str) -> Option<(&str, &str, &str)> {
    let (secondary_bytes, rest) = text.split_once(':')?;
    let (partition_bytes, rest) = rest.split_once(':')?;
    let (secondary, rest) = rest.split_at_checked(secondary_bytes.parse().ok()?)?;
    let (partition, sort) = rest.split_at_checked(partition_bytes.parse().ok()?)?;
    Some((secondary, partition, sort))
}

/// Which position a cursor contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The item's own.
    Primary,
    /// Its position in the index.
    Secondary,
}

/// Collects a page from items in the query's order.
pub struct PageBuilder<'a> {
    call: &'a Call,
    order: Order,
    limit: usize,
    /// Items offered and accepted, and their bytes, including expired ones.
    count: usize,
    bytes: usize,
    entries: Vec<Entry>,
    /// Position of an expired item after the last entry.
    skipped: Option<String>,
    cursor: Option<String>,
}

impl<'a> PageBuilder<'a> {
    /// An empty page of at most `limit` entries.
    pub fn new(call: &'a Call, order: Order, limit: u32) -> Self {
        Self {
            call,
            order,
            limit: limit as usize,
            count: 0,
            bytes: 0,
            entries: Vec::new(),
            skipped: None,
            cursor: None,
        }
    }

    /// Accepts the next item, or ends the page before it.
    pub fn offer(&mut self, entry: Entry) -> ControlFlow<()> {
        let Entry { key, item } = &entry;
        let bytes = stored_bytes(key, &item.document, item.index.as_ref(), item.expires_at);
        let expired = self.call.is_expired(item.expires_at);
        let full = self.bytes > 0 && self.bytes + bytes > PAGE_BYTES_MAX;
        if full || (self.entries.len() == self.limit && !expired) {
            self.cursor = self
                .skipped
                .take()
                .or_else(|| self.entries.last().map(|last| self.position(last)));
            return ControlFlow::Break(());
        }
        self.count += 1;
        self.bytes += bytes;
        if expired {
            self.skipped = Some(self.position(&entry));
        } else {
            self.skipped = None;
            self.entries.push(entry);
        }
        ControlFlow::Continue(())
    }

    /// How many items to read next from a store that charges for each: one more than requested, to know whether there is one, and hardly
    /// more than fit.
    pub fn wanted(&self) -> usize {
        let wanted = self.limit - self.entries.len() + 1;
        match self.bytes.checked_div(self.count) {
            Some(average) => {
                wanted.min((PAGE_BYTES_MAX - self.bytes.min(PAGE_BYTES_MAX)) / average + 1)
            }
            None => wanted,
        }
    }

    /// Accepts items in ascending order, from either end, until the page ends.
    pub fn fill(
        &mut self,
        direction: Direction,
        mut ascending: impl DoubleEndedIterator<Item = Entry>,
    ) {
        loop {
            let entry = match direction {
                Direction::Ascending => ascending.next(),
                Direction::Descending => ascending.next_back(),
            };
            match entry.map(|entry| self.offer(entry)) {
                Some(ControlFlow::Continue(())) => {}
                Some(ControlFlow::Break(())) | None => break,
            }
        }
    }

    /// The page, with a cursor if more entries may follow.
    pub fn finish(self) -> super::Page {
        super::Page {
            entries: self.entries,
            cursor: self.cursor,
        }
    }

    fn position(&self, entry: &Entry) -> String {
        match self.order {
            Order::Primary => entry.key.sort.clone(),
            Order::Secondary => write_position(
                entry
                    .item
                    .index
                    .as_ref()
                    .map_or("", |index: &Key| &index.sort),
                &entry.key,
            ),
        }
    }
}

/// An item as an entry.
pub fn entry(partition: &str, sort: &str, item: Item) -> Entry {
    Entry {
        key: Key {
            partition: partition.to_owned(),
            sort: sort.to_owned(),
        },
        item,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_prefix_is_the_next_text_that_does_not_start_with_it() {
        let cases = [
            ("a", Some("b")),
            ("a\u{7f}", Some("a\u{80}")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("\u{ffff}", Some("\u{10000}")),
            ("a\u{10ffff}", Some("b")),
            ("a\u{10ffff}\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ];
        for (prefix, expected) in cases {
            assert_eq!(after_prefix(prefix).as_deref(), expected, "{prefix:?}");
        }
    }

    #[test]
    fn positions_in_an_index_read_back() {
        let key = Key {
            partition: "1:ü".to_owned(),
            sort: "::".to_owned(),
        };
        let text = write_position("a:é", &key);
        assert_eq!(read_position(&text), Some(("a:é", "1:ü", "::")));
        for damaged in ["", "1", "1:1", "9:9:a", "1:0:é", "-1:0:a"] {
            assert_eq!(read_position(damaged), None, "{damaged}");
        }
    }
}
