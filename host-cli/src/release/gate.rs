//! `--gate`: what the present guest does with recorded requests, the new one has to do as well.

use super::stores::Stores;
use crate::{
    commands::tape_options,
    exit::Failure,
    guest, output,
    replay::{
        input::{self, Event, Input, LineError, Lines},
        tapes::{self, Found, Source},
    },
};
use contract::{digest::Digest, seed::Seed, text::printable};
use observation::{self, ANSWER, Case, IgnoreRule, Mismatch, STORE, readable_response};
use release::ArtifactName;
use replay::{
    CaseOutcome, Comparison, Mode, ReplayGuest, ReplayOptions, Replayer, Verdict, exchange_seed,
    local_view, replay_cursor_key, run_case,
};
use runtime::{Runtime, RuntimeOptions, engine::Engine};
use serde_json::{Value, json};
use service::Service;
use std::{path::PathBuf, sync::Arc, thread};
use storage::{MemoryStorage, Namespace, Snapshot};
use tape::{Exchange, Line};
use tokio::sync::mpsc;

/// Places that are shown; further ones are only counted.
const SHOWN_MAX: usize = 50;

/// Lines of a tape that wait to be replayed.
const LINES_WAITING_MAX: usize = 64;

/// What stands against a new guest; nothing where it does what the present one did.
fn remarks(comparison: Comparison) -> Vec<String> {
    match comparison.verdict {
        Verdict::Same | Verdict::EqualInEffect => Vec::new(),
        Verdict::Differs | Verdict::Redacted | Verdict::Unplayable => {
            comparison.notes.into_iter().map(|note| note.0).collect()
        }
    }
}

/// What has to come out the same, but for the places that may differ.
pub struct Gate {
    inputs: Vec<Input>,
    ignore: Vec<IgnoreRule>,
}

/// One guest with a store of its own for the events of a file.
struct Side {
    runtime: Runtime,
    store: Arc<MemoryStorage>,
    service: Service,
}

/// What has been compared so far.
#[derive(Default)]
struct Findings {
    compared: u64,
    differing: u64,
    /// Lines that end too early to be a request: how many, and where the first is.
    cut: Option<(u64, String)>,
    lines: Vec<String>,
}

impl Gate {
    /// Finds the input; `None` where there is no gate.
    pub fn resolve(paths: &[PathBuf], ignore: &[String]) -> Result<Option<Self>, Failure> {
        if paths.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            inputs: input::find(paths)?,
            ignore: tape_options::ignore(ignore)?,
        }))
    }

    /// Whether the new guest does as the present one; without a present one, whether it does what cases expect. The differences are the
    /// result on stdout.
    pub async fn passes(
        &self,
        stores: &Stores,
        present: Option<Digest>,
        new: Digest,
    ) -> Result<bool, Failure> {
        let engine = guest::engine(2)?;
        let new = Side::load(&engine, stores, new).await?;
        let present = match present {
            Some(digest) => Some(Side::load(&engine, stores, digest).await?),
            None => None,
        };
        let mut findings = Findings::default();
        for input in &self.inputs {
            match input {
                Input::Case(folder) => {
                    let case = Case::load(folder).map_err(Failure::environment)?;
                    self.compare_case(&mut findings, present.as_ref(), &new, &case)
                        .await?;
                }
                Input::Event(path, named_by) => {
                    let sides = Sides::fresh(present.as_ref(), &new);
                    let event = input::read_event(path, *named_by, 0)?;
                    self.compare_event(&mut findings, &sides, &event).await;
                    self.compare_stores(&mut findings, &sides, &path.display().to_string())?;
                }
                Input::Lines(path, named_by) => {
                    let sides = Sides::fresh(present.as_ref(), &new);
                    let mut lines = Lines::open(path, *named_by)?;
                    let mut position = 0;
                    while let Some(event) = lines.next(position).map_err(LineError::into_failure)? {
                        self.compare_event(&mut findings, &sides, &event).await;
                        position += 1;
                    }
                    self.compare_stores(&mut findings, &sides, &path.display().to_string())?;
                }
                Input::Tape(source) => {
                    self.compare_tape(&mut findings, present.as_ref(), &new, source)
                        .await?;
                }
            }
        }
        findings.show()
    }

    /// Requests of a tape bring what the store told them. What the present guest does with them now is what is expected.
    async fn compare_tape(
        &self,
        findings: &mut Findings,
        present: Option<&Side>,
        new: &Side,
        source: &Source,
    ) -> Result<(), Failure> {
        let replayer = Replayer {
            guest: ReplayGuest::new(new.runtime.clone()),
            metered: None,
            baseline: present.map(|present| ReplayGuest::new(present.runtime.clone())),
            live: None,
            options: ReplayOptions {
                mode: Some(Mode::State),
                ignore: self.ignore.clone(),
                expects_baseline: true,
                ..ReplayOptions::default()
            },
        };
        let (sender, mut lines) = mpsc::channel(LINES_WAITING_MAX);
        let reader = thread::spawn({
            let source = source.clone();
            move || tapes::read(&source, &mut |line| sender.blocking_send(line).is_ok())
        });
        while let Some(found) = lines.recv().await {
            let Line { number, bytes } = match found {
                Found::Line(line) => line,
                Found::Bad(number, reason) => {
                    findings.add(&format!("{source}:{number}"), vec![reason]);
                    continue;
                }
            };
            let place = format!("{source}:{number}");
            let line: Arc<[u8]> = bytes.into();
            match Exchange::read(&line) {
                Ok(exchange) => {
                    let comparison = replayer.replay(&line, &exchange).await;
                    findings.add(&place, remarks(comparison));
                }
                Err(error) if error.is_cut() => findings.leave_out(place),
                Err(error) => findings.add(&place, vec![error.to_string()]),
            }
        }
        reader
            .join()
            .map_err(|_| Failure::environment("the host failed to read a tape"))??;
        Ok(())
    }

    async fn compare_case(
        &self,
        findings: &mut Findings,
        present: Option<&Side>,
        new: &Side,
        case: &Case,
    ) -> Result<(), Failure> {
        let actual = new.case(case).await?;
        let place = case.folder.display().to_string();
        let expected = match present {
            Some(present) => {
                let expected = present.case(case).await?;
                (Some(expected.response), Some(expected.after))
            }
            None => (case.response.clone(), case.after.clone()),
        };
        let mismatches = [
            expected
                .0
                .and_then(|expected| Mismatch::between(ANSWER, Some(&expected), &actual.response)),
            expected
                .1
                .and_then(|expected| Mismatch::between(STORE, Some(&expected), &actual.after)),
        ];
        findings.add(&place, self.left(mismatches.into_iter().flatten()));
        Ok(())
    }

    async fn compare_event(&self, findings: &mut Findings, sides: &Sides, event: &Event) {
        let actual = sides.new.answer(event).await;
        let place = event.place.to_string();
        // What no guest sees proves nothing about one.
        if let Some(refusal) = actual.get("refusal") {
            findings.add(&place, vec![format!("no guest was asked: {refusal}")]);
            return;
        }
        let lines = match &sides.present {
            Some(present) => {
                let expected = present.answer(event).await;
                self.left(Mismatch::between(ANSWER, Some(&expected), &actual).into_iter())
            }
            None if actual["statusCode"]
                .as_u64()
                .is_none_or(|status| status >= 500) =>
            {
                vec![format!("answer {actual}")]
            }
            None => Vec::new(),
        };
        findings.add(&place, lines);
    }

    fn compare_stores(
        &self,
        findings: &mut Findings,
        sides: &Sides,
        place: &str,
    ) -> Result<(), Failure> {
        let Some(present) = &sides.present else {
            return Ok(());
        };
        let (expected, actual) = (present.entries()?, sides.new.entries()?);
        let mismatch = Mismatch::between(STORE, Some(&expected), &actual);
        findings.add(place, self.left(mismatch.into_iter()));
        Ok(())
    }

    /// The differences that are not at or below a place that may differ.
    fn left(&self, mismatches: impl Iterator<Item = Mismatch>) -> Vec<String> {
        let mut lines = Vec::new();
        for mismatch in mismatches.filter_map(|mismatch| mismatch.without(&self.ignore)) {
            let differences = mismatch.differences();
            lines.extend(
                differences
                    .lines()
                    .map(|line| format!("{} {line}", mismatch.file)),
            );
        }
        lines
    }
}

struct Sides {
    present: Option<Side>,
    new: Side,
}

impl Sides {
    /// Both on empty stores.
    fn fresh(present: Option<&Side>, new: &Side) -> Self {
        Self {
            present: present.map(|present| Side::new(present.runtime.clone())),
            new: Side::new(new.runtime.clone()),
        }
    }
}

impl Side {
    fn new(runtime: Runtime) -> Self {
        let store = Arc::new(MemoryStorage::new());
        let view = local_view(store.clone(), replay_cursor_key());
        Self {
            service: Service::new(runtime.clone(), view),
            runtime,
            store,
        }
    }

    /// Compiles the published component: its bytes are what the digest says, whoever stored them.
    async fn load(engine: &Engine, stores: &Stores, digest: Digest) -> Result<Self, Failure> {
        let name = ArtifactName::Component(digest);
        let component = stores
            .artifacts
            .get(name)
            .await
            .map_err(Failure::environment)?;
        if Digest::of(&component) != digest {
            return Err(Failure::environment(format_args!("`{name}` is damaged"))
                .hint("publish the guest again"));
        }
        let cannot_load = |error| guest::cannot_load(&name.to_string(), &error);
        let guest = engine.load(&component).map_err(cannot_load)?;
        let runtime = Runtime::new(engine, &guest, RuntimeOptions::default());
        Ok(Self::new(runtime.map_err(cannot_load)?))
    }

    async fn case(&self, case: &Case) -> Result<CaseOutcome, Failure> {
        let store = Arc::new(MemoryStorage::new());
        run_case(case, &self.runtime, store, &seed())
            .await
            .map_err(Failure::environment)
    }

    async fn answer(&self, event: &Event) -> Value {
        let exchange = replay::ReplayedEvent {
            event: &event.bytes,
            received_at_ms: event.head.received_at_ms,
            seed: exchange_seed(&seed(), event.position),
        };
        match exchange.run(&self.service).await {
            Ok(answer) => readable_response(json::value(&answer.payload).unwrap_or_default()),
            Err(rejection) => json!({"refusal": rejection.to_string()}),
        }
    }

    fn entries(&self) -> Result<Value, Failure> {
        let entries = self
            .store
            .namespace_entries(&Namespace::local(), 0)
            .map_err(Failure::environment)?;
        Ok(json!(entries))
    }
}

impl Findings {
    fn add(&mut self, place: &str, lines: Vec<String>) {
        self.compared += 1;
        self.differing += u64::from(!lines.is_empty());
        self.lines.extend(
            lines
                .into_iter()
                .map(|line| printable(&format!("{place}: {line}")).into_owned()),
        );
    }

    /// A recorder that was ended leaves such a line. It says nothing about a guest, but neither was it compared.
    fn leave_out(&mut self, place: String) {
        self.cut.get_or_insert((0, place)).0 += 1;
    }

    fn show(self) -> Result<bool, Failure> {
        let mut text: String = self
            .lines
            .iter()
            .take(SHOWN_MAX)
            .map(|line| format!("{line}\n"))
            .collect();
        if self.lines.len() > SHOWN_MAX {
            text.push_str(&format!("and {} more\n", self.lines.len() - SHOWN_MAX));
        }
        output::text(&text)?;
        let (compared, differing) = (self.compared, self.differing);
        let cut = match &self.cut {
            None => String::new(),
            Some((1, place)) => format!(", 1 line not compared because it is cut off: {place}"),
            Some((count, place)) => {
                format!(", {count} lines not compared because they are cut off, the first: {place}")
            }
        };
        let remark = format!("gate: {compared} compared, {differing} differ{cut}");
        output::remark(&(printable(&remark) + "\n"));
        if compared == 0 {
            return Err(Failure::refused("not promoted: the gate compared nothing")
                .hint("give `--gate` a tape, events or cases with whole requests"));
        }
        Ok(differing == 0)
    }
}

/// Both guests get the same one.
fn seed() -> Seed {
    Seed::new([0; 32])
}
