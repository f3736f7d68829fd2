//! Long lines in logs: split to the size of log events, and joined again.
//!
//! A part is `{"tenon_tape_part": N, "of": COUNT, "sha256": DIGEST OF THE LINE, "text": PIECE}`, `N` counted from 0. The digest identifies
//! the line, so that parts of several lines may be mixed and arrive in any order.

use super::exchange::first_member_is;
use contract::{
    digest::Digest,
    limits::{TAPE_LINE_BYTES_MAX, TAPE_PARTS_BYTES_MAX},
};
use json::{self, Object, write_string};
use serde::Deserialize;
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt,
};

const PART_MEMBER: &str = "tenon_tape_part";
/// Bytes that the log adds to an event (AWS: CloudWatch Logs quotas).
const OVERHEAD_BYTES: usize = 26;
/// Size of a part without its text: names, two numbers, a digest; and the line break.
const FRAME_BYTES: usize = 160;
/// Largest number of parts of one line.
const PARTS_MAX: usize = 4096;

/// A line as events of at most `event_bytes_max` bytes, including the log's own 26 bytes: the line itself if it fits, otherwise its parts.
pub fn split(line: Vec<u8>, event_bytes_max: usize) -> Vec<Vec<u8>> {
    let room = event_bytes_max.saturating_sub(OVERHEAD_BYTES);
    let Ok(text) = str::from_utf8(&line) else {
        return vec![line]; // a recorder writes text
    };
    if line.len() <= room {
        return vec![line];
    }
    let digest = Digest::of(&line).to_string();
    let pieces = pieces(text, room.saturating_sub(FRAME_BYTES).max(FRAME_BYTES));
    let count = pieces.len() as u64;
    (0..)
        .zip(pieces)
        .map(|(number, piece)| {
            let mut out = Vec::with_capacity(room);
            let mut part = Object::begin(&mut out);
            part.number(PART_MEMBER, number);
            part.number("of", count);
            part.string("sha256", &digest);
            write_string(part.name("text"), piece);
            part.end();
            out
        })
        .collect()
}

/// Splits between characters, so that each piece as a JSON string takes at most `bytes_max` bytes.
fn pieces(text: &str, bytes_max: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, character) in text.char_indices() {
        let width = match character {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            control if control < ' ' => 6,
            other => other.len_utf8(),
        };
        if bytes + width > bytes_max {
            pieces.push(&text[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += width;
    }
    pieces.push(&text[start..]);
    pieces
}

/// Whether a line is a part of a split line.
pub(super) fn is_part(line: &[u8]) -> bool {
    first_member_is(line, PART_MEMBER)
}

/// Joins split lines, in bounded memory: if too many lines have missing parts, those that wait longest are given up.
///
/// Anybody who can write to a log can write parts that claim to belong to another line. Such a part cannot replace another one: if there
/// are several texts for the same part, combinations are tried until the line matches its digest.
#[derive(Debug, Default)]
pub struct Joiner {
    open: HashMap<Name, Open>,
    /// Lines, ordered by the arrival of their first part.
    by_age: BTreeMap<u64, Name>,
    next_age: u64,
    /// Memory of all of `open`.
    bytes: usize,
    given_up: usize,
}

/// The missing parts of a split line, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingParts {
    /// The digest in its parts.
    pub sha256: Digest,
    /// Number of its parts.
    pub of: usize,
    /// First and last number of the gaps between existing parts, from 0; the first nine of them, of which eight are named.
    pub gaps: Vec<(usize, usize)>,
}

/// Largest number of gaps of a line that are named.
const GAPS_MAX: usize = 8;
/// Largest number of incomplete lines that are named.
const MISSING_MAX: usize = 3;

impl fmt::Display for MissingParts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let single = matches!(self.gaps.as_slice(), [(first, last)] if first == last);
        formatter.write_str(if single { "part " } else { "parts " })?;
        for (position, (first, last)) in self.gaps.iter().take(GAPS_MAX).enumerate() {
            if position > 0 {
                formatter.write_str(", ")?;
            }
            write!(formatter, "{first}")?;
            if last > first {
                write!(formatter, " to {last}")?;
            }
        }
        if self.gaps.len() > GAPS_MAX {
            formatter.write_str(" and more")?;
        }
        let (last, sha256) = (self.of - 1, self.sha256.to_string());
        write!(formatter, " (of 0 to {last}) of the line {:.12}", sha256)
    }
}

/// What identifies the parts of one line: its digest, and their number.
type Name = (Digest, usize);

/// Largest number of different texts that are kept for one part; of more, the latest.
const TEXTS_MAX: usize = 4;
/// How many bytes may be joined for each byte that arrives, to find the texts that form the line.
const TRIED_BYTES_PER_BYTE: usize = 16;

/// A line with missing or wrong parts.
#[derive(Debug)]
struct Open {
    age: u64,
    /// The texts for each part, the latest last.
    pieces: BTreeMap<usize, Vec<String>>,
    of: usize,
    /// Memory of all texts.
    bytes: usize,
    /// How many bytes may still be joined.
    tried_bytes_left: usize,
    /// The line was complete, but did not match its digest.
    is_damaged: bool,
}

impl Open {
    /// Adds a text unless it is already there; returns whether it is new.
    fn add(&mut self, number: usize, text: &str) -> bool {
        let texts = self.pieces.entry(number).or_default();
        if texts.iter().any(|other| other == text) {
            return false;
        }
        if texts.len() == TEXTS_MAX {
            self.bytes -= PIECE_BYTES + texts.remove(0).len();
        }
        self.bytes += PIECE_BYTES + text.len();
        self.tried_bytes_left += TRIED_BYTES_PER_BYTE * (PIECE_BYTES + text.len());
        texts.push(text.to_owned());
        true
    }

    /// The smallest size of a line with these parts.
    fn line_bytes_min(&self) -> usize {
        let shortest = |texts: &Vec<String>| texts.iter().map(String::len).min().unwrap_or(0);
        self.pieces.values().map(shortest).sum()
    }

    /// The line with this digest, if the texts form it with the latest one at `number`. Later texts are tried before earlier ones.
    fn line(&mut self, sha256: Digest, number: usize) -> Option<String> {
        let places: Vec<(&usize, &Vec<String>)> = self.pieces.iter().collect();
        // For each part, the index of its text, counted from the latest.
        let mut back = vec![0; places.len()];
        loop {
            let texts = places.iter().zip(&back);
            let texts = texts.filter_map(|((_, texts), back)| texts.iter().rev().nth(*back));
            let bytes: usize = texts.clone().map(String::len).sum();
            let cost = bytes + places.len();
            self.tried_bytes_left = self.tried_bytes_left.checked_sub(cost)?;
            if bytes <= TAPE_LINE_BYTES_MAX {
                let line: String = texts.map(String::as_str).collect();
                if Digest::of(line.as_bytes()) == sha256 {
                    return Some(line);
                }
            }
            // Counts up, with one digit for each part.
            let mut digits = places.iter().zip(&mut back);
            loop {
                let ((place, texts), digit) = digits.next()?;
                if **place != number && *digit + 1 < texts.len() {
                    *digit += 1;
                    break;
                }
                *digit = 0;
            }
        }
    }

    fn gaps(&self) -> Vec<(usize, usize)> {
        let mut gaps = Vec::new();
        let mut next = 0;
        for number in self.pieces.keys().copied().chain([self.of]) {
            if number > next {
                gaps.push((next, number - 1));
            }
            next = number + 1;
        }
        gaps.truncate(GAPS_MAX + 1); // one more than named shows that there are more
        gaps
    }
}

/// Memory of a line besides its pieces, and of a piece besides its text.
const OPEN_BYTES: usize = 256;
const PIECE_BYTES: usize = 96;

/// Parts that contradict each other.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Not a part.
    #[error("not a part of a split line: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Numbers contradict each other or exceed the limits.
    #[error("part {number} of {of} is not possible")]
    Number {
        /// Counted from 0.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// Joined, they do not match the digest.
    #[error(
        "the parts of a split line are not those that were written: their digest is another one"
    )]
    Damaged,
    /// Joined, they exceed the limit of a line.
    #[error("the parts of a split line have more than {TAPE_LINE_BYTES_MAX} bytes")]
    TooLong,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(rename = "tenon_tape_part")]
    number: usize,
    of: usize,
    sha256: Digest,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

impl Joiner {
    /// Adds a part; returns the line when it is complete. A repeated part, which logs may deliver, changes nothing.
    pub fn add(&mut self, part: &[u8]) -> Result<Option<Vec<u8>>, JoinError> {
        let Part {
            number,
            of,
            sha256,
            text,
        } = json::read(part)?;
        if of > PARTS_MAX || number >= of {
            return Err(JoinError::Number { number, of });
        }
        let (name, age) = ((sha256, of), self.next_age);
        let open = self.open.entry(name).or_insert_with(|| Open {
            age,
            pieces: BTreeMap::new(),
            of,
            bytes: 0,
            tried_bytes_left: 0,
            is_damaged: false,
        });
        if open.pieces.is_empty() {
            self.next_age += 1;
            self.by_age.insert(age, name);
            self.bytes += OPEN_BYTES;
        }
        let before = open.bytes;
        let is_new = open.add(number, &text);
        self.bytes = self.bytes - before + open.bytes;
        if open.bytes > TAPE_LINE_BYTES_MAX && open.line_bytes_min() > TAPE_LINE_BYTES_MAX {
            self.give_up(name);
            return Err(JoinError::TooLong);
        }
        if !is_new || open.pieces.len() < of {
            self.make_room();
            return Ok(None);
        }
        if let Some(line) = open.line(sha256, number) {
            self.remove(name);
            return Ok(Some(line.into_bytes()));
        }
        let is_told = std::mem::replace(&mut open.is_damaged, true);
        self.make_room();
        if is_told {
            return Ok(None);
        }
        Err(JoinError::Damaged)
    }

    /// Number of lines with missing parts.
    pub fn incomplete(&self) -> usize {
        let missing = self.open.values().filter(|open| !open.is_damaged);
        missing.count() + self.given_up
    }

    /// The missing parts of the lines whose parts came first, except those that were given up.
    pub fn missing(&self) -> Vec<MissingParts> {
        let oldest = self
            .by_age
            .values()
            .filter_map(|name| self.open.get(name).map(|open| (name, open)));
        oldest
            .filter(|(_, open)| !open.is_damaged)
            .take(MISSING_MAX)
            .map(|((sha256, _), open)| MissingParts {
                sha256: *sha256,
                of: open.of,
                gaps: open.gaps(),
            })
            .collect()
    }

    /// Gives up the oldest lines until the others fit.
    fn make_room(&mut self) {
        while self.bytes > TAPE_PARTS_BYTES_MAX
            && let Some((_, oldest)) = self.by_age.first_key_value()
        {
            self.give_up(*oldest);
        }
    }

    fn give_up(&mut self, name: Name) {
        // A damaged line was already reported.
        let open = self.remove(name);
        self.given_up += usize::from(open.is_some_and(|open| !open.is_damaged));
    }

    fn remove(&mut self, name: Name) -> Option<Open> {
        let open = self.open.remove(&name)?;
        self.by_age.remove(&open.age);
        self.bytes -= OPEN_BYTES + open.bytes;
        Some(open)
    }
}

#[cfg(test)]
mod tests;
