//! Finds lines of tape among other lines, whole or split.

use super::{
    exchange::{FIRST_MEMBER, is_tape},
    lines::{Line, ReadError},
    split::{JoinError, Joiner, MissingParts, is_part},
};

/// Selects lines of tape from other lines, and joins split ones.
#[derive(Debug, Default)]
pub struct TapeFinder {
    joiner: Joiner,
    skipped: u64,
    /// Number of incomplete parts.
    cut: usize,
}

impl TapeFinder {
    /// Examines a line without surrounding blanks. Returns a line of tape, and a split one with its last part; anything else is counted and
    /// left out.
    pub fn look(&mut self, number: u64, mut bytes: Vec<u8>) -> Result<Option<Line>, ReadError> {
        let Some(start) = tape_start(&bytes) else {
            self.skipped += 1;
            return Ok(None);
        };
        bytes.drain(..start);
        if is_tape(&bytes) {
            return Ok(Some(Line { number, bytes }));
        }
        match self.joiner.add(&bytes) {
            Ok(joined) => Ok(joined.map(|bytes| Line { number, bytes })),
            // The rest of the part is missing; its line remains incomplete.
            Err(JoinError::Malformed(error)) if error.is_eof() => {
                self.cut += 1;
                Ok(None)
            }
            Err(error) => Err(ReadError::Parts { number, error }),
        }
    }

    /// Counts a line that is neither tape nor part of one; returns whether it was such a line.
    pub(super) fn passes_over(&mut self, line: &[u8]) -> bool {
        let is_other = tape_start(line).is_none();
        self.skipped += u64::from(is_other);
        is_other
    }

    /// Number of lines that were not tape.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Number of split lines with missing parts.
    pub fn incomplete(&self) -> usize {
        self.joiner.incomplete()
    }

    /// Number of parts of split lines that are themselves incomplete.
    pub fn cut(&self) -> usize {
        self.cut
    }

    /// The missing parts of the first incomplete lines.
    pub fn missing(&self) -> Vec<MissingParts> {
        self.joiner.missing()
    }
}

/// Where a line of tape begins in a log line, which may have a time and other words before it.
fn tape_start(line: &[u8]) -> Option<usize> {
    if is_tape(line) || is_part(line) {
        return Some(0);
    }
    // Only words may precede it; otherwise it is a member of something larger.
    let start = line.iter().position(|byte| *byte == b'{')?;
    let (words, object) = line.split_at(start);
    let is_found = object
        .strip_prefix(b"{\"")
        .is_some_and(|rest| rest.starts_with(FIRST_MEMBER.as_bytes()))
        && !words.contains(&b'"')
        && (is_tape(object) || is_part(object));
    is_found.then_some(start)
}
