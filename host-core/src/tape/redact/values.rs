//! The values that were redacted, so that copies of them elsewhere in the line go as well: in the path, in what an authorizer echoed, in keys,
//! messages and answers.

use super::{
    REPLACEMENT, json_string,
    marks::{Marks, Place},
    names,
};
use crate::json::{JsonError, Rewriter, Step, rewrite, string};
use base64::{
    Engine as _,
    engine::{
        DecodePaddingMode, GeneralPurpose,
        general_purpose::{GeneralPurposeConfig, STANDARD},
    },
};
use memchr::memmem::Finder;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::{borrow::Cow, collections::BTreeSet};

/// A shorter value is a copy of too much: `1`, `en`, `true`.
const VALUE_BYTES_MIN: usize = 8;
/// More values than these are not looked for: the texts that could hold copies are left out then.
const VALUES_MAX: usize = 1024;
/// The same for the length of all of them.
const VALUES_BYTES_MAX: usize = 256 << 10;
/// Values times bytes of text: some tenths of a second.
const WORK_MAX: usize = 2 << 30;

/// Base64 as clients write it: with padding or without.
pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What was redacted, by value.
#[derive(Clone, Debug, Default)]
pub(in crate::tape) struct Secrets {
    values: BTreeSet<String>,
    bytes: usize,
    is_overfull: bool,
}

impl Secrets {
    /// One value, with the parts of it that a guest may take out: the token after its scheme, each cookie, a name and a password.
    pub(super) fn add(&mut self, text: &str) {
        if self.is_overfull || text.len() > VALUES_BYTES_MAX {
            // Nothing more is kept, so nothing needs to be taken apart.
            self.is_overfull = true;
            return;
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

    /// A name and a password in base64, and what a signed token says.
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
        }
    }

    fn add_value(&mut self, value: &str) {
        let value = value.trim();
        if value.len() < VALUE_BYTES_MIN || value == REPLACEMENT || self.is_overfull {
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

    /// Every text and number in a JSON value.
    pub(super) fn add_json(&mut self, json: &str) {
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

            /// Maps may have secrets for names; names of a scheme are short, or copies of them harm nobody.
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

    /// What looks for the values in so many bytes of text; `None` where there are too many of both.
    pub(in crate::tape) fn sweep(&self, text_bytes: usize) -> Option<Sweep> {
        let mut forms = BTreeSet::new();
        for value in &self.values {
            let json = json_string(value);
            forms.insert(json[1..json.len() - 1].to_owned());
            forms.insert(utf8_percent_encode(value, NON_ALPHANUMERIC).to_string());
            forms.insert(value.clone());
        }
        let is_possible = !self.is_overfull && forms.len().saturating_mul(text_bytes) <= WORK_MAX;
        is_possible.then(|| Sweep {
            forms: forms
                .iter()
                .map(|form| Finder::new(form.as_bytes()).into_owned())
                .collect(),
        })
    }
}

/// Looks for copies.
pub(in crate::tape) struct Sweep {
    forms: Vec<Finder<'static>>,
}

/// Which strings of a JSON text may be changed: those of foreign origin, and none that a reader of tapes goes by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::tape) enum Part {
    Event,
    Calls,
    Logs,
    Response,
}

impl Part {
    fn may_change_value(self, place: &[Step<'_>]) -> bool {
        let last = place.iter().rev().find_map(Step::name).unwrap_or_default();
        let in_document = place.iter().any(|step| step.name() == Some("document"));
        match self {
            Self::Event | Self::Response => true,
            Self::Calls => {
                let is_fixed = matches!(
                    last,
                    "call" | "consistency" | "direction" | "precondition" | "error"
                );
                in_document || !is_fixed
            }
            Self::Logs => last != "level" || place.len() > 2,
        }
    }

    fn may_change_name(self, place: &[Step<'_>]) -> bool {
        let is = |at: usize, wanted: &str| place.get(at).and_then(Step::name) == Some(wanted);
        match self {
            Self::Event => !place.is_empty() && !is(0, "requestContext"),
            Self::Response => !place.is_empty(),
            Self::Calls => place.iter().any(|step| step.name() == Some("document")),
            Self::Logs => is(1, "attributes"),
        }
    }
}

impl Sweep {
    /// A text without copies; `None` where it has none.
    pub(in crate::tape) fn text(&self, text: &str) -> Option<String> {
        let spelt = self.spelt(text);
        let encoded = self.encoded(spelt.as_deref().unwrap_or(text));
        encoded.or(spelt)
    }

    /// The same for a text that was written in lower case.
    pub(super) fn text_in_any_case(&self, text: &str) -> Option<String> {
        let is_copied = self.forms.iter().any(|form| {
            let lower = String::from_utf8_lossy(form.needle()).to_lowercase();
            text.contains(&lower)
        });
        is_copied
            .then(|| REPLACEMENT.to_owned())
            .or_else(|| self.text(text))
    }

    /// Without words that hold a copy in percent-encoding, of which there are many spellings.
    fn encoded(&self, text: &str) -> Option<String> {
        let ends = [
            '/', '?', '&', '=', '#', ';', ',', ' ', '\t', '\r', '\n', '"', '<', '>',
        ];
        if !text.contains('%') {
            return None;
        }
        let mut is_changed = false;
        let mut out = String::with_capacity(text.len());
        for word in text.split_inclusive(ends) {
            let decoded = names::decoded(word);
            let holds_copy = word.contains('%')
                && self
                    .forms
                    .iter()
                    .any(|form| form.find(decoded.as_bytes()).is_some());
            if holds_copy {
                is_changed = true;
                out.push_str(REPLACEMENT);
                out.extend(word.chars().last().filter(|end| ends.contains(end)));
            } else {
                out.push_str(word);
            }
        }
        is_changed.then_some(out)
    }

    fn spelt(&self, text: &str) -> Option<String> {
        let mut ranges: Vec<(usize, usize)> = self
            .forms
            .iter()
            .flat_map(|form| {
                let length = form.needle().len();
                form.find_iter(text.as_bytes())
                    .map(move |at| (at, at + length))
            })
            .collect();
        if ranges.is_empty() {
            return None;
        }
        ranges.sort_unstable();
        let mut out = String::with_capacity(text.len());
        let (mut at, mut replaced_to) = (0, 0);
        for (start, end) in ranges {
            // Needles are whole characters, so that these are boundaries.
            if start >= replaced_to {
                out.push_str(&text[at..start]);
                out.push_str(REPLACEMENT);
            }
            replaced_to = replaced_to.max(end);
            at = replaced_to;
        }
        out.push_str(&text[at..]);
        Some(out)
    }

    /// A JSON text whose place in the line is `base`, without copies.
    pub(in crate::tape) fn json<'a>(
        &self,
        json: &'a str,
        part: Part,
        base: &str,
        marks: &mut Marks,
    ) -> Result<Cow<'a, str>, JsonError> {
        if self.forms.is_empty() || (!json.contains('\\') && self.text(json).is_none()) {
            return Ok(Cow::Borrowed(json));
        }
        rewrite(
            json,
            &mut Sweeper {
                sweep: self,
                part,
                base,
                marks,
            },
        )
    }

    /// A body in base64 without copies; `None` where it has none.
    pub(super) fn base64(&self, body: &str) -> Option<String> {
        let decoded = String::from_utf8(LENIENT.decode(body).ok()?).ok()?;
        self.text(&decoded).map(|text| STANDARD.encode(text))
    }
}

struct Sweeper<'a> {
    sweep: &'a Sweep,
    part: Part,
    base: &'a str,
    marks: &'a mut Marks,
}

impl Rewriter for Sweeper<'_> {
    fn takes_whole(&mut self, _: &[Step<'_>]) -> bool {
        false
    }

    fn replace(&mut self, place: &[Step<'_>], json: &str) -> Option<String> {
        if !self.part.may_change_value(place) {
            return None;
        }
        let replacement = match string(json) {
            Ok(text) => json_string(&self.sweep.text(&text)?),
            Err(_) => self.sweep.text(json).map(|_| "0".to_owned())?,
        };
        self.marks.at(Place::below(self.base, place));
        Some(replacement)
    }

    fn rename(&mut self, place: &[Step<'_>], name: &str) -> Option<String> {
        if !self.part.may_change_name(place) {
            return None;
        }
        let replacement = self.sweep.text(name)?;
        self.marks.at(Place::below(self.base, place));
        Some(replacement)
    }
}
