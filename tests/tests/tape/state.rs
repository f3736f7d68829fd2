//! State replay: guests built from the reference guest's sources with one planted change each. A change of the outcome is found and named;
//! any other change is reported as equal in effect.

use super::strict::replay;
use crate::support::{
    guests::{HOSTILE, VARIANT},
    in_process::{NOW_MS, engine, get_within, memory_service, runtime},
    recording::{event, http_event, recorder},
};
use contract::{limits::Limits, log::LogLevel, seed::Seed};
use replay::{
    Comparison, Mode, ReplayGuest, ReplayOptions, Replayer, Verdict, local_view, replay_cursor_key,
};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{Engine, EngineOptions},
};
use service::Service;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use storage::MemoryStorage;
use tape::Exchange;

fn metered() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::metered(&EngineOptions::default()).unwrap())
}

/// The variant of that name; without a name, the guest without a change.
fn variant(engine: &Engine, name: &str) -> Runtime {
    let options = RuntimeOptions {
        environment: match name {
            "" => Arc::from([]),
            name => Arc::from([("VARIANT".to_owned(), name.to_owned())]),
        },
        log_level: LogLevel::Info,
        ..RuntimeOptions::default()
    };
    static GUESTS: OnceLock<[runtime::engine::Guest; 2]> = OnceLock::new();
    let guests = GUESTS.get_or_init(|| [engine_load(self::engine()), engine_load(metered())]);
    Runtime::new(engine, &guests[usize::from(engine.is_metered())], options).unwrap()
}

fn engine_load(engine: &Engine) -> runtime::engine::Guest {
    engine.load(VARIANT).unwrap()
}

/// Create, conditional change, read and list: one line each.
async fn tape(recorded_by: &str) -> Vec<(&'static str, Vec<u8>)> {
    let storage = local_view(Arc::new(MemoryStorage::new()), replay_cursor_key());
    let service = Service::new(variant(engine(), recorded_by), storage);
    let json = ("content-type", "application/json");
    let requests = [
        (
            "create",
            http_event(
                "PUT",
                "/items/a",
                &[json, ("if-none-match", "*")],
                br#"{"name":"lamp","category":"x"}"#,
            ),
        ),
        (
            "replace",
            http_event(
                "PUT",
                "/items/a",
                &[json],
                br#"{"name":"desk","category":"x"}"#,
            ),
        ),
        (
            "update",
            http_event(
                "PATCH",
                "/items/a",
                &[("content-type", "application/merge-patch+json")],
                br#"{"name":"chair"}"#,
            ),
        ),
        ("read", http_event("GET", "/items/a", &[], b"")),
        ("list", http_event("GET", "/items?category=x", &[], b"")),
        ("remove", http_event("DELETE", "/items/a", &[], b"")),
    ];
    let mut lines = Vec::new();
    for (number, (name, request)) in requests.into_iter().enumerate() {
        let seed = Seed::new([number as u8 + 1; 32]);
        let line = event(
            &service,
            &recorder(),
            &request,
            NOW_MS + number as u64,
            seed,
        )
        .await
        .unwrap();
        let status = Exchange::read(&line).unwrap().status.unwrap();
        assert!(status < 300, "{name}: {status}");
        lines.push((name, line));
    }
    lines
}

fn replayer(
    name: &str,
    baseline: Option<&str>,
    change: impl FnOnce(&mut ReplayOptions),
) -> Replayer {
    let mut options = ReplayOptions {
        mode: Some(Mode::State),
        ..ReplayOptions::default()
    };
    change(&mut options);
    Replayer {
        guest: ReplayGuest::new(variant(engine(), name)),
        metered: baseline.map(|_| ReplayGuest::new(variant(metered(), name))),
        baseline: baseline.map(|baseline| ReplayGuest::new(variant(metered(), baseline))),
        live: None,
        live_services: None,
        live_secrets: None,
        options,
    }
}

/// The outcome of each request with the changed guest, with the unchanged one as baseline and without.
async fn compare(name: &str) -> Vec<(&'static str, [Comparison; 2])> {
    let mut comparisons = Vec::new();
    for (request, line) in tape("").await {
        // Another test checks the cost of a change.
        let any_cost = |options: &mut ReplayOptions| options.cost_ratio_max = 100.0;
        let with = replay(&replayer(name, Some(""), any_cost), &line).await;
        let without = replay(&replayer(name, None, |_| ()), &line).await;
        assert_eq!(
            with.verdict, without.verdict,
            "{name}, {request}: {with:#?} {without:#?}"
        );
        comparisons.push((request, [with, without]));
    }
    comparisons
}

fn notes(comparison: &Comparison) -> String {
    let notes: Vec<&str> = comparison
        .notes
        .iter()
        .map(|note| note.text.as_str())
        .collect();
    notes.join("\n")
}

#[tokio::test]
async fn the_unchanged_guest_is_the_same_in_everything() {
    for (request, comparisons) in compare("").await {
        for comparison in comparisons {
            assert_eq!(
                comparison.verdict,
                Verdict::Same,
                "{request}: {comparison:#?}"
            );
        }
    }
}

#[tokio::test]
async fn every_planted_change_is_found_and_named() {
    for (name, affected, words) in [
        (
            "wrong-status",
            &["replace", "update", "read", "list"][..],
            &["/status: expected 200, got 203"][..],
        ),
        (
            "dropped-field",
            &["create", "replace", "update", "read"],
            &["/body/name: expected \"", "\", got nothing"],
        ),
        (
            "changed-header",
            &["create", "replace", "update", "read"],
            &["/headers/etag/0: expected \"", ", got \"\\\"planted\\\"\""],
        ),
        (
            "extra-write",
            &["create", "replace"],
            &["/writes/- (item `audit` / ", ": expected nothing, got {"],
        ),
        (
            "missing-write",
            &["create", "replace", "update"],
            &[
                "/writes/0 (item `items` / `a`): expected {",
                ", got nothing",
            ],
        ),
        (
            "lost-precondition",
            &["create", "replace", "update"],
            &[
                "/writes/0/preconditions/0 (item `items` / `a`): expected ",
                ", got \"none\"",
            ],
        ),
        (
            "other-document",
            &["create", "replace", "update"],
            &[
                "/writes/0/put/document/name (item `items` / `a`): expected ",
                ", got \"planted",
            ],
        ),
    ] {
        for (request, comparisons) in compare(name).await {
            for comparison in comparisons {
                if affected.contains(&request) {
                    assert_eq!(
                        comparison.verdict,
                        Verdict::Differs,
                        "{name}, {request}: {comparison:#?}"
                    );
                    let notes = notes(&comparison);
                    assert!(
                        notes
                            .lines()
                            .any(|note| words.iter().all(|words| note.contains(words))),
                        "{name}, {request}: {words:?} are not in a line of\n{notes}"
                    );
                } else {
                    let expected = [Verdict::Same, Verdict::EqualInEffect];
                    assert!(
                        expected.contains(&comparison.verdict),
                        "{name}, {request}: {comparison:#?}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn ten_times_the_work_is_found_where_the_recorded_guest_is_at_hand() {
    for (request, line) in tape("").await {
        let with = replay(&replayer("more-work", Some(""), |_| ()), &line).await;
        assert_eq!(with.verdict, Verdict::Differs, "{request}: {with:#?}");
        assert!(
            notes(&with).contains("times the work"),
            "{request}: {with:#?}"
        );
        let allowed = replayer("more-work", Some(""), |options| {
            options.cost_ratio_max = 1e6
        });
        assert_eq!(replay(&allowed, &line).await.verdict, Verdict::Same);
        // Nothing says what it cost.
        let without = replay(&replayer("more-work", None, |_| ()), &line).await;
        assert_eq!(without.verdict, Verdict::Same, "{request}: {without:#?}");
    }
}

#[tokio::test]
async fn further_reads_and_log_lines_are_equal_in_effect_and_shown() {
    for (name, request, words) in [
        ("extra-read", "read", "the calls changed: new: `get "),
        ("extra-log", "read", "the logs changed: new: `warn planted`"),
    ] {
        let (_, comparisons) = compare(name)
            .await
            .into_iter()
            .find(|(of, _)| *of == request)
            .unwrap();
        for comparison in comparisons {
            assert_eq!(
                comparison.verdict,
                Verdict::EqualInEffect,
                "{name}: {comparison:#?}"
            );
            assert!(
                notes(&comparison).contains(words),
                "{name}: {comparison:#?}"
            );
            assert_eq!(comparison.differing.len(), 1);
        }
    }
}

/// A line as if it had been recorded in the environment that makes a variant: the same component is then the recorded guest.
fn recorded_by(line: &[u8], recorded: &str) -> Vec<u8> {
    let names = "\"environment_names\":[\"VARIANT\"]";
    let text = str::from_utf8(line).unwrap();
    let text = match recorded {
        "" => text.replacen("\"host\":{", &format!("\"host\":{{{names},"), 1),
        _ => text.to_owned(),
    };
    assert!(text.contains(names));
    text.into_bytes()
}

#[tokio::test]
async fn another_order_of_independent_calls_is_equal_in_effect() {
    for (request, line) in tape("reads-a-then-b").await {
        let state = replay(&replayer("reads-b-then-a", None, |_| ()), &line).await;
        assert_eq!(
            state.verdict,
            Verdict::EqualInEffect,
            "{request}: {state:#?}"
        );
        assert!(
            notes(&state).contains("the same calls occur in another order"),
            "{state:#?}"
        );
    }
}

#[tokio::test]
async fn what_is_equal_in_effect_is_refused_strictly() {
    for (recorded, now, words) in [
        (
            "reads-a-then-b",
            "reads-b-then-a",
            "call 1, `get`: other arguments: /key/sort",
        ),
        ("", "extra-read", "the tape has 1 call"),
        ("", "extra-log", "the log lines differ"),
    ] {
        let (_, line) = tape(recorded)
            .await
            .into_iter()
            .find(|(request, _)| *request == "read")
            .unwrap();
        let strict = |name| replayer(name, None, |options| options.mode = Some(Mode::Strict));
        assert_eq!(
            replay(&strict(recorded), &line).await.verdict,
            Verdict::Same,
            "{recorded}"
        );
        // Names of variables are on the tape, their values are not.
        let elsewhere = replay(&strict(now), &line).await;
        if recorded.is_empty() {
            assert_eq!(elsewhere.verdict, Verdict::Unplayable, "{elsewhere:#?}");
        } else {
            assert!(
                notes(&elsewhere).contains("the values of `VARIANT` are not on the tape"),
                "{elsewhere:#?}"
            );
        }
        let refused = replay(&strict(now), &recorded_by(&line, recorded)).await;
        assert_eq!(refused.verdict, Verdict::Differs, "{now}: {refused:#?}");
        assert!(notes(&refused).contains(words), "{now}: {refused:#?}");
    }
}

#[tokio::test]
async fn rules_make_differences_not_count() {
    let (_, line) = tape("")
        .await
        .into_iter()
        .find(|(request, _)| *request == "read")
        .unwrap();
    let ignoring = |rule: &str| {
        let rule = rule.parse().unwrap();
        replayer("changed-header", None, |options| {
            options.ignore = vec![rule]
        })
    };
    assert_eq!(
        replay(&ignoring("header:ETag"), &line).await.verdict,
        Verdict::Same
    );
    assert_eq!(
        replay(&ignoring("/headers/etag"), &line).await.verdict,
        Verdict::Same
    );
    assert_eq!(
        replay(&ignoring("header:date"), &line).await.verdict,
        Verdict::Differs
    );
}

/// Id and times of a created item are noise: another guest may draw random numbers in another order.
#[tokio::test]
async fn noise_is_found_by_running_the_recorded_guest_twice() {
    let storage = local_view(Arc::new(MemoryStorage::new()), replay_cursor_key());
    let service = Service::new(variant(engine(), ""), storage);
    let post = http_event(
        "POST",
        "/items",
        &[("content-type", "application/json")],
        br#"{"name":"lamp"}"#,
    );
    let line = event(&service, &recorder(), &post, NOW_MS, Seed::new([1; 32]))
        .await
        .unwrap();
    // Another seed on the tape means another id for the new guest, as would another order of draws.
    let quiet = replayer("other-document", Some(""), |options| {
        options.detect_noise = true
    });
    let comparison = replay(&quiet, &line).await;
    assert_eq!(comparison.verdict, Verdict::Differs);
    let notes = notes(&comparison);
    assert!(
        notes.contains("/put/document/name (item `items` / ")
            && notes.contains(": expected \"lamp\", got \"planted lamp\""),
        "{notes}"
    );
    assert!(
        !notes.contains("location") && !notes.contains("_at"),
        "{notes}"
    );
    let unchanged = replayer("", Some(""), |options| options.detect_noise = true);
    assert_eq!(replay(&unchanged, &line).await.verdict, Verdict::Same);
}

/// A guest that did not run says nothing about itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_host_is_no_difference() {
    let limits = Limits {
        request_duration_max: Duration::from_secs(2),
        ..Limits::default()
    };
    let request = http_event("GET", "/items/a", &[], b"");
    let seed = Seed::new([1; 32]);
    let recorded = memory_service(&runtime(VARIANT, limits));
    let line = event(&recorded, &recorder(), &request, NOW_MS, seed.clone()).await;

    let one = EngineOptions {
        instances_max: 1,
        pools: 1,
        ..EngineOptions::default()
    };
    let one = Engine::new(&one).unwrap();
    let load = |guest| Runtime::new(&one, &one.load(guest).unwrap(), RuntimeOptions::default());
    let guest = load(VARIANT).unwrap();
    let looping = memory_service(&load(HOSTILE).unwrap());
    let looping =
        tokio::spawn(
            async move { get_within(&looping, "/loop", seed, Duration::from_secs(60)).await },
        );
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut busy = replayer("", None, |_| {});
    busy.guest = ReplayGuest::new(guest);
    let comparison = replay(&busy, &line.unwrap()).await;
    looping.abort();
    assert_eq!(comparison.verdict, Verdict::Unplayable, "{comparison:?}");
    let note = "not compared, because no instance became free in time";
    assert_eq!(comparison.notes[0].text, note);
}
