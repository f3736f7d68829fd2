//! Lines of tape among other lines, whole or in parts.

use super::{
    exchange::{FIRST_MEMBER, is_tape},
    lines::{Line, ReadError},
    split::{JoinError, Joiner, MissingParts, is_part},
};

/// Picks lines of tape out of what it is shown, and puts split ones together.
#[derive(Debug, Default)]
pub struct TapeFinder {
    joiner: Joiner,
    skipped: u64,
    /// Parts that end too early.
    cut: usize,
}

impl TapeFinder {
    /// Looks at a line without blanks around it. A line of tape is given back, a split one with its last part; anything else is counted
    /// and left out.
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
            // What follows was cut off; the line it belongs to stays incomplete.
            Err(JoinError::Malformed(error)) if error.is_eof() => {
                self.cut += 1;
                Ok(None)
            }
            Err(error) => Err(ReadError::Parts { number, error }),
        }
    }

    /// Counts a line that is neither tape nor part of one; whether it was such a line.
    pub(super) fn passes_over(&mut self, line: &[u8]) -> bool {
        let is_other = tape_start(line).is_none();
        self.skipped += u64::from(is_other);
        is_other
    }

    /// Lines that were no tape.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Lines that were split and of which parts are missing.
    pub fn incomplete(&self) -> usize {
        self.joiner.incomplete()
    }

    /// Parts of split lines that end too early themselves.
    pub fn cut(&self) -> usize {
        self.cut
    }

    /// Which parts the first of the incomplete lines lack.
    pub fn missing(&self) -> Vec<MissingParts> {
        self.joiner.missing()
    }
}

/// Where a line of tape begins in a line of a log, which may have a time and other words before it.
fn tape_start(line: &[u8]) -> Option<usize> {
    if is_tape(line) || is_part(line) {
        return Some(0);
    }
    // Words before, not a member of something larger.
    let start = line.iter().position(|byte| *byte == b'{')?;
    let (words, object) = line.split_at(start);
    let is_found = object
        .strip_prefix(b"{\"")
        .is_some_and(|rest| rest.starts_with(FIRST_MEMBER.as_bytes()))
        && !words.contains(&b'"')
        && (is_tape(object) || is_part(object));
    is_found.then_some(start)
}
