//! The writer thread: takes all waiting writes, executes them in order, commits them together, and only then responds.

use super::{
    failure, live,
    tables::{self, Tables},
};
use redb::{Database, ReadableTable};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{Builder, JoinHandle},
};
use storage::{
    Entry, Key, Operation, Revision, StorageError, TransactOutcome,
    memory::{EXPIRED_KEPT_SECONDS, SWEPT_MAX, new_item},
    transaction::{OperationsDigest, Remembered, first_failure, is_forgotten},
};
use tokio::sync::{mpsc, oneshot};

/// Number of writes in the queue; further ones wait to enter it.
const QUEUE_JOBS_MAX: usize = 1024;
/// Largest number of writes in one commit.
const BATCH_JOBS_MAX: usize = 256;

/// A requested write.
pub(super) struct Job {
    pub(super) now_ms: u64,
    pub(super) operations: Vec<Operation>,
    /// One for each put.
    pub(super) revisions: Vec<Option<Revision>>,
    pub(super) token: Option<(String, OperationsDigest)>,
}

type Answer = Result<TransactOutcome, StorageError>;
type Waiting = (Job, oneshot::Sender<Answer>);

/// The thread and its queue. Dropping it waits until all queued writes are done.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(database: Arc<Database>) -> io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE_JOBS_MAX);
        let thread = Builder::new()
            .name("storage-writer".to_owned())
            .spawn(move || serve(&database, waiting))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Waits until the write is on the disk, or refused.
    pub(super) async fn run(&self, job: Job) -> Answer {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(StorageError::Unavailable)?;
        queue
            .send((job, answer))
            .await
            .map_err(|_| StorageError::Unavailable)?;
        answered.await.map_err(|_| StorageError::OutcomeUnknown)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // The thread catches its own panics; nothing can be done about one here.
            let _ = thread.join();
        }
    }
}

fn serve(database: &Database, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch: Vec<Waiting> = Vec::with_capacity(BATCH_JOBS_MAX);
    while let Some(first) = waiting.blocking_recv() {
        batch.push(first);
        while batch.len() < BATCH_JOBS_MAX
            && let Ok(next) = waiting.try_recv()
        {
            batch.push(next);
        }
        let (jobs, answers): (Vec<Job>, Vec<_>) = batch.drain(..).unzip();
        for (answer, outcome) in answers.into_iter().zip(run_batch(database, &jobs)) {
            // The caller may have stopped waiting.
            let _ = answer.send(outcome);
        }
    }
}

/// Why a batch was not committed.
enum Failure {
    /// Nothing was written.
    Before(StorageError),
    /// The batch may have been written.
    During,
}

fn run_batch(database: &Database, jobs: &[Job]) -> Vec<Answer> {
    let result = catch_unwind(AssertUnwindSafe(|| commit(database, jobs)));
    match result.unwrap_or(Err(Failure::Before(StorageError::Internal))) {
        Ok(answers) => answers,
        // One write that meets damaged data must not fail the others.
        Err(Failure::Before(_)) if jobs.len() > 1 => jobs
            .iter()
            .flat_map(|job| run_batch(database, std::slice::from_ref(job)))
            .collect(),
        Err(Failure::Before(error)) => jobs.iter().map(|_| Err(error.clone())).collect(),
        Err(Failure::During) => jobs
            .iter()
            .map(|_| Err(StorageError::OutcomeUnknown))
            .collect(),
    }
}

fn commit(database: &Database, jobs: &[Job]) -> Result<Vec<Answer>, Failure> {
    let before = |error: redb::Error| Failure::Before(failure(error));
    let transaction = database
        .begin_write()
        .map_err(|error| before(error.into()))?;
    let mut tables = Tables::open(&transaction).map_err(before)?;
    let mut changed = false;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let decided = decide(&mut tables, job).map_err(before)?;
        changed |= decided.wrote;
        answers.push(decided.answer);
    }
    if let Some(last) = jobs.last().filter(|_| changed) {
        sweep(&mut tables, last.now_ms, SWEPT_MAX * jobs.len()).map_err(before)?;
    }
    drop(tables);
    if changed {
        // After a panic in here, the outcome is as unknown as after an error.
        let committed = catch_unwind(AssertUnwindSafe(|| transaction.commit()));
        committed.ok().and_then(Result::ok).ok_or(Failure::During)?;
    } else {
        transaction.abort().map_err(|error| before(error.into()))?;
    }
    Ok(answers)
}

struct Decided {
    answer: Answer,
    wrote: bool,
}

/// Executes a write within the open transaction, in which earlier writes of the batch are visible.
fn decide(tables: &mut Tables<'_>, job: &Job) -> Result<Decided, redb::Error> {
    let only = |answer| {
        Ok(Decided {
            answer,
            wrote: false,
        })
    };
    if let Some((token, digest)) = &job.token
        && let Some(answer) =
            remembered(tables, token)?.and_then(|before| before.answer(job.now_ms, digest))
    {
        return only(answer.map(TransactOutcome::Done));
    }
    let failed = first_failure(&job.operations, |key| {
        let found = tables
            .items
            .get((key.partition.as_str(), key.sort.as_str()))?;
        Ok::<_, redb::Error>(live(
            found.map(|item| tables::item(item.value())),
            job.now_ms,
        ))
    })?;
    if let Some((position, item)) = failed {
        return only(Ok(TransactOutcome::PreconditionFailed { position, item }));
    }
    for (operation, revision) in job.operations.iter().zip(&job.revisions) {
        match (operation, revision) {
            (
                Operation::Put {
                    key,
                    document,
                    options,
                },
                Some(revision),
            ) => {
                tables.insert(key, &new_item(document, options, revision.clone()))?;
            }
            (Operation::Delete { key, .. }, _) => tables.remove(key)?,
            (Operation::Put { .. }, None) | (Operation::Check { .. }, _) => {}
        }
    }
    if let Some((token, digest)) = &job.token {
        remember(tables, token, job.now_ms, digest, &job.revisions)?;
    }
    Ok(Decided {
        answer: Ok(TransactOutcome::Done(job.revisions.clone())),
        wrote: true,
    })
}

fn remembered(tables: &Tables<'_>, token: &str) -> Result<Option<Remembered>, redb::Error> {
    Ok(tables.tokens.get(token)?.and_then(|found| {
        let (done_at_ms, digest, revisions) = found.value();
        let revisions = revisions
            .split(',')
            .map(|text| (!text.is_empty()).then(|| Revision::from(text.to_owned())));
        Some(Remembered {
            done_at_ms,
            digest: digest.try_into().ok()?,
            revisions: revisions.collect(),
        })
    }))
}

fn remember(
    tables: &mut Tables<'_>,
    token: &str,
    now_ms: u64,
    digest: &OperationsDigest,
    revisions: &[Option<Revision>],
) -> Result<(), redb::Error> {
    let revisions: Vec<&str> = revisions
        .iter()
        .map(|revision| revision.as_ref().map_or("", Revision::as_str))
        .collect();
    let row = (now_ms, digest.as_slice(), revisions.join(","));
    let forgotten = tables
        .tokens
        .insert(token, (row.0, row.1, row.2.as_str()))?
        .map(|old| old.value().0);
    if let Some(done_at_ms) = forgotten {
        tables.token_ages.remove((done_at_ms, token))?;
    }
    tables.token_ages.insert((now_ms, token), ())?;
    Ok(())
}

/// Removes a few items and tokens that are no longer visible, so that the file does not grow for ever.
fn sweep(tables: &mut Tables<'_>, now_ms: u64, removed_max: usize) -> Result<(), redb::Error> {
    for _ in 0..removed_max {
        let oldest = tables.expiries.first()?.map(|(oldest, _)| {
            let (expires_at, partition, sort) = oldest.value();
            (
                expires_at,
                Key {
                    partition: partition.to_owned(),
                    sort: sort.to_owned(),
                },
            )
        });
        match oldest {
            Some((expires_at, key))
                if expires_at.saturating_add(EXPIRED_KEPT_SECONDS) <= now_ms / 1000 =>
            {
                tables.remove(&key)?;
            }
            Some(_) | None => break,
        }
    }
    for _ in 0..removed_max {
        let oldest = tables.token_ages.first()?.map(|(oldest, _)| {
            let (done_at_ms, token) = oldest.value();
            (done_at_ms, token.to_owned())
        });
        match oldest {
            Some((done_at_ms, token)) if is_forgotten(done_at_ms, now_ms) => {
                tables.token_ages.remove((done_at_ms, token.as_str()))?;
                tables.tokens.remove(token.as_str())?;
            }
            Some(_) | None => break,
        }
    }
    Ok(())
}

/// Stores entries as given.
pub(super) fn load(database: &Database, entries: Vec<Entry>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    let mut tables = Tables::open(&transaction)?;
    for Entry { key, item } in &entries {
        tables.insert(key, item)?;
    }
    drop(tables);
    transaction.commit()?;
    Ok(())
}
