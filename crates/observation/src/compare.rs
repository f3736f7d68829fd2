//! Compares observations: the one comparer of cases, tapes, live replays and gates.

mod items;
mod path;
mod requests;

use super::{
    difference::{
        DIFFERENCES_MAX, Difference, DifferenceList, DifferingPart, ItemKey, POINTERS_BYTES_MAX,
    },
    ignore::{Ignored, Noise},
    observation::{List, Observation, Part},
};
use items::{Pair, item_key, take_key};
use json::Value;
use path::Path;
use std::{borrow::Cow, collections::BTreeSet};

/// Differences of one part that are described in a sentence each; further ones are counted.
const TOLD_MAX: usize = 5;

/// The differences between two observations that are not ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// Response, writes, what is stored, and requests to other services, if they differ.
    pub parts: Vec<DifferingPart>,
    /// Why the host answered instead of the guest, if the response differs for that reason.
    pub fault: Option<String>,
}

/// Compares what others can see of a run: response, writes, stored entries, and requests to other services, if both observations have
/// them.
pub fn compare(expected: &Observation, actual: &Observation, ignored: &Ignored<'_>) -> Differences {
    let part = |part, expected: &Option<Value>, actual: &Option<Value>| {
        let (expected, actual) = (expected.as_ref()?, actual.as_ref()?);
        differing_part(
            part,
            Cow::Borrowed(expected),
            Cow::Borrowed(actual),
            ignored,
        )
    };
    let response = part(Part::Response, &expected.response, &actual.response);
    let is_told = response.is_some() && expected.fault != actual.fault;
    let parts = [
        response,
        part(Part::Writes, &expected.writes, &actual.writes),
        part(Part::Stored, &expected.stored, &actual.stored),
        part(Part::Outgoing, &expected.outgoing, &actual.outgoing),
    ];
    Differences {
        parts: parts.into_iter().flatten().collect(),
        fault: actual.fault.clone().filter(|_| is_told),
    }
}

impl Differences {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The differences between two runs of one guest, to be ignored in other comparisons.
    pub fn noise(&self) -> Noise {
        let mut noise = Noise::default();
        for part in &self.parts {
            let list = part.differences();
            if list.more > 0 {
                // Only some of the places are known.
                noise.places.insert(part.part.noisy_whole().to_owned());
            }
            for difference in list.first {
                match &difference.item {
                    Some(item) if difference.is_whole_item() => {
                        noise.random_partitions.insert(item.partition.clone());
                    }
                    Some(_) | None => {
                        noise.places.insert(difference.pointer);
                    }
                }
            }
        }
        noise
    }

    /// One line for each place.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let lines = |part: &DifferingPart| part.differences().lines().collect::<Vec<_>>();
        self.parts.iter().flat_map(lines)
    }

    /// As sentences: the first few of each part.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.fault.iter().cloned().collect();
        for part in &self.parts {
            notes.extend(part.differences().first_lines(TOLD_MAX));
        }
        notes
    }
}

impl DifferingPart {
    /// Compares one part; `None` if no difference counts.
    pub fn of(part: Part, expected: Value, actual: Value, ignored: &Ignored<'_>) -> Option<Self> {
        differing_part(part, Cow::Owned(expected), Cow::Owned(actual), ignored)
    }

    /// A part without an expectation; `None` if it is ignored.
    pub fn unexpected(part: Part, actual: Value, ignored: &Ignored<'_>) -> Option<Self> {
        (!ignored.covers(part.pointer())).then_some(Self {
            part,
            expected: None,
            actual,
        })
    }

    /// The smallest differing places, in the order of the document's members.
    pub fn differences(&self) -> DifferenceList {
        let mut found = Found::default();
        let (expected, actual) = (self.expected.as_ref(), Some(&self.actual));
        found.visit(&mut Path::new(self.part), expected, actual);
        found.list
    }
}

fn differing_part(
    part: Part,
    expected: Cow<'_, Value>,
    actual: Cow<'_, Value>,
    ignored: &Ignored<'_>,
) -> Option<DifferingPart> {
    if expected == actual {
        return None;
    }
    let mut actual = actual.into_owned();
    if !conform(&mut Path::new(part), &expected, &mut actual, ignored) {
        return None;
    }
    Some(DifferingPart {
        part,
        expected: Some(expected.into_owned()),
        actual,
    })
}

/// Replaces ignored differences in `actual` by the expected values. Returns whether a difference remains.
fn conform(path: &mut Path, expected: &Value, actual: &mut Value, ignored: &Ignored<'_>) -> bool {
    if expected == actual {
        return false;
    }
    let mut is_left = false;
    match (expected, &mut *actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            actual.retain(|name, _| {
                if expected.contains_key(name) {
                    return true;
                }
                let is_kept = path.in_member(name, |path| !ignored.covers(path.pointer()));
                is_left |= is_kept;
                is_kept
            });
            for (name, expected) in expected {
                path.in_member(name, |path| match actual.get_mut(name) {
                    Some(actual) => is_left |= conform(path, expected, actual, ignored),
                    None if ignored.covers(path.pointer()) => {
                        actual.insert(name.clone(), expected.clone());
                    }
                    None => is_left = true,
                });
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            let random = &ignored.noise.random_partitions;
            if let Some(pairs) = pairs(path, expected, actual, random) {
                return conform_items(path, expected, actual, &pairs, ignored);
            }
            if expected.len() == actual.len() {
                for (position, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                    is_left |=
                        path.in_element(position, |path| conform(path, expected, actual, ignored));
                }
                return is_left;
            }
            if !ignored.covers(path.pointer()) {
                return true;
            }
            actual.clone_from(expected);
        }
        _ if ignored.covers(path.pointer()) => *actual = expected.clone(),
        _ => is_left = true,
    }
    is_left
}

/// The elements of two lists that belong together, if there is more to go by than their positions: items have keys, and requests to other
/// services a method and a URL.
fn pairs(
    path: &Path,
    expected: &[Value],
    actual: &[Value],
    random_partitions: &BTreeSet<String>,
) -> Option<Vec<Pair>> {
    match path.list()? {
        List::Items => items::pairs(expected, actual, random_partitions),
        List::Requests => Some(requests::pairs(expected, actual)),
    }
}

/// The same for lists whose elements were matched. The actual one is then in the order of the expectation.
fn conform_items(
    path: &mut Path,
    expected: &[Value],
    actual: &mut Vec<Value>,
    pairs: &[Pair],
    ignored: &Ignored<'_>,
) -> bool {
    let mut is_left = false;
    let mut ordered = Vec::with_capacity(actual.len());
    for pair in pairs {
        let position = pair.expected.unwrap_or(0);
        let expected = pair.expected.and_then(|position| expected.get(position));
        let element = pair.actual.and_then(|position| actual.get_mut(position));
        match (expected, element.map(Value::take)) {
            (Some(expected), Some(mut element)) => {
                if item_key(&element) != item_key(expected) {
                    take_key(&mut element, expected);
                }
                is_left |= path.in_element(position, |path| {
                    conform(path, expected, &mut element, ignored)
                });
                ordered.push(element);
            }
            (Some(expected), None) => {
                if path.in_element(position, |path| ignored.covers(path.pointer())) {
                    ordered.push(expected.clone());
                } else {
                    is_left = true;
                }
            }
            (None, Some(element)) => {
                if !path.in_new_element(|path| ignored.covers(path.pointer())) {
                    is_left = true;
                    ordered.push(element);
                }
            }
            (None, None) => {}
        }
    }
    *actual = ordered;
    is_left
}

/// Collects differences.
#[derive(Default)]
struct Found {
    list: DifferenceList,
    pointers_bytes: usize,
    item: Option<ItemKey>,
}

impl Found {
    /// Descends to the smallest differing places.
    fn visit(&mut self, path: &mut Path, expected: Option<&Value>, actual: Option<&Value>) {
        match (expected, actual) {
            (Some(expected), Some(actual)) if expected == actual => {}
            (Some(Value::Object(expected)), Some(Value::Object(actual))) => {
                for (name, value) in expected {
                    path.in_member(name, |path| {
                        self.visit(path, Some(value), actual.get(name));
                    });
                }
                for (name, value) in actual {
                    if !expected.contains_key(name) {
                        path.in_member(name, |path| self.visit(path, None, Some(value)));
                    }
                }
            }
            (Some(Value::Array(expected_elements)), Some(Value::Array(actual_elements))) => {
                if !self.visit_elements(path, expected_elements, actual_elements) {
                    self.add(path.pointer(), expected, actual);
                }
            }
            (expected, actual) => self.add(path.pointer(), expected, actual),
        }
    }

    /// Elements of lists of different lengths cannot be matched, except items, which have keys, and requests. Returns whether they could be matched.
    fn visit_elements(&mut self, path: &mut Path, expected: &[Value], actual: &[Value]) -> bool {
        if let Some(pairs) = pairs(path, expected, actual, &BTreeSet::new()) {
            for pair in pairs {
                let expected = pair.expected.and_then(|at| Some((at, expected.get(at)?)));
                let actual = pair.actual.and_then(|at| actual.get(at));
                self.visit_item(path, expected, actual);
            }
            return true;
        }
        if expected.len() != actual.len() {
            return false;
        }
        for (position, (expected, actual)) in expected.iter().zip(actual).enumerate() {
            path.in_element(position, |path| {
                self.visit(path, Some(expected), Some(actual));
            });
        }
        true
    }

    fn visit_item(
        &mut self,
        path: &mut Path,
        expected: Option<(usize, &Value)>,
        actual: Option<&Value>,
    ) {
        if expected.map(|(_, expected)| expected) == actual {
            return;
        }
        let element = expected.map(|(_, expected)| expected).or(actual);
        self.item = element.and_then(item_key).map(|(partition, sort)| ItemKey {
            partition: partition.to_owned(),
            sort: sort.to_owned(),
        });
        match expected {
            Some((position, expected)) => path.in_element(position, |path| {
                self.visit(path, Some(expected), actual);
            }),
            None => path.in_new_element(|path| self.visit(path, None, actual)),
        }
        self.item = None;
    }

    fn add(&mut self, pointer: &str, expected: Option<&Value>, actual: Option<&Value>) {
        let list = &mut self.list;
        let key_bytes = |item: &ItemKey| item.partition.len() + item.sort.len();
        self.pointers_bytes += pointer.len() + self.item.as_ref().map_or(0, key_bytes);
        let has_room = list.first.is_empty() || self.pointers_bytes <= POINTERS_BYTES_MAX;
        if list.more > 0 || list.first.len() == DIFFERENCES_MAX || !has_room {
            list.more += 1;
            return;
        }
        list.first.push(Difference {
            pointer: pointer.to_owned(),
            item: self.item.clone(),
            expected: expected.cloned(),
            actual: actual.cloned(),
        });
    }
}

#[cfg(test)]
mod tests;
