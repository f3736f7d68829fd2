//! `--gate`: arguments, input and output of the gate. `replay::Gate` contains its rules.

mod results;
mod route;

use self::{
    results::{Results, Subject},
    route::Answered,
};
use super::stores::Stores;
use crate::{
    exit::CommandError,
    guest,
    replay::{
        ignore_rules,
        input::{self, Event, Input, LineError, Lines},
        tapes::{self, Found, Source},
    },
};
use ::release::{ArtifactName, Channel, Route};
use ::replay::{self, GateResult};
use contract::{digest::Digest, limits::Limits};
use observation::{Case, IgnoreRule};
use runtime::{Runtime, RuntimeOptions, engine::Engine};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};
use tape::{Exchange, Line};
use tokio::sync::mpsc;

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

    /// Whether the new guest responds like the current one or, without a current one, as expected, to what its route of the channel's next
    /// generation answers. Prints the differences to stdout.
    pub async fn passes(
        &self,
        stores: &Stores,
        next: &Channel,
        present: Option<Candidate<'_>>,
        new: Candidate<'_>,
    ) -> Result<bool, CommandError> {
        let engine = guest::engine(2)?;
        let answered = Answered {
            channel: next,
            path: &new.route.path,
        };
        let new = load(&engine, stores, new).await?;
        let present = match present {
            Some(candidate) => Some(load(&engine, stores, candidate).await?),
            None => None,
        };
        let mut run = Run {
            gate: replay::Gate::new(present, new, self.ignore.clone()),
            answered,
            results: Results::default(),
        };
        for input in &self.inputs {
            match input {
                Input::Case(folder) => run.case(folder).await?,
                Input::Event(path, named_by) => {
                    let mut event = Some(input::read_event(path, *named_by, 0)?);
                    run.events(path, |_| Ok(event.take())).await?;
                }
                Input::Lines(path, named_by) => {
                    let mut lines = Lines::open(path, *named_by)?;
                    let next = |position| lines.next(position).map_err(LineError::into_failure);
                    run.events(path, next).await?;
                }
                Input::Tape(source) => run.tape(source).await?,
            }
        }
        run.results.show()
    }
}

/// A gate at work.
struct Run<'a> {
    gate: replay::Gate,
    answered: Answered<'a>,
    results: Results,
}

impl Run<'_> {
    async fn case(&mut self, folder: &Path) -> Result<(), CommandError> {
        let case = Case::load(folder).map_err(CommandError::environment)?;
        let result = match self.answered.takes(&case.event, None, &Limits::default()) {
            true => self.gate.case(&case).await,
            false => Ok(GateResult::OfOtherRoute),
        };
        let subject = Subject {
            event: Some(&case.event),
            ..Subject::of(folder)
        };
        let result = result.map_err(CommandError::environment)?;
        self.results.add(&subject, result);
        Ok(())
    }

    /// The events of one file.
    async fn events(
        &mut self,
        path: &Path,
        mut next: impl FnMut(u64) -> Result<Option<Event>, CommandError>,
    ) -> Result<(), CommandError> {
        let events = self.gate.events();
        let mut position = 0;
        while let Some(event) = next(position)? {
            let bytes = &event.bytes;
            let result = match self.answered.takes(bytes, None, &Limits::default()) {
                true => events.event(bytes, event.head, position).await,
                false => GateResult::OfOtherRoute,
            };
            let subject = Subject {
                line: event.place.line,
                event: Some(bytes),
                ..Subject::of(&event.place.path)
            };
            self.results.add(&subject, result);
            position += 1;
        }
        self.results.add_stored(path, &events)
    }

    async fn tape(&mut self, source: &Source) -> Result<(), CommandError> {
        let (sender, mut lines) = mpsc::channel(LINES_WAITING_MAX);
        let reader = thread::spawn({
            let source = source.clone();
            move || tapes::read(&source, &mut |line| sender.blocking_send(line).is_ok())
        });
        while let Some(found) = lines.recv().await {
            let subject = |number| Subject {
                line: Some(number),
                ..Subject::of(source.path())
            };
            match found {
                Found::Line(Line { number, bytes }) => {
                    self.recorded(subject(number), bytes.into()).await;
                }
                Found::Bad(number, reason) => {
                    let result = GateResult::unusable(reason);
                    self.results.add(&subject(number), result);
                }
            }
        }
        reader
            .join()
            .map_err(|_| CommandError::environment("the host failed to read a tape"))?
    }

    async fn recorded(&mut self, place: Subject<'_>, line: Arc<[u8]>) {
        let exchange = match Exchange::read(&line) {
            Ok(exchange) => exchange,
            Err(error) => {
                let result = match error.is_cut() {
                    true => GateResult::Cut,
                    false => GateResult::unusable(error.to_string()),
                };
                return self.results.add(&place, result);
            }
        };
        let event = exchange.event.map(|event| event.get().as_bytes());
        let host = &exchange.host;
        let is_answered = event.is_none_or(|event| {
            let base_path = host.base_path.as_deref();
            self.answered.takes(event, base_path, &host.limits())
        });
        let result = match is_answered {
            true => self.gate.recorded(&line, &exchange).await,
            false => GateResult::OfOtherRoute,
        };
        let subject = Subject {
            event,
            id: Some(&exchange.id),
            ..place
        };
        self.results.add(&subject, result);
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
