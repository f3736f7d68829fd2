//! State: another guest on what the tape knows of the store, compared by what comes of it.

use super::{
    Comparison, ReplayGuest, Replayer, Verdict,
    compare::{Note, environment_note, redacted_places},
    difference::{Differences, Rules},
    outcome::{Playback, View},
    overlay::Overlay,
    recorded_state::RecordedState,
};
use crate::exchange_seed;
use contract::seed::Seed;
use json::{self, Value};
use observation::Mismatch;
use service::Arrival;
use std::{sync::Arc, time::Instant};
use storage::{Storage, Tenant};
use tape::{Exchange, FaultRecord};

/// How much later the recorded guest runs when it is asked what its noise is.
const NOISE_DELAY_MS: u64 = 61_001;

/// Replays a request that nothing stands in the way of.
pub(super) async fn replay(replayer: &Replayer, exchange: &Exchange<'_>) -> Comparison {
    if exchange.fault.as_ref().is_some_and(FaultRecord::is_timing) {
        return Comparison::unplayable(
            "time ran out when it was recorded, which a replay does not repeat",
        );
    }
    let recorded = match Playback::recorded(exchange) {
        Ok(recorded) => recorded,
        Err(error) => return Comparison::unplayable(error),
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
        Err(reason) => return Comparison::unplayable(reason),
    };
    let baseline = baseline(&run).await;
    let mut notes = Vec::new();
    let mut rules = Rules::new(&replayer.options.ignore);
    let expected = match baseline {
        Some((baseline, noise)) => {
            rules.add_noise(noise);
            let deviation = Differences::between(&recorded, &baseline.playback, &rules);
            if is_recorded(replayer.baseline.as_ref(), exchange) && !deviation.is_empty() {
                let what = deviation.notes().join("; ");
                notes.push(Note(format!(
                    "the recorded guest itself does not repeat what is on the tape ({what}); the guests are compared with each other"
                )));
            }
            baseline.playback
        }
        None => recorded,
    };
    conclude(run, expected, actual, &rules, notes)
}

fn is_recorded(guest: Option<&ReplayGuest>, exchange: &Exchange<'_>) -> bool {
    guest.is_some_and(|guest| exchange.guest == Some(guest.digest()))
}

/// The run of the guest that says what is expected, where it is at hand and knows all it reads, with what differs in a second one.
async fn baseline(run: &Run<'_, '_>) -> Option<(Ran, Option<Differences>)> {
    let guest = run.replayer.baseline.as_ref()?.as_recorded(run.exchange);
    let is_as_recorded =
        is_recorded(Some(&guest), run.exchange) && guest.has_environment_of(run.exchange).is_ok();
    if !is_as_recorded && !run.replayer.options.expects_baseline {
        return None;
    }
    let first = run
        .on(&guest)
        .await
        .ok()
        .filter(|ran| ran.misses.is_empty())?;
    if !run.replayer.options.detect_noise {
        return Some((first, None));
    }
    let other = Run {
        seed: &exchange_seed(run.seed, 1),
        received_at_ms: run.received_at_ms + NOISE_DELAY_MS,
        ..*run
    };
    let second = other.on(&guest).await.ok();
    let noise = second
        .map(|second| Differences::between(&first.playback, &second.playback, &Rules::new(&[])));
    Some((first, noise))
}

fn conclude(
    run: Run<'_, '_>,
    expected: Playback,
    actual: Ran,
    rules: &Rules<'_>,
    mut notes: Vec<Note>,
) -> Comparison {
    let Ran { playback, misses } = actual;
    let differences = Differences::between(&expected, &playback, rules);
    let cost = cost_notes(&expected, &playback, run.replayer.options.cost_ratio_max);
    let mut verdict = Verdict::Same;
    if !misses.is_empty() {
        verdict = Verdict::Differs;
        let misses = misses.join("`, `");
        notes.push(Note(format!(
            "it reads what the tape does not know: `{misses}`; `--on-miss absent` or `live` says what that gives"
        )));
    }
    if !differences.is_empty() || !cost.is_empty() {
        verdict = Verdict::Differs;
        notes.extend(differences.notes().into_iter().map(Note));
        notes.extend(cost);
    }
    let mut mismatches = differences.mismatches(&expected, &playback);
    // Where only what is written differs, that was told.
    let is_told =
        verdict == Verdict::Differs && outlines(&expected.calls) == outlines(&playback.calls);
    for (what, expected, actual) in [
        ("calls", &expected.calls, &playback.calls),
        ("logs", &expected.logs, &playback.logs),
    ] {
        if expected != actual && !(is_told && what == "calls") {
            if verdict == Verdict::Same {
                verdict = Verdict::EqualInEffect;
            }
            notes.push(Note(changed(what, expected, actual)));
            let expected = serde_json::json!(expected);
            mismatches.extend(Mismatch::between(
                what,
                Some(&expected),
                &serde_json::json!(actual),
            ));
        }
    }
    if verdict == Verdict::Differs && run.replayer.baseline.is_none() {
        notes.extend(environment_note(run.exchange));
    }
    if verdict == Verdict::Differs && run.exchange.is_redacted() {
        let places = redacted_places(run.exchange);
        if run.replayer.is_recorded(run.exchange) {
            verdict = Verdict::Redacted;
            notes.push(Note(format!("this follows from the redaction of {places}")));
        } else if run.replayer.baseline.is_none() {
            notes.push(Note(format!(
                "this may follow from the redaction of {places}; `--baseline` with the recorded guest tells"
            )));
        }
    }
    Comparison {
        verdict,
        status: playback.status(),
        notes,
        mismatches,
        sides: Some(Box::new((expected, playback))),
    }
}

/// Calls without what they write: which functions were called for which items.
fn outlines(calls: &[String]) -> Vec<String> {
    let outline = |call: &String| {
        let (function, arguments) = call.split_once(' ').unwrap_or((call, ""));
        let mut arguments = json::value(arguments.as_bytes()).unwrap_or_default();
        strip(&mut arguments);
        format!("{function} {arguments}")
    };
    calls.iter().map(outline).collect()
}

fn strip(arguments: &mut Value) {
    match arguments {
        Value::Object(members) => {
            for name in ["document", "precondition", "index", "expires_at"] {
                members.remove(name);
            }
            members.values_mut().for_each(strip);
        }
        Value::Array(elements) => elements.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// How a list of calls or log lines changed.
fn changed(what: &str, expected: &[String], actual: &[String]) -> String {
    let (mut sorted_expected, mut sorted_actual) = (expected.to_vec(), actual.to_vec());
    sorted_expected.sort();
    sorted_actual.sort();
    if sorted_expected == sorted_actual {
        return format!("the same {what} come in another order");
    }
    let only = |these: &[String], those: &[String]| {
        let mut rest = those.to_vec();
        these
            .iter()
            .filter(|one| match rest.iter().position(|other| other == *one) {
                Some(position) => {
                    rest.swap_remove(position);
                    false
                }
                None => true,
            })
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut parts = Vec::new();
    for (label, list) in [
        ("new", only(actual, expected)),
        ("gone", only(expected, actual)),
    ] {
        if let Some(first) = list.first() {
            let first: String = first.chars().take(120).collect();
            let more = list.len() - 1;
            parts.push(match more {
                0 => format!("{label}: `{first}`"),
                _ => format!("{label}: `{first}` and {more} more"),
            });
        }
    }
    format!("the {what} changed: {}", parts.join("; "))
}

fn cost_notes(expected: &Playback, actual: &Playback, ratio_max: f64) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut compare = |what: &str, expected: u64, actual: u64| {
        let ratio = actual as f64 / expected as f64;
        if expected > 0 && ratio > ratio_max {
            notes.push(Note(format!(
                "it takes {ratio:.1} times the {what}: {actual}, was {expected}"
            )));
        }
    };
    if let (Some(expected), Some(actual)) = (expected.work, actual.work) {
        compare("work", expected, actual);
    }
    compare(
        "memory",
        expected.memory_bytes_peak as u64,
        actual.memory_bytes_peak as u64,
    );
    notes
}

/// A guest's run with what it read in vain.
struct Ran {
    playback: Playback,
    misses: Vec<String>,
}

/// The circumstances of a run.
#[derive(Clone, Copy)]
struct Run<'a, 'line> {
    replayer: &'a Replayer,
    exchange: &'a Exchange<'line>,
    seed: &'a Seed,
    received_at_ms: u64,
}

impl Run<'_, '_> {
    /// Runs a guest on a store of what the tape knows.
    async fn on(&self, guest: &ReplayGuest) -> Result<Ran, String> {
        let exchange = self.exchange;
        let view = View::of(exchange);
        let overlay = Arc::new(Overlay::new(
            RecordedState::of(exchange)?,
            self.replayer.options.on_miss,
            self.replayer.live.clone(),
            view.clone(),
        ));
        let storage: Arc<dyn Storage> = overlay.clone();
        let service = guest.service(&exchange.host);
        let arrival = Arrival {
            received_at_ms: self.received_at_ms,
            seed: self.seed.clone(),
            deadline: Instant::now() + service.limits().request_duration_max,
            trace_header: None,
        };
        // Checked to be there.
        let event = exchange.event.map_or("", |event| event.get());
        let rules: Arc<dyn Storage> = Arc::new(Tenant::rules_only(storage));
        let answer = service
            .invoke_with(event.as_bytes(), arrival, |_| rules)
            .await;
        let write_log = overlay.take();
        Ok(Ran {
            playback: Playback::of_run(&answer, &write_log.effects, write_log.calls, &view),
            misses: write_log.misses,
        })
    }
}
