//! State: another guest on what the tape reveals about the store, compared by its outcome.

use super::{
    ReplayGuest, Replayer,
    comparison::{ComparedCosts, Comparison, Note, Verdict, environment_note, redacted_places},
    observe::{of_run, recorded},
    overlay::Overlay,
    recorded_state::RecordedState,
    recording_error::RecordingError,
    secret_calls::RecordedSecrets,
    services::RecordedServices,
    view::View,
};
use crate::exchange_seed;
use contract::{
    outcome::{Failure, Fault},
    seed::Seed,
};
use observation::{
    Ignored, Noise, Observation, calls_change, compare, cost_notes, has_same_outline, logs_change,
};
use service::Invocation;
use std::{sync::Arc, time::Instant};
use storage::{Storage, Tenant};
use tape::{Exchange, FaultRecord};

/// How much later the recorded guest runs for the detection of noise.
const NOISE_DELAY_MS: u64 = 61_001;
/// Number of unanswered reads that are listed; further ones are counted.
const MISSES_TOLD_MAX: usize = 5;

/// Replays a request that can be replayed.
pub(super) async fn replay(replayer: &Replayer, exchange: &Exchange<'_>) -> Comparison {
    if exchange.fault.as_ref().is_some_and(FaultRecord::is_timing) {
        return Comparison::unplayable(
            "time ran out when it was recorded, which a replay does not repeat",
        );
    }
    let recorded = match recorded(exchange) {
        Ok(recorded) => recorded,
        Err(error) => return Comparison::unplayable(error.to_string()),
    };
    let seed = exchange.seed.clone().unwrap_or_else(|| Seed::new([0; 32]));
    let guest = replayer.metered.as_ref().unwrap_or(&replayer.guest);
    let run = Run {
        replayer,
        exchange,
        seed: &seed,
        received_at_ms: exchange.received_at_ms,
    };
    let actual = match run.on(guest).await {
        Ok(actual) => actual,
        Err(error) => return Comparison::unplayable(error.to_string()),
    };
    let baseline = baseline(&run).await;
    let mut notes = Vec::new();
    let mut ignored = Ignored::by(&replayer.options.ignore);
    let expected = match baseline {
        Some(baseline) => {
            ignored = ignored.with_noise(baseline.noise);
            let deviation = compare(&recorded, &baseline.observation, &ignored);
            if is_recorded(replayer.baseline.as_ref(), exchange) && !deviation.is_empty() {
                let what = deviation.notes().join("; ");
                notes.push(Note::from(format!(
                    "the recorded guest itself does not reproduce the tape ({what}); the guests are compared with each other"
                )));
            }
            baseline.observation
        }
        None => recorded,
    };
    conclude(run, expected, actual, &ignored, notes)
}

fn is_recorded(guest: Option<&ReplayGuest>, exchange: &Exchange<'_>) -> bool {
    guest.is_some_and(|guest| exchange.guest == Some(guest.digest()))
}

/// The expectation: the run of another guest.
struct Baseline {
    observation: Observation,
    noise: Noise,
}

/// The run of the guest that is the expectation, if it is available and all its reads are answered, with the differences to its second run.
async fn baseline(run: &Run<'_, '_>) -> Option<Baseline> {
    let baseline = run.replayer.baseline.as_ref()?;
    let guest = match run.replayer.options.expects_baseline {
        // In the environment that it was given, as the other guest.
        true => baseline.clone(),
        false => baseline.as_recorded(run.exchange),
    };
    let is_as_recorded = is_recorded(Some(&guest), run.exchange)
        && guest.environment_mismatch(run.exchange).is_none();
    if !is_as_recorded && !run.replayer.options.expects_baseline {
        return None;
    }
    let first = run.on(&guest).await.ok();
    let first = first.filter(|ran| ran.misses.is_empty())?.observation;
    let mut noise = Noise::default();
    if run.replayer.options.detect_noise {
        let other = Run {
            seed: &exchange_seed(run.seed, 1),
            received_at_ms: run.received_at_ms + NOISE_DELAY_MS,
            ..*run
        };
        if let Ok(second) = other.on(&guest).await {
            noise = compare(&first, &second.observation, &Ignored::default()).noise();
        }
    }
    Some(Baseline {
        observation: first,
        noise,
    })
}

fn conclude(
    run: Run<'_, '_>,
    expected: Observation,
    actual: Ran,
    ignored: &Ignored<'_>,
    mut notes: Vec<Note>,
) -> Comparison {
    let Ran {
        observation: actual,
        misses,
    } = actual;
    let differences = compare(&expected, &actual, ignored);
    let costs = cost_notes(&expected, &actual, run.replayer.options.cost_ratio_max);
    let differs = !(misses.is_empty() && differences.is_empty() && costs.is_empty());
    let mut verdict = match differs {
        true => Verdict::Differs,
        false => Verdict::Same,
    };
    notes.extend(misses_note(&misses));
    notes.extend(differences.notes().into_iter().chain(costs).map(Note::from));
    let mut differing = differences.parts;
    // If only the writes differ, that was already reported.
    let calls = calls_change(&expected, &actual)
        .filter(|_| !(differs && has_same_outline(&expected, &actual)));
    for change in calls.into_iter().chain(logs_change(&expected, &actual)) {
        if verdict == Verdict::Same {
            verdict = Verdict::EqualInEffect;
        }
        notes.push(Note::from(change.note));
        differing.push(change.part);
    }
    if differs {
        verdict = blame(run, &mut notes);
    }
    Comparison {
        verdict,
        status: actual.status(),
        notes,
        differing,
        costs: Some(ComparedCosts {
            expected: expected.cost,
            actual: actual.cost,
        }),
        is_of_host: expected.is_of_host() && actual.is_of_host(),
    }
}

fn misses_note(misses: &[String]) -> Option<Note> {
    if misses.is_empty() {
        return None;
    }
    let told = misses.len().min(MISSES_TOLD_MAX);
    let more = match misses.len() - told {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let misses = misses[..told].join("`, `");
    Some(Note::from(format!(
        "the tape has no result for `{misses}`{more}; `replay --on-miss` chooses one"
    )))
}

/// Other causes of a difference than the guest: the environment, or redaction.
fn blame(run: Run<'_, '_>, notes: &mut Vec<Note>) -> Verdict {
    let has_baseline = run.replayer.baseline.is_some();
    if !has_baseline {
        notes.extend(other_environment_note(run));
    }
    if !run.exchange.is_redacted() {
        return Verdict::Differs;
    }
    let places = redacted_places(run.exchange);
    let has_known_values = environment_note(run.exchange).is_none();
    if run.replayer.is_recorded(run.exchange) && has_known_values {
        notes.push(Note::from(format!(
            "this is caused by the redaction of {places}"
        )));
        return Verdict::Redacted;
    }
    if !has_baseline {
        notes.push(Note::from(format!(
            "this may be caused by the redaction of {places}; check with the recorded guest as `--baseline`"
        )));
    }
    Verdict::Differs
}

/// Whether the environment may be the cause: the tape tells, or does not have its values.
fn other_environment_note(run: Run<'_, '_>) -> Option<Note> {
    let host = &run.exchange.host;
    if !host.has_environment() {
        return run.replayer.guest.has_variables().then(|| {
            Note::about_environment(
                "the guest had no environment variables when it was recorded".to_owned(),
            )
        });
    }
    let Some(recorded) = host.environment else {
        let missing = run.replayer.guest.missing_variables(run.exchange);
        let missing = missing.map(|names| {
            Note::about_environment(format!(
                "the guest had {names} in its environment when it was recorded, and has not now: supply what it still needs with `--env` or `--env-file`"
            ))
        });
        return missing.or_else(|| environment_note(run.exchange));
    };
    (!run.replayer.guest.has_environment(recorded)).then(|| {
        let names: Vec<&str> = host.environment_names.iter().map(|name| &**name).collect();
        Note::about_environment(format!(
            "the guest had other environment variables when it was recorded: `{}`, or other values of them",
            names.join("`, `")
        ))
    })
}

/// A guest's run, with its unanswered reads.
struct Ran {
    observation: Observation,
    misses: Vec<String>,
}

/// Why there is nothing to compare.
#[derive(Debug, thiserror::Error)]
enum RunError {
    /// The recording cannot be used.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The guest did not run. That says nothing about it.
    #[error("not compared, because no instance became free in time")]
    Busy,
}

/// The inputs of a run.
#[derive(Clone, Copy)]
struct Run<'a, 'line> {
    replayer: &'a Replayer,
    exchange: &'a Exchange<'line>,
    seed: &'a Seed,
    received_at_ms: u64,
}

impl Run<'_, '_> {
    /// Runs a guest on a store composed from what the tape reveals.
    async fn on(&self, guest: &ReplayGuest) -> Result<Ran, RunError> {
        let exchange = self.exchange;
        let view = View::of(exchange);
        let overlay = Arc::new(Overlay::new(
            RecordedState::of(exchange)?,
            self.replayer.options.on_miss,
            self.replayer.live.clone(),
            view.clone(),
        ));
        let storage: Arc<dyn Storage> = overlay.clone();
        let rules: Arc<dyn Storage> = Arc::new(Tenant::rules_only(storage));
        let services = Arc::new(RecordedServices::new(
            exchange,
            self.replayer.options.on_miss,
            self.replayer.live_services.clone(),
            view.clone(),
        )?);
        let secrets = Arc::new(RecordedSecrets::new(
            exchange,
            self.replayer.options.on_miss,
            self.replayer.live_secrets.clone(),
            view.clone(),
        )?);
        let service = guest.service(&exchange.host, rules, services.clone(), secrets.clone());
        let invocation = Invocation {
            received_at_ms: self.received_at_ms,
            seed: self.seed.clone(),
            deadline: Instant::now() + service.limits().request_duration_max,
            trace_header: None,
        };
        // Checked before.
        let event = exchange.event.map_or("", |event| event.get());
        let answer = service.invoke(event.as_bytes(), invocation).await;
        if let Ok(answer) = &answer
            && matches!(answer.summary.fault, Some(Fault::Guest(Failure::Busy)))
        {
            return Err(RunError::Busy);
        }
        let (write_log, sent) = (overlay.take(), services.take());
        let mut observation = of_run(&answer, &write_log.writes, write_log.calls, &view);
        observation.outgoing = Some(sent.requests.into());
        Ok(Ran {
            observation,
            misses: [write_log.misses, sent.misses, secrets.take_misses()].concat(),
        })
    }
}
