//! `tape cases`: makes cases of recorded requests.

use crate::{
    args::dev::{TapeCasesArgs, TapeCommand, TapeCommandArgs},
    commands::tape_options,
    executor,
    exit::{CommandError, Outcome},
    output,
    project::{CASES_FOLDER, Project},
    replay::{
        new_case,
        tapes::{self, Found, Source},
    },
};
use files::NamedBy;
use std::path::{Path, PathBuf};
use tape::{DecryptError, Exchange, Identity, decrypt_line, id_of};

/// The requests, and where their cases go.
pub struct Configuration {
    source: Source,
    only: Vec<String>,
    cases: PathBuf,
    name: Option<String>,
    is_as_sent: bool,
    identity: Option<Identity>,
}

/// Checks the arguments; nothing is read yet but the key.
pub fn resolve(
    arguments: &TapeCommandArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    let TapeCommand::Cases(arguments) = &arguments.command;
    let TapeCasesArgs {
        tape,
        only,
        output,
        name,
        as_sent,
        identity,
    } = arguments;
    if only.iter().any(String::is_empty) {
        return Err(CommandError::usage("`--only` is empty"));
    }
    Ok(Configuration {
        source: match tape == Path::new("-") {
            true => Source::Stdin,
            false => Source::File(tape.clone(), NamedBy::User),
        },
        only: only.clone(),
        cases: match (output, project) {
            (Some(folder), _) => folder.clone(),
            (None, Some(project)) => project.cases(),
            (None, None) => PathBuf::from(CASES_FOLDER),
        },
        name: name.clone(),
        is_as_sent: *as_sent,
        identity: identity
            .as_deref()
            .map(tape_options::identity)
            .transpose()?,
    })
}

/// Makes the cases, and tells for each request what came of it.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let runtime = executor::workers(1)?;
    let mut making = Making {
        configuration: &configuration,
        made: 0,
        refused: 0,
        failure: None,
    };
    tapes::read(&configuration.source, &mut |found| {
        let made = match found {
            Found::Line(line) => runtime.block_on(making.line(&line.bytes)),
            Found::Bad(number, reason) => {
                making.refused += 1;
                let source = &configuration.source;
                output::remark(&format!("`{source}:{number}`: {reason}\n"));
                Ok(())
            }
        };
        making.failure = made.err();
        making.failure.is_none()
    })?;
    if let Some(failure) = making.failure {
        return Err(failure);
    }
    if making.made + making.refused == 0 {
        return Err(CommandError::environment(format_args!(
            "no request of `{}` has an id that begins with `{}`",
            configuration.source,
            configuration.only.join("` or `")
        ))
        .hint("`jq -r .id FILE` shows the ids of a tape's requests"));
    }
    Ok(match making.refused {
        0 => Outcome::Same,
        _ => Outcome::Differs,
    })
}

struct Making<'a> {
    configuration: &'a Configuration,
    made: u64,
    refused: u64,
    /// What ends the whole command.
    failure: Option<CommandError>,
}

impl Making<'_> {
    async fn line(&mut self, line: &[u8]) -> Result<(), CommandError> {
        // The id of an encrypted line is readable.
        let id = id_of(line).unwrap_or_default().into_owned();
        let only = &self.configuration.only;
        if !only.is_empty() && !only.iter().any(|wanted| id.starts_with(wanted)) {
            return Ok(());
        }
        if self.made > 0 && self.configuration.name.is_some() {
            return Err(
                CommandError::usage("`--name` is for one request, but there are several")
                    .hint("choose one with `--only ID`"),
            );
        }
        match self.make(line).await {
            Ok(made) => {
                self.made += 1;
                output::text(&format!("{id}: {}\n", made.describe()))
            }
            Err(failure) if failure.is_refused() => {
                self.refused += 1;
                let hint = failure
                    .hint_text()
                    .map_or(String::new(), |hint| format!("; {hint}"));
                output::remark(&format!("{id}: {}{hint}\n", failure.message()));
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    async fn make(&self, line: &[u8]) -> Result<new_case::Made, CommandError> {
        let Configuration {
            cases,
            name,
            is_as_sent,
            identity,
            ..
        } = self.configuration;
        let decrypted = match identity {
            Some(identity) => decrypt_line(line, identity).map_err(not_decrypted)?,
            None => None,
        };
        let line = decrypted.as_deref().unwrap_or(line);
        let exchange = Exchange::read(line).map_err(|error| {
            let failure = CommandError::refused(format_args!("no case is made: {error}"));
            match error {
                tape::ExchangeError::Encrypted => {
                    failure.hint("name its key with `--identity FILE`")
                }
                _ => failure.hint("`host-cli replay` says more about the tape"),
            }
        })?;
        let wanted = new_case::Wanted {
            cases,
            name: name.as_deref(),
            is_as_sent: *is_as_sent,
        };
        new_case::make(&exchange, wanted).await
    }
}

fn not_decrypted(error: DecryptError) -> CommandError {
    CommandError::refused(format_args!("no case is made: {error}"))
        .hint("name the key of this tape with `--identity FILE`")
}
