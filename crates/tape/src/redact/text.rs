//! Finds credentials inside texts: `name=value` in queries, forms, URLs and messages, `name: value` in messages.

use super::{
    harvest::harvest,
    names, placeholders,
    words::{after_any, is_pem, is_scheme, quoted, rest_of_line},
};
use std::{borrow::Cow, ops::Range};

/// The kind of text that is searched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A query: `name=value&name=value`, where a value ends at `&`; values may be URLs.
    Query,
    /// The body of a form: like a query, and values may be prose.
    Pairs,
    /// May contain a URL with a query: a header's value, a path.
    Address,
    /// Prose, messages, JSON inside JSON: `name: value` counts as well, up to the end of the line.
    Prose,
}

/// Which names are hidden.
pub(super) trait Hides {
    /// As the name of a parameter: in a query, a form or a URL.
    fn parameter(&self, name: &str) -> bool;
    /// Elsewhere in a text, where a short name such as `code` has many meanings.
    fn word(&self, name: &str) -> bool;
}

/// One value that was found.
pub(super) struct Found {
    range: Range<usize>,
    /// The decoded name, in lower case; empty if escapes may hide a name.
    pub(super) name: String,
    pub(super) value: String,
    /// Whether it is hidden because it is a parameter's name.
    pub(super) is_parameter: bool,
}

/// The values in a text whose names `hides` selects, in order; their ranges do not overlap.
pub(super) fn find(text: &str, kind: Kind, hides: &dyn Hides) -> Vec<Found> {
    let mut found = match kind {
        Kind::Query | Kind::Pairs => pairs(text, hides),
        Kind::Address | Kind::Prose => Vec::new(),
    };
    found.extend(named(text, kind, hides));
    encoded(text, hides, &mut found);
    found.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end)));
    let mut end = 0;
    for Found { range, .. } in &mut found {
        // A value inside another one has an empty range, but copies of it are still searched.
        *range = range.start.max(end)..range.end.max(end);
        end = range.end;
    }
    found
}

/// The text with each found value replaced; borrowed if none is.
pub(super) fn replaced<'a>(text: &'a str, found: &[Found]) -> Cow<'a, str> {
    let mut out = String::new();
    let mut at = 0;
    for found in found {
        if let Some(hidden) = found.hidden(text) {
            out.reserve(text.len());
            out.push_str(&text[at..found.range.start]);
            out.push_str(&hidden);
            at = found.range.end;
        }
    }
    if at == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

fn pairs(text: &str, hides: &dyn Hides) -> Vec<Found> {
    let mut found = Vec::new();
    let mut start = 0;
    for pair in text.split('&') {
        let end = start + pair.len();
        // Without `=` a pair is a name; people who write `token:` mean a pair.
        if let Some((name, value)) = pair.split_once('=').or_else(|| pair.split_once(':')) {
            let name = names::decoded(name);
            if !value.is_empty() && hides.parameter(&name) {
                found.push(Found {
                    range: end - value.len()..end,
                    name: name.to_lowercase(),
                    value: value.to_owned(),
                    is_parameter: true,
                });
            }
        }
        start = end + 1;
    }
    found
}

/// What precedes a parameter's name in a URL.
const PARAMETER_BEGINS: [char; 4] = ['?', '&', ';', '#'];

/// Values after a name and `=`, in prose also after `:`, in the order of their ends. The inside of a found value is not searched again, so
/// that time and memory are linear in the text.
fn named(text: &str, kind: Kind, hides: &dyn Hides) -> Vec<Found> {
    let is_prose = matches!(kind, Kind::Prose | Kind::Pairs);
    let mut found: Vec<Found> = Vec::new();
    // The end of the last value that extends to the end of its line, and of the last that ends with a word: others within them end there,
    // too.
    let (mut line_end, mut word_end, mut end) = (0, 0, 0);
    for (at, separator) in text.match_indices(['=', ':', '\u{ff1a}']) {
        let is_colon = separator != "=";
        if is_colon && !is_prose || at < line_end || !is_colon && at < word_end {
            continue;
        }
        let Some((before, name)) = name_before(&text[..at]) else {
            continue;
        };
        if is_colon && before.ends_with("//") && is_port(&text[at + separator.len()..]) {
            continue;
        }
        // In prose, a URL is recognised by what precedes the name.
        let is_parameter = !is_prose || !is_colon && before.ends_with(PARAMETER_BEGINS);
        let name = names::decoded(name);
        // A URL within a URL may be encoded except for its last `=`.
        let is_parameter = is_parameter || !is_colon && name.contains(PARAMETER_BEGINS);
        let is_hidden = match is_parameter {
            true => hides.parameter(&name),
            false => hides.word(&name) || is_prose && hides.word(&with_word_before(before, &name)),
        };
        if !is_hidden {
            continue;
        }
        let (range, reach) = match is_colon {
            true => (rest_of_line(text, at + separator.len()), Reach::Line),
            false => value_after(text, at + 1),
        };
        match reach {
            Reach::Line => line_end = range.end,
            Reach::Word => word_end = range.end,
            Reach::Quotes => {}
        }
        if !range.is_empty() && range.end > end {
            end = range.end;
            found.push(Found {
                value: text[range.clone()].to_owned(),
                name: name.to_lowercase(),
                range,
                is_parameter,
            });
        }
    }
    found
}

/// The name at the end of a text, possibly followed by quotes and blanks as in JSON, and what precedes it.
fn name_before(text: &str) -> Option<(&str, &str)> {
    // Quotes, Markdown characters, and invisible blanks.
    let text = text.trim_end_matches([
        ' ', '\t', '"', '\'', '\\', '`', '*', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}',
        '\u{a0}', '\u{ad}', '\u{200b}', '\u{feff}',
    ]);
    let is_in_name = |character: char| {
        character.is_alphanumeric()
            || matches!(character, '_' | '-' | '.' | '%' | '[' | ']' | '~' | '$')
    };
    let start = text.trim_end_matches(is_in_name).len();
    (start < text.len()).then(|| text.split_at(start))
}

/// Whether a text after a host and a colon begins with a port. Before `@`, it would be a password.
fn is_port(text: &str) -> bool {
    const DIGITS_MAX: usize = 5;
    let rest = text.trim_start_matches(|character: char| character.is_ascii_digit());
    (1..=DIGITS_MAX).contains(&(text.len() - rest.len()))
        && (rest.is_empty()
            || rest.starts_with(['/', '?', '#', '`', '"', '\'', ' ', ',', ';', ')']))
}

/// A name of two words, such as `api key`.
fn with_word_before(before: &str, name: &str) -> String {
    let word = name_before(before).map_or("", |(_, word)| word);
    format!("{word}{name}")
}

/// How far a value extends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Line,
    Word,
    Quotes,
}

/// The end of a value after an equals sign that begins at `start`: the end of a query's value, of a word, or of its quotes.
fn value_after(text: &str, start: usize) -> (Range<usize>, Reach) {
    const ENDS: [char; 10] = ['&', '#', ' ', '\t', '\n', '\r', '"', '\'', '<', '>'];
    // `=>`, `==`
    let start = after_any(text, start, &['=', '>']);
    let start = after_any(text, start, &[' ', '\t']);
    if let Some(range) = quoted(text, start) {
        return (range, Reach::Quotes);
    }
    let rest = &text[start..];
    let length = rest.find(ENDS).unwrap_or(rest.len());
    let word = &rest[..length];
    if matches!(word, "" | "\\") && rest[length..].starts_with(['\r', '\n']) {
        return (start..text.len(), Reach::Line); // it is on the lines below
    }
    if is_pem(word) {
        return (start..text.len(), Reach::Line);
    }
    let goes_on = rest[length..].starts_with([' ', '\t']);
    if goes_on && is_scheme(word) {
        return (rest_of_line(text, start), Reach::Line);
    }
    (start..start + length, Reach::Word)
}

/// Words that contain a percent-encoded pair, such as a URL or a document within a URL: they are redacted as a whole.
fn encoded(text: &str, hides: &dyn Hides, found: &mut Vec<Found>) {
    /// How much of the text values from a word may take, in multiples of its length.
    const HARVESTED_MAX: usize = 4;
    const ENDS: [char; 10] = ['&', '=', '#', '?', ' ', '\t', '\n', '"', '<', '>'];
    let mut at = 0;
    while let Some(percent) = text[at..].find('%').map(|percent| at + percent) {
        let start = text[at..percent].rfind(ENDS).map_or(at, |end| at + end + 1);
        let end = text[percent..]
            .find(ENDS)
            .map_or(text.len(), |end| percent + end);
        let word = &text[start..end];
        let decoded = names::decoded(word);
        if *decoded != *word {
            // The inside is not prose, but may contain its forms.
            let is_document = decoded.contains(['{', '"', '\n', '<']);
            let mut inner = named(&decoded, Kind::Query, hides);
            if is_document || decoded.contains(':') {
                inner.extend(named(&decoded, Kind::Pairs, hides));
            }
            if is_document {
                let mut bytes = 0;
                let mut take = |name: &str, value: &str| {
                    bytes += value.len();
                    // Nesting more names than this in one word does not hide anything: the word is redacted as a whole.
                    if bytes <= HARVESTED_MAX * decoded.len() {
                        inner.push(Found::of(name, value));
                    }
                };
                harvest(&decoded, &|name| hides.parameter(name), &mut take);
            }
            if ["\\u", "&#"].iter().any(|escape| decoded.contains(escape)) {
                inner.push(Found::of("", word));
            }
            found.extend(inner.into_iter().map(|inner| Found {
                range: start..end,
                ..inner
            }));
        }
        at = end;
    }
}

impl Found {
    /// What the text that it was found in has in its place; `None` if nothing is replaced.
    fn hidden(&self, text: &str) -> Option<String> {
        let value = &text[self.range.clone()];
        (!value.is_empty())
            .then(|| placeholders::hidden(value))
            .flatten()
    }

    /// Whether it is a part of the value before it, or has no text.
    pub(super) fn is_within_another(&self) -> bool {
        self.range.is_empty()
    }

    /// Whether it stays, because it consists of placeholders.
    pub(super) fn stays(&self, text: &str) -> bool {
        !self.range.is_empty() && self.hidden(text).is_none()
    }

    /// Found in a word whose range is not yet known.
    fn of(name: &str, value: &str) -> Self {
        Self {
            range: 0..0,
            name: name.to_lowercase(),
            value: value.to_owned(),
            is_parameter: true,
        }
    }
}

/// Whether a text has escapes or encodings that can hide the letters of a name.
pub(super) fn may_hide_names(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "\\u",
        "\\x",
        "&#",
        "base64",
        "quoted-printable",
        "=\r\n",
        "=\n",
    ]
    .iter()
    .any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests;
