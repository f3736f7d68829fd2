//! How two observations differ: place by place, and part by part.

use super::observation::Part;
use json::Value;
use std::fmt;

/// Characters of a value that are shown where a difference is one line.
const VALUE_CHARACTERS_MAX: usize = 120;

/// One place at which two observations differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where, as a JSON pointer (RFC 6901) in the spelling that [`IgnoreRule`](super::IgnoreRule) takes; empty for a response as a whole.
    /// Items are named by their positions in what is expected, new ones by `-`.
    pub pointer: String,
    /// Partition and sort key of the item that the place is in, where it is in one.
    pub item: Option<ItemKey>,
    /// What is expected there; `None`: nothing.
    pub expected: Option<Value>,
    /// What is there; `None`: nothing.
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
    /// Whether an item as a whole is new or gone.
    pub fn is_whole_item(&self) -> bool {
        let levels = self.pointer.matches('/').count();
        self.item.is_some() && levels == 2 && (self.expected.is_none() || self.actual.is_none())
    }
}

/// One line: the place, what is expected, what is there.
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

/// Differences that are kept; further ones are counted. Whoever made two documents differ chooses how often.
pub const DIFFERENCES_MAX: usize = 1000;
/// What their pointers may take together; the first one is kept however long it is. Names may be long and lie in each other, so that a
/// pointer may be nearly as long as the document.
pub(super) const POINTERS_BYTES_MAX: usize = 4 << 20;

/// The first places at which two observations differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DifferenceList {
    /// In the order of the document's members, at most [`DIFFERENCES_MAX`]; fewer where their pointers are long.
    pub first: Vec<Difference>,
    /// How many there are beyond these.
    pub more: usize,
}

impl DifferenceList {
    /// One line for each, and one that counts the rest.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.first_lines(usize::MAX)
    }

    /// One line for each of the first `count`, and one that counts the rest.
    pub fn first_lines(&self, count: usize) -> impl Iterator<Item = String> {
        let more = self.more + self.first.len().saturating_sub(count);
        let more = (more > 0).then(|| format!("and {more} more differences"));
        let first = self.first.iter().take(count);
        first.map(Difference::to_string).chain(more)
    }
}

/// A part of an observation that is not as expected, in full.
#[derive(Clone, Debug, PartialEq)]
pub struct DifferingPart {
    /// Which.
    pub part: Part,
    /// What is expected; `None`: nobody has said.
    pub expected: Option<Value>,
    /// What came out; where a difference does not count, it is what is expected.
    pub actual: Value,
}
