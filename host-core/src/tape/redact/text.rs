//! Credentials inside texts: `name=value` in queries, forms, addresses and messages, `name: value` in messages.

use super::{REPLACEMENT, names};
use std::{borrow::Cow, ops::Range};

/// What kind of text is looked through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `name=value&name=value`: a query, or the body of a form. A value ends at `&` alone.
    Pairs,
    /// May hold an address with a query: a header's value, a path.
    Address,
    /// Prose, messages, JSON inside of JSON: `name: value` counts as well, up to the end of the line.
    Prose,
}

/// One value that was found.
pub(super) struct Found {
    range: Range<usize>,
    /// As it is meant, in lower case.
    pub(super) name: String,
    pub(super) value: String,
}

/// The values in a text whose names `hides` picks, in their order, without overlaps.
pub(super) fn find(text: &str, kind: Kind, hides: &dyn Fn(&str) -> bool) -> Vec<Found> {
    let mut found = match kind {
        Kind::Pairs => pairs(text, hides),
        Kind::Address | Kind::Prose => named(text, kind, hides),
    };
    encoded(text, hides, &mut found);
    found.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end)));
    let mut end = 0;
    found.retain_mut(|found| {
        found.range.start = found.range.start.max(end);
        let is_kept = found.range.end > found.range.start;
        end = end.max(found.range.end);
        is_kept
    });
    found
}

/// The text with the replacement in the place of what was found.
pub(super) fn replaced<'a>(text: &'a str, found: &[Found]) -> Cow<'a, str> {
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for Found { range, .. } in found {
        out.push_str(&text[at..range.start]);
        out.push_str(REPLACEMENT);
        at = range.end;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

fn pairs(text: &str, hides: &dyn Fn(&str) -> bool) -> Vec<Found> {
    let mut found = Vec::new();
    let mut start = 0;
    for pair in text.split('&') {
        let end = start + pair.len();
        if let Some((name, value)) = pair.split_once('=') {
            let name = names::decoded(name);
            if !value.is_empty() && hides(&name) {
                found.push(Found {
                    range: end - value.len()..end,
                    name: name.to_lowercase(),
                    value: value.to_owned(),
                });
            }
        }
        start = end + 1;
    }
    found
}

/// Values after a name and `=`, in prose also after `:`, in the order of their ends. What lies within a value that was found is not looked
/// at again, so that time and memory stay linear in the text.
fn named(text: &str, kind: Kind, hides: &dyn Fn(&str) -> bool) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    // Where the last value ends that reaches to the end of its line, and the last that ends with a word: others within them end there, too.
    let (mut line_end, mut word_end, mut end) = (0, 0, 0);
    for (at, separator) in text.match_indices(['=', ':']) {
        let to_line_end = separator == ":";
        if to_line_end && kind != Kind::Prose || at < line_end || !to_line_end && at < word_end {
            continue;
        }
        let Some(name) = name_before(&text[..at]) else {
            continue;
        };
        let name = names::decoded(name);
        if !hides(&name) {
            continue;
        }
        let (range, is_quoted) = value_after(text, at + 1, to_line_end);
        if to_line_end {
            line_end = range.end;
        } else if !is_quoted {
            word_end = range.end;
        }
        if !range.is_empty() && range.end > end {
            end = range.end;
            found.push(Found {
                value: text[range.clone()].to_owned(),
                name: name.to_lowercase(),
                range,
            });
        }
    }
    found
}

/// The name at the end of a text, with quotes and blanks after it, as in JSON.
fn name_before(text: &str) -> Option<&str> {
    let text = text.trim_end_matches([' ', '\t', '"', '\'', '\\']);
    let is_in_name = |character: char| {
        character.is_alphanumeric()
            || matches!(character, '_' | '-' | '.' | '%' | '[' | ']' | '~' | '$')
    };
    let start = text.trim_end_matches(is_in_name).len();
    (start < text.len()).then(|| &text[start..])
}

/// Where the value ends that begins at `start`: at the end of the line, or where a query's value or a word ends. Says whether it is quoted.
fn value_after(text: &str, start: usize, to_line_end: bool) -> (Range<usize>, bool) {
    let rest = &text[start..];
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let (start, rest) = (start + blanks, &rest[blanks..]);
    let quote = rest
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\'') && !to_line_end);
    let ends: &[char] = match quote {
        Some('"') => &['"', '\n'],
        Some(_) => &['\'', '\n'],
        None if to_line_end => &['\n'],
        None => &['&', '#', ' ', '\t', '\n', '\r', '"', '\'', '<', '>'],
    };
    let skipped = usize::from(quote.is_some());
    let rest = &rest[skipped..];
    let length = rest.find(ends).unwrap_or(rest.len());
    let range = start + skipped..start + skipped + length;
    (range, quote.is_some())
}

/// Words that hold a pair in percent-encoding, such as an address within an address: they go as a whole.
fn encoded(text: &str, hides: &dyn Fn(&str) -> bool, found: &mut Vec<Found>) {
    const ENDS: [char; 10] = ['&', '=', '#', '?', ' ', '\t', '\n', '"', '<', '>'];
    let mut at = 0;
    while let Some(percent) = text[at..].find('%').map(|percent| at + percent) {
        let start = text[at..percent].rfind(ENDS).map_or(at, |end| at + end + 1);
        let end = text[percent..]
            .find(ENDS)
            .map_or(text.len(), |end| percent + end);
        let word = &text[start..end];
        let decoded = names::decoded(word);
        if decoded.contains('=') && *decoded != *word {
            let inner = named(&decoded, Kind::Address, hides);
            found.extend(inner.into_iter().map(|inner| Found {
                range: start..end,
                ..inner
            }));
        }
        at = end;
    }
}

/// Whether a text has escapes or encodings in which a name is not spelt by its letters.
pub(super) fn may_hide_names(text: &str) -> bool {
    ["\\u", "&#", "base64", "quoted-printable", "=\r\n", "=\n"]
        .iter()
        .any(|mark| text.contains(mark))
}

fn in_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.')
}

/// Words of a text, as names are made of.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !in_word(character))
        .filter(|word| !word.is_empty())
}

/// Values that may follow a name in a text of any form, such as XML or a part of `multipart/form-data`: for a text that is left out, so that
/// what a guest copies from it is known elsewhere.
pub(super) fn harvest(text: &str, hides: &dyn Fn(&str) -> bool, value: &mut dyn FnMut(&str)) {
    /// Quotes, brackets and line breaks between a name and its value.
    const BETWEEN_MAX: usize = 16;
    const ENDS: [char; 10] = ['"', '\'', '<', '>', '&', '\n', '\r', ' ', '\t', ','];
    let is_between =
        |character: char| !character.is_alphanumeric() && !matches!(character, '%' | '$' | '+');
    let mut at = 0;
    // Where the last value ends: one that begins within it ends there, too.
    let mut value_end = 0;
    while let Some(start) = text[at..].find(in_word).map(|start| at + start) {
        let rest = &text[start..];
        let word_bytes = rest
            .find(|character| !in_word(character))
            .unwrap_or(rest.len());
        at = start + word_bytes;
        if !hides(&rest[..word_bytes]) {
            continue;
        }
        let begin = text[at..]
            .find(|character| !is_between(character))
            .filter(|begin| *begin <= BETWEEN_MAX);
        let Some(begin) = begin.map(|begin| at + begin) else {
            continue;
        };
        if begin >= value_end {
            value_end = text[begin..]
                .find(ENDS)
                .map_or(text.len(), |length| begin + length);
        }
        value(&text[begin..value_end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hides(name: &str) -> bool {
        names::is_credential_parameter(&names::normalised(name))
    }

    fn redacted(text: &str, kind: Kind) -> String {
        replaced(text, &find(text, kind, &hides)).into_owned()
    }

    #[test]
    fn pairs_lose_the_values_of_credentials() {
        for (text, expected) in [
            (
                "limit=2&access%5Ftoken=s3cret&x",
                "limit=2&access%5Ftoken=REDACTED&x",
            ),
            ("code=a=b&key=", "code=REDACTED&key="),
            (
                "access_token[]=a;b&access_token%5B%5D=c",
                "access_token[]=REDACTED&access_token%5B%5D=REDACTED",
            ),
            (
                "next=https%3A%2F%2Fa%2Fb%3Ftoken%3Ds3cret&a=b",
                "next=REDACTED&a=b",
            ),
            (
                "next=https%253A%252F%252Fa%252Fb%253Ftoken%253Ds3cret",
                "next=REDACTED",
            ),
            ("next=a%3Db", "next=a%3Db"),
        ] {
            assert_eq!(redacted(text, Kind::Pairs), expected);
        }
    }

    #[test]
    fn addresses_lose_them_in_query_path_and_fragment() {
        for (text, expected) in [
            (
                "https://a/b?x=1&token=s3cret#c",
                "https://a/b?x=1&token=REDACTED#c",
            ),
            (
                "https://a/#access_token=s3cret&state=1",
                "https://a/#access_token=REDACTED&state=1",
            ),
            ("/a;jsessionid=s3cret", "/a;jsessionid=REDACTED"),
            (
                "<https://a?key=s3cret>; rel=n",
                "<https://a?key=REDACTED>; rel=n",
            ),
            ("https://a/secret:b", "https://a/secret:b"),
        ] {
            assert_eq!(redacted(text, Kind::Address), expected);
        }
    }

    #[test]
    fn messages_lose_them_up_to_the_end_of_the_line() {
        for (text, expected) in [
            (
                "Authorization: Bearer s3cret x\nnext",
                "Authorization: REDACTED\nnext",
            ),
            (r#"{"password":"s3cret"}"#, r#"{"password":REDACTED"#),
            ("pwd = \"a b\" c", "pwd = \"REDACTED\" c"),
            ("at 12:30: done", "at 12:30: done"),
        ] {
            assert_eq!(redacted(text, Kind::Prose), expected);
        }
    }

    #[test]
    fn a_value_within_another_one_that_reaches_further_is_found() {
        for (text, expected) in [
            ("token=session:abc def\nx", "token=REDACTEDREDACTED\nx"),
            ("token='a token=\"b' c\"", "token='REDACTEDREDACTED\""),
        ] {
            assert_eq!(redacted(text, Kind::Prose), expected);
        }
    }

    /// A megabyte takes milliseconds; were it the square of that, hours.
    #[test]
    fn many_names_take_time_and_memory_in_proportion() {
        let bound = std::time::Duration::from_secs(20);
        for part in [
            "otp:",
            "token=",
            "token=\"",
            "token='\"",
            "otp: token=",
            "token%3D",
            "token/",
        ] {
            let text = part.repeat((1 << 20) / part.len());
            for kind in [Kind::Pairs, Kind::Address, Kind::Prose] {
                let begun = std::time::Instant::now();
                let found = find(&text, kind, &hides);
                let bytes: usize = found.iter().map(|found| found.value.len()).sum();
                assert!(bytes <= 4 * text.len(), "{part}: {bytes}");
                assert!(begun.elapsed() < bound, "{part}");
            }
            let begun = std::time::Instant::now();
            let mut secrets = super::super::values::Secrets::default();
            harvest(&text, &hides, &mut |value| secrets.add(value));
            assert!(begun.elapsed() < bound, "{part}");
        }
    }

    #[test]
    fn values_are_found_in_texts_of_any_form() {
        let text = "<a><password>one</password></a> name=\"token\"\r\n\r\ntwo\r\n--b {\"secret\" : \"three\"} apikey=four";
        let mut values = Vec::new();
        harvest(text, &hides, &mut |value| values.push(value.to_owned()));
        for value in ["one", "two", "three", "four"] {
            assert!(values.contains(&value.to_owned()), "{value}: {values:?}");
        }
    }
}
