//! Lists that queries read, and the parts of them: where an entry stands, what a range or the rest after an entry covers.

use std::cmp::Ordering;
use storage::{Direction, IndexPosition, Item, Key, QueryOptions, SortRange, Span};

/// Where an entry stands in a list: by sort key in a primary partition, as (sort key, empty, empty); by secondary sort key, primary
/// partition and sort key in a secondary one.
pub(super) type Position = IndexPosition;

/// A list that queries read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct List {
    pub(super) is_index: bool,
    pub(super) partition: String,
}

/// Which of two parts ends further on.
pub(super) fn upper_order(one: &Span<Position>, other: &Span<Position>) -> Ordering {
    match (&one.upper, &other.upper) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => one.cmp(other),
    }
}

/// Where an item stands in a list.
pub(super) fn position(list: &List, key: &Key, item: &Item) -> Position {
    if list.is_index {
        let sort = item.index.as_ref().map_or("", |index| &index.sort);
        (sort.to_owned(), key.partition.clone(), key.sort.clone())
    } else {
        (key.sort.clone(), String::new(), String::new())
    }
}

/// All that a range covers.
pub(super) fn whole(range: &SortRange) -> Span<Position> {
    let options = QueryOptions {
        range: range.clone(),
        direction: Direction::Ascending,
        limit: 1,
        cursor: None,
    };
    // Only a cursor could fail.
    Span::of_index_query(&options).unwrap_or(Span {
        lower: (String::new(), String::new(), String::new()),
        upper: None,
    })
}

/// What two parts have in common.
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

/// What a list has after a position.
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

/// From the first entry found on; nothing where none was.
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
