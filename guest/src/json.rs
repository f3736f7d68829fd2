//! JSON as clients send it and as the store keeps it: values, a reader and a writer.
//!
//! There are three reasons for a reader of our own. Its memory is bounded, so that no content exhausts the component's memory. No names
//! have a special meaning, as some have in serde_json's `arbitrary_precision`. And it converts numbers to the spelling of `wit/storage.wit`
//! while it reads, so that what is written here is what a later read returns, byte for byte.

mod read;
mod write;

pub use read::{parse, string_member};
pub use write::{push_member, push_string};

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

/// Nesting of objects and arrays. The store accepts no more, and each level uses part of the component's small stack.
pub const LEVELS_MAX: usize = 32;
/// Largest number of values in one text. The store counts at least two bytes for each, and accepts 400 KB.
pub const VALUES_MAX: usize = 400 * 1024 / 2;
/// An upper bound of the memory for one value, apart from its text: an object with one member is the worst case.
pub const VALUE_BYTES_MAX: usize = 320;

/// The members of an object, in the byte order of their names.
pub type Object = BTreeMap<String, Value>;

/// A JSON value. Numbers are text in the store's spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number with all its digits.
    Number(String),
    /// Decoded.
    String(String),
    /// In order.
    Array(Vec<Value>),
    /// If a name repeats, the last member counts.
    Object(Object),
}

/// Why a text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// Not JSON.
    Syntax {
        /// What the grammar requires instead.
        expected: &'static str,
        /// The offset of the error.
        at: usize,
    },
    /// More than [`LEVELS_MAX`].
    TooDeep,
    /// More than [`VALUES_MAX`].
    TooManyValues,
}

/// A value, with the cost of reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The value.
    pub value: Value,
    /// The number of values in it, including itself.
    pub values: usize,
}

impl Value {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }
}

impl JsonError {
    /// The text for the client.
    pub fn detail(&self) -> String {
        match self {
            Self::Syntax { expected, at } => {
                format!("the content is not JSON: expected {expected} at byte {at}")
            }
            Self::TooDeep => {
                format!("must not have more than {LEVELS_MAX} levels of objects and arrays")
            }
            Self::TooManyValues => {
                format!("the content holds more than {VALUES_MAX} values")
            }
        }
    }
}

/// How many bytes at the start belong to a string without escapes. Examines eight at a time, because most of a text is strings.
fn plain_bytes(bytes: &[u8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Each has the high bit set where a byte is below 0x20, a quote or a backslash; correct for the lowest such byte.
        let control = word.wrapping_sub(LOW * 0x20) & !word;
        let quote = (word ^ (LOW * u64::from(b'"'))).wrapping_sub(LOW);
        let backslash = (word ^ (LOW * u64::from(b'\\'))).wrapping_sub(LOW);
        let found = (control | (quote | backslash) & !word) & HIGH;
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    words.len() * 8 + rest.iter().position(is_special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests;
