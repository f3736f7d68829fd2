//! Entries in a file or on stdin, read one at a time, so that a large file needs little memory.

use crate::{exit::CommandError, input};
use files::NamedBy;
use serde::{
    Deserializer as _,
    de::{DeserializeSeed, Error as _, SeqAccess, Visitor},
};
use std::{
    cell::Cell,
    fmt,
    io::{self, BufReader, Cursor, Read},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
};
use storage::Entry;

/// Entries of one batch.
const BATCH_ENTRIES_MAX: usize = 100;
/// Bytes of the documents of one batch; the last one may exceed it.
const BATCH_BYTES_MAX: usize = 1 << 20;
/// Bytes of one entry with what surrounds it: a document of 400 KB with every character escaped, six times.
const ENTRY_BYTES_MAX: usize = 6 << 20;
/// Largest stream of entries that is kept to be read twice.
const STREAM_BYTES_MAX: u64 = 64 << 20;

/// Reads a file to its end and calls `each` with the number of an entry, counted from 1, and the entry. Returns how many there are.
pub fn read(
    path: &Path,
    mut each: impl FnMut(usize, Entry) -> Result<(), String>,
) -> Result<usize, CommandError> {
    let name = format!("`{}`", path.display());
    let file = files::open(path, NamedBy::User)
        .map_err(|error| input::cannot_open(path, "entries", &error))?;
    read_from(&name, file, &mut each)
}

#[expect(
    clippy::disallowed_methods,
    reason = "read into entries one at a time: named members, and a document that its own bounded reader reads"
)]
fn read_from(
    name: &str,
    source: impl Read,
    each: &mut dyn FnMut(usize, Entry) -> Result<(), String>,
) -> Result<usize, CommandError> {
    let mut count = 0;
    let since_entry = Cell::new(0);
    let bounded = Bounded {
        source,
        since_entry: &since_entry,
    };
    let mut reader = serde_json::Deserializer::from_reader(BufReader::new(bounded));
    reader
        .deserialize_seq(Entries {
            each,
            count: &mut count,
            since_entry: &since_entry,
        })
        .and_then(|()| reader.end())
        .map_err(|error| {
            let failure = CommandError::environment(format_args!("entries {name}: {error}"));
            match error.is_io() {
                true if since_entry.get() > ENTRY_BYTES_MAX => failure.hint("no document may be as large; check the file"),
                true => failure,
                false => failure.hint(
                    "write a JSON list as `host-cli store export` does; docs/cases.md describes its entries",
                ),
            }
        })?;
    Ok(count)
}

/// A source that ends with an error if a single entry is too large: it would be held in memory before anything could refuse it.
struct Bounded<'a, R> {
    source: R,
    /// Bytes read since the last entry was complete.
    since_entry: &'a Cell<usize>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.since_entry.set(self.since_entry.get() + length);
        if self.since_entry.get() > ENTRY_BYTES_MAX {
            return Err(io::Error::other(format!(
                "an entry has more than {ENTRY_BYTES_MAX} bytes"
            )));
        }
        Ok(length)
    }
}

/// Visits a list, entry by entry.
struct Entries<'a> {
    each: &'a mut dyn FnMut(usize, Entry) -> Result<(), String>,
    count: &'a mut usize,
    since_entry: &'a Cell<usize>,
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(entry) = list.next_element_seed(OneEntry(*self.count + 1))? {
            *self.count += 1;
            self.since_entry.set(0);
            (self.each)(*self.count, entry).map_err(|message| {
                A::Error::custom(format_args!("entry {}: {message}", *self.count))
            })?;
        }
        Ok(())
    }
}

/// Reads the entry of a number, which errors name.
struct OneEntry(usize);

impl<'de> DeserializeSeed<'de> for OneEntry {
    type Value = Entry;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Entry, D::Error> {
        serde::Deserialize::deserialize(deserializer)
            .map_err(|error| D::Error::custom(format_args!("entry {}: {error}", self.0)))
    }
}

/// Entries that are read twice, first to check all of them. A pipe can be read only once, so what it gives is kept.
pub enum Checked {
    /// A file.
    File(PathBuf),
    /// What a pipe or stdin has given, and its name in messages.
    Stream(String, Vec<u8>),
}

impl Checked {
    /// Reads a file, a pipe or stdin, which is `-`, to its end and calls `check` with each entry.
    pub fn read(
        path: &Path,
        check: impl Fn(&Entry) -> Result<(), String>,
    ) -> Result<Self, CommandError> {
        let mut each = |_: usize, entry: Entry| check(&entry);
        let (name, bytes) = if path == Path::new("-") {
            let bytes = input::read_stdin("entries", STREAM_BYTES_MAX)?;
            ("on stdin".to_owned(), bytes)
        } else if path.is_file() || !path.exists() {
            read(path, each)?;
            return Ok(Self::File(path.to_owned()));
        } else {
            let bytes = input::read_file(path, "entries", STREAM_BYTES_MAX)?;
            (format!("`{}`", path.display()), bytes)
        };
        read_from(&name, &*bytes, &mut each)?;
        Ok(Self::Stream(name, bytes))
    }

    /// The same entries again.
    pub fn into_batches(self) -> Result<Batches, CommandError> {
        match self {
            Self::File(path) => Batches::open(&path),
            Self::Stream(name, bytes) => Batches::of(name, Cursor::new(bytes)),
        }
    }
}

/// The entries of a source in batches. A thread reads ahead by one batch.
pub struct Batches {
    batches: Receiver<Vec<Entry>>,
    reader: Option<JoinHandle<Result<usize, CommandError>>>,
}

impl Batches {
    /// Begins to read a file, or stdin if the name is `-`.
    pub fn open(path: &Path) -> Result<Self, CommandError> {
        if path == Path::new("-") {
            return Self::of("on stdin".to_owned(), io::stdin());
        }
        let file = files::open(path, NamedBy::User)
            .map_err(|error| input::cannot_open(path, "entries", &error))?;
        Self::of(format!("`{}`", path.display()), file)
    }

    fn of(name: String, source: impl Read + Send + 'static) -> Result<Self, CommandError> {
        let (sender, batches) = sync_channel(1);
        let reader = std::thread::Builder::new()
            .spawn(move || send_batches(&name, source, &sender))
            .map_err(|error| {
                CommandError::environment(format_args!("failed to start a thread: {error}"))
            })?;
        Ok(Self {
            batches,
            reader: Some(reader),
        })
    }

    /// The next batch; `None` after the last one. What could be read before an error comes first.
    pub fn next(&mut self) -> Result<Option<Vec<Entry>>, CommandError> {
        if let Ok(batch) = self.batches.recv() {
            return Ok(Some(batch));
        }
        match self.reader.take().map(JoinHandle::join) {
            Some(Ok(read)) => read.map(|_| None),
            Some(Err(_)) => Err(CommandError::environment("the reader of entries failed")),
            None => Ok(None),
        }
    }
}

fn send_batches(
    name: &str,
    source: impl Read,
    sender: &SyncSender<Vec<Entry>>,
) -> Result<usize, CommandError> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    let mut add = |_, entry: Entry| {
        bytes += entry.item.document.as_str().len();
        batch.push(entry);
        if batch.len() < BATCH_ENTRIES_MAX && bytes < BATCH_BYTES_MAX {
            return Ok(());
        }
        bytes = 0;
        let full = std::mem::take(&mut batch);
        sender.send(full).map_err(|_| "interrupted".to_owned())
    };
    let count = read_from(name, source, &mut add)?;
    if !batch.is_empty() {
        // Whoever no longer receives has failed.
        let _ = sender.send(batch);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_without_an_end_is_refused_before_it_fills_memory() {
        let start = br#"[{"partition":"p","sort":"s","document":{"a":""#;
        let endless = start.chain(io::repeat(b'x'));
        let error = read_from("`x`", endless, &mut |_, _| Ok(())).unwrap_err();
        let message = error.message().to_string();
        assert!(message.contains("an entry has more than"), "{message}");
    }
}
