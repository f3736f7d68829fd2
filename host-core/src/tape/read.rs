//! Reads tapes line by line, in bounded memory, from files, log files and whatever else has lines.

use super::{JoinError, TapeFinder};
use crate::limits::TAPE_LINE_BYTES_MAX;
use std::io::{self, BufRead, Read};

/// A line with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1, as an editor does.
    pub number: u64,
    /// Without its line break and blanks around it; never empty.
    pub bytes: Vec<u8>,
}

/// Why lines cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Over the bound.
    #[error("line {number} has more than {TAPE_LINE_BYTES_MAX} bytes")]
    TooLong {
        /// Counted from 1.
        number: u64,
    },
    /// Parts of a line do not fit together.
    #[error("line {number}: {error}")]
    Parts {
        /// Counted from 1.
        number: u64,
        /// Why.
        error: JoinError,
    },
}

/// Reads one line after the other.
pub struct TapeReader<R> {
    input: R,
    number: u64,
    finder: TapeFinder,
}

impl<R: BufRead> TapeReader<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self {
            input,
            number: 0,
            finder: TapeFinder::default(),
        }
    }

    /// The next line that is not empty; `None` at the end.
    pub fn next_line(&mut self) -> Result<Option<Line>, ReadError> {
        loop {
            let mut bytes = Vec::with_capacity(4096);
            let read = (&mut self.input)
                .take(TAPE_LINE_BYTES_MAX as u64 + 2)
                .read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            bytes.truncate(bytes.trim_ascii_end().len());
            if bytes.len() > TAPE_LINE_BYTES_MAX {
                return Err(ReadError::TooLong {
                    number: self.number,
                });
            }
            let blanks = bytes.len() - bytes.trim_ascii_start().len();
            bytes.drain(..blanks);
            if !bytes.is_empty() {
                return Ok(Some(Line {
                    number: self.number,
                    bytes,
                }));
            }
        }
    }

    /// The next line of tape, put together again where it was split; other lines, as logs have them, are counted and left out.
    pub fn next_tape(&mut self) -> Result<Option<Line>, ReadError> {
        while let Some(line) = self.next_line()? {
            if let Some(tape) = self.finder.look(line.number, line.bytes)? {
                return Ok(Some(tape));
            }
        }
        Ok(None)
    }

    /// What else was there.
    pub fn finder(&self) -> &TapeFinder {
        &self.finder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        let mut reader = TapeReader::new(text.as_bytes());
        std::iter::from_fn(|| reader.next_line().unwrap()).collect()
    }

    #[test]
    fn lines_are_numbered_as_an_editor_does() {
        let found = lines("\n {\"a\":1}\r\n\n{\"b\":");
        assert_eq!(
            found,
            [
                Line {
                    number: 2,
                    bytes: b"{\"a\":1}".to_vec()
                },
                Line {
                    number: 4,
                    bytes: b"{\"b\":".to_vec()
                },
            ]
        );
    }

    #[test]
    fn a_line_beyond_the_bound_is_refused_unread() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        let error = TapeReader::new(endless).next_line().unwrap_err();
        assert!(matches!(error, ReadError::TooLong { number: 1 }));
    }

    #[test]
    fn tapes_are_found_among_other_lines_of_a_log() {
        let log = "START RequestId\n{\"level\":\"INFO\",\"x\":\"{\\\"tenon_tape\\\":1\"}\n2026-01-01T00:00:00.000Z {\"tenon_tape\":1}\n{ \"tenon_tape\" : 1}\n";
        let mut reader = TapeReader::new(log.as_bytes());
        assert_eq!(
            reader.next_tape().unwrap().unwrap().bytes,
            b"{\"tenon_tape\":1}"
        );
        assert_eq!(reader.next_tape().unwrap().unwrap().number, 4);
        assert!(reader.next_tape().unwrap().is_none());
        assert_eq!(reader.finder().skipped(), 2);
    }
}
