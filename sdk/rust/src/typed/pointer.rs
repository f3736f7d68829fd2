//! The JSON pointer of a place in a text. serde_json says where it stopped, but not inside what; this reads the text again up to there, which
//! costs nothing unless there is an error.

use crate::typed;
use alloc::{string::String, vec::Vec};
use core::fmt::Write;

/// An object or array around the place.
enum Level<'a> {
    /// With the current member's name, as it is written, quotes included.
    Object(Option<&'a [u8]>),
    /// With the current element's position; `None` before the first one.
    Array(Option<usize>),
}

/// The pointer to what ends at, or contains, the byte before `end`. The text is valid JSON up to there.
pub(super) fn at(text: &[u8], end: usize) -> String {
    let mut levels = Vec::new();
    let mut position = 0;
    let mut expects_name = false;
    while position < end {
        let byte = text[position];
        if let (Some(Level::Array(index @ None)), false) = (
            levels.last_mut(),
            byte.is_ascii_whitespace() || byte == b']',
        ) {
            *index = Some(0);
        }
        match byte {
            b'{' => {
                levels.push(Level::Object(None));
                expects_name = true;
            }
            b'[' => levels.push(Level::Array(None)),
            b'}' | b']' => {
                levels.pop();
                expects_name = false;
            }
            b',' => match levels.last_mut() {
                Some(Level::Object(name)) => {
                    *name = None;
                    expects_name = true;
                }
                Some(Level::Array(index)) => *index = index.map(|index| index + 1),
                None => {}
            },
            b'"' => {
                let string = string(&text[position..]);
                if let (true, Some(Level::Object(name))) = (expects_name, levels.last_mut()) {
                    *name = Some(string);
                    expects_name = false;
                }
                position += string.len();
                continue;
            }
            _ => {}
        }
        position += 1;
    }
    pointer(&levels)
}

/// The string at the start of the text, with its quotes.
fn string(text: &[u8]) -> &[u8] {
    let mut is_escaped = false;
    for (index, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'"' if !is_escaped => return &text[..=index],
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text
}

fn pointer(levels: &[Level<'_>]) -> String {
    let mut pointer = String::new();
    for level in levels {
        match level {
            Level::Object(Some(name)) => {
                let name: String = typed::read(name).unwrap_or_default();
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
            Level::Array(Some(index)) => {
                let _ = write!(pointer, "/{index}"); // writing to a string cannot fail
            }
            Level::Object(None) | Level::Array(None) => {}
        }
    }
    pointer
}
