//! The reading thread: produces work in the order of the input.

use super::{
    Replay,
    task::{decrypted, unreadable},
};
use crate::{
    exit::CommandError,
    replay::{
        input::{Event, Input, LineError, Lines, Place, read_event},
        report::EntryVerdict,
        tapes::{self, Found, Source},
    },
};
use files::NamedBy;
use observation::{Case, EventHead, head};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tape::{self, Line};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Number of events that one task runs one after the other.
const BATCH_EVENTS_MAX: usize = 64;
/// A batch with this many bytes gets no further event.
const BATCH_BYTES_MAX: usize = 256 * 1024;

/// Collects the work of one task.
struct Batch<T> {
    items: Vec<T>,
    bytes: usize,
}

impl<T> Batch<T> {
    fn new() -> Self {
        Self {
            items: Vec::with_capacity(BATCH_EVENTS_MAX),
            bytes: 0,
        }
    }

    /// Adds an item of this many bytes; returns all of them if the batch is full.
    fn push(&mut self, item: T, bytes: usize) -> Option<Vec<T>> {
        self.items.push(item);
        self.bytes += bytes;
        let is_full = self.items.len() >= BATCH_EVENTS_MAX || self.bytes >= BATCH_BYTES_MAX;
        is_full.then(|| self.take()).flatten()
    }

    /// The collected items, if there are any.
    fn take(&mut self) -> Option<Vec<T>> {
        if self.items.is_empty() {
            return None;
        }
        Some(std::mem::replace(self, Self::new()).items)
    }
}

/// Work from the reading thread, in the order of the input.
pub(super) enum Work {
    /// A case, with its share of the room for cases.
    Case(PathBuf, OwnedSemaphorePermit),
    /// Events of one file whose order does not matter.
    Batch(Vec<Event>),
    /// An event that may change what others see: it runs alone.
    Alone(Event),
    /// Requests of a tape, with their share of the room for lines.
    Tapes(Vec<(Place, Vec<u8>)>, OwnedSemaphorePermit),
    /// A line of a tape that could not be used.
    Told(Place, EntryVerdict),
    EndOfFile(PathBuf),
    Unreadable(CommandError),
}

/// Reads everything in order. Ends early if nobody receives the work any more.
pub(super) fn read(replay: &Replay, inputs: Vec<Input>, works: &mpsc::Sender<Work>) {
    let mut position = 0;
    // Cases and requests can be divided among machines, because they are independent.
    let mut number = 0;
    for input in inputs {
        let sent = match input {
            Input::Case(folder) => {
                number += 1;
                if replay.takes(number - 1) {
                    let room = replay.case_room(Case::files_bytes(&folder));
                    room.and_then(|room| send(works, Work::Case(folder, room)))
                } else {
                    Some(())
                }
            }
            Input::Tape(source) => {
                let mut reader = TapeWork {
                    replay,
                    works,
                    source: &source,
                    batch: Batch::new(),
                };
                match reader.read(&mut number, &mut position) {
                    Ok(sent) => {
                        sent.and_then(|()| send(works, Work::EndOfFile(source.path().into())))
                    }
                    Err(failure) => send(works, Work::Unreadable(failure)),
                }
            }
            Input::Event(path, named_by) => match read_event(&path, named_by, position) {
                Ok(event) => {
                    position += 1;
                    let work = if event.head.is_safe {
                        Work::Batch(vec![event])
                    } else {
                        Work::Alone(event)
                    };
                    send(works, work).and_then(|()| send(works, Work::EndOfFile(path)))
                }
                Err(failure) => send(works, Work::Unreadable(failure)),
            },
            Input::Lines(path, named_by) => match read_lines(&path, named_by, &mut position, works)
            {
                Ok(sent) => sent.and_then(|()| send(works, Work::EndOfFile(path))),
                Err(failure) => send(works, Work::Unreadable(failure)),
            },
        };
        if sent.is_none() {
            return;
        }
    }
}

/// `None`: nobody receives the work.
fn send(works: &mpsc::Sender<Work>, work: Work) -> Option<()> {
    works.blocking_send(work).ok()
}

fn read_lines(
    path: &Path,
    named_by: NamedBy,
    position: &mut u64,
    works: &mpsc::Sender<Work>,
) -> Result<Option<()>, CommandError> {
    let mut lines = Lines::open(path, named_by)?;
    let mut batch = Batch::new();
    let pass_on = |full: Option<Vec<Event>>| match full {
        Some(full) => send(works, Work::Batch(full)),
        None => Some(()),
    };
    loop {
        let next = lines.next(*position);
        let sent = match next {
            Ok(Some(event)) => {
                *position += 1;
                if event.head.is_safe {
                    let bytes = event.bytes.len();
                    pass_on(batch.push(event, bytes))
                } else {
                    pass_on(batch.take()).and_then(|()| send(works, Work::Alone(event)))
                }
            }
            Ok(None) => return Ok(pass_on(batch.take())),
            Err(LineError::Bad(failure)) => {
                pass_on(batch.take()).and_then(|()| send(works, Work::Unreadable(failure)))
            }
            Err(LineError::Input(failure)) => {
                return Ok(pass_on(batch.take()).and(send(works, Work::Unreadable(failure))));
            }
        };
        if sent.is_none() {
            return Ok(None);
        }
    }
}

/// Passes on the contents of a tape.
struct TapeWork<'a> {
    replay: &'a Replay,
    works: &'a mpsc::Sender<Work>,
    source: &'a Source,
    batch: Batch<(Place, Vec<u8>)>,
}

impl TapeWork<'_> {
    /// `None`: nobody receives the work.
    fn read(&mut self, number: &mut u64, position: &mut u64) -> Result<Option<()>, CommandError> {
        let source = self.source;
        let path: Arc<Path> = source.path().into();
        let mut sent = Some(());
        let mut is_begun = false;
        let read = tapes::read(source, &mut |found| {
            *number += 1;
            is_begun = true;
            if !self.replay.takes(*number - 1) {
                return true;
            }
            let line = match found {
                Found::Line(line) if self.is_wanted(&line) => line,
                Found::Line(_) => return true,
                Found::Bad(line, reason) => {
                    let place = Place {
                        path: Arc::clone(&path),
                        line: Some(line),
                    };
                    let before = self.batch.take();
                    sent = self.pass_on(before).and_then(|()| {
                        send(
                            self.works,
                            Work::Told(place, EntryVerdict::Unreadable(reason)),
                        )
                    });
                    return sent.is_some();
                }
            };
            let place = Place {
                path: Arc::clone(&path),
                line: Some(line.number),
            };
            sent = if self.replay.tapes.replayer.is_some() {
                let bytes = line.bytes.len();
                let full = self.batch.push((place, line.bytes), bytes);
                self.pass_on(full)
            } else {
                *position += 1;
                let identity = self.replay.tapes.identity.as_ref();
                let work = match decrypted(line.bytes, identity) {
                    Ok(line) => live(self.replay, place, *position - 1, line),
                    Err(verdict) => Work::Told(place, verdict),
                };
                send(self.works, work)
            };
            sent.is_some()
        });
        // What was read before the input failed is processed, and reported for this file.
        let rest = self.batch.take();
        sent = sent.and_then(|()| self.pass_on(rest));
        match read {
            Ok(()) => Ok(sent),
            Err(failure) if is_begun => {
                Ok(sent.and_then(|()| send(self.works, Work::Unreadable(failure))))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Ids are first searched as text, so that most lines need not be parsed.
    fn is_wanted(&self, line: &Line) -> bool {
        let Some(only) = &self.replay.tapes.only else {
            return true;
        };
        let contains = line
            .bytes
            .windows(only.len().max(1))
            .any(|window| window == only.as_bytes());
        contains && tape::id_of(&line.bytes).is_some_and(|id| id.starts_with(only.as_str()))
    }

    fn pass_on(&self, full: Option<Vec<(Place, Vec<u8>)>>) -> Option<()> {
        match full {
            Some(full) => {
                let bytes: usize = full.iter().map(|(_, line)| line.len()).sum();
                let room = self.replay.tape_room(bytes)?;
                send(self.works, Work::Tapes(full, room))
            }
            None => Some(()),
        }
    }
}

/// A request's event, to run on the store like any other.
fn live(replay: &Replay, place: Place, position: u64, line: Vec<u8>) -> Work {
    let line: Arc<[u8]> = line.into();
    let exchange = match tape::Exchange::read(&line) {
        Ok(exchange) => exchange,
        Err(error) => return Work::Told(place, unreadable(&error)),
    };
    if let Err(failure) = replay.check_guest(&place, &exchange) {
        return Work::Unreadable(failure);
    }
    let Some(event) = exchange.event else {
        return Work::Told(
            place,
            EntryVerdict::Unreadable("the event is not on the tape".to_owned()),
        );
    };
    let event = event.get().as_bytes();
    let is_safe = head(event).is_ok_and(|head| head.is_safe);
    let event = Event {
        place,
        position,
        head: EventHead {
            received_at_ms: exchange.received_at_ms,
            is_safe,
        },
        bytes: event.to_vec(),
        seed: exchange.seed.clone(),
        recorded: Some(Arc::clone(&line)),
    };
    if is_safe {
        Work::Batch(vec![event])
    } else {
        Work::Alone(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_full_by_number_or_by_bytes() {
        let mut batch = Batch::new();
        for number in 1..BATCH_EVENTS_MAX {
            assert_eq!(batch.push(number, 1_000), None);
        }
        let full = batch.push(BATCH_EVENTS_MAX, 1_000).unwrap();
        assert_eq!(full.len(), BATCH_EVENTS_MAX);
        assert_eq!(batch.take(), None);
        assert_eq!(batch.push(1, BATCH_BYTES_MAX), Some(vec![1]));
        assert_eq!(batch.push(2, BATCH_BYTES_MAX - 1), None);
        assert_eq!(batch.push(3, 1), Some(vec![2, 3]));
    }
}
