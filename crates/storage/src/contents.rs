//! The contents of a store in parts of bounded size, for people and their tools. No guest reaches this.

use super::{
    Call, Entry, Key, Namespace, Precondition, PutOptions, Storage, StorageError, arguments,
    item_size::check_item, tenant::SEPARATOR,
};
use std::ops::ControlFlow;

/// Entries of one part.
pub const PART_ENTRIES_MAX: usize = 1000;
/// Bytes of the documents of one part; the last one may exceed it.
pub const PART_BYTES_MAX: usize = 2 << 20;
/// The character that follows the one at the end of a stored namespace.
const AFTER_SEPARATOR: char = '$';
/// Longest revision that is stored.
const REVISION_BYTES_MAX: usize = 64;

/// A part of what a namespace holds.
#[derive(Debug, Default)]
pub struct Part {
    /// As the guest names them. There may be none although more follow.
    pub entries: Vec<Entry>,
    /// Where the next part begins; `None` after the last one.
    pub next: Option<Position>,
}

/// A place between two parts, as the store names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position(pub Key);

/// A store whose contents can be read as a whole, part by part, and written as given.
#[async_trait::async_trait]
pub trait Contents: Storage {
    /// The entries of partitions that begin with `prefix` and follow `after`, as the store names them, without expired ones. Memory and files
    /// return them by partition and sort key, tables in an order of their own. What does not change meanwhile is returned exactly once.
    async fn stored_part(
        &self,
        call: &Call,
        prefix: &str,
        after: Option<&Position>,
    ) -> Result<Part, StorageError>;

    /// Stores entries as given, with their revisions, in place of existing items. Each is checked. Repeating it does no harm.
    async fn store_entries(&self, call: &Call, entries: Vec<Entry>) -> Result<(), StorageError>;

    /// The namespaces that have entries, in order, and at most so many. `None` where that would mean reading everything, as in a table.
    async fn namespaces(
        &self,
        call: &Call,
        namespaces_max: usize,
    ) -> Result<Option<Vec<Namespace>>, StorageError>;

    /// A part of what one guest holds, as it names it.
    async fn part(
        &self,
        call: &Call,
        namespace: &Namespace,
        after: Option<&Position>,
    ) -> Result<Part, StorageError> {
        let part = self.stored_part(call, &namespace.prefix(), after).await?;
        Ok(Part {
            entries: part
                .entries
                .into_iter()
                .filter_map(|entry| namespace.disclose(entry))
                .collect(),
            next: part.next,
        })
    }

    /// Stores entries of one guest, as it names them, if all of them keep the rules.
    async fn load_part(
        &self,
        call: &Call,
        namespace: &Namespace,
        entries: Vec<Entry>,
    ) -> Result<(), StorageError> {
        for entry in &entries {
            namespace.check(entry)?;
        }
        let entries = entries.into_iter().map(|entry| namespace.enclose(entry));
        self.store_entries(call, entries.collect()).await
    }
}

impl Namespace {
    /// The namespace of a stored partition; `None` for those of the host.
    pub fn of_partition(partition: &str) -> Option<Self> {
        let (name, _) = partition.split_once(SEPARATOR)?;
        name.parse().ok()
    }

    /// A text that follows all partitions of this namespace, and precedes those of all later ones: no character of a namespace precedes it.
    pub fn end_of_partitions(&self) -> String {
        format!("{self}{AFTER_SEPARATOR}")
    }

    /// Whether a guest of this namespace could store the entry: the rules of its `put`.
    pub fn check(&self, entry: &Entry) -> Result<(), StorageError> {
        let Entry { key, item } = self.enclose(entry.clone());
        let namespace_bytes = self.prefix().len();
        let options = PutOptions {
            precondition: Precondition::None,
            index: item.index,
            expires_at: item.expires_at,
        };
        arguments::check_key(&key, namespace_bytes)?;
        arguments::check_put_options(&key, &options, namespace_bytes)?;
        check_item(&key, &item.document, &options)?;
        check_revision(item.revision.as_str())
    }
}

/// Revisions become entity tags, which can hold visible ASCII other than quotes (RFC 9110, 8.8.3).
fn check_revision(revision: &str) -> Result<(), StorageError> {
    let bytes = revision.len();
    if !(1..=REVISION_BYTES_MAX).contains(&bytes) {
        return Err(StorageError::Invalid(format!(
            "the revision must have 1 to {REVISION_BYTES_MAX} bytes, not {bytes}"
        )));
    }
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    match revision.bytes().all(is_allowed) {
        true => Ok(()),
        false => Err(StorageError::Invalid(
            "the revision must be visible ASCII without quotes and backslashes".to_owned(),
        )),
    }
}

/// Collects a part within its bounds.
#[derive(Debug, Default)]
pub struct PartBuilder {
    part: Part,
    bytes: usize,
}

impl PartBuilder {
    /// Adds an entry; breaks when the part is full.
    pub fn add(&mut self, entry: Entry) -> ControlFlow<()> {
        self.bytes += entry.item.document.as_str().len();
        self.part.entries.push(entry);
        if self.bytes < PART_BYTES_MAX && self.part.entries.len() < PART_ENTRIES_MAX {
            return ControlFlow::Continue(());
        }
        let last = self.part.entries.last();
        self.part.next = last.map(|entry| Position(entry.key.clone()));
        ControlFlow::Break(())
    }

    /// The part.
    pub fn finish(self) -> Part {
        self.part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Item, MemoryStorage, Revision};
    use contract::{limits::ITEM_BYTES_MAX, seed::Seed};

    fn entry(partition: &str, sort: &str, document: &str) -> Entry {
        Entry {
            key: Key {
                partition: partition.to_owned(),
                sort: sort.to_owned(),
            },
            item: Item {
                document: Document::parse(document).unwrap(),
                revision: Revision::from("r1".to_owned()),
                index: None,
                expires_at: None,
            },
        }
    }

    fn call() -> Call {
        Call::new(1_767_225_600_000, &Seed::new([1; 32]), None)
    }

    #[tokio::test]
    async fn parts_hold_all_of_one_namespace_and_nothing_else() {
        let (store, call) = (MemoryStorage::new(), call());
        let (ours, other): (Namespace, Namespace) =
            ("shop".parse().unwrap(), "shop-2".parse().unwrap());
        let entries: Vec<_> = (0..2 * PART_ENTRIES_MAX + 10)
            .map(|number| entry(&format!("p{}", number % 3), &format!("{number:06}"), "{}"))
            .collect();
        store
            .load_part(&call, &ours, entries.clone())
            .await
            .unwrap();
        let foreign = vec![entry("p0", "a", "{}"), entry("", "b", "{}")];
        assert!(
            store
                .load_part(&call, &other, foreign.clone())
                .await
                .is_err()
        );
        store
            .load_part(&call, &other, foreign[..1].to_vec())
            .await
            .unwrap();
        let expired = Entry {
            item: Item {
                expires_at: Some(1),
                ..entry("p", "s", "{}").item
            },
            ..entry("p", "s", "{}")
        };
        store.load_part(&call, &ours, vec![expired]).await.unwrap();

        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let part = store.part(&call, &ours, after.as_ref()).await.unwrap();
            assert!(part.entries.len() <= PART_ENTRIES_MAX);
            found.extend(part.entries);
            after = part.next;
            if after.is_none() {
                break;
            }
        }
        let mut expected = entries;
        expected.sort_by(|one, other| one.key.cmp(&other.key));
        assert_eq!(found, expected);
        assert_eq!(
            store.part(&call, &other, None).await.unwrap().entries,
            foreign[..1]
        );
    }

    #[tokio::test]
    async fn namespaces_with_entries_are_named_in_order() {
        let (store, call) = (MemoryStorage::new(), call());
        let expired = Entry {
            item: Item {
                expires_at: Some(1),
                ..entry("p", "s", "{}").item
            },
            ..entry("p", "s", "{}")
        };
        for (namespace, entry) in [
            ("shop-2", entry("p", "a", "{}")),
            ("shop", entry("q", "b", "{}")),
            ("shop", entry("r", "b", "{}")),
            ("old", expired),
            ("9", entry("p", "a", "{}")),
        ] {
            let namespace: Namespace = namespace.parse().unwrap();
            store
                .load_part(&call, &namespace, vec![entry])
                .await
                .unwrap();
        }
        let named = async |namespaces_max| {
            let found = store.namespaces(&call, namespaces_max).await.unwrap();
            let names = found.unwrap();
            names.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(named(5).await, ["9", "shop", "shop-2"]);
        assert_eq!(named(2).await, ["9", "shop"]);
    }

    #[test]
    fn a_namespace_ends_before_the_next_one_begins() {
        let namespace: Namespace = "shop".parse().unwrap();
        let end = namespace.end_of_partitions();
        assert!("shop#\u{10ffff}" < &*end && &*end < "shop-2#" && &*end < "shop0#");
        assert_eq!(Namespace::of_partition("shop#a#b"), Some(namespace));
        for of_host in ["shop", "#a", "", "A#b"] {
            assert_eq!(Namespace::of_partition(of_host), None, "{of_host}");
        }
    }

    #[test]
    fn parts_are_bounded_by_their_documents_too() {
        let mut part = PartBuilder::default();
        let document = format!(r#"{{"a":"{}"}}"#, "x".repeat(PART_BYTES_MAX / 8));
        let mut count = 1;
        while part
            .add(entry("p", &count.to_string(), &document))
            .is_continue()
        {
            count += 1;
        }
        assert_eq!(count, 8);
        assert_eq!(part.finish().next.unwrap().0.sort, "8");
    }

    #[test]
    fn what_a_guest_could_not_store_is_refused() {
        let namespace = Namespace::local();
        assert!(namespace.check(&entry("p", "s", "{}")).is_ok());
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(ITEM_BYTES_MAX));
        let unnamed = Entry {
            item: Item {
                revision: Revision::from(String::new()),
                ..entry("p", "s", "{}").item
            },
            ..entry("p", "s", "{}")
        };
        for broken in [
            entry("", "s", "{}"),
            entry("p", "", "{}"),
            entry(&"p".repeat(3000), "s", "{}"),
            entry("p", "s", &large),
            unnamed,
        ] {
            assert!(namespace.check(&broken).is_err());
        }
    }
}
