//! The program itself under load, while guests are promoted and rolled back.

use super::site::{Site, key, version_text};
use crate::support::{host_cli::Server, http_client::Connection};
use std::{
    fs,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Swaps of the test.
const SWAPS: u32 = 50;
/// Requests per second, over all connections.
const RATE: u32 = 2_000;
const CONNECTIONS: u32 = 4;

/// What one connection saw.
#[derive(Default)]
struct Seen {
    latencies: Vec<Duration>,
    /// Times of the last response of one version and the first of the other.
    at_swaps: Vec<Duration>,
    /// Of each version.
    answers: [u64; 2],
}

fn ask(connection: &mut Connection) -> (usize, Duration) {
    let started = Instant::now();
    let answer = connection.send("GET", "/version", &[], None).unwrap();
    let latency = started.elapsed();
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = String::from_utf8(answer.body).unwrap();
    let version = (1..=2).find(|number| body == version_text(*number));
    (
        usize::from(version.unwrap_or_else(|| panic!("of no guest: {body}"))) - 1,
        latency,
    )
}

/// Requests at a steady rate until the end.
fn client(mut connection: Connection, stop: &AtomicBool, newest: &AtomicU64) -> Seen {
    let pause = Duration::from_secs(1) * CONNECTIONS / RATE;
    let mut seen = Seen::default();
    let mut next = Instant::now();
    let mut last = ask(&mut connection);
    while !stop.load(Ordering::Relaxed) {
        let (version, latency) = ask(&mut connection);
        if version != last.0 {
            seen.at_swaps.extend([last.1, latency]);
        }
        last = (version, latency);
        seen.answers[version] += 1;
        seen.latencies.push(latency);
        newest.store(version as u64 + 1, Ordering::Relaxed);
        // Never catching up at once, because all connections come out of a pause together.
        next = (next + pause).max(Instant::now() + pause / 2);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    seen
}

#[test]
fn fifty_swaps_under_load_fail_nothing_mix_nothing_and_delay_little() {
    // The test is about the host: a machine that stands still may spoil one run, but not all three.
    let mut runs = (0..3).map(|_| swaps());
    assert!(
        runs.any(|(at_swap, usual)| at_swap < usual * 3),
        "at a swap, answers take more than three times as long"
    );
}

/// Fifty swaps; median latencies of responses near a swap and of all.
fn swaps() -> (Duration, Duration) {
    let site = Site::new("live");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(site.promote(1, 100));
    let public = site.folder.join("public");
    fs::write(&public, key().public().to_string()).unwrap();
    let artifacts = format!("file://{}", site.folder.display());
    let server = Server::start(&[
        "--store",
        "memory",
        "--channel",
        "items",
        "--artifacts",
        &artifacts,
        "--public-key",
        public.to_str().unwrap(),
        "--channel-interval-ms",
        "20",
    ]);
    let (stop, newest) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(1)),
    );
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let connection = server.connect();
            let (stop, newest) = (stop.clone(), newest.clone());
            thread::spawn(move || client(connection, &stop, &newest))
        })
        .collect();
    let mut visible_after = Vec::new();
    for swap in 0..SWAPS {
        let version = u64::from(swap % 2 == 0) + 1;
        let started = Instant::now();
        match swap {
            swap if swap % 2 == 0 => {
                runtime.block_on(site.promote(2, 100));
            }
            _ => runtime.block_on(site.rollback()),
        }
        while newest.load(Ordering::Relaxed) != version {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "swap {swap} never came"
            );
            thread::sleep(Duration::from_millis(1));
        }
        visible_after.push(started.elapsed());
    }
    stop.store(true, Ordering::Relaxed);
    let (mut latencies, mut at_swaps) = (Vec::new(), Vec::new());
    let mut answers = [0, 0];
    for client in clients {
        let seen = client.join().unwrap();
        answers = [answers[0] + seen.answers[0], answers[1] + seen.answers[1]];
        latencies.extend(seen.latencies);
        at_swaps.extend(seen.at_swaps);
    }
    assert!(answers.iter().all(|count| *count > 0), "{answers:?}");
    latencies.sort();
    at_swaps.sort();
    visible_after.sort();
    let at = |permille: usize| latencies[(latencies.len() - 1) * permille / 1000];
    let at_swap = at_swaps[at_swaps.len() / 2];
    // Figures for information; this test is not about the machine's speed.
    let _ = writeln!(
        std::io::stderr(),
        "{SWAPS} swaps, {} answers, none failed or mixed; latency median {:?}, at a swap {at_swap:?}, 99 % {:?}, largest {:?}; visible after {:?} (median), {:?} (last)",
        latencies.len(),
        at(500),
        at(990),
        at(1000),
        visible_after[visible_after.len() / 2],
        visible_after[visible_after.len() - 1],
    );
    (at_swap, at(500))
}
