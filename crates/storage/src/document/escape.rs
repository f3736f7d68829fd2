//! Strings in canonical text.

use std::fmt::Write;

/// Appends a JSON string, with those escapes only that JSON requires.
pub(super) fn write_string(out: &mut String, string: &str) {
    out.push('"');
    if string
        .bytes()
        .any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))
    {
        string
            .chars()
            .for_each(|character| write_escaped(out, character));
    } else {
        out.push_str(string);
    }
    out.push('"');
}

/// The escapes that JSON requires, in their shortest form.
fn write_escaped(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..'\u{20}' => {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        }
        _ => out.push(character),
    }
}
