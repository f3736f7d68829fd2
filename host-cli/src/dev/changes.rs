//! What a new guest would answer or write differently for the requests of the session, grouped.

use crate::serve::session::KeptExchange;
use contract::{count::counted, text::printable};
use observation::{DifferingPart, Part, RequestLine, request_line};
use replay::{Comparison, Mode, OnMiss, ReplayGuest, ReplayOptions, Replayer, Verdict};
use service::Deployment;
use std::{fmt::Write, sync::Arc, thread, time::Duration};
use tape::Exchange;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

/// Places that name a group; further ones are counted.
const PLACES_SHOWN_MAX: usize = 3;
/// Numbers of requests that are listed for a group.
const NUMBERS_SHOWN_MAX: usize = 4;
/// Groups that are listed.
const GROUPS_SHOWN_MAX: usize = 20;
/// Replays at a time for each core. `dev` has several times as many instances, so live requests find one, and each core has work.
pub const REPLAYS_PER_CORE: usize = 2;
/// A new guest may loop: it has this long to answer one request again.
const REPLAY_DURATION_MAX: Duration = Duration::from_millis(500);
/// The developer waits for the result of all.
pub const COMPARISON_DURATION_MAX: Duration = Duration::from_secs(2);
/// Segments of at least this many characters stand for one thing among many.
const ID_CHARACTERS_MIN: usize = 20;

/// A request of the session, replayed.
pub struct Compared {
    pub number: u64,
    pub request: Option<RequestLine>,
    pub status_before: Option<u16>,
    pub comparison: Comparison,
}

/// Replays one request on a guest by state: it sees what the recorded guest saw of the store, and its writes stay in memory. Reads that the
/// recorded guest did not make see the store as it is now. `None` if the line cannot be read.
pub async fn compare(kept: &KeptExchange, replayer: &Replayer) -> Option<Compared> {
    let exchange = Exchange::read(&kept.line).ok()?;
    let event = exchange.event.map_or("null", |event| event.get());
    Some(Compared {
        number: kept.number,
        request: request_line(event.as_bytes()),
        status_before: exchange.status,
        comparison: replayer.replay(&kept.line, &exchange).await,
    })
}

/// What [`compare`] needs for a guest. Reads fall back to its store, and requests that change nothing to the services that it may call. It signs
/// and verifies with its secrets.
pub fn replayer(deployment: &Deployment) -> Replayer {
    Replayer {
        guest: ReplayGuest::new(deployment.runtime().clone()),
        metered: None,
        baseline: None,
        live: Some(deployment.storage().clone()),
        live_services: Some(deployment.outgoing().clone()),
        live_secrets: Some(deployment.secrets().clone()),
        options: ReplayOptions {
            mode: Some(Mode::State),
            on_miss: OnMiss::Live,
            ..ReplayOptions::default()
        },
    }
}

/// The requests of a session, replayed as far as there was time.
#[derive(Default)]
pub struct Comparisons {
    /// In the order of their numbers.
    pub compared: Vec<Compared>,
    /// Numbers of those that had no answer after [`REPLAY_DURATION_MAX`].
    pub late: Vec<u64>,
    /// How many could not be read, which a later version of tapes could cause.
    pub unreadable: usize,
    /// How many were not replayed, because the comparison ended before.
    pub left: usize,
}

/// Replays all on the current runtime, the newest first. Live requests go on meanwhile: only some instances are used, and not for long.
pub async fn compare_all(exchanges: Vec<KeptExchange>, replayer: Replayer) -> Comparisons {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let until = Instant::now() + COMPARISON_DURATION_MAX;
    let replayer = Arc::new(replayer);
    let mut comparisons = Comparisons {
        left: exchanges.len(),
        ..Comparisons::default()
    };
    let mut waiting = exchanges.into_iter().rev();
    let mut running = JoinSet::new();
    loop {
        while running.len() < cores * REPLAYS_PER_CORE
            && let Some(kept) = waiting.next()
        {
            let replayer = Arc::clone(&replayer);
            running.spawn(async move {
                let replay = compare(&kept, &replayer);
                (kept.number, timeout(REPLAY_DURATION_MAX, replay).await)
            });
        }
        match timeout_at(until, running.join_next()).await {
            Ok(Some(Ok((number, replayed)))) => comparisons.add(number, replayed.ok()),
            // A task that panicked compared nothing.
            Ok(Some(Err(_))) => comparisons.fail(),
            Ok(None) | Err(_) => break,
        }
    }
    comparisons.compared.sort_by_key(|compared| compared.number);
    comparisons.late.sort_unstable();
    comparisons
}

impl Comparisons {
    /// Adds what was found in time; nothing is found in a line that cannot be read.
    fn add(&mut self, number: u64, replayed: Option<Option<Compared>>) {
        match replayed {
            Some(Some(compared)) => self.compared.push(compared),
            Some(None) => return self.fail(),
            None => self.late.push(number),
        }
        self.left -= 1;
    }

    /// One could not be replayed.
    fn fail(&mut self) {
        self.unreadable += 1;
        self.left -= 1;
    }
}

/// Requests that differ in the same way.
#[derive(Debug)]
struct Group {
    /// Method, path without ids, and statuses.
    heading: String,
    /// The places that differ, without positions.
    places: Vec<String>,
    numbers: Vec<u64>,
    /// The first difference of the first request, in words.
    sample: String,
}

/// The differences as text; no line break at the end.
pub fn summary(comparisons: &Comparisons) -> String {
    let compared = &comparisons.compared;
    let count = |verdict| {
        let verdicts = compared.iter().map(|compared| compared.comparison.verdict);
        verdicts.filter(|found| *found == verdict).count()
    };
    let differing: Vec<&Compared> = compared.iter().filter(|one| differs(one)).collect();
    let requests =
        compared.len() + comparisons.late.len() + comparisons.unreadable + comparisons.left;
    let requests = counted(requests, "request", "requests");
    let mut text = match differing.len() {
        0 if compared.is_empty() => format!("of the last {requests}, none was compared"),
        0 => format!("of the last {requests}, none would be answered or written differently"),
        some => format!("of the last {requests}, {some} would be answered or written differently:"),
    };
    let groups = groups(&differing);
    for group in groups.iter().take(GROUPS_SHOWN_MAX) {
        group.write(&mut text);
    }
    match groups.len().saturating_sub(GROUPS_SHOWN_MAX) {
        0 => {}
        more => {
            let more = counted(more, "more group", "more groups");
            let _ = write!(text, "\n  and {more}");
        }
    }
    for (count, what) in [
        (
            count(Verdict::EqualInEffect),
            "made other storage calls or log lines only",
        ),
        (count(Verdict::Unplayable), "cannot be replayed"),
    ] {
        if count > 0 {
            let _ = write!(text, "\n  {count} {what}");
        }
    }
    comparisons.write_uncompared(&mut text);
    if let Some(first) = differing.first() {
        let all = match groups.len() > GROUPS_SHOWN_MAX || groups.iter().any(Group::is_cut) {
            true => ", `p` writes a page with all",
            false => "",
        };
        let _ = write!(
            text,
            "\n  `d {}` and Enter shows the first in full{all}",
            first.number
        );
    }
    text
}

impl Comparisons {
    fn write_uncompared(&self, text: &mut String) {
        if !self.late.is_empty() {
            let _ = write!(
                text,
                "\n  {} not compared: no answer after {} ms ({})",
                self.late.len(),
                REPLAY_DURATION_MAX.as_millis(),
                first_numbers(&self.late)
            );
        }
        if self.unreadable > 0 {
            let _ = write!(
                text,
                "\n  {} not compared: not recorded completely",
                self.unreadable
            );
        }
        if self.left > 0 {
            let _ = write!(
                text,
                "\n  {} not compared: the comparison ends after {} s",
                self.left,
                COMPARISON_DURATION_MAX.as_secs()
            );
        }
    }
}

/// `1, 2, 3, 4 and 7 more`
fn first_numbers(numbers: &[u64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    first_of(&numbers, NUMBERS_SHOWN_MAX)
}

/// The first of some texts, and how many there are beyond them.
fn first_of(texts: &[String], count_max: usize) -> String {
    let shown = &texts[..texts.len().min(count_max)];
    match texts.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn differs(compared: &Compared) -> bool {
    match compared.comparison.verdict {
        Verdict::Differs | Verdict::Redacted => true,
        Verdict::Same | Verdict::EqualInEffect | Verdict::Unplayable => false,
    }
}

/// The groups, largest first.
fn groups(differing: &[&Compared]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for compared in differing {
        let (heading, places) = (heading(compared), places(&compared.comparison));
        let known = groups
            .iter_mut()
            .find(|group| group.heading == heading && group.places == places);
        match known {
            Some(group) => group.numbers.push(compared.number),
            None => groups.push(Group {
                heading,
                places,
                numbers: vec![compared.number],
                sample: sample(&compared.comparison),
            }),
        }
    }
    // Stable: groups of the same size stay in the order of their first requests.
    groups.sort_by_key(|group| std::cmp::Reverse(group.numbers.len()));
    groups
}

impl Group {
    /// Whether there is more than what is written of it.
    fn is_cut(&self) -> bool {
        self.numbers.len() > NUMBERS_SHOWN_MAX || self.places.len() > PLACES_SHOWN_MAX
    }

    fn write(&self, text: &mut String) {
        let _ = write!(
            text,
            "\n  {}x {} ({})",
            self.numbers.len(),
            printable(&self.heading),
            first_numbers(&self.numbers)
        );
        if !self.places.is_empty() {
            let places = first_of(&self.places, PLACES_SHOWN_MAX);
            let _ = write!(text, "\n      {}", printable(&places));
        }
        let _ = write!(text, "\n      {}", printable(&self.sample));
    }
}

/// Method, path with `*` for what looks like an id, and the statuses.
fn heading(compared: &Compared) -> String {
    let request = match &compared.request {
        Some(RequestLine { method, path }) => format!("{method} {}", without_ids(path)),
        None => "request".to_owned(),
    };
    match (compared.status_before, compared.comparison.status) {
        (Some(before), Some(after)) if before != after => {
            format!("{request} {before} -> {after}")
        }
        (Some(status), _) | (None, Some(status)) => format!("{request} {status}"),
        (None, None) => request,
    }
}

fn without_ids(path: &str) -> String {
    let is_id = |segment: &str| {
        segment.len() >= ID_CHARACTERS_MIN || segment.bytes().any(|byte| byte.is_ascii_digit())
    };
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| if is_id(segment) { "*" } else { segment })
        .collect();
    segments.join("/")
}

/// What differs in response and writes, each once, with `*` for positions.
fn places(comparison: &Comparison) -> Vec<String> {
    let mut places: Vec<String> = Vec::new();
    for part in comparison.differing.iter().filter(|part| is_effect(part)) {
        for difference in part.differences().first {
            let segments: Vec<&str> = difference
                .pointer
                .split('/')
                .map(|name| if is_position(name) { "*" } else { name })
                .collect();
            let place = segments.join("/");
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

fn is_effect(part: &DifferingPart) -> bool {
    match part.part {
        Part::Response | Part::Writes | Part::Stored | Part::Outgoing => true,
        Part::Calls | Part::Call | Part::Logs => false,
    }
}

fn is_position(name: &str) -> bool {
    name == "-" || !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The most important remark.
fn sample(comparison: &Comparison) -> String {
    let note = comparison.notes.first();
    note.map_or_else(|| "differs".to_owned(), |note| note.text.clone())
}

#[cfg(test)]
mod tests;
