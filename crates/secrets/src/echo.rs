//! Finds values in responses and puts placeholders in their place: a server that repeats a request, as many do in errors, must not tell a guest
//! what its host filled in.
//!
//! A value is found as it is, as part of a form, in hexadecimal, and inside of base64 at every alignment, each also escaped for JSON, URLs, XML
//! or HTML, in either case of letters, and across the ends of lines. It is not found compressed, cut, transformed in another way, or spread over several responses:
//! this protects from servers that repeat what they get, not from a guest and a server that work together.
//!
//! What is replaced does not depend on how far a text matches: see [`Pattern::rest`].

use crate::{name::SecretName, placeholder::placeholder};
use copies::{Copies, Pattern, Spelling, TooLong, spellings};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes by which a form is found, which bounds the automaton. Two values of that length that begin alike are hardly both in one response.
const BEGINNING_BYTES_MAX: usize = 256;

/// Values that are looked for.
pub(crate) struct EchoMask {
    copies: Copies,
    placeholders: Vec<String>,
}

/// A value in one encoding.
struct Form {
    text: Zeroizing<Vec<u8>>,
    shares: [bool; 2],
    /// Position among the placeholders.
    secret: usize,
}

impl EchoMask {
    /// Looks for these values, which have at least [`SECRET_FILLED_BYTES_MIN`](contract::limits::SECRET_FILLED_BYTES_MIN) bytes. None if there are
    /// none, or if they are too long together.
    pub(crate) fn new<'a>(
        values: impl IntoIterator<Item = (&'a SecretName, &'a [u8])>,
    ) -> Option<Self> {
        let (mut placeholders, mut forms) = (Vec::new(), Vec::new());
        for (name, value) in values {
            add_forms(value, placeholders.len(), &mut forms);
            placeholders.push(placeholder(name));
        }
        if placeholders.is_empty() {
            return None;
        }
        let patterns: Vec<_> = forms.iter().map(Form::pattern).collect();
        let replacements = placeholders.iter().map(|text| text.clone().into_bytes());
        Some(Self {
            copies: Copies::of(&patterns, replacements.collect(), true)?,
            placeholders,
        })
    }

    /// The bytes with placeholders in place of values, at most `bytes_max`; none if they contain no value.
    pub(crate) fn masked(
        &self,
        bytes: &[u8],
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, TooLong> {
        self.copies.replaced(bytes, bytes_max)
    }

    /// The same for text. A value that is no text could leave half a character.
    pub(crate) fn masked_text(
        &self,
        text: &str,
        bytes_max: usize,
    ) -> Result<Option<String>, TooLong> {
        let masked = self.masked(text.as_bytes(), bytes_max)?;
        Ok(masked.map(|masked| String::from_utf8_lossy(&masked).into_owned()))
    }
}

impl Form {
    fn pattern(&self) -> Pattern<'_> {
        let length = self.text.len().min(BEGINNING_BYTES_MAX);
        let (beginning, rest) = self.text.split_at(length);
        Pattern {
            beginning,
            rest,
            shares: self.shares,
            replacement: self.secret,
        }
    }
}

/// Adds the forms of a value.
fn add_forms(value: &[u8], secret: usize, forms: &mut Vec<Form>) {
    let mut add = |text: Vec<u8>, shares| {
        forms.push(Form {
            text: Zeroizing::new(text),
            shares,
            secret,
        });
    };
    for variant in variants(value) {
        if variant.contains(&b' ') {
            let plus = variant.iter().map(|byte| match byte {
                b' ' => b'+',
                byte => *byte,
            });
            add(plus.collect(), [false; 2]);
        }
        for Spelling { text, shares } in spellings(&variant) {
            add(text, shares);
        }
        add(variant.to_vec(), [false; 2]);
    }
}

/// A value as it is, and as services and header fields repeat one with blanks or line breaks: without those at its ends, and with other line
/// breaks, blanks or nothing in place of those within. What is found is compared without line breaks.
fn variants(value: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let trimmed = value.trim_ascii();
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let lines: Vec<&[u8]> = trimmed
        .split(is_end)
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .collect();
    let mut found = vec![Zeroizing::new(value.to_vec())];
    for text in [trimmed.to_vec(), lines.concat(), lines.join(&b' ')] {
        let text = Zeroizing::new(text);
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
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
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE},
    };

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
        mask.masked_text(text, usize::MAX)
            .unwrap()
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
            // Of Gson, Python's `quote` and Go's `PathEscape`, Go's templates and MarkupSafe, .NET, and Mustache.
            r#"pl\/nt\u002bd \"v\u00e9\u003clue\u003e~\u00271\\"#,
            "pl/nt%2Bd%20%22v%C3%A9%3Clue%3E~%271%5C",
            "pl/nt&#43;d &#34;vé&lt;lue&gt;~&#39;1\\",
            "pl/nt&#x2B;d &quot;v&#xE9;&lt;lue&gt;~&#x27;1\\",
            "pl&#x2F;nt&#x2B;d &quot;vé&lt;lue&gt;~&#39;1\\",
            "pl&sol;nt&plus;d &quot;vé&lt;lue&gt;~&apos;1&bsol;",
            // Of JavaScript.
            r#"pl\x2fnt\x2Bd \x22v\xe9<lue>~\x271\x5c"#,
            r#"pl\u{2f}nt\u{2B}d \u{22}v\u{e9}<lue>~\u{00027}1\u{5c}"#,
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
    fn a_value_is_found_without_blanks_at_its_ends_and_with_other_line_breaks() {
        let lines = [
            "-----BEGIN KEY-----",
            "cGxhbnRlZC1saW5lLTE=",
            "cGxhbnRlZC1saW5lLTI=",
        ];
        let value = format!(" {}\n", lines.join("\n"));
        let mask = mask(&[("key", value.as_bytes())]);
        for form in [
            value.clone(),
            value.trim().to_owned(),
            lines.join("\r\n"),
            lines.join("\n  "),
            lines.join(" "),
            lines.concat(),
            lines.join("\\n"),
            lines.join("\\r\\n"),
            lines.join("%0D%0A"),
            STANDARD.encode(value.trim()),
        ] {
            let text = format!("{{\"a\":\"{form}\",\"b\":1}}");
            let masked = mask.masked_text(&text, usize::MAX).unwrap().unwrap();
            assert!(masked.contains("__secret.key__"), "{form}: {masked}");
            for line in lines {
                assert!(!masked.contains(line), "{form}: {masked}");
            }
        }
        let value = "sk-planted-trailing ";
        let mask = self::mask(&[("key", value.as_bytes())]);
        let masked = mask.masked_text("Bearer sk-planted-trailing", usize::MAX);
        assert_eq!(masked.unwrap().unwrap(), "Bearer __secret.key__");
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
                    let masked = mask.masked_text(&text, usize::MAX).unwrap().unwrap();
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
    fn a_text_within_a_text_is_replaced_as_a_whole() {
        for within in [
            r#"{"body":"{\"key\":\"pl\\/nt+d \\\"v\u00e9<lue>~'1\\\\\"}"}"#,
            "/callback?url=%2Fx%3Fkey%3Dpl%252Fnt%252Bd%2520%2522v%25C3%25A9%253Clue%253E~%25271%255C",
        ] {
            assert_eq!(masked(within), "__secret.key__", "{within}");
        }
    }

    /// Base64 in lines of 76 characters, as MIME and Python have it, and indented hexadecimal.
    #[test]
    fn a_value_is_found_across_the_ends_of_lines() {
        let value = "sk_live_".to_owned() + &"0123456789abcdef".repeat(20);
        let mask = mask(&[("key", value.as_bytes())]);
        let lines = |text: &str, end: &str| {
            let lines = text.as_bytes().chunks(76).map(String::from_utf8_lossy);
            lines.collect::<Vec<_>>().join(end)
        };
        for end in ["\n", "\r\n", "\\n", "%0A", "\n    "] {
            let text = format!("\"{}\"", lines(&STANDARD.encode(&value), end));
            let masked = mask.masked_text(&text, usize::MAX).unwrap();
            assert_eq!(
                masked.unwrap().trim_matches(['"', '=']),
                "__secret.key__",
                "{end:?}"
            );
        }
    }

    /// Nothing after it is replaced, whatever its line breaks become.
    #[test]
    fn a_long_value_of_several_lines_ends_where_it_ends() {
        let lines: Vec<String> = (0..22)
            .map(|line| format!("{line:02}{}", "x+y/".repeat(15)))
            .collect();
        let lines = lines.join("\n");
        let value = format!("-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n");
        let mask = mask(&[("key", value.as_bytes())]);
        for spelt in [
            value.clone(),
            value.replace('\n', "\r\n"),
            value.replace('\n', r"\n"),
            value.replace('/', r"\/").replace('\n', r"\u000a"),
            value
                .replace('/', "%2F")
                .replace('+', "%2B")
                .replace(' ', "+")
                .replace('\n', "%0A"),
        ] {
            let text = format!("{{\"key\":\"{spelt}\",\"id\":1}}");
            let masked = mask.masked_text(&text, usize::MAX).unwrap().unwrap();
            let after = masked.strip_prefix("{\"key\":\"__secret.key__");
            let after = after.and_then(|rest| rest.strip_suffix("\",\"id\":1}"));
            // The value's last line break.
            let is_break = |after: &str| ["\n", "\r\n", r"\n", r"\u000a", "%0A"].contains(&after);
            assert!(after.is_some_and(is_break), "{masked}");
        }
    }

    /// The length of what is replaced must not say how far a guess is right.
    #[test]
    fn a_guess_learns_nothing_from_what_is_replaced() {
        let known = "eyJhbGciOiJIUzI1NiIsInR5cCI6".repeat(12);
        let value = format!("{known}0123456789");
        let mask = mask(&[("key", value.as_bytes())]);
        let lengths = |guesses: &[&str]| -> Vec<usize> {
            let text = |guess: &&str| format!("{known}{guess}!!!!!!!!!!!!!!!!");
            let masked = guesses.iter().map(text).map(|text| {
                let masked = mask.masked_text(&text, usize::MAX).unwrap();
                masked.unwrap_or(text).len()
            });
            masked.collect()
        };
        let found = lengths(&["0xxxxxxxxx", "01xxxxxxxx", "012xxxxxxx", "xxxxxxxxxx"]);
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
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
        let text = format!("{other} {one} {within} before within-one after");
        assert_eq!(
            mask.masked_text(&text, usize::MAX).unwrap().unwrap(),
            "__secret.other__ __secret.one__ __secret.short__ __secret.long__"
        );
        assert_eq!(mask.masked(b"nothing", 7), Ok(None));
        assert!(!format!("{mask:?}").contains("within"));
    }

    #[test]
    fn bytes_that_are_no_text_are_found_too() {
        let value = b"\xff\xfe\x00\x01\x80\x81\x82\x83";
        let mask = mask(&[("key", value)]);
        let text = [b"a", &value[..], b"b"].concat();
        let masked = mask.masked(&text, usize::MAX).unwrap().unwrap();
        assert_eq!(masked, b"a__secret.key__b");
        let masked = mask.masked_text("%FF%fe%00%01%80%81%82%83", usize::MAX);
        assert_eq!(masked.unwrap().unwrap(), "__secret.key__");
        assert!(EchoMask::new([]).is_none());
    }
}
