//! Words, quotes and lines of texts of any form.

use std::ops::Range;

/// Whether names are made of it.
pub(super) fn in_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.')
}

/// Whether a word is the scheme of an authentication, the first word of a value with several (RFC 9110, section 11.4).
pub(super) fn is_scheme(word: &str) -> bool {
    const SCHEMES: [&str; 12] = [
        "apikey",
        "aws4-hmac-sha256",
        "basic",
        "bearer",
        "bot",
        "digest",
        "dpop",
        "geniekey",
        "negotiate",
        "oauth",
        "ssws",
        "token",
    ];
    SCHEMES
        .iter()
        .any(|scheme| scheme.eq_ignore_ascii_case(word))
}

/// The characters of words that can be names.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !in_word(character))
        .filter(|word| !word.is_empty())
}

/// The content of the quotes that begin at `start`, which may be escaped: up to quotes with as many backslashes before them, or to the end
/// of the line.
pub(super) fn quoted(text: &str, start: usize) -> Option<Range<usize>> {
    /// Quotes in strings in strings in strings.
    const BACKSLASHES_MAX: usize = 7;
    let backslashes = after_any(text, start, &['\\']) - start;
    let quote = text[start + backslashes..].chars().next()?;
    if !matches!(quote, '"' | '\'') {
        return None;
    }
    let start = start + backslashes + 1;
    if backslashes > BACKSLASHES_MAX {
        return Some(rest_of_line(text, start));
    }
    // Triple quotes, as in TOML and Python, or in SQL if the value begins with a quote.
    let triple = if quote == '"' { "\"\"" } else { "''" };
    if backslashes == 0 && text[start..].starts_with(triple) {
        let start = start + triple.len();
        let end = text[start..].find(&text[start - 3..start]);
        return Some(start..end.map_or(text.len(), |end| start + end));
    }
    let mut before = 0;
    let mut is_second = false;
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match byte {
            b'\n' => return Some(start..at),
            b'\\' => before += 1,
            // A quote that is escaped more often than the first is part of the value.
            _ if char::from(byte) == quote && is_closing(backslashes, before) => {
                // SQL doubles quotes within a text.
                let is_doubled = before == 0 && at > start && text[at + 1..].starts_with(quote);
                if is_second || is_doubled {
                    is_second = !is_second;
                    before = 0;
                    continue;
                }
                return Some(start..at - before.min(backslashes));
            }
            _ => before = 0,
        }
    }
    Some(start..text.len())
}

/// Whether a quote after this many backslashes ends what began with one after `opening` backslashes.
fn is_closing(opening: usize, backslashes: usize) -> bool {
    match opening {
        0 => backslashes.is_multiple_of(2),
        _ => backslashes <= opening,
    }
}

pub(super) fn rest_of_line(text: &str, start: usize) -> Range<usize> {
    let start = after_any(text, start, &[' ', '\t']);
    let Some(length) = text[start..].find('\n') else {
        return start..text.len();
    };
    // A value on the lines below: a YAML block, the output of `{:#?}`, a PEM key.
    let line = text[start..start + length].trim_end();
    let block = line
        .trim_end_matches(['-', '+'])
        .trim_end_matches(|character: char| character.is_ascii_digit());
    let is_tag = line.starts_with('!') && !line.contains(' ');
    let goes_on = line.is_empty()
        || line.ends_with(['(', '[', '{', '\\'])
        || block.ends_with(['|', '>'])
        || is_tag
        || is_pem(line);
    if goes_on {
        start..text.len()
    } else {
        start..start + length
    }
}

/// The position after these characters.
pub(super) fn after_any(text: &str, start: usize, characters: &[char]) -> usize {
    text.len() - text[start..].trim_start_matches(characters).len()
}

pub(super) fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN")
}
