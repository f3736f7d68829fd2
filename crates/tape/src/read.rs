//! Reads tapes line by line, in bounded memory, from files, log files and other sources of lines.

use super::{
    find::TapeFinder,
    lines::{Line, ReadError},
};
use contract::limits::TAPE_LINE_BYTES_MAX;
use std::io::{self, BufRead, Read};

/// Reads one line after the other. After an error that names its line, reading continues as if that line did not exist.
pub struct TapeReader<R> {
    input: R,
    number: u64,
    /// The buffer of the current line, which is reused.
    buffer: Vec<u8>,
    finder: TapeFinder,
}

/// A longer line's capacity is not kept for the next one.
const BUFFER_BYTES_KEPT_MAX: usize = 1 << 20;

impl<R: BufRead> TapeReader<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self {
            input,
            number: 0,
            buffer: Vec::new(),
            finder: TapeFinder::default(),
        }
    }

    /// The next line that is not empty; `None` at the end.
    pub fn next_line(&mut self) -> Result<Option<Line>, ReadError> {
        Ok(self.fill()?.then(|| self.line()))
    }

    /// Takes the buffer as a separate line.
    fn line(&self) -> Line {
        Line {
            number: self.number,
            bytes: self.buffer.clone(),
        }
    }

    /// Reads the next line that is not empty into the buffer; returns whether there is one.
    fn fill(&mut self) -> Result<bool, ReadError> {
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES_KEPT_MAX);
        while self.skip_breaks()? {
            (&mut self.input)
                .take(TAPE_LINE_BYTES_MAX as u64 + 1)
                .read_until(b'\n', &mut self.buffer)?;
            self.number += 1;
            if self.buffer.last() != Some(&b'\n') && self.buffer.len() > TAPE_LINE_BYTES_MAX {
                self.skip_line()?;
                return Err(ReadError::TooLong {
                    number: self.number,
                });
            }
            self.buffer.truncate(self.buffer.trim_ascii_end().len());
            let blanks = self.buffer.len() - self.buffer.trim_ascii_start().len();
            self.buffer.drain(..blanks);
            if !self.buffer.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Counts empty lines; returns whether anything follows them.
    fn skip_breaks(&mut self) -> io::Result<bool> {
        loop {
            let bytes = match self.input.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let breaks = bytes.iter().take_while(|byte| **byte == b'\n').count();
            let (is_end, is_rest) = (bytes.is_empty(), breaks < bytes.len());
            self.input.consume(breaks);
            self.number += breaks as u64;
            if is_end || is_rest {
                return Ok(is_rest);
            }
        }
    }

    /// Skips to the next line break.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            let line_break = buffer.iter().position(|byte| *byte == b'\n');
            let bytes = line_break.map_or(buffer.len(), |at| at + 1);
            let is_done = line_break.is_some() || buffer.is_empty();
            self.input.consume(bytes);
            if is_done {
                return Ok(());
            }
        }
    }

    /// The next line of tape, joined again if it was split; other lines, as in logs, are counted and left out.
    pub fn next_tape(&mut self) -> Result<Option<Line>, ReadError> {
        while self.fill()? {
            if self.finder.passes_over(&self.buffer) {
                continue;
            }
            let line = self.line();
            if let Some(tape) = self.finder.look(line.number, line.bytes)? {
                return Ok(Some(tape));
            }
        }
        Ok(None)
    }

    /// Number of lines that were read completely, including those that are not tape.
    pub fn lines(&self) -> u64 {
        self.number
    }

    /// What else was found.
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
    fn a_line_beyond_the_bound_is_refused_and_what_follows_is_read() {
        let line = |bytes: usize| io::repeat(b'x').take(bytes as u64);
        let input = line(TAPE_LINE_BYTES_MAX)
            .chain(b"\n".as_slice())
            .chain(line(TAPE_LINE_BYTES_MAX + 1))
            .chain(b"\n{}\n".as_slice())
            .chain(line(3 * TAPE_LINE_BYTES_MAX));
        let mut reader = TapeReader::new(io::BufReader::new(input));
        let whole = reader.next_line().unwrap().unwrap();
        assert_eq!(whole.bytes.len(), TAPE_LINE_BYTES_MAX);
        let error = reader.next_line().unwrap_err();
        assert!(matches!(error, ReadError::TooLong { number: 2 }));
        assert_eq!(error.line(), Some(2));
        assert_eq!(reader.next_line().unwrap().unwrap().bytes, b"{}");
        assert!(matches!(
            reader.next_line(),
            Err(ReadError::TooLong { number: 4 })
        ));
        assert!(reader.next_line().unwrap().is_none());
    }

    #[test]
    fn empty_lines_are_counted_and_nothing_is_allocated_for_them() {
        let count = 1_000_000;
        let input = io::repeat(b'\n')
            .take(count)
            .chain(b"{}\n".as_slice())
            .chain(io::repeat(b'\n').take(count));
        let mut reader = TapeReader::new(io::BufReader::new(input));
        assert!(reader.skip_breaks().unwrap());
        assert_eq!((reader.lines(), reader.buffer.capacity()), (count, 0));
        let line = reader.next_line().unwrap().unwrap();
        assert_eq!(
            (line.number, line.bytes.as_slice()),
            (count + 1, b"{}".as_slice())
        );
        let (place, room) = (reader.buffer.as_ptr(), reader.buffer.capacity());
        assert!(reader.next_line().unwrap().is_none());
        assert_eq!(reader.lines(), 2 * count + 1);
        assert_eq!(
            (reader.buffer.as_ptr(), reader.buffer.capacity()),
            (place, room)
        );
    }

    #[test]
    fn lines_are_read_into_one_buffer() {
        let text = "x\r\n\r\n y\n".repeat(1_000);
        let mut reader = TapeReader::new(text.as_bytes());
        assert_eq!(reader.next_line().unwrap().unwrap().bytes, b"x");
        let place = reader.buffer.as_ptr();
        let mut count = 1;
        while reader.next_line().unwrap().is_some() {
            assert_eq!(reader.buffer.as_ptr(), place);
            count += 1;
        }
        assert_eq!(count, 2_000);
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
