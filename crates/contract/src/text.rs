//! Makes foreign text safe for a terminal or a log line.
//!
//! A request's path, a tape or a guest may contain sequences that move a terminal's cursor, change its title, reverse the reading direction
//! or end the line. Such characters are written as JSON escapes (`\u001b`, `\n`), so that a text that is JSON remains the same JSON.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

/// One line of text without control or invisible characters; borrowed if it contains none.
///
/// Replaced are control characters (C0, DEL, C1, including line breaks and tabs), line and paragraph separators, controls of the reading
/// direction (Unicode Technical Report 36, 3.1), and characters without width.
pub fn printable(text: &str) -> Cow<'_, str> {
    replaced(text, is_printable)
}

/// Like [`printable`], but keeps line feeds, for texts of several lines.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    replaced(text, |character| {
        character == '\n' || is_printable(character)
    })
}

/// Displays a value as [`printable`] shows its text.
#[derive(Clone, Copy, Debug)]
pub struct Printable<T>(pub T);

impl<T: fmt::Display> fmt::Display for Printable<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Replacing(formatter), "{}", self.0)
    }
}

struct Replacing<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Replacing<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(&printable(text))
    }
}

/// Whether a character may be shown unchanged within a line.
pub fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        // Soft hyphen; combining grapheme joiner.
        '\u{ad}' | '\u{34f}' => false,
        // Arabic letter mark; Hangul fillers; Khmer inherent vowels; Mongolian selectors.
        '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' => {
            false
        }
        // Characters without width and marks of direction; separators and controls of direction; joiners, isolates and shapes.
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => false,
        // Hangul filler; variation selectors; byte order mark; half-width filler; annotations and unassigned specials.
        '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' => false,
        // No characters, in no plane; XML allows neither of the first two.
        other if (other as u32) & 0xfffe == 0xfffe => false,
        // Controls of shorthand and of musical notation; tags and further variation selectors.
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => false,
        other => !other.is_control(),
    }
}

fn replaced(text: &str, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let Some(first) = text.find(|character| !is_kept(character)) else {
        return Cow::Borrowed(text);
    };
    let mut replaced = String::with_capacity(text.len() + 16);
    replaced.push_str(&text[..first]);
    for character in text[first..].chars() {
        if is_kept(character) {
            replaced.push(character);
        } else {
            push_escape(&mut replaced, character);
        }
    }
    Cow::Owned(replaced)
}

fn push_escape(text: &mut String, character: char) {
    match character {
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        other => {
            for unit in other.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_is_left() {
        let controls = (0..0x20).chain(0x7f..0xa0);
        let directions = [0x61c, 0x200e, 0x200f]
            .into_iter()
            .chain(0x202a..=0x202e)
            .chain(0x2066..=0x2069);
        let invisible = [
            0xad, 0x200b, 0x200c, 0x200d, 0x2060, 0x3164, 0xfeff, 0xfe0f, 0xe0001, 0xe0041,
        ];
        let breaks = [0x2028, 0x2029];
        for code in controls.chain(directions).chain(invisible).chain(breaks) {
            let character = char::from_u32(code).unwrap();
            let text = format!("a{character}b");
            let shown = printable(&text);
            assert!(shown.chars().all(is_printable), "{code:x}: {shown:?}");
            assert_eq!(Printable(&text).to_string(), shown);
            // Escaped as in JSON: parsing it gives the same character.
            let read: String = serde_json::from_str(&format!("\"{shown}\"")).unwrap();
            assert_eq!(read, text, "{code:x}");
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "",
            "GET /items?a=1",
            "Grüße, 世界 🎉",
            "back\\slash \"quoted\"",
            "a\u{301}",
        ] {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn an_escape_sequence_is_shown_and_not_sent() {
        assert_eq!(
            printable("\x1b]0;title\x07 \u{9b}31m \u{202e}txt.exe\r\n"),
            r"\u001b]0;title\u0007 \u009b31m \u202etxt.exe\r\n"
        );
    }

    #[test]
    fn line_feeds_stay_where_lines_are_meant() {
        assert_eq!(printable_lines("a\n\tb\r\n"), "a\n\\tb\\r\n");
    }
}
