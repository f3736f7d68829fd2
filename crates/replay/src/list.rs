//! Lists that queries read, and parts of them: the position of an entry, the part that a range or the rest after an entry covers.

use std::cmp::Ordering;
use storage::{Direction, IndexPosition, Item, Key, QueryOptions, SortRange, Span};

/// The position of an entry in a list: sort key in a primary partition, as (sort key, empty, empty); secondary sort key, primary partition
/// and sort key in a secondary one.
pub(super) type Position = IndexPosition;

/// A list that queries read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct List {
    pub(super) is_index: bool,
    pub(super) partition: String,
}

/// Which of two parts ends later.
pub(super) fn upper_order(one: &Span<Position>, other: &Span<Position>) -> Ordering {
    match (&one.upper, &other.upper) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => one.cmp(other),
    }
}

/// The position of an item in a list.
pub(super) fn position(list: &List, key: &Key, item: &Item) -> Position {
    if list.is_index {
        let sort = item.index.as_ref().map_or("", |index| &index.sort);
        (sort.to_owned(), key.partition.clone(), key.sort.clone())
    } else {
        (key.sort.clone(), String::new(), String::new())
    }
}

/// The part that a range covers.
pub(super) fn whole(range: &SortRange) -> Span<Position> {
    let options = QueryOptions {
        range: range.clone(),
        direction: Direction::Ascending,
        limit: 1,
        cursor: None,
    };
    // Only a cursor could be invalid.
    Span::of_index_query(&options).unwrap_or(Span {
        lower: (String::new(), String::new(), String::new()),
        upper: None,
    })
}

/// The intersection of two parts.
pub(super) fn narrowed(one: Span<Position>, other: &Span<Position>) -> Span<Position> {
    Span {
        lower: one.lower.max(other.lower.clone()),
        upper: match (one.upper, other.upper.clone()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        },
    }
}

/// The position that follows directly.
pub(super) fn next(position: &Position) -> Position {
    let (first, second, third) = position;
    (first.clone(), second.clone(), format!("{third}\0"))
}

/// The part of a list after a position.
pub(super) fn after(position: &Position, is_descending: bool) -> Span<Position> {
    if is_descending {
        Span {
            lower: Position::default(),
            upper: Some(position.clone()),
        }
    } else {
        Span {
            lower: next(position),
            upper: None,
        }
    }
}

/// The part from the first found entry on; empty if none was found.
pub(super) fn from_first(first: Option<&Position>, is_descending: bool) -> Span<Position> {
    match (first, is_descending) {
        (Some(first), false) => Span {
            lower: first.clone(),
            upper: None,
        },
        (Some(first), true) => Span {
            lower: Position::default(),
            upper: Some(next(first)),
        },
        (None, _) => Span {
            lower: Position::default(),
            upper: Some(Position::default()),
        },
    }
}
