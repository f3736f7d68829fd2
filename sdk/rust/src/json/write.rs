//! The writer: no blanks, members in the byte order of their names, only the escapes that JSON requires.

use super::{Value, plain_bytes};
use alloc::string::String;
use core::fmt::Write;

impl Value {
    /// Appends the value as JSON without blanks.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(digits) => out.push_str(digits),
            Self::String(text) => push_string(out, text),
            Self::Array(elements) => {
                out.push('[');
                for (position, element) in elements.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (position, (name, value)) in members.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    push_string(out, name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Appends a string with its quotes and the escapes that JSON requires, to a text that is written piece by piece.
///
/// ```
/// let mut text = String::from("{\"name\":");
/// tenon::json::push_string(&mut text, "a \"b\"");
/// assert_eq!(text, r#"{"name":"a \"b\"""#);
/// ```
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        let plain = plain_bytes(rest.as_bytes());
        out.push_str(&rest[..plain]);
        let Some(byte) = rest.as_bytes().get(plain) else {
            break;
        };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                let _ = write!(out, "\\u{control:04x}"); // writing to a string cannot fail
            }
        }
        rest = &rest[plain + 1..];
    }
    out.push('"');
}
