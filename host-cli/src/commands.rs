//! One module per command: it resolves its arguments into a valid configuration, then runs.

mod channel;
mod compile;
mod completions;
mod event;
mod inspect;
mod invoke;
mod keygen;
mod promote;
mod publish;
mod published;
mod pull;
mod releases;
mod replay;
mod rollback;
mod serve;
mod table;
mod tape_options;

use crate::{
    args::Command,
    exit::{CommandError, Outcome},
};

/// Runs a command to its end.
pub fn run(command: Command) -> Result<Outcome, CommandError> {
    match command {
        Command::Serve(arguments) => serve::resolve(&arguments).and_then(serve::run),
        Command::Invoke(arguments) => invoke::resolve(&arguments).and_then(invoke::run),
        Command::Replay(arguments) => replay::resolve(&arguments).and_then(replay::run),
        Command::Pull(arguments) => pull::resolve(&arguments).and_then(pull::run),
        Command::Event(arguments) => event::resolve(&arguments).and_then(event::run),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Compile(arguments) => compile::resolve(&arguments).and_then(compile::run),
        Command::Table(arguments) => table::resolve(&arguments).and_then(table::run),
        Command::Keygen(arguments) => keygen::run(&arguments),
        Command::Publish(arguments) => publish::resolve(&arguments).and_then(publish::run),
        Command::Published(arguments) => published::resolve(&arguments).and_then(published::run),
        Command::Promote(arguments) => promote::resolve(&arguments).and_then(promote::run),
        Command::Rollback(arguments) => rollback::resolve(&arguments).and_then(rollback::run),
        Command::Releases(arguments) => releases::resolve(&arguments).and_then(releases::run),
        Command::Channel(arguments) => channel::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
