//! JSON that keeps every digit: values, a reader and a writer for content and documents that no Rust type describes.
//!
//! [`Json`](crate::Json) and [`Partition`](crate::store::Partition) take [`Value`] beside the types that serde describes, and
//! [`MergePatch`](crate::MergePatch) is made of it. There are three reasons for a reader of our own. Its memory is bounded, so that no content
//! exhausts a component's memory. No names have a special meaning, as some have in serde_json's `arbitrary_precision`. And it converts numbers
//! to the store's spelling while it reads, so that what is written here is what a later read returns, byte for byte.
//!
//! A [`Document`] is the text itself, for what is only passed on.
//!
//! ```
//! use tenon::{App, Json, Problem, json::Value};
//!
//! fn count(Json(content): Json<Value>) -> Result<String, Problem> {
//!     match content {
//!         Value::Object(members) => Ok(members.len().to_string()),
//!         _ => Err(Problem::invalid_content([]).with_error("", "must be an object")),
//!     }
//! }
//!
//! let client = App::new().post("/counts", count).test();
//! let send = |json: &str| client.post("/counts").content("application/json", json).send();
//! assert_eq!(send(r#"{"a": 1.50, "b": null}"#).text(), "2");
//! assert_eq!(send("[]").status(), 422);
//! assert_eq!(send("{]").value()["detail"], "the content is not JSON: expected a member name at byte 1");
//! ```

mod convert;
mod decimal;
mod document;
mod finite;
mod read;
mod write;

pub use convert::{FromJson, ToJson};
pub use decimal::Decimal;
pub use document::Document;
pub use write::push_string;

use crate::{CONTENT_BYTES_MAX, Problem};
use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt;

/// Nesting of objects and arrays. The store accepts no more, and each level uses part of the stack.
pub const LEVELS_MAX: usize = 32;
/// Largest number of values in one text. The store counts at least two bytes for each, and accepts 400 KB.
pub const VALUES_MAX: usize = 400 * 1024 / 2;
/// The members of an object, in the byte order of their names.
pub type Object = BTreeMap<String, Value>;

/// A JSON value. Numbers are text in the store's spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number with all its digits, in the store's spelling; [`Decimal`] reads it.
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

impl Value {
    /// Reads a text that holds one value.
    pub fn parse(text: &[u8]) -> Result<Self, JsonError> {
        read::parse(text)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// Reads content that a client sent; the media type has been checked.
    fn of_content(content: &[u8]) -> Result<Self, Problem> {
        let bytes = content.len();
        if bytes > CONTENT_BYTES_MAX {
            return Err(too_large(format!(
                "the content has {bytes} bytes, at most {CONTENT_BYTES_MAX} are read"
            )));
        }
        Self::parse(content).map_err(|error| match error {
            JsonError::Syntax { .. } => {
                let detail = format!("the content is not JSON: {error}");
                Problem::new(400, "invalid-json", detail)
            }
            JsonError::TooDeep => Problem::invalid_content(Vec::new())
                .with_error("", format!("must not have {error}")),
            JsonError::TooManyValues => too_large(format!("the content holds {error}")),
        })
    }
}

fn too_large(detail: String) -> Problem {
    Problem::new(413, "content-too-large", detail)
}

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { expected, at } => write!(formatter, "expected {expected} at byte {at}"),
            Self::TooDeep => {
                write!(
                    formatter,
                    "more than {LEVELS_MAX} levels of objects and arrays"
                )
            }
            Self::TooManyValues => write!(formatter, "more than {VALUES_MAX} values"),
        }
    }
}

impl core::error::Error for JsonError {}

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
