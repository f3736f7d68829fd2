//! Runs the inputs of a replay: concurrently as far as their order allows, reported in the order of the input.
//!
//! One thread reads, the runtime's workers run, and the caller reports. Short queues connect them, so that memory stays constant however
//! long the input is.

mod reader;
mod task;

use self::{reader::Work, task::Done};
use super::{
    input::{Input, Place},
    progress::Progress,
    report::{EntryVerdict, Report, ReportEntry, Totals},
};
use crate::{exit::CommandError, output, project::EMBEDDED_NAME, store::CaseStores};
use contract::{
    limits::{CASE_BYTES_IN_FLIGHT_MAX, TAPE_BYTES_IN_FLIGHT_MAX},
    seed::Seed,
};
use observation::IgnoreRule;
use replay::Replayer;
use runtime::Runtime;
use service::Service;
use std::{
    collections::VecDeque, future::poll_fn, path::PathBuf, pin::Pin, sync::Arc, task::Poll, thread,
};
use tape::{self, Identity};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::{JoinError, JoinHandle},
};

/// Everything that a replay needs besides its input.
pub struct Replay {
    /// The guest.
    pub runtime: Runtime,
    /// Whether the user named it. If not, it only runs requests that were recorded with it.
    pub is_guest_named: bool,
    /// The guest with the store that the events of files share.
    pub service: Service,
    /// The stores of cases.
    pub case_stores: CaseStores,
    /// The seed from which those of all events are derived.
    pub seed: Seed,
    /// Whether to write the actual results as the expectations of cases.
    pub bless: bool,
    /// Batches that may wait to be reported.
    pub pending_max: usize,
    /// Options for requests of tapes.
    pub tapes: TapeOptions,
    /// Bytes of tape lines that may be processed, see [`TAPE_BYTES_IN_FLIGHT_MAX`].
    pub tape_bytes: Arc<Semaphore>,
    /// Bytes of case files that may be processed, see [`CASE_BYTES_IN_FLIGHT_MAX`].
    pub case_bytes: Arc<Semaphore>,
    /// The shard of all cases and requests.
    pub shard: Shard,
}

/// A shard of all cases and requests: every `count`th from the `index`th on, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The shard's number, counted from 0.
    pub index: u64,
    /// The number of shards.
    pub count: u64,
}

impl Shard {
    /// Everything.
    pub const ALL: Self = Self { index: 0, count: 1 };
}

/// How requests of tapes are replayed.
pub struct TapeOptions {
    /// `None`: as events, on the store.
    pub replayer: Option<Replayer>,
    /// Only requests whose id begins with this.
    pub only: Option<String>,
    /// Whether to show what happened when they were recorded.
    pub trace: bool,
    /// The key for encrypted lines.
    pub identity: Option<Identity>,
    /// Ignored differences of cases and live replays; those of tapes are the same.
    pub ignore: Vec<IgnoreRule>,
    /// Whether to collect the details for the HTML report.
    pub details: bool,
}

impl Replay {
    /// Whether the case or request with this number belongs to this shard.
    fn takes(&self, number: u64) -> bool {
        number % self.shard.count == self.shard.index
    }

    /// Waits for room for this many bytes of tape; `None` if no worker is left.
    fn tape_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        room(&self.tape_bytes, bytes.min(TAPE_BYTES_IN_FLIGHT_MAX))
    }

    /// The same for the files of a case.
    fn case_room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let bytes = bytes.min(CASE_BYTES_IN_FLIGHT_MAX as u64);
        room(&self.case_bytes, bytes as usize)
    }

    /// Refuses to run the embedded guest on a request of another guest, unless the user named it.
    fn check_guest(
        &self,
        place: &Place,
        exchange: &tape::Exchange<'_>,
    ) -> Result<(), CommandError> {
        let present = self.runtime.digest();
        match exchange.guest {
            Some(recorded) if recorded != present && !self.is_guest_named => {
                Err(CommandError::usage(format_args!(
                    "`{place}` was recorded with guest {recorded}, but the embedded guest is {present}"
                ))
                .hint(format_args!(
                    "name the guest to replay it with: `--guest FILE`, or `--guest {EMBEDDED_NAME}` for the one in this program; of a tape with \
                     requests of several guests, those of the named one are replayed call by call, and the others by state"
                )))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Waits on the reading thread, so that room is given in the order of the input: what comes first is reported first, and makes room.
fn room(of: &Arc<Semaphore>, permits: usize) -> Option<OwnedSemaphorePermit> {
    let room = Arc::clone(of).acquire_many_owned(permits as u32);
    Handle::current().block_on(room).ok()
}

/// The result of a replay.
pub struct Found {
    /// The counts.
    pub totals: Totals,
    /// The id, or its beginning, of the first request that differs.
    pub first_id: Option<String>,
    /// Whether a case differs.
    pub has_case: bool,
}

/// Number of work items that the reading thread may be ahead.
const WORKS_MAX: usize = 8;

type TaskResult = Result<Done, CommandError>;

enum Pending {
    Task(JoinHandle<TaskResult>),
    EndOfFile(PathBuf),
}

/// The next event.
enum Next {
    /// `None`: there is no more work.
    Work(Option<Work>),
    /// The oldest task has ended.
    Done(Result<TaskResult, JoinError>),
    /// Everything in a file is reported.
    EndOfFile,
}

/// Reports ended tasks, oldest first.
struct Settlement<'a> {
    pending: VecDeque<Pending>,
    report: &'a mut dyn Report,
    progress: &'a Progress,
    found: Found,
    file: Totals,
    /// Inputs that could not be read or run; reported as they occurred.
    failures: u64,
    last_failure: Option<CommandError>,
}

/// Runs everything. An input that cannot be read or run does not stop the others, and makes the whole replay fail at the end.
pub async fn run(
    replay: Arc<Replay>,
    inputs: Vec<Input>,
    report: &mut dyn Report,
    progress: &Progress,
) -> Result<Found, CommandError> {
    let (sender, mut works) = mpsc::channel(WORKS_MAX);
    start_reader(Arc::clone(&replay), inputs, sender)?;
    let mut settlement = Settlement {
        pending: VecDeque::new(),
        report,
        progress,
        found: Found {
            totals: Totals::default(),
            first_id: None,
            has_case: false,
        },
        file: Totals::default(),
        failures: 0,
        last_failure: None,
    };
    while let Some(work) = settlement.next_work(&mut works).await? {
        settlement.begin(&replay, work).await?;
        settlement.settle_to(replay.pending_max).await?;
    }
    settlement.end().await
}

/// The thread waits for room that workers of the runtime make.
fn start_reader(
    replay: Arc<Replay>,
    inputs: Vec<Input>,
    sender: mpsc::Sender<Work>,
) -> Result<(), CommandError> {
    let runtime = Handle::current();
    thread::Builder::new()
        .name("replay-reader".to_owned())
        .spawn(move || {
            let _entered = runtime.enter();
            reader::read(&replay, inputs, &sender);
        })
        .map(|_| ())
        .map_err(|error| {
            CommandError::environment(format_args!("failed to start a thread: {error}"))
        })
}

fn tell(failure: &CommandError) {
    output::failure(failure);
}

impl Settlement<'_> {
    /// Keeps the last failure for the end; earlier ones are reported.
    fn fail(&mut self, failure: CommandError) -> Result<(), CommandError> {
        // The request itself is impossible, so the remaining inputs would fail alike.
        if failure.is_usage() {
            return Err(failure);
        }
        self.failures += 1;
        self.report.failed(failure.message())?;
        if let Some(earlier) = self.last_failure.replace(failure) {
            self.progress.aside(|| tell(&earlier));
        }
        Ok(())
    }

    /// Starts the next work. An event that may change what others see waits for earlier ones, and later ones wait for it.
    async fn begin(&mut self, replay: &Arc<Replay>, work: Work) -> Result<(), CommandError> {
        let replay = Arc::clone(replay);
        match work {
            Work::Case(folder, room) => self.start(async move {
                let mut done = task::case(replay, folder).await?;
                done.room = Some(room);
                Ok(done)
            }),
            Work::Batch(events) => self.start(task::events(replay, events)),
            Work::Alone(event) => {
                self.settle_to(0).await?;
                self.start(task::events(replay, vec![event]));
                self.settle_to(0).await?;
            }
            Work::Tapes(lines, room) => self.start(async move {
                let mut done = task::tapes(replay, lines).await?;
                done.room = Some(room);
                Ok(done)
            }),
            Work::Told(place, verdict) => {
                self.start(async move { Ok(Done::told(place, verdict)) });
            }
            Work::EndOfFile(path) => self.pending.push_back(Pending::EndOfFile(path)),
            Work::Unreadable(failure) => {
                self.settle_to(0).await?;
                self.fail(failure)?;
            }
        }
        Ok(())
    }

    /// Waits for everything that was started, and ends the report. A failure is returned as the failure of the whole.
    async fn end(mut self) -> Result<Found, CommandError> {
        self.settle_to(0).await?;
        self.report.finish(&self.found.totals)?;
        match (self.failures, self.last_failure) {
            (0 | 1, Some(failure)) => Err(failure),
            (count, Some(failure)) => {
                self.progress.aside(|| tell(&failure));
                Err(CommandError::environment(format_args!(
                    "{count} inputs could not be read or run"
                ))
                .hint("each is named above; the others were replayed"))
            }
            (_, None) => Ok(self.found),
        }
    }

    fn start(&mut self, task: impl Future<Output = Result<Done, CommandError>> + Send + 'static) {
        self.pending.push_back(Pending::Task(tokio::spawn(task)));
    }

    /// Waits for the next work. Meanwhile, ended tasks are reported, because the reading thread may wait for the room that they occupy.
    async fn next_work(
        &mut self,
        works: &mut mpsc::Receiver<Work>,
    ) -> Result<Option<Work>, CommandError> {
        loop {
            let next = poll_fn(|context| {
                if let Poll::Ready(work) = works.poll_recv(context) {
                    return Poll::Ready(Next::Work(work));
                }
                match self.pending.front_mut() {
                    Some(Pending::Task(task)) => Pin::new(task).poll(context).map(Next::Done),
                    Some(Pending::EndOfFile(_)) => Poll::Ready(Next::EndOfFile),
                    None => Poll::Pending,
                }
            })
            .await;
            match next {
                Next::Work(work) => return Ok(work),
                Next::Done(done) => {
                    self.pending.pop_front();
                    self.settle_done(done)?;
                }
                Next::EndOfFile => self.settle_to(self.pending.len() - 1).await?,
            }
        }
    }

    /// Reports the oldest until at most `count` are pending.
    async fn settle_to(&mut self, count: usize) -> Result<(), CommandError> {
        while self.pending.len() > count
            && let Some(pending) = self.pending.pop_front()
        {
            match pending {
                Pending::Task(task) => {
                    let done = task.await;
                    self.settle_done(done)?;
                }
                Pending::EndOfFile(path) => {
                    let totals = std::mem::take(&mut self.file);
                    self.progress.end_of_input(&path);
                    self.report.file(&path, &totals)?;
                }
            }
        }
        Ok(())
    }

    fn settle_done(&mut self, done: Result<TaskResult, JoinError>) -> Result<(), CommandError> {
        let done = done.map_err(|error| {
            CommandError::environment(format_args!("the host failed in a replay: {error}"))
        })?;
        match done {
            Ok(done) => self.settle(&done)?,
            Err(failure) => self.fail(failure)?,
        }
        Ok(())
    }

    fn settle(&mut self, done: &Done) -> Result<(), CommandError> {
        self.found.totals.add_all(&done.totals);
        if !done.is_case {
            self.file.add_all(&done.totals);
        }
        for reported in &done.entries {
            self.note(reported);
            self.progress.aside(|| self.report.entry(reported))?;
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
        if let [case] = done.entries.as_slice()
            && case.is_case
        {
            self.progress.end_of_input(&case.place.path);
        }
        Ok(())
    }

    /// Records the first difference for the suggested next step.
    fn note(&mut self, reported: &ReportEntry) {
        let differs = match &reported.verdict {
            EntryVerdict::Tape { comparison, .. } => comparison.verdict != replay::Verdict::Same,
            EntryVerdict::Differs(_) => true,
            EntryVerdict::Same
            | EntryVerdict::Blessed
            | EntryVerdict::ServerError { .. }
            | EntryVerdict::Refused(_)
            | EntryVerdict::Unreadable(_)
            | EntryVerdict::Encrypted(_)
            | EntryVerdict::Cut => false,
        };
        if !differs {
            return;
        }
        self.found.has_case |= reported.is_case;
        if self.found.first_id.is_none() {
            self.found.first_id = reported.shell_id().map(str::to_owned);
        }
    }
}
