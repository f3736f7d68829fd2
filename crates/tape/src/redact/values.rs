//! The values that were redacted, so that copies of them elsewhere in the line are found.

use super::{REPLACEMENT, placeholders};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use contract::hexadecimal::Hexadecimal;
use copies::LENIENT;
use json::{Rewriter, Step, rewrite, string};
use percent_encoding::percent_decode_str;
use std::collections::BTreeSet;

/// Smallest length of a value: copies of shorter ones, such as `1`, `en` or `true`, occur everywhere.
const VALUE_BYTES_MIN: usize = 8;
/// Largest number of values to search for: with more, the texts that could contain copies are left out.
const VALUES_MAX: usize = 1024;
/// The same for their total length.
const VALUES_BYTES_MAX: usize = 256 << 10;
/// The same for the length of all spellings, of which each byte takes about fifty bytes of the automaton.
const FORMS_BYTES_MAX: usize = 512 << 10;

/// The redacted values.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    values: BTreeSet<String>,
    bytes: usize,
    is_overfull: bool,
    has_revealed: bool,
}

impl Secrets {
    /// Adds one value, and the parts of it that a guest may extract: the token after its scheme, each cookie, a name and a password.
    pub fn add(&mut self, text: &str) {
        if self.is_overfull || text.len() > VALUES_BYTES_MAX {
            // Nothing more is kept, so parsing is unnecessary.
            self.is_overfull = true;
            return;
        }
        if placeholders::hidden(text).is_none() {
            return;
        }
        for text in placeholders::beside(text) {
            self.add_value(text);
        }
        self.add_value(text);
        if text.contains('%') || text.contains('+') {
            let plus = text.replace('+', " ");
            self.add_value(&percent_decode_str(&plus).decode_utf8_lossy());
            self.add_value(&percent_decode_str(text).decode_utf8_lossy());
        }
        let separators = [' ', '\t', '\r', '\n', ';', ',', '&', '"'];
        for part in text.split(separators) {
            if part.len() < VALUE_BYTES_MIN {
                continue;
            }
            self.add_value(part);
            if let Some((_, value)) = part.split_once('=') {
                self.add_value(value);
                self.add_value(&percent_decode_str(value).decode_utf8_lossy());
            }
            self.add_encoded(part);
        }
    }

    /// The name and password in base64, and the contents of a signed token.
    fn add_encoded(&mut self, part: &str) {
        if part.starts_with("ey") && part.contains('.') {
            part.split('.').for_each(|section| self.add_value(section));
        }
        let decoded = LENIENT
            .decode(part)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some((_, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) {
            self.add_value(password);
        }
        if let Some(decoded) = &decoded {
            self.add_value(decoded);
            placeholders::beside(decoded).for_each(|text| self.add_value(text.trim_matches(':')));
        }
    }

    fn add_value(&mut self, value: &str) {
        let value = value.trim();
        if value.len() < VALUE_BYTES_MIN
            || value.eq_ignore_ascii_case(REPLACEMENT)
            || self.is_overfull
            // Says which secret is meant, and is no credential.
            || placeholders::hidden(value).is_none()
        {
            return;
        }
        if self.values.len() == VALUES_MAX || self.bytes + value.len() > VALUES_BYTES_MAX {
            if !self.values.contains(value) {
                self.is_overfull = true;
            }
            return;
        }
        if self.values.insert(value.to_owned()) {
            self.bytes += value.len();
        }
    }

    /// Adds a secret that its host revealed to the guest: no tape has one, whatever else is redacted. Copies of a value that is short, or no
    /// text, cannot be found, so that everything that could contain one is left out.
    pub(crate) fn add_revealed(&mut self, value: &[u8]) {
        self.has_revealed = true;
        let text = str::from_utf8(value).ok().map(str::trim);
        let is_found =
            |text: &&str| text.len() >= VALUE_BYTES_MIN && placeholders::hidden(text).is_some();
        match text.filter(is_found) {
            Some(text) => {
                self.add(text);
                encodings(value)
                    .iter()
                    .for_each(|text| self.add_value(text));
                for spelling in copies::spellings(value) {
                    self.add_value(&String::from_utf8_lossy(&spelling.text));
                }
            }
            None => self.is_overfull = true,
        }
    }

    /// Whether a secret was revealed, so that copies are removed even if nothing else is redacted.
    pub(crate) fn has_revealed(&self) -> bool {
        self.has_revealed
    }

    /// Whether a text that encodes these bytes is, or is in, one of the values.
    pub(crate) fn encode(&self, bytes: &[u8]) -> bool {
        let [digits, spelt @ ..] = encodings(bytes);
        let is_in = |value: &String| {
            spelt.iter().any(|text| value.contains(text))
                || value.to_ascii_lowercase().contains(&digits)
        };
        !bytes.is_empty() && self.values.iter().any(is_in)
    }

    /// Adds every text and number in a JSON value.
    pub fn add_json(&mut self, json: &str) {
        struct Collector<'a>(&'a mut Secrets);

        impl Rewriter for Collector<'_> {
            fn takes_whole(&mut self, _: &[Step<'_>]) -> bool {
                false
            }

            fn replace(&mut self, _: &[Step<'_>], json: &str) -> Option<String> {
                match string(json) {
                    Ok(text) => self.0.add(&text),
                    Err(_) => self.0.add_value(json),
                }
                None
            }

            /// Names in maps may be secrets; names in a schema are short, or copies of them are harmless.
            fn rename(&mut self, _: &[Step<'_>], name: &str) -> Option<String> {
                if name.len() > VALUE_BYTES_MIN * 2 {
                    self.0.add_value(name);
                }
                None
            }
        }

        if rewrite(json, &mut Collector(self)).is_err() {
            self.is_overfull = true;
        }
    }

    /// The values as they may be spelt elsewhere; `None` where there are too many.
    pub(super) fn forms(&self) -> Option<Vec<String>> {
        if self.is_overfull {
            return None;
        }
        let mut forms = BTreeSet::new();
        for value in &self.values {
            if value.contains(' ') {
                forms.insert(value.replace(' ', "+")); // in forms
            }
            if !value.is_ascii() {
                forms.insert(value.to_lowercase()); // names of headers on the tape
            }
            forms.insert(value.clone());
        }
        let bytes: usize = forms.iter().map(String::len).sum();
        (bytes <= FORMS_BYTES_MAX).then(|| forms.into_iter().collect())
    }
}

/// Bytes as hexadecimal digits and in base64, without padding.
fn encodings(bytes: &[u8]) -> [String; 3] {
    [
        Hexadecimal(bytes).to_string(),
        STANDARD_NO_PAD.encode(bytes),
        URL_SAFE_NO_PAD.encode(bytes),
    ]
}
