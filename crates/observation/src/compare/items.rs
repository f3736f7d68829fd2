//! Matches the elements of two lists that concern the same item.

use json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// A matching pair: positions in the expected list and in the actual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// `None`: the item is new.
    pub(super) expected: Option<usize>,
    /// `None`: the item is gone.
    pub(super) actual: Option<usize>,
}

/// Partition and sort key of an element: a write has them in `key`, an entry of a store at its top level.
pub(super) fn item_key(element: &Value) -> Option<(&str, &str)> {
    let key = element.get("key").unwrap_or(element);
    Some((key.get("partition")?.as_str()?, key.get("sort")?.as_str()?))
}

/// Replaces the key of an element by that of another one.
pub(super) fn take_key(element: &mut Value, other: &Value) {
    let names: &[&str] = match element.get("key") {
        Some(_) => &["key"],
        None => &["partition", "sort"],
    };
    for name in names {
        if let (Some(key), Some(other)) = (element.get_mut(*name), other.get(*name)) {
            *key = other.clone();
        }
    }
}

/// Matches elements by their keys, in the order of the expectation, with new ones after them. In partitions with random keys, the remaining
/// elements are matched in order. `None` if an element has no key.
pub(super) fn pairs(
    expected: &[Value],
    actual: &[Value],
    random_partitions: &BTreeSet<String>,
) -> Option<Vec<Pair>> {
    let mut by_key: HashMap<_, VecDeque<usize>> = HashMap::new();
    for (position, element) in actual.iter().enumerate() {
        let key = item_key(element)?;
        by_key.entry(key).or_default().push_back(position);
    }
    let mut pairs = Vec::with_capacity(expected.len());
    for (position, element) in expected.iter().enumerate() {
        let same = by_key.get_mut(&item_key(element)?);
        pairs.push(Pair {
            expected: Some(position),
            actual: same.and_then(VecDeque::pop_front),
        });
    }
    let mut rest: BTreeSet<usize> = by_key.into_values().flatten().collect();
    pair_random(expected, actual, random_partitions, &mut pairs, &mut rest);
    pairs.extend(rest.into_iter().map(|position| Pair {
        expected: None,
        actual: Some(position),
    }));
    Some(pairs)
}

/// Removes from `rest` the partners of elements that have none yet.
fn pair_random(
    expected: &[Value],
    actual: &[Value],
    random_partitions: &BTreeSet<String>,
    pairs: &mut [Pair],
    rest: &mut BTreeSet<usize>,
) {
    if random_partitions.is_empty() {
        return;
    }
    let partition = |list: &[Value], position: Option<usize>| {
        let (partition, _) = item_key(list.get(position?)?)?;
        random_partitions.get(partition).cloned()
    };
    let mut by_partition: BTreeMap<String, VecDeque<usize>> = BTreeMap::new();
    for position in rest.iter() {
        if let Some(partition) = partition(actual, Some(*position)) {
            let same = by_partition.entry(partition).or_default();
            same.push_back(*position);
        }
    }
    for pair in pairs.iter_mut().filter(|pair| pair.actual.is_none()) {
        let same = partition(expected, pair.expected)
            .and_then(|partition| by_partition.get_mut(&partition)?.pop_front());
        if let Some(position) = same {
            rest.remove(&position);
            pair.actual = Some(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_are_paired_by_key_and_in_random_partitions_by_order() {
        let write = |partition: &str, sort: &str| json!({"key": {"partition": partition, "sort": sort}, "deleted": true});
        let expected = [write("a", "1"), write("r", "x"), write("a", "3")];
        let actual = [write("r", "y"), write("a", "2"), write("a", "1")];
        let found = |random: &[&str]| -> Vec<(Option<usize>, Option<usize>)> {
            let random = random.iter().map(|name| (*name).to_owned()).collect();
            let pairs = pairs(&expected, &actual, &random).unwrap();
            pairs
                .iter()
                .map(|pair| (pair.expected, pair.actual))
                .collect()
        };
        assert_eq!(
            found(&[]),
            [
                (Some(0), Some(2)),
                (Some(1), None),
                (Some(2), None),
                (None, Some(0)),
                (None, Some(1))
            ]
        );
        assert_eq!(found(&["r"])[1], (Some(1), Some(0)));
        assert_eq!(pairs(&expected, &[json!(5)], &BTreeSet::new()), None);
    }
}
