//! JSON as clients send it and as the store keeps it: values, a reader and a writer.
//!
//! The reader is our own for three reasons. What it makes is bounded, so that no content exhausts the component's memory. It has no names
//! with a meaning of their own, as serde_json's `arbitrary_precision` has. And it brings numbers into the spelling of `wit/storage.wit`
//! while it reads, so that what is written here is what a later read gets, byte for byte.

mod read;
mod write;

pub use read::{parse, string_member};
pub use write::{push_member, push_string};

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

/// Objects and arrays inside of each other. The store keeps no more, and the stack of the component, which each level takes a part of, is
/// small.
pub const LEVELS_MAX: usize = 32;
/// Values of one text. The store counts at least two bytes for each, and keeps 400 KB.
pub const VALUES_MAX: usize = 400 * 1024 / 2;
/// An upper bound of the memory that one value takes, apart from its text: an object of one member is the worst.
pub const VALUE_BYTES_MAX: usize = 320;

/// The members of an object, in the order of their bytes.
pub type Object = BTreeMap<String, Value>;

/// A JSON value. Numbers are text in the store's spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// With all its digits.
    Number(String),
    /// Decoded.
    String(String),
    /// In order.
    Array(Vec<Value>),
    /// Of a repeated member, the last one.
    Object(Object),
}

/// Why a text gives no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// Not JSON.
    Syntax {
        /// What the grammar wants instead.
        expected: &'static str,
        /// The byte where it should stand.
        at: usize,
    },
    /// More than [`LEVELS_MAX`].
    TooDeep,
    /// More than [`VALUES_MAX`].
    TooManyValues,
}

/// A value with what reading it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// What was read.
    pub value: Value,
    /// How many values it holds, itself included.
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
    /// What a client is told.
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

/// How many bytes from the start on stand in a string as they are. Eight at a time, as most of a text is strings.
fn plain_bytes(bytes: &[u8]) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Each has the high bit where a byte is below 0x20, a quote or a backslash, from the lowest such byte on.
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
