//! The differences between two observations: place by place, and part by part.

use super::observation::Part;
use contract::count::counted;
use json::Value;
use std::fmt;

/// Characters of a value in a difference on one line.
const VALUE_CHARACTERS_MAX: usize = 120;

/// One place at which two observations differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The place, as a JSON pointer (RFC 6901) in the spelling that [`IgnoreRule`](super::IgnoreRule) accepts; empty for a whole response.
    /// Items are named by their positions in the expectation, new ones by `-`.
    pub pointer: String,
    /// Partition and sort key of the item that contains the place, if it is in one.
    pub item: Option<ItemKey>,
    /// The expected value; `None` if there is none.
    pub expected: Option<Value>,
    /// The actual value; `None` if there is none.
    pub actual: Option<Value>,
}

/// The key of a stored item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemKey {
    /// The partition.
    pub partition: String,
    /// The sort key.
    pub sort: String,
}

impl Difference {
    /// Whether a whole item is new or missing.
    pub fn is_whole_item(&self) -> bool {
        let levels = self.pointer.matches('/').count();
        self.item.is_some() && levels == 2 && (self.expected.is_none() || self.actual.is_none())
    }
}

/// One line: the place, the expected value, the actual value.
impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = match self.pointer.as_str() {
            "" => "/",
            pointer => pointer,
        };
        write!(formatter, "{pointer}")?;
        if let Some(ItemKey { partition, sort }) = &self.item {
            write!(formatter, " (item `{partition}` / `{sort}`)")?;
        }
        let (expected, actual) = (Shown(&self.expected), Shown(&self.actual));
        write!(formatter, ": expected {expected}, got {actual}")
    }
}

struct Shown<'a>(&'a Option<Value>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(value) = self.0 else {
            return formatter.write_str("nothing");
        };
        let text = value.to_string();
        match text.char_indices().nth(VALUE_CHARACTERS_MAX) {
            Some((end, _)) => write!(formatter, "{}...", &text[..end]),
            None => formatter.write_str(&text),
        }
    }
}

/// Number of differences that are kept; further ones are counted. The author of a document controls how many there are.
pub const DIFFERENCES_MAX: usize = 1000;
/// Total length of their pointers; the first one is kept however long it is. Names may be long and nested, so that a pointer may be almost
/// as long as the document.
pub(super) const POINTERS_BYTES_MAX: usize = 4 << 20;

/// The first places where two observations differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DifferenceList {
    /// In the order of the document's members, at most [`DIFFERENCES_MAX`]; fewer if their pointers are long.
    pub first: Vec<Difference>,
    /// How many there are beyond these.
    pub more: usize,
}

impl DifferenceList {
    /// One line for each, and one for the number of further ones.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.first_lines(usize::MAX)
    }

    /// One line for each of the first `count`, and one for the number of further ones.
    pub fn first_lines(&self, count: usize) -> impl Iterator<Item = String> {
        let more = self.more + self.first.len().saturating_sub(count);
        let more = (more > 0).then(|| {
            format!(
                "and {}",
                counted(more, "more difference", "more differences")
            )
        });
        let first = self.first.iter().take(count);
        first.map(Difference::to_string).chain(more)
    }
}

/// A part of an observation that differs from the expectation, in full.
#[derive(Clone, Debug, PartialEq)]
pub struct DifferingPart {
    /// The part.
    pub part: Part,
    /// The expected value; `None` if there is no expectation.
    pub expected: Option<Value>,
    /// The actual value, with ignored differences replaced by the expected values.
    pub actual: Value,
}
