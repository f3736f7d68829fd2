//! One module per command: it resolves its arguments into a valid configuration, then runs.

mod channel;
mod compile;
mod completions;
mod dev;
mod event;
mod inspect;
mod invoke;
mod keygen;
mod new;
mod package;
mod promote;
mod publish;
mod published;
mod pull;
mod releases;
mod replay;
mod rollback;
mod serve;
pub mod store;
mod table;
mod tape;
mod tape_options;
mod template;
mod test;
mod wit;

use crate::{
    args::{Arguments, Command},
    exit::{CommandError, Outcome},
    output,
    project::{self, Project},
};

/// Runs a command to its end. What its options leave open comes from the project of the current folder, if there is one.
pub fn run(arguments: Arguments) -> Result<Outcome, CommandError> {
    let find = || match &arguments.project {
        Some(folder) => Project::named(folder).map(Some),
        None => Project::of_current_folder(),
    };
    match arguments.command {
        Command::New(arguments) => new::resolve(&arguments).and_then(new::run),
        Command::Dev(arguments) => dev::resolve(arguments, find()?).and_then(dev::run),
        Command::Test(arguments) => test::resolve(&arguments, find()?.as_ref()).and_then(test::run),
        Command::Serve(arguments) => {
            serve::resolve(&arguments, find()?.as_ref()).and_then(serve::run)
        }
        Command::Invoke(arguments) => {
            invoke::resolve(&arguments, find()?.as_ref()).and_then(invoke::run)
        }
        Command::Replay(arguments) => {
            replay::resolve(&arguments, find()?.as_ref()).and_then(replay::run)
        }
        Command::Tape(arguments) => tape::resolve(&arguments, find()?.as_ref()).and_then(tape::run),
        Command::Pull(arguments) => pull::resolve(&arguments).and_then(pull::run),
        Command::Event(arguments) => {
            event::resolve(&arguments, find()?.as_ref()).and_then(event::run)
        }
        Command::Inspect(arguments) => inspect::run(&arguments, find()?.as_ref()),
        Command::Compile(arguments) => {
            compile::resolve(&arguments, find()?.as_ref()).and_then(compile::run)
        }
        Command::Package(arguments) => {
            package::resolve(&arguments, find()?.as_ref()).and_then(package::run)
        }
        Command::Template(arguments) => {
            template::resolve(&arguments, find()?.as_ref()).and_then(template::run)
        }
        Command::Store(arguments) => {
            store::resolve(&arguments, find()?.as_ref()).and_then(store::run)
        }
        Command::Table(arguments) => table::resolve(&arguments).and_then(table::run),
        Command::Keygen(arguments) => keygen::run(&arguments),
        Command::Publish(arguments) => {
            publish::resolve(&arguments, find()?.as_ref()).and_then(publish::run)
        }
        Command::Published(arguments) => {
            published::resolve(&arguments, find()?.as_ref()).and_then(published::run)
        }
        Command::Promote(arguments) => {
            promote::resolve(&arguments, find()?.as_ref()).and_then(promote::run)
        }
        Command::Rollback(arguments) => {
            rollback::resolve(&arguments, find()?.as_ref()).and_then(rollback::run)
        }
        Command::Releases(arguments) => {
            releases::resolve(&arguments, find()?.as_ref()).and_then(releases::run)
        }
        Command::Channel(arguments) => channel::run(&arguments, find()?.as_ref()),
        Command::Wit(arguments) => wit::run(&arguments),
        Command::Schema => {
            output::text(project::SCHEMA)?;
            Ok(Outcome::Same)
        }
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
