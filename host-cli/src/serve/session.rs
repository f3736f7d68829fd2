//! The last requests of a session, as lines of tape in memory.
//!
//! They are not redacted, because they never leave the process: a redacted request would be answered differently.

use contract::outcome::Answer;
use gateway::{Reply, compose::Composed};
use service::{Invocation, Recorder, Service};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tape::{RecordOptions, Redaction, TapePolicy};

/// Number of requests that are kept.
const EXCHANGES_MAX: usize = 100;
/// Bytes of their lines.
const LINES_BYTES_MAX: usize = 64 << 20;
/// Longer bodies and documents are not kept, and their requests cannot be replayed.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// A request with its number, by which its developer names it.
#[derive(Clone, Debug)]
pub struct KeptExchange {
    /// Counted from 1 since the start.
    pub number: u64,
    /// Its line of tape.
    pub line: Arc<[u8]>,
}

/// Keeps the last requests. One for each server, shared by all requests.
pub struct Session {
    recorder: Recorder,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    count: u64,
    bytes: usize,
    exchanges: VecDeque<KeptExchange>,
}

impl Session {
    /// An empty session.
    pub fn new() -> Self {
        Self {
            recorder: Recorder::new(RecordOptions {
                redaction: Redaction::nothing(),
                text_bytes_max: TEXT_BYTES_MAX,
                stays_in_process: true,
                ..RecordOptions::new(TapePolicy::ALL)
            }),
            kept: Mutex::default(),
        }
    }

    /// [`Service::handle`], kept; with the number of the request.
    pub async fn handle(
        &self,
        service: &Service,
        event: Composed<'_>,
        invocation: Invocation,
    ) -> (Answer<Reply>, u64) {
        let Some(mut recording) = self.recorder.begin(&invocation) else {
            let event = service.parse_composed(event, &invocation);
            return (service.handle(event, invocation).await, self.keep(None));
        };
        let json = event.to_json();
        let event = service.parse_composed(event, &invocation);
        let answer = recording.handle(service, event, invocation).await;
        let payload = answer.payload.to_json();
        let line = recording.line(service, &json, &payload, &answer.summary);
        (answer, self.keep(line))
    }

    /// The requests, oldest first.
    pub fn exchanges(&self) -> Vec<KeptExchange> {
        self.lock().exchanges.iter().cloned().collect()
    }

    /// The request with this number, if it is still kept.
    pub fn find(&self, number: u64) -> Option<KeptExchange> {
        let kept = self.lock();
        let found = kept.exchanges.iter().find(|kept| kept.number == number);
        found.cloned()
    }

    fn keep(&self, line: Option<Vec<u8>>) -> u64 {
        let mut kept = self.lock();
        kept.count += 1;
        let number = kept.count;
        if let Some(line) = line {
            kept.bytes += line.len();
            kept.exchanges.push_back(KeptExchange {
                number,
                line: line.into(),
            });
        }
        while kept.exchanges.len() > EXCHANGES_MAX || kept.bytes > LINES_BYTES_MAX {
            let Some(oldest) = kept.exchanges.pop_front() else {
                break;
            };
            kept.bytes -= oldest.line.len();
        }
        number
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(session: &Session) -> Vec<u64> {
        session.exchanges().iter().map(|kept| kept.number).collect()
    }

    #[test]
    fn the_last_hundred_are_kept_under_their_numbers() {
        let session = Session::new();
        for number in 1..=150 {
            let line = (number % 50 != 0).then(|| vec![b'x'; 10]);
            assert_eq!(session.keep(line), number);
        }
        let kept = numbers(&session);
        assert_eq!((kept.len(), kept[0], kept[99]), (100, 48, 149));
        assert!(!kept.contains(&100), "it had no line");
        assert_eq!(session.find(120).map(|kept| kept.number), Some(120));
        assert!(session.find(47).is_none() && session.find(151).is_none());
    }

    #[test]
    fn long_lines_push_others_out() {
        let session = Session::new();
        for _ in 0..3 {
            session.keep(Some(vec![b'x'; LINES_BYTES_MAX / 2]));
        }
        assert_eq!(numbers(&session), [2, 3]);
        session.keep(Some(vec![b'x'; LINES_BYTES_MAX + 1]));
        assert_eq!(numbers(&session), [] as [u64; 0]);
        assert_eq!(session.lock().bytes, 0);
    }
}
