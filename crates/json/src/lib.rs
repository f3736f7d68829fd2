//! Reads and writes JSON within bounds of depth, nodes and memory.
//!
//! JSON from outside is read in two ways only: into a type with named members ([`read`]), which is fast and recurses no deeper than the type
//! itself, or into a tree or spans by [`value`], [`members`], [`elements`] and [`string`], which count nodes and levels. A lint forbids
//! serde_json's own readers in this workspace. [`Object`] writes without building a tree, and [`rewrite`] changes values in place and keeps
//! every other byte.
//!
//! ```
//! let members = json::members(r#"{"id": 7, "name": "lamp"}"#)?;
//! assert_eq!(members[1].1, r#""lamp""#);
//!
//! let mut out = Vec::new();
//! let mut object = json::Object::begin(&mut out);
//! object.string("name", "a \"lamp\"");
//! object.end();
//! assert_eq!(out, br#"{"name":"a \"lamp\""}"#);
//!
//! // Too deep to read safely: an error instead of an overflowing stack.
//! assert!(json::value("[".repeat(100_000).as_bytes()).is_err());
//! # Ok::<(), json::JsonError>(())
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

mod error;
mod pointer;
mod read;
mod rewrite;
mod same;
mod write;

pub use error::{JsonError, JsonProblem};
pub use pointer::{Pointer, PointerError, join, pointer, push_name};
pub use read::{check, elements, lenient_value, members, string, value};
pub use rewrite::{Rewriter, Step, rewrite};
pub use same::{count, same};
pub use write::{Object, write_array, write_number, write_string};

use serde::Deserialize;
pub use serde_json::Value;

/// Reads one JSON value, borrowing from `json` where possible.
///
/// UTF-8 is checked once for the whole text, which is several times faster than serde_json's check of each string. If it is invalid,
/// serde_json decides about the error.
///
/// `T` must not contain `serde_json::Value` or anything else that accepts arbitrary JSON (untagged enums, flattened members): these
/// interpret serde_json's private member names. [`value`] reads such texts.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the reader of named members; its contract is in its description"
)]
pub fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> serde_json::Result<T> {
    match str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    }
}

/// Words of serde about what it expected, without what it found: for members in which somebody may have written a secret by mistake.
pub fn without_input(words: &str) -> String {
    let quotes = ["invalid ", "unknown "];
    if !quotes.iter().any(|start| words.starts_with(start)) {
        return words.to_owned();
    }
    match words.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => "there is something that does not belong there".to_owned(),
    }
}

/// Capacity for an event or a response without its body, so that most are written without reallocation.
const WRITTEN_BYTES_USUAL: usize = 1024;

/// Capacity for JSON with a body of this many bytes.
pub fn with_room(body_bytes: usize) -> Vec<u8> {
    // One eighth for escapes.
    Vec::with_capacity(WRITTEN_BYTES_USUAL + body_bytes + body_bytes / 8)
}
