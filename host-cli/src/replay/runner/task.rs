//! What runs beside other work: a case, a batch of events, a batch of recorded requests.

use super::{Replay, TapeOptions};
use crate::{
    exit::Failure,
    replay::{
        input::{Event, Place},
        report::{Totals, Verdict, html::Detail},
        trace::trace,
    },
};
use host_core::{
    json,
    replay::{self, Case, Exchange, exchange_seed, readable_response},
    tape::{self, Identity, decrypt_line},
};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::OwnedSemaphorePermit;

/// What came of a task.
#[derive(Default)]
pub(super) struct Done {
    pub(super) totals: Totals,
    pub(super) is_case: bool,
    pub(super) verdicts: Vec<(Place, Verdict)>,
    pub(super) details: Vec<Detail>,
    pub(super) bytes: u64,
    /// Of the room for lines of tapes: what came of them takes as much until it is reported.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

impl Done {
    /// A line of a tape that could not be used.
    pub(super) fn told(place: Place, verdict: Verdict) -> Self {
        let mut done = Self::default();
        done.add(place, verdict);
        done
    }

    /// Adds a line of tape that is no request.
    fn add(&mut self, place: Place, verdict: Verdict) {
        self.totals.requests += u64::from(verdict != Verdict::Cut);
        self.totals.add(&verdict);
        self.verdicts.push((place, verdict));
    }
}

/// Replays requests of a tape.
pub(super) async fn tapes(
    replay: Arc<Replay>,
    lines: Vec<(Place, Vec<u8>)>,
) -> Result<Done, Failure> {
    let mut done = Done::default();
    let TapeOptions {
        replayer: Some(replayer),
        trace: is_traced,
        details,
        identity,
        ..
    } = &replay.tapes
    else {
        return Ok(done);
    };
    for (place, line) in lines {
        done.bytes += line.len() as u64 + 1;
        let line: Arc<[u8]> = match decrypted(line, identity.as_ref()) {
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
        done.totals.requests += 1;
        let comparison = replayer.replay(&line, &exchange).await;
        if *details {
            done.details
                .push(Detail::new(&place, &exchange, &comparison));
        }
        if comparison.verdict == tape::replay::Verdict::Same && !is_traced {
            done.totals.same += 1;
            continue;
        }
        let verdict = Verdict::Tape {
            id: exchange.id.clone().into_owned(),
            comparison: Box::new(comparison),
            trace: if *is_traced {
                trace(&exchange)
            } else {
                String::new()
            },
        };
        done.totals.add(&verdict);
        done.verdicts.push((place, verdict));
    }
    Ok(done)
}

/// Runs events, one after the other.
pub(super) async fn events(replay: Arc<Replay>, events: Vec<Event>) -> Result<Done, Failure> {
    let mut done = Done::default();
    for event in events {
        done.totals.events += 1;
        done.bytes += event.bytes.len() as u64;
        let verdict = event_verdict(&replay, &event).await;
        done.totals.add(&verdict);
        if verdict != Verdict::Same {
            done.verdicts.push((event.place, verdict));
        }
    }
    Ok(done)
}

async fn event_verdict(replay: &Replay, event: &Event) -> Verdict {
    let exchange = Exchange {
        event: &event.bytes,
        received_at_ms: event.head.received_at_ms,
        seed: match &event.seed {
            Some(seed) => seed.clone(),
            None => exchange_seed(&replay.seed, event.position),
        },
    };
    match exchange.run(&replay.service).await {
        Ok(answer) if answer.summary.status < 500 => Verdict::Same,
        Ok(answer) => Verdict::ServerError {
            status: answer.summary.status,
            response: readable_response(json::value(&answer.payload).unwrap_or_default()),
        },
        Err(rejection) => Verdict::Refused(rejection.to_string()),
    }
}

/// Runs a case on a store of its own.
pub(super) async fn case(replay: Arc<Replay>, folder: PathBuf) -> Result<Done, Failure> {
    let case = Case::load(&folder).map_err(Failure::environment)?;
    let store = replay.case_stores.open()?;
    let outcome = replay::run_case(&case, &replay.runtime, store, &replay.seed)
        .await
        .map_err(Failure::environment)?;
    let verdict = if replay.bless {
        let changed = case
            .bless(&outcome.response, &outcome.after)
            .map_err(Failure::environment)?;
        if changed {
            Verdict::Blessed
        } else {
            Verdict::Same
        }
    } else {
        let mismatches = outcome.mismatches(&case);
        if mismatches.is_empty() {
            Verdict::Same
        } else {
            Verdict::Differs(mismatches)
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
    let bytes = case.event.len() as u64;
    Ok(Done {
        totals,
        is_case: true,
        verdicts: vec![(place, verdict)],
        details: Vec::new(),
        bytes,
        room: None,
    })
}

pub(super) fn unreadable(error: &tape::ExchangeError) -> Verdict {
    if error.is_cut() {
        Verdict::Cut
    } else {
        Verdict::Unreadable(error.to_string())
    }
}

/// The line itself, where it was encrypted to the identity.
pub(super) fn decrypted(line: Vec<u8>, identity: Option<&Identity>) -> Result<Vec<u8>, Verdict> {
    let Some(identity) = identity else {
        return Ok(line);
    };
    match decrypt_line(&line, identity) {
        Ok(decrypted) => Ok(decrypted.unwrap_or(line)),
        Err(error) => Err(Verdict::Unreadable(error.to_string())),
    }
}
