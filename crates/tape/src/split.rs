//! Long lines in logs: split where a log takes only events up to a size, and put together again.
//!
//! A part is `{"tenon_tape_part": N, "of": COUNT, "sha256": DIGEST OF THE LINE, "text": PIECE}`, `N` counted from 0. The digest names
//! the line, so that parts of several lines may arrive mixed and in any order.

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
/// What a log adds to an event for itself (AWS: CloudWatch Logs quotas).
const OVERHEAD_BYTES: usize = 26;
/// A part beside its text: names, two numbers, a digest; and the line break.
const FRAME_BYTES: usize = 160;
/// Parts of one line.
const PARTS_MAX: usize = 4096;

/// A line as events of at most `event_bytes_max` bytes, the log's own 26 bytes counted: the line itself where it fits, else its parts.
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

/// Cuts between characters, so that each piece as a JSON string takes at most `bytes_max` bytes.
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

/// Whether a line is a part of one.
pub(super) fn is_part(line: &[u8]) -> bool {
    first_member_is(line, PART_MEMBER)
}

/// Puts split lines together, in bounded memory: where parts of too many lines wait for others, the lines that wait longest are given up.
///
/// Anybody who can write into a log can write parts that claim to be of another line. Such a part takes no other's place: where several
/// claim the same place, they are tried until together they have the digest that they name.
#[derive(Debug, Default)]
pub struct Joiner {
    open: HashMap<Name, Open>,
    /// Lines by when their first part came.
    by_age: BTreeMap<u64, Name>,
    next_age: u64,
    /// What all of `open` takes.
    bytes: usize,
    given_up: usize,
}

/// The parts that a split line lacks, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingParts {
    /// The digest that its parts name.
    pub sha256: Digest,
    /// How many parts it has.
    pub of: usize,
    /// First and last number of the gaps between the parts that are there, from 0; the first nine of them, of which eight are named.
    pub gaps: Vec<(usize, usize)>,
}

/// Gaps of a line that are named.
const GAPS_MAX: usize = 8;
/// Lines that are named of those that lack parts.
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

/// What tells the parts of one line: its digest, and how many it has.
type Name = (Digest, usize);

/// Different texts that are kept for one place of a line; of more, the latest.
const TEXTS_MAX: usize = 4;
/// How many bytes are put together for each byte that comes, to find the texts that make the line.
const TRIED_BYTES_PER_BYTE: usize = 16;

/// A line of which parts are missing, or wrong.
#[derive(Debug)]
struct Open {
    age: u64,
    /// For each place the texts that claim it, the latest last.
    pieces: BTreeMap<usize, Vec<String>>,
    of: usize,
    /// What all texts take.
    bytes: usize,
    /// How many bytes may still be put together.
    tried_bytes_left: usize,
    /// The line was whole, and not the one that it claims to be.
    is_damaged: bool,
}

impl Open {
    /// Adds a text that is not there yet; whether it is new.
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

    /// The least that a line of these parts has.
    fn line_bytes_min(&self) -> usize {
        let shortest = |texts: &Vec<String>| texts.iter().map(String::len).min().unwrap_or(0);
        self.pieces.values().map(shortest).sum()
    }

    /// The line with this digest, if the texts make it with the latest one at `number`. Later texts are tried before earlier ones.
    fn line(&mut self, sha256: Digest, number: usize) -> Option<String> {
        let places: Vec<(&usize, &Vec<String>)> = self.pieces.iter().collect();
        // For each place, how many texts back.
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
            // Counts on, as with a digit for each place.
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
        gaps.truncate(GAPS_MAX + 1); // one more says that there are more
        gaps
    }
}

/// What a line takes beside its pieces, and a piece beside its text.
const OPEN_BYTES: usize = 256;
const PIECE_BYTES: usize = 96;

/// Parts that do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Not a part.
    #[error("not a part of a split line: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Counts contradict each other or the bounds.
    #[error("part {number} of {of} is not possible")]
    Number {
        /// From 0.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// Together they are not the line that was split.
    #[error(
        "the parts of a split line are not those that were written: their digest is another one"
    )]
    Damaged,
    /// Together they are more than a line may be.
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
    /// Takes a part; the line when it is complete. A part that comes again, as logs may deliver it, changes nothing.
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

    /// Lines of which parts are missing.
    pub fn incomplete(&self) -> usize {
        let missing = self.open.values().filter(|open| !open.is_damaged);
        missing.count() + self.given_up
    }

    /// What the lines lack whose parts came first, of those that were not given up.
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
        // A damaged line has been told.
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
