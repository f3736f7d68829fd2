//! Long lines in logs: split where a log takes only events up to a size, and put together again.
//!
//! A part is `{"tenon_tape_part": N, "of": COUNT, "sha256": DIGEST OF THE LINE, "text": PIECE}`, `N` counted from 0. The digest names
//! the line, so that parts of several lines may arrive mixed and in any order.

use super::exchange::first_member_is;
use crate::{
    digest::Digest,
    json::{self, Object, write_string},
    limits::{TAPE_LINE_BYTES_MAX, TAPE_PARTS_BYTES_MAX},
};
use serde::Deserialize;
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, btree_map::Entry},
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
#[derive(Debug, Default)]
pub struct Joiner {
    open: HashMap<Digest, Open>,
    /// Lines by when their first part came.
    by_age: BTreeMap<u64, Digest>,
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
    /// First and last number of the gaps between the parts that are there, from 0; the first eight of them.
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
        for (position, (first, last)) in self.gaps.iter().enumerate() {
            if position > 0 {
                formatter.write_str(", ")?;
            }
            write!(formatter, "{first}")?;
            if last > first {
                write!(formatter, " to {last}")?;
            }
        }
        if self.gaps.len() == GAPS_MAX {
            formatter.write_str(" and more")?;
        }
        let (last, sha256) = (self.of - 1, self.sha256.to_string());
        write!(formatter, " (of 0 to {last}) of the line {:.12}", sha256)
    }
}

/// A line of which parts are missing.
#[derive(Debug)]
struct Open {
    age: u64,
    pieces: BTreeMap<usize, String>,
    of: usize,
    bytes: usize,
}

impl Open {
    fn gaps(&self) -> Vec<(usize, usize)> {
        let mut gaps = Vec::new();
        let mut next = 0;
        for number in self.pieces.keys().copied().chain([self.of]) {
            if number > next {
                gaps.push((next, number - 1));
            }
            next = number + 1;
        }
        gaps.truncate(GAPS_MAX);
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
        let age = self.next_age;
        let open = self.open.entry(sha256).or_insert_with(|| Open {
            age,
            pieces: BTreeMap::new(),
            of,
            bytes: 0,
        });
        if open.pieces.is_empty() {
            self.next_age += 1;
            self.by_age.insert(age, sha256);
            self.bytes += OPEN_BYTES;
        }
        if open.of != of {
            return Err(JoinError::Number { number, of });
        }
        if let Entry::Vacant(place) = open.pieces.entry(number) {
            self.bytes += PIECE_BYTES + text.len();
            open.bytes += text.len();
            place.insert(text.into_owned());
        }
        if open.bytes > TAPE_LINE_BYTES_MAX {
            self.remove(sha256);
            self.given_up += 1;
            return Err(JoinError::TooLong);
        }
        if open.pieces.len() < of {
            self.make_room();
            return Ok(None);
        }
        let line: String = self
            .remove(sha256)
            .map(|open| open.pieces.into_values().collect())
            .unwrap_or_default();
        if Digest::of(line.as_bytes()) != sha256 {
            return Err(JoinError::Damaged);
        }
        Ok(Some(line.into_bytes()))
    }

    /// Lines of which parts are missing.
    pub fn incomplete(&self) -> usize {
        self.open.len() + self.given_up
    }

    /// What the lines lack whose parts came first, of those that were not given up.
    pub fn missing(&self) -> Vec<MissingParts> {
        let oldest = self.by_age.values().take(MISSING_MAX);
        oldest
            .filter_map(|sha256| self.open.get_key_value(sha256))
            .map(|(sha256, open)| MissingParts {
                sha256: *sha256,
                of: open.of,
                gaps: open.gaps(),
            })
            .collect()
    }

    /// Gives up the oldest lines until the others fit.
    fn make_room(&mut self) {
        while self.bytes > TAPE_PARTS_BYTES_MAX
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.remove(oldest);
            self.given_up += 1;
        }
    }

    fn remove(&mut self, sha256: Digest) -> Option<Open> {
        let open = self.open.remove(&sha256)?;
        self.by_age.remove(&open.age);
        self.bytes -= OPEN_BYTES + open.pieces.len() * PIECE_BYTES + open.bytes;
        Some(open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LOG_EVENT_BYTES_MAX;

    fn long_line() -> Vec<u8> {
        let text = "é\"\\\u{1}\n x".repeat(60_000);
        serde_json::json!({"tenon_tape": 1, "text": text})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn a_long_line_is_split_within_the_bound_and_joined_in_any_order() {
        let line = long_line();
        let parts = split(line.clone(), LOG_EVENT_BYTES_MAX);
        assert!(parts.len() > 2);
        for part in &parts {
            assert!(
                part.len() + OVERHEAD_BYTES <= LOG_EVENT_BYTES_MAX,
                "{}",
                part.len()
            );
            assert!(is_part(part) && !part.contains(&b'\n'));
        }
        let mut joiner = Joiner::default();
        for part in parts[1..].iter().rev() {
            assert!(joiner.add(part).unwrap().is_none());
            assert!(joiner.add(part).unwrap().is_none(), "delivered twice");
        }
        assert_eq!(joiner.incomplete(), 1);
        assert_eq!(joiner.missing()[0].gaps, [(0, 0)]);
        assert_eq!(joiner.add(&parts[0]).unwrap().unwrap(), line);
        assert_eq!(joiner.missing(), []);
        assert_eq!((joiner.incomplete(), joiner.bytes), (0, 0));
    }

    #[test]
    fn a_short_line_stays_whole() {
        assert_eq!(split(b"{}".to_vec(), LOG_EVENT_BYTES_MAX), [b"{}"]);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let parts = split(long_line(), LOG_EVENT_BYTES_MAX);
        let changed = |part: &[u8], from: &str, to: &str| {
            String::from_utf8(part.to_vec())
                .unwrap()
                .replacen(from, to, 1)
                .into_bytes()
        };
        let mut joiner = Joiner::default();
        assert!(matches!(joiner.add(b"{}"), Err(JoinError::Malformed(_))));
        let impossible = changed(&parts[0], "\"tenon_tape_part\":0", "\"tenon_tape_part\":99");
        assert!(matches!(
            joiner.add(&impossible),
            Err(JoinError::Number { .. })
        ));
        joiner.add(&changed(&parts[0], "é", "e")).unwrap();
        let mut last = Ok(None);
        for part in &parts[1..] {
            last = joiner.add(part);
        }
        assert!(matches!(last, Err(JoinError::Damaged)));
        assert_eq!((joiner.open.len(), joiner.bytes), (0, 0));
    }

    fn part(number: usize, of: usize, line: u64, text: &str) -> Vec<u8> {
        let digest = Digest::of(&line.to_be_bytes()).to_string();
        serde_json::json!({"tenon_tape_part": number, "of": of, "sha256": digest, "text": text})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn missing_parts_are_named_in_few_words() {
        let mut joiner = Joiner::default();
        for number in [2, 3, 6] {
            joiner.add(&part(number, 8, 1, "x")).unwrap();
        }
        joiner.add(&part(0, 2, 2, "x")).unwrap();
        for number in 0..PARTS_MAX / 2 {
            joiner.add(&part(2 * number, PARTS_MAX, 3, "x")).unwrap();
        }
        joiner.add(&part(0, 2, 4, "x")).unwrap();
        let words: Vec<String> = joiner.missing().iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "parts 0 to 1, 4 to 5, 7 (of 0 to 7) of the line cd2662154e6d",
                "part 1 (of 0 to 1) of the line cd04a4754498",
                "parts 1, 3, 5, 7, 9, 11, 13, 15 and more (of 0 to 4095) of the line d5688a52d55a",
            ]
        );
    }

    #[test]
    fn parts_of_many_lines_take_no_more_than_the_bound() {
        let mut joiner = Joiner::default();
        let lines = TAPE_PARTS_BYTES_MAX / (OPEN_BYTES + PIECE_BYTES) + 1_000;
        for line in 0..lines as u64 {
            let part = part(PARTS_MAX - 1, PARTS_MAX, line, "");
            assert!(joiner.add(&part).unwrap().is_none());
            assert!(joiner.bytes <= TAPE_PARTS_BYTES_MAX);
        }
        assert_eq!(joiner.open.len(), joiner.by_age.len());
        assert_eq!(joiner.incomplete(), lines, "what was given up counts");
        // The newest are still there, and a line that is whole still comes.
        let line = long_line();
        let parts = split(line.clone(), LOG_EVENT_BYTES_MAX);
        let joined = parts
            .iter()
            .filter_map(|part| joiner.add(part).unwrap())
            .next();
        assert_eq!(joined.unwrap(), line);
    }

    #[test]
    fn parts_of_a_line_that_is_too_long_are_let_go() {
        let mut joiner = Joiner::default();
        let text = "x".repeat(TAPE_LINE_BYTES_MAX / 2);
        joiner.add(&part(0, 4, 1, &text)).unwrap();
        joiner.add(&part(1, 4, 1, &text)).unwrap();
        assert!(matches!(
            joiner.add(&part(2, 4, 1, "x")),
            Err(JoinError::TooLong)
        ));
        assert_eq!((joiner.open.len(), joiner.bytes), (0, 0));
        assert_eq!(joiner.incomplete(), 1);
    }
}
