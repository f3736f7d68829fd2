//! Strict: storage results come from the tape, and everything must be the same, byte for byte.

mod judge;
mod outgoing;
mod secret_calls;
mod storage;

use self::{
    judge::{Judgement, judge},
    outgoing::StrictOutgoing,
    secret_calls::StrictSecrets,
    storage::StrictStorage,
};
use super::{
    Replayer,
    comparison::{Comparison, Note, Verdict, environment_note, redacted_places},
};
use observation::DifferingPart;
use service::Invocation;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Instant,
};
use tape::{Exchange, FaultRecord};

/// Replays a request that can be replayed.
pub(super) async fn replay(
    replayer: &Replayer,
    line: &Arc<[u8]>,
    exchange: &Exchange<'_>,
) -> Comparison {
    let Some(seed) = exchange.seed.clone() else {
        return Comparison::unplayable(
            "the seed was withheld, so it cannot be replayed strictly: use `--mode state`",
        );
    };
    if let Some(reason) = replayer.guest.environment_mismatch(exchange) {
        return Comparison {
            notes: vec![Note::about_environment(reason)],
            ..Comparison::new(Verdict::Unplayable)
        };
    }
    // Checked before.
    let event = exchange.event.map_or("", |event| event.get());
    let storage = Arc::new(StrictStorage::new(line, exchange));
    let outgoing = Arc::new(StrictOutgoing::new(&storage, exchange));
    let secrets = Arc::new(StrictSecrets::new(&storage, exchange));
    let service = replayer.guest.service(
        &exchange.host,
        storage.clone(),
        outgoing.clone(),
        secrets.clone(),
    );
    let deadline = Instant::now() + service.limits().request_duration_max;
    let invocation = Invocation {
        received_at_ms: exchange.received_at_ms,
        seed,
        deadline,
        trace_header: None,
    };
    let run = service.invoke(event.as_bytes(), invocation);
    let answer = if exchange.fault.as_ref().is_some_and(FaultRecord::is_timing) {
        unless(run, storage.ended.notified()).await
    } else {
        Some(run.await)
    };
    let missing = outgoing.missing().or_else(|| secrets.missing());
    let judgement = judge(&storage, missing, exchange, answer.as_ref());
    let is_changed = !exchange.is_as_recorded(line);
    let status = answer
        .as_ref()
        .and_then(|answer| Some(answer.as_ref().ok()?.summary.status));
    let comparison = match judgement {
        Judgement::Same if is_changed => Comparison {
            notes: vec![CHANGED_UNSEEN.to_owned().into()],
            ..Comparison::new(Verdict::Differs)
        },
        Judgement::Same => Comparison::new(Verdict::Same),
        Judgement::Unplayable(reason) => Comparison::unplayable(reason),
        Judgement::Differs {
            mut notes,
            differing,
        } => {
            if is_changed {
                notes.push(CHANGED.to_owned().into());
            }
            blame(exchange, replayer.is_recorded(exchange), notes, differing)
        }
    };
    Comparison {
        status,
        ..comparison
    }
}

const CHANGED: &str = "the line was changed: it does not match its digest";
const CHANGED_UNSEEN: &str = "the line was changed: it does not match its digest, although nothing that the guest reads differs";

/// The output of `run`; `None` if `end` comes first.
async fn unless<T>(run: impl Future<Output = T>, end: impl Future<Output = ()>) -> Option<T> {
    let (mut run, mut end) = (pin!(run), pin!(end));
    poll_fn(|context| match run.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => end.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The cause of a difference: with the recorded guest and everything else given, it is redaction.
fn blame(
    exchange: &Exchange<'_>,
    is_recorded: bool,
    mut notes: Vec<Note>,
    differing: Vec<DifferingPart>,
) -> Comparison {
    let mut verdict = Verdict::Differs;
    let environment = environment_note(exchange);
    let has_known_values = environment.is_none();
    notes.extend(environment);
    if exchange.is_redacted() {
        let places = redacted_places(exchange);
        if is_recorded && has_known_values {
            verdict = Verdict::Redacted;
            notes.push(format!("this is caused by the redaction of {places}").into());
        } else {
            notes.push(format!("this may be caused by the redaction of {places}").into());
        }
    }
    Comparison {
        notes,
        differing,
        ..Comparison::new(verdict)
    }
}
