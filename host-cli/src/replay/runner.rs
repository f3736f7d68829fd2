//! Runs the input of a replay: as much at once as the order allows, reported in the order of the input.
//!
//! A thread reads; the runtime's workers run; whoever called reports. Between them stand short queues, so that memory stays flat
//! however long the input is.

use super::{
    input::{Event, Input, Lines, Place, read_event},
    progress::Progress,
    report::{Report, Totals, Verdict},
};
use crate::{exit::Failure, store::CaseStores};
use host_core::{
    replay::{self, Case, Exchange, exchange_seed, readable_response},
    runtime::Runtime,
    seed::Seed,
    service::Service,
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
}

/// What the reading thread asks for, in the order of the input.
enum Work {
    Case(PathBuf),
    /// Events of one file whose order does not matter.
    Batch(Vec<Event>),
    /// An event that may change what others see: nothing runs beside it.
    Alone(Event),
    EndOfFile(PathBuf),
    Unreadable(Failure),
}

/// What came of a task.
#[derive(Default)]
struct Done {
    totals: Totals,
    is_case: bool,
    verdicts: Vec<(Place, Verdict)>,
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
        .spawn(move || read(inputs, &sender))
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
        self.progress
            .advance(done.bytes, done.totals.events + done.totals.cases);
        Ok(())
    }
}

/// Reads everything in order. Ends early when nobody listens any more.
fn read(inputs: Vec<Input>, works: &mpsc::Sender<Work>) {
    let mut position = 0;
    for input in inputs {
        let sent = match input {
            Input::Case(folder) => send(works, Work::Case(folder)),
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
        seed: exchange_seed(&replay.seed, event.position),
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
        bytes,
    })
}
