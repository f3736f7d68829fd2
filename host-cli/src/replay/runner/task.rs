//! Concurrent work: a case, a batch of events, a batch of recorded requests.

use super::{Replay, TapeOptions};
use crate::{
    exit::CommandError,
    replay::{
        input::{Event, Place},
        report::{EntryVerdict, ReportEntry, Totals, html::Detail},
        trace::trace,
    },
    serve::lines::write_log,
};
use contract::outcome::{Answer, Summary};
use gateway::{EventError, normal::status_of};
use observation::{self, Case, readable_response, request_line};
use replay::{ReplayedEvent, exchange_seed};
use std::{path::PathBuf, sync::Arc};
use tape::{self, DecryptError, Identity, decrypt_line};
use tokio::sync::OwnedSemaphorePermit;

/// The result of a task.
#[derive(Default)]
pub(super) struct Done {
    pub(super) totals: Totals,
    pub(super) is_case: bool,
    pub(super) entries: Vec<ReportEntry>,
    pub(super) details: Vec<Detail>,
    pub(super) bytes: u64,
    /// Its share of the room for tape lines or case files, which is kept until the result is reported.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

impl Done {
    /// A line of a tape that could not be used.
    pub(super) fn told(place: Place, verdict: EntryVerdict) -> Self {
        let mut done = Self::default();
        done.add(place, verdict);
        done
    }

    /// Adds a line of tape that is not a request.
    fn add(&mut self, place: Place, verdict: EntryVerdict) {
        self.totals.requests += u64::from(verdict != EntryVerdict::Cut);
        self.totals.add(&verdict);
        self.entries.push(ReportEntry::unread(place, verdict));
    }

    /// Adds a compared request; one without differences only if its trace is requested.
    fn add_compared(
        &mut self,
        place: Place,
        exchange: &tape::Exchange<'_>,
        comparison: replay::Comparison,
        options: &TapeOptions,
    ) {
        if options.details {
            self.details
                .push(Detail::new(&place, exchange, &comparison));
        }
        if comparison.verdict == replay::Verdict::Same && !options.trace {
            self.totals.same += 1;
            return;
        }
        let event = exchange.event.map_or("null", |event| event.get());
        let reported = ReportEntry {
            place,
            is_case: false,
            request: request_line(event.as_bytes()),
            status_expected: exchange.status,
            status_actual: comparison.status,
            log: String::new(), // where it differs, it is one of the differences
            verdict: EntryVerdict::Tape {
                id: exchange.id.clone().into_owned(),
                comparison: Box::new(comparison),
                trace: if options.trace {
                    trace(exchange)
                } else {
                    String::new()
                },
            },
        };
        self.totals.add(&reported.verdict);
        self.entries.push(reported);
    }
}

/// Replays requests of a tape.
pub(super) async fn tapes(
    replay: Arc<Replay>,
    lines: Vec<(Place, Vec<u8>)>,
) -> Result<Done, CommandError> {
    let mut done = Done::default();
    let Some(replayer) = &replay.tapes.replayer else {
        return Ok(done);
    };
    let identity = replay.tapes.identity.as_ref();
    for (place, line) in lines {
        done.bytes += line.len() as u64 + 1;
        let line: Arc<[u8]> = match decrypted(line, identity) {
            Ok(line) => line.into(),
            Err(verdict) => {
                done.add(place, verdict);
                continue;
            }
        };
        let exchange = match tape::Exchange::read(&line) {
            Ok(exchange) => exchange,
            Err(error) => {
                done.add(place, unreadable(&error));
                continue;
            }
        };
        replay.check_guest(&place, &exchange)?;
        done.totals.requests += 1;
        let comparison = replayer.replay(&line, &exchange).await;
        done.add_compared(place, &exchange, comparison, &replay.tapes);
    }
    Ok(done)
}

/// Runs events, one after the other.
pub(super) async fn events(replay: Arc<Replay>, events: Vec<Event>) -> Result<Done, CommandError> {
    let mut done = Done::default();
    for event in events {
        done.totals.events += 1;
        done.bytes += event.bytes.len() as u64;
        let answer = answer(&replay, &event).await;
        let recorded = event.recorded.as_deref().map(tape::Exchange::read);
        if let Some(Ok(exchange)) = &recorded {
            let ignore = &replay.tapes.ignore;
            let comparison = replay::compare_live(exchange, &answer, ignore);
            done.add_compared(event.place, exchange, comparison, &replay.tapes);
            continue;
        }
        let (status, log, verdict) = match answer {
            Ok(answer) => {
                let status = answer.summary.status;
                (
                    Some(status),
                    log_of(&answer.summary),
                    event_verdict(&answer),
                )
            }
            Err(rejection) => {
                let verdict = EntryVerdict::Refused(rejection.to_string());
                (None, String::new(), verdict)
            }
        };
        done.totals.add(&verdict);
        if verdict != EntryVerdict::Same {
            done.entries.push(ReportEntry {
                request: request_line(&event.bytes),
                status_actual: status,
                log,
                ..ReportEntry::unread(event.place, verdict)
            });
        }
    }
    Ok(done)
}

async fn answer(replay: &Replay, event: &Event) -> Result<Answer, EventError> {
    let run = ReplayedEvent {
        event: &event.bytes,
        received_at_ms: event.head.received_at_ms,
        seed: match &event.seed {
            Some(seed) => seed.clone(),
            None => exchange_seed(&replay.seed, event.position),
        },
    };
    run.run(&replay.service).await
}

/// Without an expectation, only server errors count as wrong.
fn event_verdict(answer: &Answer) -> EntryVerdict {
    let status = answer.summary.status;
    if status < 500 {
        return EntryVerdict::Same;
    }
    EntryVerdict::ServerError {
        status,
        response: readable_response(json::value(&answer.payload).unwrap_or_default()),
    }
}

/// The guest's log lines, and why the host answered in its place.
fn log_of(summary: &Summary) -> String {
    let mut lines = Vec::new();
    write_log(&mut lines, "", summary);
    String::from_utf8_lossy(&lines).into_owned()
}

/// Runs a case on its own store.
pub(super) async fn case(replay: Arc<Replay>, folder: PathBuf) -> Result<Done, CommandError> {
    let mut case = Case::load(&folder).map_err(CommandError::environment)?;
    let store = replay.case_stores.open()?;
    let outcome = replay::run_case(&case, &replay.runtime, store, &replay.seed)
        .await
        .map_err(CommandError::environment)?;
    let status_expected = case.response.as_ref().and_then(status_of);
    let status_actual = status_of(&outcome.response);
    let log = outcome.summary.as_ref().map(log_of).unwrap_or_default();
    let verdict = if replay.bless {
        let changed = case
            .bless(&outcome.response, &outcome.after)
            .map_err(CommandError::environment)?;
        if changed {
            EntryVerdict::Blessed
        } else {
            EntryVerdict::Same
        }
    } else {
        let differing = outcome.differences(&mut case, &replay.tapes.ignore);
        if differing.is_empty() {
            EntryVerdict::Same
        } else {
            EntryVerdict::Differs(differing)
        }
    };
    let mut totals = Totals {
        cases: 1,
        ..Totals::default()
    };
    totals.add(&verdict);
    let place = Place {
        path: folder.into(),
        line: None,
    };
    let reported = ReportEntry {
        is_case: true,
        request: request_line(&case.event),
        status_expected,
        status_actual,
        log,
        ..ReportEntry::unread(place, verdict)
    };
    let bytes = case.event.len() as u64;
    Ok(Done {
        totals,
        is_case: true,
        entries: vec![reported],
        details: Vec::new(),
        bytes,
        room: None,
    })
}

pub(super) fn unreadable(error: &tape::ExchangeError) -> EntryVerdict {
    match error {
        error if error.is_cut() => EntryVerdict::Cut,
        tape::ExchangeError::Encrypted => EntryVerdict::Encrypted(error.to_string()),
        error => EntryVerdict::Unreadable(error.to_string()),
    }
}

/// The line itself, decrypted if it was encrypted to the identity.
pub(super) fn decrypted(
    line: Vec<u8>,
    identity: Option<&Identity>,
) -> Result<Vec<u8>, EntryVerdict> {
    let Some(identity) = identity else {
        return Ok(line);
    };
    match decrypt_line(&line, identity) {
        Ok(decrypted) => Ok(decrypted.unwrap_or(line)),
        Err(error @ DecryptError::OtherRecipient) => {
            Err(EntryVerdict::Encrypted(error.to_string()))
        }
        Err(error) => Err(EntryVerdict::Unreadable(error.to_string())),
    }
}
