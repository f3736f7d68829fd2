//! The tables of the file. Any change here requires another [`LAYOUT_VERSION`].

use redb::{Table, TableDefinition, WriteTransaction};
use storage::{Document, Item, Key, Revision};

/// Version of the tables below and of canonical text.
pub(super) const LAYOUT_VERSION: u32 = 1;

/// Metadata of the store: [`META_LAYOUT`] (big-endian), [`META_CURSOR_KEY`].
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
pub(super) const META_LAYOUT: &str = "layout";
pub(super) const META_CURSOR_KEY: &str = "cursor_key";

/// Revision, secondary key, expiry, size of the document, its canonical text.
pub(super) type ItemRow<'a> = (
    &'a str,
    Option<(&'a str, &'a str)>,
    Option<u64>,
    u64,
    &'a str,
);
/// Items by partition and sort key. redb orders tuples of strings by bytes, part by part.
pub(super) const ITEMS: TableDefinition<'_, (&str, &str), ItemRow<'static>> =
    TableDefinition::new("items");
/// Items by secondary partition, secondary sort key, partition, sort key.
pub(super) const INDEX: TableDefinition<'_, (&str, &str, &str, &str), ()> =
    TableDefinition::new("index");
/// Items by expiry, partition, sort key.
pub(super) const EXPIRIES: TableDefinition<'_, (u64, &str, &str), ()> =
    TableDefinition::new("expiries");
/// Transactions by token: time, digest, revisions joined with commas, empty for operations without.
pub(super) const TOKENS: TableDefinition<'_, &str, (u64, &[u8], &str)> =
    TableDefinition::new("tokens");
/// Tokens by age.
pub(super) const TOKEN_AGES: TableDefinition<'_, (u64, &str), ()> =
    TableDefinition::new("token_ages");

/// All tables that a write uses.
pub(super) struct Tables<'a> {
    pub(super) items: Table<'a, (&'static str, &'static str), ItemRow<'static>>,
    index: Table<'a, (&'static str, &'static str, &'static str, &'static str), ()>,
    pub(super) expiries: Table<'a, (u64, &'static str, &'static str), ()>,
    pub(super) tokens: Table<'a, &'static str, (u64, &'static [u8], &'static str)>,
    pub(super) token_ages: Table<'a, (u64, &'static str), ()>,
}

impl<'a> Tables<'a> {
    /// Opens all tables, and creates those that are missing.
    pub(super) fn open(transaction: &'a WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            items: transaction.open_table(ITEMS)?,
            index: transaction.open_table(INDEX)?,
            expiries: transaction.open_table(EXPIRIES)?,
            tokens: transaction.open_table(TOKENS)?,
            token_ages: transaction.open_table(TOKEN_AGES)?,
        })
    }

    pub(super) fn insert(&mut self, key: &Key, new: &Item) -> Result<(), redb::Error> {
        let (partition, sort) = (key.partition.as_str(), key.sort.as_str());
        let replaced = self
            .items
            .insert((partition, sort), row(new))?
            .map(|old| item(old.value()));
        self.unlink(key, replaced)?;
        if let Some(index) = &new.index {
            self.index.insert(
                (
                    index.partition.as_str(),
                    index.sort.as_str(),
                    partition,
                    sort,
                ),
                (),
            )?;
        }
        if let Some(expires_at) = new.expires_at {
            self.expiries.insert((expires_at, partition, sort), ())?;
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &Key) -> Result<(), redb::Error> {
        let removed = self
            .items
            .remove((key.partition.as_str(), key.sort.as_str()))?
            .map(|old| item(old.value()));
        self.unlink(key, removed)
    }

    /// Removes the index entries of an item that no longer exists.
    fn unlink(&mut self, key: &Key, old: Option<Item>) -> Result<(), redb::Error> {
        let (partition, sort) = (key.partition.as_str(), key.sort.as_str());
        let Some(Item {
            index, expires_at, ..
        }) = old
        else {
            return Ok(());
        };
        if let Some(index) = index {
            self.index.remove((
                index.partition.as_str(),
                index.sort.as_str(),
                partition,
                sort,
            ))?;
        }
        if let Some(expires_at) = expires_at {
            self.expiries.remove((expires_at, partition, sort))?;
        }
        Ok(())
    }
}

/// An item from its row.
pub(super) fn item((revision, index, expires_at, bytes, text): ItemRow<'_>) -> Item {
    Item {
        document: Document::from_canonical(text, bytes as usize),
        revision: Revision::from(revision.to_owned()),
        index: index.map(|(partition, sort)| Key {
            partition: partition.to_owned(),
            sort: sort.to_owned(),
        }),
        expires_at,
    }
}

fn row(item: &Item) -> ItemRow<'_> {
    let index = item
        .index
        .as_ref()
        .map(|index| (index.partition.as_str(), index.sort.as_str()));
    (
        item.revision.as_str(),
        index,
        item.expires_at,
        item.document.bytes() as u64,
        item.document.as_str(),
    )
}
