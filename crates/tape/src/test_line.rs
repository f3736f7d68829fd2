//! A line for tests of what is recorded.

use crate::{RecordedAnswer, RecordedHost, RecordedRequest, RecordingStorage, TapeWriter};
use contract::{limits::Limits, log::LogLevel, outcome::Summary, seed::Seed};

/// A host without anything of its own.
pub fn test_host() -> RecordedHost<'static> {
    RecordedHost {
        base_path: None,
        limits: Limits::default(),
        log_level: LogLevel::Info,
        environment: &[],
    }
}

/// The line of a request with this event, whose guest used this view of a store, and those beside it.
pub fn test_line(writer: &TapeWriter, storage: &RecordingStorage, event: &str) -> Vec<u8> {
    let request = RecordedRequest {
        event: event.as_bytes(),
        received_at_ms: 0,
        seed: Seed::new([1; 32]),
    };
    let summary = Summary::new("id".to_owned(), "GET".to_owned(), "/".to_owned());
    let answer = RecordedAnswer {
        payload: b"{}",
        summary: &summary,
    };
    let line = writer.line(&test_host(), &request, Some(storage), &answer);
    line.unwrap()
}
