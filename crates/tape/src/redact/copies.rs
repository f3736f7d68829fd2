//! Finds copies of many values in one pass over a text, in any escapes, and replaces them in the same pass.

use super::REPLACEMENT;
use aho_corasick::{
    Anchored, MatchKind,
    automaton::{Automaton as _, StateID},
    nfa::noncontiguous::{Builder, NFA},
};
use std::{borrow::Cow, collections::VecDeque, ops::Range};

/// Largest number of nested escapes that are decoded; more do not occur in practice.
const LAYERS_MAX: usize = 4;
/// Length of the longest escape of a byte: `&#x00006d;`.
const ESCAPE_BYTES_MAX: usize = 12;

/// One automaton for all values. ASCII letters match in either case.
pub(super) struct Copies {
    automaton: NFA,
    start: StateID,
    pattern_bytes_max: usize,
}

impl Copies {
    /// `None` if the automaton would be too large.
    pub(super) fn of(values: &[String]) -> Option<Self> {
        let automaton = Builder::new()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .prefilter(false)
            .build(values)
            .ok()?;
        let start = automaton.start_state(Anchored::No).ok()?;
        let pattern_bytes_max = values.iter().map(String::len).max().unwrap_or_default();
        Some(Self {
            automaton,
            start,
            pattern_bytes_max,
        })
    }

    /// Whether a text may contain a copy that [`Self::replaced`] would find.
    pub(super) fn may_be_in(&self, text: &str) -> bool {
        Escapes::ALL.are_in(text) || self.is_in(text.as_bytes())
    }

    /// Whether a text contains a copy without escapes.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let mut state = self.start;
        text.iter().any(|byte| {
            state = self.automaton.next_state(Anchored::No, state, *byte);
            self.automaton.is_match(state)
        })
    }

    /// The text with each copy replaced; `None` if it has none.
    pub(super) fn replaced(&self, text: &str) -> Option<String> {
        let mut changed = None;
        // Before letters, because digits of an escape may look like the beginning of a copy.
        for escapes in Escapes::EACH {
            let current = changed.as_deref().unwrap_or(text);
            if escapes.are_in(current) {
                let next = self.replaced_escaped(current, escapes);
                changed = next.or(changed);
            }
        }
        let current = changed.as_deref().unwrap_or(text);
        changed = self.replaced_letters(current).or(changed);
        // With nested escapes, a part cannot be replaced safely.
        let current = changed.as_deref().unwrap_or(text);
        match self.is_in_layers(current) {
            true => Some(REPLACEMENT.to_owned()),
            false => changed,
        }
    }

    fn replaced_letters(&self, text: &str) -> Option<String> {
        let mut replacer = Replacer::new(text, self.pattern_bytes_max);
        let mut state = self.start;
        for (at, byte) in text.bytes().enumerate() {
            state = self.automaton.next_state(Anchored::No, state, byte);
            if let Some(length) = self.match_bytes(state) {
                replacer.add(at + 1 - length..at + 1);
            }
        }
        replacer.finish()
    }

    fn replaced_escaped(&self, text: &str, escapes: Escapes) -> Option<String> {
        let reach = self.pattern_bytes_max.saturating_mul(ESCAPE_BYTES_MAX);
        let mut replacer = Replacer::new(text, reach);
        let mut state = self.start;
        // The positions of the last decoded bytes, as many as the longest value has.
        let mut starts = VecDeque::new();
        let mut at = 0;
        while at < text.len() {
            let (meant, bytes) = escapes.next(&text.as_bytes()[at..]);
            for byte in meant.bytes() {
                if starts.len() == self.pattern_bytes_max {
                    starts.pop_front();
                }
                starts.push_back(at);
                state = self.automaton.next_state(Anchored::No, state, *byte);
                if let Some(start) = self
                    .match_bytes(state)
                    .and_then(|length| starts.get(starts.len().checked_sub(length)?))
                {
                    replacer.add(*start..at + bytes);
                }
            }
            at += bytes;
        }
        replacer.finish()
    }

    /// Length of the longest value that ends here.
    fn match_bytes(&self, state: StateID) -> Option<usize> {
        // Values that are a suffix of another one come after it.
        self.automaton.is_match(state).then(|| {
            let pattern = self.automaton.match_pattern(state, 0);
            self.automaton.pattern_len(pattern)
        })
    }

    fn is_in_layers(&self, text: &str) -> bool {
        if !Escapes::ALL.are_in(text) {
            return false;
        }
        let mut current = Cow::Borrowed(text.as_bytes());
        for _ in 0..LAYERS_MAX {
            let meant = Escapes::ALL.undone(&current);
            if *meant == *current {
                break;
            }
            if self.is_in(&meant) {
                return true;
            }
            current = Cow::Owned(meant);
        }
        false
    }
}

/// Which escapes are decoded.
#[derive(Clone, Copy)]
struct Escapes {
    /// Of JSON: `\u0061`, `\/`, `\n`.
    backslash: bool,
    /// Of URLs and forms: `%61`.
    percent: bool,
    /// Of XML and HTML: `&amp;`, `&#97;`.
    entity: bool,
}

/// The bytes that an escape represents.
struct Meant {
    bytes: [u8; 4],
    length: usize,
}

impl Meant {
    fn byte(byte: u8) -> Self {
        Self {
            bytes: [byte, 0, 0, 0],
            length: 1,
        }
    }

    fn character(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Escapes {
    const NONE: Self = Self {
        backslash: false,
        percent: false,
        entity: false,
    };
    const ALL: Self = Self {
        backslash: true,
        percent: true,
        entity: true,
    };
    const EACH: [Self; 3] = [
        Self {
            backslash: true,
            ..Self::NONE
        },
        Self {
            percent: true,
            ..Self::NONE
        },
        Self {
            entity: true,
            ..Self::NONE
        },
    ];

    fn are_in(self, text: &str) -> bool {
        self.backslash && text.contains('\\')
            || self.percent && text.contains('%')
            || self.entity && text.contains('&') && text.contains(';')
    }

    /// Decodes the beginning of a non-empty text; returns the bytes and how much of the text they take.
    fn next(self, text: &[u8]) -> (Meant, usize) {
        let first = text.first().copied().unwrap_or_default();
        let escape = match first {
            b'\\' if self.backslash => backslash(text),
            b'%' if self.percent => hexadecimal(text.get(1..3))
                .and_then(|byte| u8::try_from(byte).ok())
                .map(|byte| (Meant::byte(byte), 3)),
            b'&' if self.entity => entity(text),
            _ => None,
        };
        escape.unwrap_or_else(|| (Meant::byte(first), 1))
    }

    fn undone(self, text: &[u8]) -> Vec<u8> {
        let mut undone = Vec::with_capacity(text.len());
        let mut at = 0;
        while at < text.len() {
            let (meant, bytes) = self.next(&text[at..]);
            undone.extend_from_slice(meant.bytes());
            at += bytes;
        }
        undone
    }
}

/// A text with one layer of backslash escapes decoded.
pub(super) fn without_backslashes(text: &str) -> String {
    let escapes = Escapes {
        backslash: true,
        ..Escapes::NONE
    };
    String::from_utf8_lossy(&escapes.undone(text.as_bytes())).into_owned()
}

fn hexadecimal(digits: Option<&[u8]>) -> Option<u32> {
    digits?.iter().try_fold(0, |number: u32, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        number.checked_mul(16)?.checked_add(digit)
    })
}

fn backslash(text: &[u8]) -> Option<(Meant, usize)> {
    let plain = match text.get(1)? {
        plain @ (b'"' | b'\\' | b'/' | b'\'') => *plain,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let first = hexadecimal(text.get(2..6))?;
            if let Some(character) = char::from_u32(first) {
                return Some((Meant::character(character), 6));
            }
            let second = text
                .get(6..8)
                .filter(|escape| *escape == b"\\u")
                .and_then(|_| hexadecimal(text.get(8..12)))
                .filter(|second| first < 0xdc00 && (0xdc00..0xe000).contains(second));
            let pair = second.and_then(|second| {
                char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
            });
            return Some(match pair {
                Some(character) => (Meant::character(character), 12),
                None => (Meant::character(char::REPLACEMENT_CHARACTER), 6),
            });
        }
        _ => return None,
    };
    Some((Meant::byte(plain), 2))
}

fn entity(text: &[u8]) -> Option<(Meant, usize)> {
    let length = text
        .iter()
        .take(ESCAPE_BYTES_MAX)
        .position(|byte| *byte == b';')?;
    let name = str::from_utf8(text.get(1..length)?).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => hexadecimal(Some(digits.as_bytes()))?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)?
        }
    };
    Some((Meant::character(character), length + 1))
}

/// Writes a text with replacements, for ranges in the order of their ends. Only ranges that may still grow are kept.
struct Replacer<'a> {
    text: &'a str,
    out: String,
    /// The text before this position is in `out`, or replaced.
    copied: usize,
    pending: VecDeque<Range<usize>>,
    /// Length of the longest range.
    reach: usize,
}

impl<'a> Replacer<'a> {
    fn new(text: &'a str, reach: usize) -> Self {
        Self {
            text,
            out: String::new(),
            copied: 0,
            pending: VecDeque::new(),
            reach,
        }
    }

    fn add(&mut self, mut range: Range<usize>) {
        while let Some(last) = self.pending.pop_back_if(|last| last.end >= range.start) {
            range.start = range.start.min(last.start);
        }
        let end = range.end;
        self.pending.push_back(range);
        while let Some(first) = self
            .pending
            .pop_front_if(|first| first.end.saturating_add(self.reach) < end)
        {
            self.write(&first);
        }
    }

    fn write(&mut self, range: &Range<usize>) {
        let start = self.text.floor_char_boundary(range.start);
        if self.out.capacity() == 0 {
            self.out.reserve(self.text.len());
        }
        self.out
            .push_str(self.text.get(self.copied..start).unwrap_or_default());
        self.out.push_str(REPLACEMENT);
        self.copied = self.text.ceil_char_boundary(range.end);
    }

    fn finish(mut self) -> Option<String> {
        while let Some(range) = self.pending.pop_front() {
            self.write(&range);
        }
        if self.copied == 0 {
            return None;
        }
        self.out
            .push_str(self.text.get(self.copied..).unwrap_or_default());
        Some(self.out)
    }
}

#[cfg(test)]
mod tests;
