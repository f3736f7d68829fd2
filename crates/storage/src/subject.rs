//! What a call is about, and what a completed one says about the store, for all functions alike. Which function says what stands in `request`.

use super::{
    Direction, Document, Item, Key, Operation, Page, Precondition, QueryOptions, Revision,
    SortRange,
};

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// Items by their keys, in the order of the call.
    Items(Vec<&'a Key>),
    /// Part of the items of a partition.
    Part {
        /// Whether the partition is one of the secondary keys.
        is_index: bool,
        /// The partition.
        partition: &'a str,
        /// The range of sort keys.
        range: &'a SortRange,
        /// The order.
        direction: Direction,
        /// The cursor of an earlier page.
        cursor: Option<&'a str>,
    },
}

impl<'a> Subject<'a> {
    pub(super) fn part(is_index: bool, partition: &'a str, options: &'a QueryOptions) -> Self {
        Self::Part {
            is_index,
            partition,
            range: &options.range,
            direction: options.direction,
            cursor: options.cursor.as_deref(),
        }
    }
}

/// What a completed call says about the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings<D = Document> {
    /// Preconditions that held, of items that the call did not change.
    pub held: Vec<(Key, Precondition)>,
    /// Items that were read, also by preconditions that failed; `None` for what does not exist.
    pub read: Vec<(Key, Option<Item>)>,
    /// Operations that were applied together, with the revision of each item that was put.
    pub applied: Vec<(Operation<D>, Option<Revision>)>,
    /// The page that was read.
    pub page: Option<FoundPage>,
}

/// A page of a partition, or of a partition of secondary keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPage {
    /// Whether the partition is one of the secondary keys.
    pub is_index: bool,
    /// The partition.
    pub partition: String,
    /// What was asked for.
    pub options: QueryOptions,
    /// What was found.
    pub page: Page,
}

impl<D> Default for Findings<D> {
    fn default() -> Self {
        Self {
            held: Vec::new(),
            read: Vec::new(),
            applied: Vec::new(),
            page: None,
        }
    }
}

impl<D> Findings<D> {
    /// Items were read.
    pub(super) fn read(read: impl IntoIterator<Item = (Key, Option<Item>)>) -> Self {
        Self {
            read: read.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Operations were applied.
    pub(super) fn applied(
        applied: impl IntoIterator<Item = (Operation<D>, Option<Revision>)>,
    ) -> Self {
        Self {
            applied: applied.into_iter().collect(),
            ..Self::default()
        }
    }

    /// A page was read.
    pub(super) fn page(
        is_index: bool,
        partition: String,
        options: QueryOptions,
        page: Page,
    ) -> Self {
        Self {
            page: Some(FoundPage {
                is_index,
                partition,
                options,
                page,
            }),
            ..Self::default()
        }
    }

    /// The precondition at a position of a transaction failed, so that nothing was applied; those before held.
    pub(super) fn failed(operations: &[Operation<D>], position: usize, item: Option<Item>) -> Self {
        let before = operations.iter().take(position);
        let failed = operations.get(position);
        Self {
            held: before
                .map(|operation| (operation.key().clone(), operation.precondition().clone()))
                .collect(),
            read: failed
                .map(|operation| (operation.key().clone(), item))
                .into_iter()
                .collect(),
            ..Self::default()
        }
    }
}
