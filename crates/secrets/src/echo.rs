//! Finds values in responses and puts placeholders in their place: a server that repeats a request, as many do in errors, must not tell a guest
//! what its host filled in.
//!
//! A value is found as it is, percent-encoded, as part of a form, escaped in JSON, XML or HTML, in hexadecimal, and inside of base64 at every
//! alignment, all in either case of letters. It is not found compressed, cut, transformed in another way, or spread over several responses: this
//! protects from servers that repeat what they get, not from a guest and a server that work together.
//!
//! All forms of all values are searched in one pass over a response. To bound the automaton, it contains the beginnings of forms only; where
//! one is found, the rest of the form is compared.

use crate::{
    encoding::{MoreEscapes, form, json_with, lenient_percent, percent, xml},
    name::SecretName,
    placeholder::placeholder,
};
use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use contract::hexadecimal::Hexadecimal;
use std::{collections::BTreeMap, fmt, iter};
use zeroize::Zeroizing;

/// Bytes of a form in the automaton. Where these are found by chance, nothing else is.
const BEGINNING_BYTES_MAX: usize = 48;
/// Characters that writers of JSON escape without need: none; those with a meaning in HTML, as Go; what .NET and PHP may add.
const ESCAPED_BY_WRITERS: [&str; 4] = ["", "<>&", "<>&'", "<>&'\"+`"];

/// Values that are looked for.
pub(crate) struct EchoMask {
    automaton: AhoCorasick,
    /// As in the automaton: the forms with this beginning, which may be of several secrets.
    forms: Vec<Vec<Form>>,
    placeholders: Vec<String>,
}

/// A value in one encoding.
#[derive(PartialEq, Eq)]
struct Form {
    /// In lower case.
    text: Zeroizing<Vec<u8>>,
    /// Whether the character before, and the one after, contains bits of the value.
    shares: [bool; 2],
    /// Position among the placeholders.
    secret: usize,
}

impl EchoMask {
    /// Looks for these values, which have at least [`SECRET_FILLED_BYTES_MIN`](contract::limits::SECRET_FILLED_BYTES_MIN) bytes. None if there are
    /// none.
    pub(crate) fn new<'a>(
        values: impl IntoIterator<Item = (&'a SecretName, &'a [u8])>,
    ) -> Option<Self> {
        let mut placeholders = Vec::new();
        let mut by_beginning = BTreeMap::<Vec<u8>, Vec<Form>>::new();
        for (name, value) in values {
            for form in forms(value, placeholders.len()) {
                let length = form.text.len().min(BEGINNING_BYTES_MAX);
                // Not overwritten when dropped, because the automaton contains it as well.
                let beginning = form.text[..length].to_vec();
                by_beginning.entry(beginning).or_default().push(form);
            }
            placeholders.push(placeholder(name));
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(by_beginning.keys())
            .ok()?;
        (!placeholders.is_empty()).then(|| Self {
            automaton,
            forms: by_beginning.into_values().collect(),
            placeholders,
        })
    }

    /// The bytes with placeholders in place of values; none if they contain no value.
    pub(crate) fn masked(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut done = 0;
        for found in self.automaton.find_iter(bytes) {
            let longest = self.forms[found.pattern().as_usize()]
                .iter()
                .map(|form| (form.length_in(&bytes[found.start()..]), form))
                .max_by_key(|(length, _)| *length);
            let Some((length, form)) = longest else {
                continue;
            };
            let [shares_before, shares_after] = form.shares;
            let (mut start, mut end) = (found.start(), found.start() + length);
            if end <= done {
                continue;
            }
            start -= usize::from(shares_before && start > 0 && is_base64(bytes[start - 1]));
            end += usize::from(shares_after && bytes.get(end).is_some_and(|byte| is_base64(*byte)));
            out.extend_from_slice(&bytes[done..start.max(done)]);
            out.extend_from_slice(self.placeholders[form.secret].as_bytes());
            done = end;
        }
        (done > 0).then(|| {
            out.extend_from_slice(&bytes[done..]);
            out
        })
    }

    /// The same for text. A value that is no text could leave half a character.
    pub(crate) fn masked_text(&self, text: &str) -> Option<String> {
        let masked = self.masked(text.as_bytes())?;
        Some(String::from_utf8_lossy(&masked).into_owned())
    }
}

impl Form {
    /// Number of bytes that a text and this form have in common at their beginnings.
    fn length_in(&self, text: &[u8]) -> usize {
        let pairs = iter::zip(&*self.text, text);
        pairs
            .take_while(|(one, other)| one.eq_ignore_ascii_case(other))
            .count()
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// The forms of a value, each once.
fn forms(value: &[u8], secret: usize) -> Vec<Form> {
    let mut forms = Vec::new();
    let mut add = |mut text: Zeroizing<Vec<u8>>, shares| {
        text.make_ascii_lowercase();
        let form = Form {
            text,
            shares,
            secret,
        };
        if !forms.contains(&form) {
            forms.push(form);
        }
    };
    let plain = |encode: &dyn Fn(&mut Vec<u8>)| {
        let mut text = Zeroizing::new(Vec::with_capacity(6 * value.len()));
        encode(&mut text);
        text
    };
    add(plain(&|out| out.extend_from_slice(value)), [false; 2]);
    add(plain(&|out| percent(value, out)), [false; 2]);
    add(plain(&|out| lenient_percent(value, out)), [false; 2]);
    add(plain(&|out| form(value, out)), [false; 2]);
    add(
        Zeroizing::new(Hexadecimal(value).to_string().into_bytes()),
        [false; 2],
    );
    if let Ok(text) = str::from_utf8(value) {
        for more in json_writers() {
            add(plain(&|out| json_with(text, more, out)), [false; 2]);
        }
        add(plain(&|out| xml(text, out)), [false; 2]);
    }
    for (text, shares) in base64_forms(value) {
        add(text, shares);
    }
    forms
}

fn json_writers() -> impl Iterator<Item = MoreEscapes> {
    ESCAPED_BY_WRITERS.into_iter().flat_map(|characters| {
        (0..4).map(move |bits| MoreEscapes {
            slash: bits & 1 != 0,
            characters,
            beyond_ascii: bits & 2 != 0,
        })
    })
}

/// What base64 of any text has in common if the value is in it: six forms, for three alignments and two alphabets, of the characters all of
/// whose bits are the value's.
fn base64_forms(value: &[u8]) -> impl Iterator<Item = (Zeroizing<Vec<u8>>, [bool; 2])> {
    [0, 1, 2].into_iter().flat_map(move |offset| {
        let mut bytes = Zeroizing::new(vec![0; offset]);
        bytes.reserve_exact(value.len());
        bytes.extend_from_slice(value);
        [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|alphabet| {
            let encoded = Zeroizing::new(alphabet.encode(&*bytes));
            // Six bits each: the first character without bits of what comes before, up to the last one without bits of what follows.
            let (start, end) = ((offset * 8).div_ceil(6), bytes.len() * 8 / 6);
            let text = Zeroizing::new(encoded.as_bytes()[start..end].to_vec());
            (text, [offset != 0, bytes.len() % 3 != 0])
        })
    })
}

impl fmt::Debug for EchoMask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EchoMask")
            .field("placeholders", &self.placeholders)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    const VALUE: &str = "pl/nt+d \"v\u{e9}<lue>~'1\\";

    fn mask(values: &[(&str, &[u8])]) -> EchoMask {
        let values: Vec<_> = values
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), *value))
            .collect();
        let values = values.iter().map(|(name, value)| (name, *value));
        EchoMask::new(values).unwrap()
    }

    fn masked(text: &str) -> String {
        let mask = mask(&[("key", VALUE.as_bytes())]);
        mask.masked_text(text)
            .unwrap_or_else(|| format!("as before: {text}"))
    }

    #[test]
    fn every_usual_form_is_found() {
        for form in [
            VALUE,
            // Percent-encoded by the strict and the lenient, and as a form.
            "pl%2Fnt%2Bd%20%22v%C3%A9%3Clue%3E~%271%5C",
            "pl%2fnt%2bd%20%22v%c3%a9%3clue%3e~%271%5c",
            "pl/nt+d%20%22v%C3%A9%3Clue%3E~'1%5C",
            "pl%2Fnt%2Bd+%22v%C3%A9%3Clue%3E%7E%271%5C",
            // JSON of several writers.
            r#"pl/nt+d \"vé<lue>~'1\\"#,
            r#"pl\/nt+d \"v\u00e9<lue>~'1\\"#,
            r#"pl/nt+d \"vé\u003clue\u003e~\u00271\\"#,
            r#"pl\/nt+d \"v\u00E9\u003Clue\u003E~\u00271\\"#,
            r#"pl/nt\u002Bd \u0022v\u00E9\u003Clue\u003E~\u00271\\"#,
            r#"pl/nt+d \"vé\u003clue\u003e~'1\\"#,
            "pl/nt+d &quot;vé&lt;lue&gt;~&#39;1\\",
            "706c2f6e742b642022 76c3a93c6c75653e7e27315c"
                .replace(' ', "")
                .as_str(),
        ] {
            assert_eq!(masked(&format!("a{form}b")), "a__secret.key__b", "{form}");
            assert_eq!(masked(form), "__secret.key__", "{form}");
            assert_eq!(
                masked(&format!("{form}{form}")),
                "__secret.key____secret.key__"
            );
        }
        assert_eq!(
            masked("pl/nt+d is only a part"),
            "as before: pl/nt+d is only a part"
        );
        assert_eq!(masked(""), "as before: ");
    }

    #[test]
    fn base64_contains_no_bit_of_a_value_afterwards() {
        let value = "sk_live_planted-0123456789";
        let mask = mask(&[("key", value.as_bytes())]);
        for before in ["", "u", "us", "user", "user:"] {
            for after in ["", ":", ":x", "more"] {
                for alphabet in [STANDARD, URL_SAFE, STANDARD_NO_PAD] {
                    let encoded = alphabet.encode(format!("{before}{value}{after}"));
                    let text = format!("Basic {encoded}");
                    let masked = mask.masked_text(&text).unwrap();
                    let (head, tail) = masked.split_once("__secret.key__").unwrap();
                    // What is left of the text is left of the bytes before and after.
                    let head = head.strip_prefix("Basic ").unwrap();
                    assert!(head.len() * 6 / 8 <= before.len(), "{masked}");
                    let rest = tail.trim_end_matches('=').len();
                    assert!(rest * 6 / 8 <= after.len(), "{masked}");
                }
            }
        }
    }

    #[test]
    fn several_values_are_found_in_one_pass() {
        let common = "x".repeat(60);
        let (one, other) = (format!("{common}-one"), format!("{common}-other"));
        let within = "within-one";
        let mask = mask(&[
            ("one", one.as_bytes()),
            ("other", other.as_bytes()),
            ("long", b"before within-one after"),
            ("short", within.as_bytes()),
        ]);
        let text = format!("{other} {one} {within} before within-one after {common}-on");
        assert_eq!(
            mask.masked_text(&text).unwrap(),
            "__secret.other__ __secret.one__ __secret.short__ __secret.long__ __secret.one__"
        );
        assert!(mask.masked(b"nothing").is_none());
        assert!(!format!("{mask:?}").contains("within"));
    }

    #[test]
    fn bytes_that_are_no_text_are_found_too() {
        let value = b"\xff\xfe\x00\x01\x80\x81\x82\x83";
        let mask = mask(&[("key", value)]);
        let text = [b"a", &value[..], b"b"].concat();
        assert_eq!(mask.masked(&text).unwrap(), b"a__secret.key__b");
        assert_eq!(
            mask.masked_text("%FF%fe%00%01%80%81%82%83").unwrap(),
            "__secret.key__"
        );
        assert!(EchoMask::new([]).is_none());
    }
}
