//! `--gate`: arguments, input and output of the gate. `replay::Gate` contains its rules.

use super::stores::Stores;
use crate::{
    exit::CommandError,
    guest, output,
    replay::{
        ignore_rules,
        input::{self, Input, LineError, Lines},
        tapes::{self, Found, Source},
    },
};
use ::release::{ArtifactName, Route};
use ::replay::{self, GateCounts, GateDecision, GateResult};
use contract::{digest::Digest, text::printable};
use files::NamedBy;
use observation::{Case, IgnoreRule};
use runtime::{Runtime, RuntimeOptions, engine::Engine};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};
use tape::{Exchange, Line};
use tokio::sync::mpsc;

/// Number of lines that are printed; further ones are only counted.
const SHOWN_MAX: usize = 50;

/// Lines of a tape that may wait to be replayed.
const LINES_WAITING_MAX: usize = 64;

/// The inputs of the gate, and the places that may differ.
pub struct Gate {
    inputs: Vec<Input>,
    ignore: Vec<IgnoreRule>,
}

/// A guest and the route on which it serves, or would: it runs in the route's environment, because in another one it may only fail, and two
/// equal failures would pass.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    pub digest: Digest,
    pub route: &'a Route,
}

/// What has been compared so far.
#[derive(Default)]
struct Results {
    counts: GateCounts,
    /// The place of the first incomplete line.
    first_cut: Option<String>,
    /// The place of the first request that the host answered.
    first_of_host: Option<String>,
    /// The first differences, which are printed.
    lines: Vec<String>,
    lines_count: usize,
}

impl Gate {
    /// Finds the inputs; `None` if there is no gate.
    pub fn resolve(paths: &[PathBuf], ignore: &[String]) -> Result<Option<Self>, CommandError> {
        if paths.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            inputs: input::find(paths)?,
            ignore: ignore_rules::parse(ignore)?,
        }))
    }

    /// Whether the new guest responds like the current one or, without a current one, as expected. Prints the differences to stdout.
    pub async fn passes(
        &self,
        stores: &Stores,
        present: Option<Candidate<'_>>,
        new: Candidate<'_>,
    ) -> Result<bool, CommandError> {
        let engine = guest::engine(2)?;
        let new = load(&engine, stores, new).await?;
        let present = match present {
            Some(candidate) => Some(load(&engine, stores, candidate).await?),
            None => None,
        };
        let gate = replay::Gate::new(present, new, self.ignore.clone());
        let mut results = Results::default();
        for input in &self.inputs {
            match input {
                Input::Case(folder) => {
                    let case = Case::load(folder).map_err(CommandError::environment)?;
                    let result = gate.case(&case).await.map_err(CommandError::environment)?;
                    results.add(&folder.display().to_string(), result);
                }
                Input::Event(path, named_by) => {
                    let events = gate.events();
                    let event = input::read_event(path, *named_by, 0)?;
                    let result = events.event(&event.bytes, event.head, event.position);
                    results.add(&event.place.to_string(), result.await);
                    results.add_stored(path, &events)?;
                }
                Input::Lines(path, named_by) => {
                    compare_events(&gate, &mut results, path, *named_by).await?;
                }
                Input::Tape(source) => compare_tape(&gate, &mut results, source).await?,
            }
        }
        results.show()
    }
}

async fn compare_events(
    gate: &replay::Gate,
    results: &mut Results,
    path: &Path,
    named_by: NamedBy,
) -> Result<(), CommandError> {
    let events = gate.events();
    let mut lines = Lines::open(path, named_by)?;
    let mut position = 0;
    while let Some(event) = lines.next(position).map_err(LineError::into_failure)? {
        let result = events.event(&event.bytes, event.head, position).await;
        results.add(&event.place.to_string(), result);
        position += 1;
    }
    results.add_stored(path, &events)
}

async fn compare_tape(
    gate: &replay::Gate,
    results: &mut Results,
    source: &Source,
) -> Result<(), CommandError> {
    let (sender, mut lines) = mpsc::channel(LINES_WAITING_MAX);
    let reader = thread::spawn({
        let source = source.clone();
        move || tapes::read(&source, &mut |line| sender.blocking_send(line).is_ok())
    });
    while let Some(found) = lines.recv().await {
        let (number, result) = match found {
            Found::Line(Line { number, bytes }) => (number, recorded(gate, bytes.into()).await),
            Found::Bad(number, reason) => (number, GateResult::unusable(reason)),
        };
        results.add(&format!("{source}:{number}"), result);
    }
    reader
        .join()
        .map_err(|_| CommandError::environment("the host failed to read a tape"))?
}

async fn recorded(gate: &replay::Gate, line: Arc<[u8]>) -> GateResult {
    match Exchange::read(&line) {
        Ok(exchange) => gate.recorded(&line, &exchange).await,
        Err(error) if error.is_cut() => GateResult::Cut,
        Err(error) => GateResult::unusable(error.to_string()),
    }
}

/// Compiles the published component. Its digest proves its bytes, whoever stored them.
async fn load(
    engine: &Engine,
    stores: &Stores,
    Candidate { digest, route }: Candidate<'_>,
) -> Result<Runtime, CommandError> {
    let name = ArtifactName::Component(digest);
    let component = stores
        .artifacts
        .get(name)
        .await
        .map_err(CommandError::environment)?;
    if Digest::of(&component) != digest {
        return Err(
            CommandError::environment(format_args!("`{name}` is damaged"))
                .hint("publish the guest again"),
        );
    }
    let cannot_load = |error| guest::cannot_load(&name.to_string(), &error);
    let guest = engine.load(&component).map_err(cannot_load)?;
    let options = RuntimeOptions {
        environment: route.environment.clone().into_iter().collect(),
        ..RuntimeOptions::without_check_of_grants()
    };
    Runtime::new(engine, &guest, options).map_err(cannot_load)
}

impl Results {
    fn add(&mut self, place: &str, result: GateResult) {
        self.counts.add(&result);
        match result {
            GateResult::Same => {}
            GateResult::Cut => {
                self.first_cut.get_or_insert_with(|| place.to_owned());
            }
            GateResult::OfHost => {
                self.first_of_host.get_or_insert_with(|| place.to_owned());
            }
            GateResult::Differs(lines) => {
                self.lines_count += lines.len();
                let room = SHOWN_MAX - self.lines.len();
                let shown = lines.into_iter().take(room);
                self.lines
                    .extend(shown.map(|line| printable(&format!("{place}: {line}")).into_owned()));
            }
        }
    }

    fn add_stored(
        &mut self,
        path: &Path,
        events: &replay::GateEvents<'_>,
    ) -> Result<(), CommandError> {
        if let Some(result) = events.stored() {
            self.add(
                &path.display().to_string(),
                result.map_err(CommandError::environment)?,
            );
        }
        Ok(())
    }

    fn show(self) -> Result<bool, CommandError> {
        let mut text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        let more = self.lines_count - self.lines.len();
        if more > 0 {
            text.push_str(&format!("and {more} more\n"));
        }
        output::text(&text)?;
        let GateCounts {
            compared,
            differing,
            cut,
            of_host,
        } = self.counts;
        let place = self.first_cut.unwrap_or_default();
        let cut = match cut {
            0 => String::new(),
            1 => format!(", 1 line not compared because it is incomplete: {place}"),
            count => {
                format!(
                    ", {count} lines not compared because they are incomplete, the first: {place}"
                )
            }
        };
        let place = self.first_of_host.unwrap_or_default();
        let of_host = match of_host {
            0 => String::new(),
            1 => format!(", 1 not counted because the host answered instead of a guest: {place}"),
            count => format!(
                ", {count} not counted because the host answered instead of a guest, the first: {place}"
            ),
        };
        let remark = format!("gate: {compared} compared, {differing} differ{cut}{of_host}");
        output::remark(&(printable(&remark) + "\n"));
        match self.counts.decision() {
            GateDecision::Pass => Ok(true),
            GateDecision::Differs => Ok(false),
            GateDecision::NothingCompared => Err(CommandError::refused(
                "not promoted: the gate compared nothing",
            )
            .hint(
                "give `--gate` a tape, events or cases with complete requests that a guest answers",
            )),
        }
    }
}
