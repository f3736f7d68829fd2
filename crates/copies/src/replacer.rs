//! Writes a text with replacements.

use crate::TooLong;
use std::{collections::VecDeque, ops::Range};

/// Takes ranges in the order of their ends. Only ranges that may still grow are kept.
pub(crate) struct Replacer<'a> {
    text: &'a [u8],
    out: Vec<u8>,
    bytes_max: usize,
    /// The text before this position is in `out`, or replaced.
    copied: usize,
    pending: VecDeque<Replaced<'a>>,
    /// Length of the longest range.
    reach: usize,
}

/// A range and what to write in its place.
struct Replaced<'a> {
    range: Range<usize>,
    with: &'a [u8],
}

impl<'a> Replacer<'a> {
    /// No range is longer than `reach`, unless it is extended, and the result has at most `bytes_max` bytes.
    pub(crate) fn new(text: &'a [u8], reach: usize, bytes_max: usize) -> Self {
        Self {
            text,
            out: Vec::new(),
            bytes_max,
            copied: 0,
            pending: VecDeque::new(),
            reach,
        }
    }

    /// Replaces a range together with those that it overlaps; the longest of them decides what is written.
    pub(crate) fn add(&mut self, range: Range<usize>, with: &'a [u8]) -> Result<(), TooLong> {
        let mut added = Replaced { range, with };
        while let Some(last) = self
            .pending
            .pop_back_if(|last| last.range.end > added.range.start)
        {
            if last.range.len() > added.range.len() {
                added.with = last.with;
            }
            let start = added.range.start.min(last.range.start);
            added.range = start..added.range.end.max(last.range.end);
        }
        let end = added.range.end;
        self.pending.push_back(added);
        while let Some(first) = self
            .pending
            .pop_front_if(|first| first.range.end.saturating_add(self.reach) < end)
        {
            self.write(&first)?;
        }
        Ok(())
    }

    /// Lets the last range end later.
    pub(crate) fn extend(&mut self, end: usize) {
        if let Some(last) = self.pending.back_mut() {
            last.range.end = last.range.end.max(end);
        }
    }

    /// The number of ranges that are kept.
    #[cfg(test)]
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The text with its replacements; `None` if there are none.
    pub(crate) fn finish(mut self) -> Result<Option<Vec<u8>>, TooLong> {
        while let Some(first) = self.pending.pop_front() {
            self.write(&first)?;
        }
        if self.copied == 0 {
            return Ok(None);
        }
        self.append(self.text.len(), &[])?;
        Ok(Some(self.out))
    }

    fn write(&mut self, replaced: &Replaced<'_>) -> Result<(), TooLong> {
        if self.out.capacity() == 0 {
            self.out.reserve(self.text.len().min(self.bytes_max));
        }
        let (mut start, mut end) = (replaced.range.start, replaced.range.end);
        // No half characters.
        while start > self.copied && self.text.get(start).is_some_and(|byte| is_within(*byte)) {
            start -= 1;
        }
        while self.text.get(end).is_some_and(|byte| is_within(*byte)) {
            end += 1;
        }
        self.append(start, replaced.with)?;
        self.copied = end;
        Ok(())
    }

    /// Appends the text up to a position, and a replacement.
    fn append(&mut self, end: usize, with: &[u8]) -> Result<(), TooLong> {
        let before = self.text.get(self.copied..end).unwrap_or_default();
        if self.out.len() + before.len() + with.len() > self.bytes_max {
            return Err(TooLong);
        }
        self.out.extend_from_slice(before);
        self.out.extend_from_slice(with);
        Ok(())
    }
}

/// Whether a byte of UTF-8 is not the first one of its character.
fn is_within(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}
