//! Finds copies of values in texts and replaces them: on tapes, what was redacted elsewhere; in responses for guests, secrets that a service
//! repeats.
//!
//! All values are searched together, however many there are, ASCII letters in either case: in one pass over the text as it is, and in another one for
//! each kind of escapes that it has, those of JSON, of URLs and of XML. Where a copy has escapes of several layers, as JSON in JSON does, no part of the text
//! can be replaced safely, so that all of it is. A copy that was compressed, encrypted, or cut is not found.

mod escapes;
mod replacer;
mod spelling;

pub use escapes::without_backslashes;
pub use spelling::{LENIENT, Spelling, spellings};

use aho_corasick::{
    Anchored, MatchKind,
    automaton::{Automaton as _, StateID},
    nfa::noncontiguous::{Builder, NFA},
};
use escapes::{ESCAPE_BYTES_MAX, Escapes};
use replacer::Replacer;
use spelling::is_base64;
use std::{borrow::Cow, collections::VecDeque, mem};

/// Largest number of nested escapes that are decoded; more do not occur in practice.
const LAYERS_MAX: usize = 4;

/// Text that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Pattern<'a> {
    /// It is found by these bytes.
    pub beginning: &'a [u8],
    /// What follows the beginning. As many bytes are replaced there, whatever they are: how far a copy matches must not show in what is replaced,
    /// or a guest could try out one byte after the other. Neither here nor there do line breaks count, nor the blanks after them, because copies
    /// may have others.
    pub rest: &'a [u8],
    /// As in [`Spelling::shares`].
    pub shares: [bool; 2],
    /// What is written in its place: the position in the list of replacements.
    pub replacement: usize,
}

impl<'a> Pattern<'a> {
    /// The whole text.
    pub fn whole(text: &'a [u8], replacement: usize) -> Self {
        Self {
            beginning: text,
            rest: &[],
            shares: [false; 2],
            replacement,
        }
    }
}

/// One automaton for all patterns.
pub struct Copies {
    automaton: NFA,
    start: StateID,
    patterns: Vec<Found>,
    replacements: Vec<Vec<u8>>,
    beginning_bytes_max: usize,
    /// Whether copies are found across line breaks.
    spans_lines: bool,
}

/// What is known about a pattern once it is found.
struct Found {
    /// Bytes after the beginning, without line breaks.
    rest: usize,
    shares: [bool; 2],
    replacement: usize,
}

/// The text would be longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl Copies {
    /// `None` if the automaton would be too large: each byte of a beginning takes about fifty.
    ///
    /// With `spans_lines`, copies in which lines end are found, too, as base64 often has them.
    pub fn of(
        patterns: &[Pattern<'_>],
        replacements: Vec<Vec<u8>>,
        spans_lines: bool,
    ) -> Option<Self> {
        let automaton = Builder::new()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .prefilter(false)
            .build(patterns.iter().map(|pattern| pattern.beginning))
            .ok()?;
        let beginnings = patterns.iter().map(|pattern| pattern.beginning.len());
        let is_cut = |pattern: &&Pattern<'_>| !pattern.rest.is_empty();
        let cut: Vec<_> = patterns.iter().filter(is_cut).collect();
        Some(Self {
            start: automaton.start_state(Anchored::No).ok()?,
            automaton,
            beginning_bytes_max: beginnings.max().unwrap_or_default(),
            patterns: patterns
                .iter()
                .map(|pattern| Found::of(pattern, &cut))
                .collect(),
            replacements,
            spans_lines,
        })
    }

    /// Whether a text may contain a copy that [`Self::replaced`] would find.
    pub fn may_be_in(&self, text: &[u8]) -> bool {
        let is_broken = self.spans_lines && Escapes::BREAKS.are_in(text);
        is_broken || Escapes::ALL.are_in(text) || self.is_in(text)
    }

    /// Whether a text contains a copy without escapes.
    pub fn is_in(&self, text: &[u8]) -> bool {
        self.first_in(text).is_some()
    }

    /// Whether a text contains a copy, in any escapes.
    pub fn are_in(&self, text: &[u8]) -> bool {
        let is_broken = || self.spans_lines && Escapes::BREAKS.are_in(text);
        self.is_in(text)
            || is_broken() && self.is_in(&Escapes::BREAKS.undone(text))
            || self.in_layers(text).is_some()
    }

    fn first_in(&self, text: &[u8]) -> Option<&Found> {
        let mut state = self.start;
        text.iter().find_map(|byte| {
            state = self.automaton.next_state(Anchored::No, state, *byte);
            self.ending_at(state).map(|(found, _)| found)
        })
    }

    /// The text with each copy replaced, of at most `bytes_max` bytes; `None` if it has none.
    pub fn replaced(&self, text: &[u8], bytes_max: usize) -> Result<Option<Vec<u8>>, TooLong> {
        let mut changed = None;
        for escapes in self.passes() {
            let current = changed.as_deref().unwrap_or(text);
            if escapes.is_none_or(|escapes| escapes.are_in(current)) {
                let next = self.replaced_once(current, escapes, bytes_max)?;
                changed = next.or(changed);
            }
        }
        let current = changed.as_deref().unwrap_or(text);
        let Some(found) = self.in_layers(current) else {
            return Ok(changed);
        };
        let whole = &self.replacements[found.replacement];
        match whole.len() <= bytes_max {
            true => Ok(Some(whole.clone())),
            false => Err(TooLong),
        }
    }

    /// The same for text, however long it becomes.
    pub fn replaced_text(&self, text: &str) -> Option<String> {
        let replaced = self.replaced(text.as_bytes(), usize::MAX).ok()??;
        Some(String::from_utf8_lossy(&replaced).into_owned())
    }

    /// What is decoded in each pass over a text; nothing in the last one, because digits of an escape may look like the beginning of a copy.
    fn passes(&self) -> impl Iterator<Item = Option<Escapes>> {
        let broken = Escapes::EACH.map(Escapes::with_breaks);
        let broken = broken.into_iter().chain([Escapes::BREAKS]);
        let broken = broken.filter(|_| self.spans_lines);
        let all = Escapes::EACH.into_iter().chain(broken);
        all.map(Some).chain([None])
    }

    fn replaced_once(
        &self,
        text: &[u8],
        escapes: Option<Escapes>,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, TooLong> {
        let escape_bytes = escapes.map_or(1, |_| ESCAPE_BYTES_MAX);
        let reach = (self.beginning_bytes_max + 1).saturating_mul(escape_bytes);
        let mut replacer = Replacer::new(text, reach, bytes_max);
        let mut state = self.start;
        // The last decoded bytes and where they are, one more than the longest beginning has.
        let mut last = VecDeque::new();
        // Bytes that belong to what was found, and whether the character after them does.
        let (mut rest, mut shares_after) = (0, false);
        let mut at = 0;
        while at < text.len() {
            // The rest of a value may have other escapes than its beginning: too much may be replaced, but not too little.
            let is_within = rest > 0 || shares_after;
            let (meant, bytes) = match escapes {
                _ if is_within => Escapes::ALL.with_breaks().next(&text[at..]),
                Some(escapes) => escapes.next(&text[at..]),
                None => (escapes::Meant::byte(text[at]), 1),
            };
            for byte in meant.bytes() {
                if rest > 0 {
                    rest -= 1;
                    replacer.extend(at + bytes);
                } else if mem::take(&mut shares_after) && is_base64(*byte) {
                    replacer.extend(at + bytes);
                }
                if last.len() > self.beginning_bytes_max {
                    last.pop_front();
                }
                last.push_back((at, *byte));
                state = self.automaton.next_state(Anchored::No, state, *byte);
                let Some((found, length)) = self.ending_at(state) else {
                    continue;
                };
                let Some(first) = last.len().checked_sub(length) else {
                    continue;
                };
                let before = first.checked_sub(1).map(|before| last[before]);
                let before = before.filter(|(_, byte)| found.shares[0] && is_base64(*byte));
                let (start, _) = before.unwrap_or(last[first]);
                let with = &self.replacements[found.replacement];
                replacer.add(start..at + bytes, with)?;
                if found.rest >= rest {
                    (rest, shares_after) = (found.rest, found.shares[1]);
                }
            }
            at += bytes;
        }
        replacer.finish()
    }

    /// The longest pattern whose beginning ends here, and the length of its beginning.
    fn ending_at(&self, state: StateID) -> Option<(&Found, usize)> {
        // Beginnings that are a suffix of another one come after it.
        self.automaton.is_match(state).then(|| {
            let pattern = self.automaton.match_pattern(state, 0);
            (
                &self.patterns[pattern.as_usize()],
                self.automaton.pattern_len(pattern),
            )
        })
    }

    /// What is found only with several layers of escapes decoded.
    fn in_layers(&self, text: &[u8]) -> Option<&Found> {
        let broken = self.spans_lines.then(|| Escapes::ALL.with_breaks());
        [Some(Escapes::ALL), broken]
            .into_iter()
            .flatten()
            .filter(|escapes| escapes.are_in(text))
            .find_map(|escapes| self.in_layers_of(text, escapes))
    }

    fn in_layers_of(&self, text: &[u8], escapes: Escapes) -> Option<&Found> {
        let mut current = Cow::Borrowed(text);
        for _ in 0..LAYERS_MAX {
            let meant = escapes.undone(&current);
            if *meant == *current {
                break;
            }
            if let Some(found) = self.first_in(&meant) {
                return Some(found);
            }
            current = Cow::Owned(meant);
        }
        None
    }
}

impl Found {
    /// Of several with the same beginning only one is found: all of them end where the longest does. `cut` has those that are longer than their
    /// beginning.
    fn of(pattern: &Pattern<'_>, cut: &[&Pattern<'_>]) -> Self {
        // Other escapes count as they are: a copy whose rest is escaped differently must not end too early.
        let rests = cut
            .iter()
            .filter(|other| other.beginning.eq_ignore_ascii_case(pattern.beginning))
            .map(|other| Escapes::BREAKS.bytes_meant(other.rest));
        Self {
            rest: rests.max().unwrap_or_default(),
            shares: pattern.shares,
            replacement: pattern.replacement,
        }
    }
}

#[cfg(test)]
mod tests;
