//! Runs the input of a replay: as much at once as the order allows, reported in the order of the input.
//!
//! A thread reads; the runtime's workers run; whoever called reports. Between them stand short queues, so that memory stays flat
//! however long the input is.

use super::{
    input::{Event, Input, Lines, Place, read_event},
    progress::Progress,
    report::{Report, Totals, Verdict, html::Detail},
    tapes::{self, Source},
    trace::trace,
};
use crate::{exit::Failure, store::CaseStores};
use host_core::{
    replay::{self, Case, EventHead, Exchange, exchange_seed, head, readable_response},
    runtime::Runtime,
    seed::Seed,
    service::Service,
    tape::{self, Identity, Line, decrypt_line, replay::Replayer},
};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};
use tokio::{sync::mpsc, task::JoinHandle};

/// Events that one task runs one after the other.
const BATCH_EVENTS_MAX: usize = 64;

/// All that a replay needs beside its input.
pub struct Replay {
    /// The guest.
    pub runtime: Runtime,
    /// The guest on the store that the events of files share.
    pub service: Service,
    /// Where cases get theirs.
    pub case_stores: CaseStores,
    /// From which the seeds of all events follow.
    pub seed: Seed,
    /// Write what comes out as what cases expect.
    pub bless: bool,
    /// Batches that may wait for their turn to be reported.
    pub pending_max: usize,
    /// Of the requests of tapes.
    pub tapes: TapeOptions,
    /// Which of all cases and requests: every `.1`th from the `.0`th on, counted from 0.
    pub shard: (u64, u64),
}

/// How requests of tapes are replayed.
pub struct TapeOptions {
    /// `None`: as events, against the store.
    pub replayer: Option<Replayer>,
    /// Only those whose id begins with this.
    pub only: Option<String>,
    /// Tell what happened when they were recorded.
    pub trace: bool,
    /// Reads encrypted lines.
    pub identity: Option<Identity>,
    /// Gather what the HTML report shows.
    pub details: bool,
}

impl Replay {
    /// Whether the case or request with this number is ours.
    fn takes(&self, number: u64) -> bool {
        let (first, of) = self.shard;
        number % of == first
    }
}

/// What the reading thread asks for, in the order of the input.
enum Work {
    Case(PathBuf),
    /// Events of one file whose order does not matter.
    Batch(Vec<Event>),
    /// An event that may change what others see: nothing runs beside it.
    Alone(Event),
    /// Requests of a tape.
    Tapes(Vec<(Place, Vec<u8>)>),
    /// A line of a tape that could not be used.
    Told(Place, Verdict),
    EndOfFile(PathBuf),
    Unreadable(Failure),
}

/// What came of a task.
#[derive(Default)]
struct Done {
    totals: Totals,
    is_case: bool,
    verdicts: Vec<(Place, Verdict)>,
    details: Vec<Detail>,
    bytes: u64,
}

enum Pending {
    Task(JoinHandle<Result<Done, Failure>>),
    EndOfFile(PathBuf),
}

/// Reports what has come to its end, oldest first.
struct Settlement<'a> {
    pending: VecDeque<Pending>,
    report: &'a mut dyn Report,
    progress: &'a Progress,
    totals: Totals,
    file: Totals,
}

/// Runs everything.
pub async fn run(
    replay: Arc<Replay>,
    inputs: Vec<Input>,
    report: &mut dyn Report,
    progress: &Progress,
) -> Result<Totals, Failure> {
    let pending_max = replay.pending_max;
    let (sender, mut works) = mpsc::channel(pending_max);
    thread::Builder::new()
        .name("replay-reader".to_owned())
        .spawn({
            let replay = Arc::clone(&replay);
            move || read(&replay, inputs, &sender)
        })
        .map_err(|error| Failure::environment(format_args!("failed to start a thread: {error}")))?;
    let mut settlement = Settlement {
        pending: VecDeque::new(),
        report,
        progress,
        totals: Totals::default(),
        file: Totals::default(),
    };
    while let Some(work) = works.recv().await {
        let replay = Arc::clone(&replay);
        match work {
            Work::Case(folder) => settlement.start(run_case(replay, folder)),
            Work::Batch(events) => settlement.start(run_events(replay, events)),
            Work::Alone(event) => {
                settlement.settle_to(0).await?;
                settlement.start(run_events(replay, vec![event]));
                settlement.settle_to(0).await?;
            }
            Work::Tapes(lines) => settlement.start(run_tapes(replay, lines)),
            Work::Told(place, verdict) => settlement.start(async move { Ok(told(place, verdict)) }),
            Work::EndOfFile(path) => settlement.pending.push_back(Pending::EndOfFile(path)),
            Work::Unreadable(failure) => {
                settlement.settle_to(0).await?;
                return Err(failure);
            }
        }
        settlement.settle_to(pending_max).await?;
    }
    settlement.settle_to(0).await?;
    settlement.report.finish(&settlement.totals)?;
    Ok(settlement.totals)
}

impl Settlement<'_> {
    fn start(&mut self, task: impl Future<Output = Result<Done, Failure>> + Send + 'static) {
        self.pending.push_back(Pending::Task(tokio::spawn(task)));
    }

    /// Reports the oldest until at most `count` are pending.
    async fn settle_to(&mut self, count: usize) -> Result<(), Failure> {
        while self.pending.len() > count
            && let Some(pending) = self.pending.pop_front()
        {
            match pending {
                Pending::Task(task) => {
                    let done = task.await.map_err(|error| {
                        Failure::environment(format_args!("the host failed in a replay: {error}"))
                    })??;
                    self.settle(&done)?;
                }
                Pending::EndOfFile(path) => {
                    let totals = std::mem::take(&mut self.file);
                    self.report.file(&path, &totals)?;
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self, done: &Done) -> Result<(), Failure> {
        self.totals.add_all(&done.totals);
        if !done.is_case {
            self.file.add_all(&done.totals);
        }
        for (place, verdict) in &done.verdicts {
            self.progress
                .aside(|| self.report.verdict(place, done.is_case, verdict))?;
        }
        for detail in &done.details {
            self.report.detail(detail)?;
        }
        let Totals {
            events,
            cases,
            requests,
            ..
        } = done.totals;
        self.progress.advance(done.bytes, events + cases + requests);
        Ok(())
    }
}

/// Reads everything in order. Ends early when nobody listens any more.
fn read(replay: &Replay, inputs: Vec<Input>, works: &mpsc::Sender<Work>) {
    let mut position = 0;
    // Cases and requests: what can be shared among machines, as nothing depends on the others.
    let mut number = 0;
    for input in inputs {
        let sent = match input {
            Input::Case(folder) => {
                number += 1;
                if replay.takes(number - 1) {
                    send(works, Work::Case(folder))
                } else {
                    Some(())
                }
            }
            Input::Tape(source) => {
                let mut reader = TapeWork {
                    replay,
                    works,
                    source: &source,
                    batch: Vec::with_capacity(BATCH_EVENTS_MAX),
                };
                match reader.read(&mut number, &mut position) {
                    Ok(sent) => {
                        sent.and_then(|()| send(works, Work::EndOfFile(source.path().into())))
                    }
                    Err(failure) => send(works, Work::Unreadable(failure)),
                }
            }
            Input::Event(path) => match read_event(&path, position) {
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
            Input::Lines(path) => match read_lines(&path, &mut position, works) {
                Ok(sent) => sent.and_then(|()| send(works, Work::EndOfFile(path))),
                Err(failure) => send(works, Work::Unreadable(failure)),
            },
        };
        if sent.is_none() {
            return;
        }
    }
}

/// `None`: nobody listens.
fn send(works: &mpsc::Sender<Work>, work: Work) -> Option<()> {
    works.blocking_send(work).ok()
}

fn read_lines(
    path: &Path,
    position: &mut u64,
    works: &mpsc::Sender<Work>,
) -> Result<Option<()>, Failure> {
    let mut lines = Lines::open(path)?;
    let mut batch = Vec::with_capacity(BATCH_EVENTS_MAX);
    let flush = |batch: &mut Vec<Event>| {
        if batch.is_empty() {
            return Some(());
        }
        let full = std::mem::replace(batch, Vec::with_capacity(BATCH_EVENTS_MAX));
        send(works, Work::Batch(full))
    };
    loop {
        let next = lines.next(*position);
        let sent = match next {
            Ok(Some(event)) => {
                *position += 1;
                if event.head.is_safe {
                    batch.push(event);
                    if batch.len() < BATCH_EVENTS_MAX {
                        Some(())
                    } else {
                        flush(&mut batch)
                    }
                } else {
                    flush(&mut batch).and_then(|()| send(works, Work::Alone(event)))
                }
            }
            Ok(None) => return Ok(flush(&mut batch)),
            Err(failure) => {
                return Ok(flush(&mut batch).and(send(works, Work::Unreadable(failure))));
            }
        };
        if sent.is_none() {
            return Ok(None);
        }
    }
}

/// Passes on what a tape holds.
struct TapeWork<'a> {
    replay: &'a Replay,
    works: &'a mpsc::Sender<Work>,
    source: &'a Source,
    batch: Vec<(Place, Vec<u8>)>,
}

impl TapeWork<'_> {
    /// `None`: nobody listens.
    fn read(&mut self, number: &mut u64, position: &mut u64) -> Result<Option<()>, Failure> {
        let source = self.source;
        let path: Arc<Path> = source.path().into();
        let mut sent = Some(());
        tapes::read(source, &mut |line| {
            *number += 1;
            if !self.replay.takes(*number - 1) || !self.is_wanted(&line) {
                return true;
            }
            let place = Place {
                path: Arc::clone(&path),
                line: Some(line.number),
            };
            sent = if self.replay.tapes.replayer.is_some() {
                self.batch.push((place, line.bytes));
                if self.batch.len() < BATCH_EVENTS_MAX {
                    Some(())
                } else {
                    self.flush()
                }
            } else {
                *position += 1;
                let identity = self.replay.tapes.identity.as_ref();
                let work = match decrypted(line.bytes, identity) {
                    Ok(line) => live(place, *position - 1, &line),
                    Err(verdict) => Work::Told(place, verdict),
                };
                send(self.works, work)
            };
            sent.is_some()
        })?;
        Ok(sent.and_then(|()| self.flush()))
    }

    /// Ids are looked for as text first: most lines need not be taken apart.
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

    fn flush(&mut self) -> Option<()> {
        if self.batch.is_empty() {
            return Some(());
        }
        let full = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH_EVENTS_MAX));
        send(self.works, Work::Tapes(full))
    }
}

/// A request's event, to be run against the store like any other.
fn live(place: Place, position: u64, line: &[u8]) -> Work {
    let exchange = match tape::Exchange::read(line) {
        Ok(exchange) => exchange,
        Err(error) => return Work::Told(place, unreadable(&error)),
    };
    let Some(event) = exchange.event else {
        return Work::Told(
            place,
            Verdict::Unreadable("the event is not on the tape".to_owned()),
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
    };
    if is_safe {
        Work::Batch(vec![event])
    } else {
        Work::Alone(event)
    }
}

fn unreadable(error: &tape::ExchangeError) -> Verdict {
    if error.is_cut() {
        Verdict::Cut
    } else {
        Verdict::Unreadable(error.to_string())
    }
}

fn told(place: Place, verdict: Verdict) -> Done {
    let mut done = Done::default();
    done.add(place, verdict);
    done
}

impl Done {
    /// Adds a line of tape that is no request.
    fn add(&mut self, place: Place, verdict: Verdict) {
        self.totals.requests += u64::from(verdict != Verdict::Cut);
        self.totals.add(&verdict);
        self.verdicts.push((place, verdict));
    }
}

/// The line itself, where it was encrypted to the identity.
fn decrypted(line: Vec<u8>, identity: Option<&Identity>) -> Result<Vec<u8>, Verdict> {
    let Some(identity) = identity else {
        return Ok(line);
    };
    match decrypt_line(&line, identity) {
        Ok(decrypted) => Ok(decrypted.unwrap_or(line)),
        Err(error) => Err(Verdict::Unreadable(error.to_string())),
    }
}

async fn run_tapes(replay: Arc<Replay>, lines: Vec<(Place, Vec<u8>)>) -> Result<Done, Failure> {
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

async fn run_events(replay: Arc<Replay>, events: Vec<Event>) -> Result<Done, Failure> {
    let mut done = Done::default();
    for event in events {
        done.totals.events += 1;
        done.bytes += event.bytes.len() as u64;
        let verdict = run_event(&replay, &event).await;
        done.totals.add(&verdict);
        if verdict != Verdict::Same {
            done.verdicts.push((event.place, verdict));
        }
    }
    Ok(done)
}

async fn run_event(replay: &Replay, event: &Event) -> Verdict {
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
            response: readable_response(
                serde_json::from_slice(&answer.payload).unwrap_or_default(),
            ),
        },
        Err(rejection) => Verdict::Refused(rejection.to_string()),
    }
}

async fn run_case(replay: Arc<Replay>, folder: PathBuf) -> Result<Done, Failure> {
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
    })
}
