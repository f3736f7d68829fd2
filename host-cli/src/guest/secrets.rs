//! `[secrets]` and `--secret`: the guest's secrets. Only names and sources are read here; values are read when a guest uses them.

use crate::{
    args::guest::GuestOptions, aws::OwnSecrets, exit::CommandError, output, project::Project,
};
use runtime::Environment;
use secrets::{
    HostSources, LocalSources, ProvideSecrets, RefreshFailure, SecretDeclaration,
    SecretDeclarations, SecretKeeper, SecretName, SecretOptions, Source,
};
use std::{env, sync::Arc};

/// What the project declares, with the sources that the command line names.
pub fn resolve(
    options: &GuestOptions,
    project: Option<&Project>,
) -> Result<SecretDeclarations, CommandError> {
    let declared = match project {
        Some(project) => project.file.secrets.0.clone().below(&project.folder),
        None => SecretDeclarations::default(),
    };
    let mut typed = SecretDeclarations::default();
    for text in &options.secret {
        let (name, source) = text.split_once('=').ok_or_else(not_typed_so)?;
        let name: SecretName = name.parse().map_err(CommandError::usage)?;
        let source: Source = source.parse().map_err(|error| {
            CommandError::usage(format_args!("`--secret {name}`: {error}"))
                .hint("the value itself belongs in a variable or a file, never in an argument")
        })?;
        typed.insert(name, SecretDeclaration::new(source));
    }
    if let Some((name, _)) = typed
        .iter()
        .find(|(name, _)| declared.get(name.as_str()).is_none())
    {
        return Err(
            CommandError::usage(format_args!("no secret `{name}` is declared"))
                .hint("declare in `[secrets]` of tenon.toml what it is for; `--secret` only says where it is found"),
        );
    }
    let declarations = typed.over(&declared);
    declarations.check().map_err(CommandError::usage)?;
    Ok(declarations)
}

/// Whoever typed something else may have typed the secret: it is not repeated.
fn not_typed_so() -> CommandError {
    CommandError::usage("`--secret` is followed by `NAME=SOURCE`")
        .hint("for example `--secret stripe-key=env:STRIPE_KEY`")
}

/// Refuses variables that would give the guest a secret under another name.
pub fn check_environment(
    declarations: &SecretDeclarations,
    environment: &Environment,
) -> Result<(), CommandError> {
    let given = |variable: &str| environment.iter().any(|(name, _)| name == variable);
    for (name, declaration) in declarations.iter() {
        if let Source::Environment(variable) = &declaration.from
            && given(variable)
        {
            return Err(CommandError::usage(format_args!(
                "the variable `{variable}` has the secret `{name}`, and is in the guest's environment, too"
            ))
            .hint("leave it out of the guest's environment, or rename one of them"));
        }
    }
    Ok(())
}

/// Secrets, as this program finds them: in its own environment, in files, and with a person's own credentials on AWS. `say` tells what cannot be
/// read.
pub fn provider(say: impl Fn(&str) + Send + Sync + 'static) -> Arc<dyn ProvideSecrets> {
    let local = LocalSources::new(|name| env::var_os(name));
    let sources = HostSources::new(local, Some(Arc::new(OwnSecrets::default())));
    let options = SecretOptions {
        on_failure: Arc::new(move |failure| say(&told(failure))),
        ..SecretOptions::default()
    };
    Arc::new(SecretKeeper::new(Arc::new(sources), options))
}

/// For commands without a log of their own.
pub fn say_plainly(text: &str) {
    output::remark(&format!("{text}\n"));
}

fn told(failure: &RefreshFailure) -> String {
    let RefreshFailure {
        name, error, age, ..
    } = failure;
    let meanwhile = match age {
        Some(age) => format!("; the value of {} s ago is used", age.as_secs()),
        None => String::new(),
    };
    format!("warning: secret `{name}` cannot be read: {error}{meanwhile}")
}
