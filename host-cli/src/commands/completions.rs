//! `completions`: scripts that let shells complete this program's arguments.

use crate::{
    args::{Arguments, CompletionsArgs},
    exit::{CommandError, Outcome},
    output,
};
use clap::CommandFactory;

/// Prints the script.
pub fn run(arguments: &CompletionsArgs) -> Result<Outcome, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "host-cli",
        &mut script,
    );
    output::result(&script)?;
    Ok(Outcome::Same)
}
