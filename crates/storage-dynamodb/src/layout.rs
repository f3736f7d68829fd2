//! How items are stored in the table.
//!
//! | attribute | type | holds |
//! |---|---|---|
//! | `pk`, `sk` | S | partition with its namespace, and sort key: the table's key |
//! | `doc` | M | the document as a native map, so that other tools can read it |
//! | `rev` | S | the revision |
//! | `expires_at` | N | expiry in seconds since the Unix epoch; the table's TTL attribute |
//! | `ipk`, `isk` | S | secondary partition, and the combined sort key that `index_sort` makes: the key of the index `index` |
//!
//! Partitions that start with `#` belong to the host: `#tenon` (metadata of the table), `#token` (transactions done under a token),
//! `#channel` (release channels).

use super::{document, malformed_item::MalformedItemError};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use storage::{Entry, Item, Key, Revision};

/// The partition key: namespace and partition.
pub const PARTITION: &str = "pk";
/// The sort key.
pub const SORT: &str = "sk";
pub(super) const DOCUMENT: &str = "doc";
pub(super) const REVISION: &str = "rev";
/// Expiry in seconds since the Unix epoch.
pub const EXPIRY: &str = "expires_at";
/// The index's partition key.
pub const INDEX_PARTITION: &str = "ipk";
/// The index's sort key.
pub const INDEX_SORT: &str = "isk";
/// The one global secondary index.
pub const INDEX: &str = "index";

/// The partition for metadata of the table.
pub const HOST_PARTITION: &str = "#tenon";
/// The partition for transactions done under a token.
pub const TOKEN_PARTITION: &str = "#token";

/// Separates the parts of a combined sort key. It sorts below everything else, because NUL itself is written [`ESCAPED_NUL`].
const MARK: &str = "\0\0";
const ESCAPED_NUL: &str = "\0\u{1}";

pub(super) type Attributes = HashMap<String, AttributeValue>;

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn key_attributes(key: &Key) -> Attributes {
    [
        (PARTITION.to_owned(), text(&key.partition)),
        (SORT.to_owned(), text(&key.sort)),
    ]
    .into()
}

/// The key of an entry in the index, after which a query starts.
pub(super) fn index_key_attributes(key: &Key, index: &Key) -> Attributes {
    let mut attributes = key_attributes(key);
    attributes.insert(INDEX_PARTITION.to_owned(), text(&index.partition));
    attributes.insert(INDEX_SORT.to_owned(), text(index_sort(index, key)));
    attributes
}

/// The attributes that a put writes.
pub(super) fn item_attributes(key: &Key, item: &Item) -> Result<Attributes, MalformedItemError> {
    let mut attributes = match &item.index {
        Some(index) => index_key_attributes(key, index),
        None => key_attributes(key),
    };
    attributes.insert(DOCUMENT.to_owned(), document::to_map(&item.document)?);
    attributes.insert(REVISION.to_owned(), text(item.revision.as_str()));
    if let Some(expires_at) = item.expires_at {
        attributes.insert(EXPIRY.to_owned(), number(expires_at));
    }
    Ok(attributes)
}

/// The item in the attributes of a read. Other attributes are ignored.
pub(super) fn item(mut attributes: Attributes) -> Result<Item, MalformedItemError> {
    let document = match attributes.remove(DOCUMENT) {
        Some(AttributeValue::M(map)) => document::from_map(&map)?,
        Some(_) => return Err(MalformedItemError(format!("`{DOCUMENT}` is not a map"))),
        None => return Err(missing(DOCUMENT)),
    };
    let revision = Revision::from(take_text(&mut attributes, REVISION)?.ok_or(missing(REVISION))?);
    let expires_at = match attributes.remove(EXPIRY) {
        None => None,
        Some(AttributeValue::N(digits)) => Some(seconds(&digits)?),
        Some(_) => return Err(MalformedItemError(format!("`{EXPIRY}` is not a number"))),
    };
    let index_partition = take_text(&mut attributes, INDEX_PARTITION)?;
    let index_sort = take_text(&mut attributes, INDEX_SORT)?;
    let index = match (index_partition, index_sort) {
        (None, None) => None,
        (Some(partition), Some(combined)) => Some(Key {
            partition,
            sort: secondary_sort(&combined).ok_or_else(|| {
                MalformedItemError(format!("`{INDEX_SORT}` is not a combined sort key"))
            })?,
        }),
        (None, Some(_)) => return Err(missing(INDEX_PARTITION)),
        (Some(_), None) => return Err(missing(INDEX_SORT)),
    };
    Ok(Item {
        document,
        revision,
        index,
        expires_at,
    })
}

/// The entry in the attributes of a query's response.
pub(super) fn entry(mut attributes: Attributes) -> Result<Entry, MalformedItemError> {
    let key = key(&mut attributes)?;
    Ok(Entry {
        key,
        item: item(attributes)?,
    })
}

/// Removes the table's key from the attributes.
pub(super) fn key(attributes: &mut Attributes) -> Result<Key, MalformedItemError> {
    Ok(Key {
        partition: take_text(attributes, PARTITION)?.ok_or(missing(PARTITION))?,
        sort: take_text(attributes, SORT)?.ok_or(missing(SORT))?,
    })
}

/// Whether the item of these attributes is in this state.
pub(super) fn has_revision(attributes: Option<&Attributes>, revision: &Revision) -> bool {
    let found = attributes.and_then(|attributes| attributes.get(REVISION)?.as_s().ok());
    found.is_some_and(|found| found == revision.as_str())
}

pub(super) fn take_text(
    attributes: &mut Attributes,
    name: &str,
) -> Result<Option<String>, MalformedItemError> {
    match attributes.remove(name) {
        None => Ok(None),
        Some(AttributeValue::S(text)) => Ok(Some(text)),
        Some(_) => Err(MalformedItemError(format!("`{name}` is not a string"))),
    }
}

pub(super) fn missing(name: &str) -> MalformedItemError {
    MalformedItemError(format!("`{name}` is missing"))
}

/// Whole seconds; other tools may have written fractions, which the store itself never does.
fn seconds(digits: &str) -> Result<u64, MalformedItemError> {
    digits
        .parse()
        .map_err(|_| MalformedItemError(format!("`{EXPIRY}` is not a number of whole seconds")))
}

/// The sort key of the index: secondary sort key, partition and sort key, in an encoding that preserves their order. Items with the same
/// secondary sort key are thus ordered by their primary keys.
fn index_sort(index: &Key, key: &Key) -> String {
    let parts = [&index.sort, &key.partition, &key.sort];
    parts.map(|part| escape(part)).join(MARK)
}

fn secondary_sort(combined: &str) -> Option<String> {
    let (secondary, _) = combined.split_once(MARK)?;
    Some(secondary.replace(ESCAPED_NUL, "\0"))
}

fn escape(part: &str) -> String {
    part.replace('\0', ESCAPED_NUL)
}

/// The lower bound of all combined sort keys with exactly this secondary sort key, and their common prefix.
pub(super) fn index_lower(secondary: &str) -> String {
    escape(secondary)
}

/// The exclusive upper bound of all combined sort keys with this secondary sort key.
pub(super) fn index_upper(secondary: &str) -> String {
    escape(secondary) + ESCAPED_NUL
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key_of(partition: &str, sort: &str) -> Key {
        Key {
            partition: partition.to_owned(),
            sort: sort.to_owned(),
        }
    }

    /// Texts of few different characters, including those near the separators, so that common prefixes are frequent.
    fn part() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(vec!['\0', '\u{1}', '\u{2}', 'a']),
            0..4,
        )
        .prop_map(|characters| characters.into_iter().collect())
    }

    fn position() -> impl Strategy<Value = (String, String, String)> {
        (part(), part(), part())
    }

    fn combined((secondary, partition, sort): &(String, String, String)) -> String {
        index_sort(&key_of("i", secondary), &key_of(partition, sort))
    }

    proptest! {
        #[test]
        fn combined_sort_keys_have_the_order_of_their_parts(one in position(), other in position()) {
            prop_assert_eq!(combined(&one).cmp(&combined(&other)), one.cmp(&other));
            prop_assert_eq!(secondary_sort(&combined(&one)), Some(one.0));
        }

        #[test]
        fn bounds_of_the_index_cover_what_bounds_of_the_secondary_sort_key_cover(one in position(), bound in part()) {
            let combined = combined(&one);
            prop_assert_eq!(combined >= index_lower(&bound), one.0 >= bound);
            prop_assert_eq!(combined < index_upper(&bound), one.0 <= bound);
            prop_assert_eq!(combined <= index_upper(&bound), one.0 <= bound);
            prop_assert_eq!(combined.starts_with(&index_lower(&bound)), one.0.starts_with(&bound));
        }
    }

    #[test]
    fn what_other_tools_wrote_is_refused_by_name() {
        let whole = || {
            let mut attributes = key_attributes(&key_of("p", "s"));
            attributes.insert(DOCUMENT.to_owned(), AttributeValue::M(HashMap::new()));
            attributes.insert(REVISION.to_owned(), text("r"));
            attributes
        };
        assert!(item(whole()).is_ok());
        let cases = [
            (DOCUMENT, text("{}"), "`doc` is not a map"),
            (REVISION, number(1), "`rev` is not a string"),
            (EXPIRY, text("1"), "`expires_at` is not a number"),
            (
                EXPIRY,
                number("1.5"),
                "`expires_at` is not a number of whole seconds",
            ),
            (INDEX_PARTITION, text("i"), "`isk` is missing"),
            (INDEX_SORT, text("i"), "`ipk` is missing"),
        ];
        for (name, value, expected) in cases {
            let mut attributes = whole();
            attributes.insert(name.to_owned(), value);
            assert_eq!(item(attributes).unwrap_err().to_string(), expected);
        }
        for name in [DOCUMENT, REVISION] {
            let mut attributes = whole();
            attributes.remove(name);
            assert_eq!(
                item(attributes).unwrap_err().to_string(),
                format!("`{name}` is missing")
            );
        }
        let mut damaged = whole();
        damaged.insert(INDEX_PARTITION.to_owned(), text("i"));
        damaged.insert(INDEX_SORT.to_owned(), text("no mark"));
        assert!(item(damaged).is_err());
    }
}
