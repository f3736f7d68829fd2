//! `template`: the project's template for AWS SAM, written, printed or checked.

mod ask;
mod check;
mod settings;
mod write;

use self::{settings::Settings, write::Output};
use crate::{
    args::template::TemplateArgs,
    exit::{CommandError, Outcome},
    guest::HostedGuest,
    output,
    project::{PROJECT_FILE, Project},
};
use deployment::{Deployment, DeploymentError, Marked, samconfig};
use std::path::PathBuf;

/// The files' texts, and what to do with them.
pub struct Configuration {
    deployment: Deployment,
    /// The template's file first.
    files: Vec<Output>,
    guest: HostedGuest,
    action: Action,
}

enum Action {
    Write { force: bool },
    Print,
    Check,
}

/// Reads the project, its document and its guest, and makes the texts; nothing is written yet.
pub fn resolve(
    arguments: &TemplateArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    let project = project.ok_or_else(|| {
        CommandError::usage(format_args!(
            "neither this folder nor one above has a `{PROJECT_FILE}`, which says what to deploy"
        ))
        .hint("`host-cli new` makes a project; docs/tenon-toml.md describes `[deploy]`")
    })?;
    let guest = HostedGuest::resolve(&arguments.guest, Some(project))?;
    guest.check_is_built()?;
    let settings = Settings::read(arguments, project, &guest)?;
    let Settings {
        deployment,
        sources,
        path,
        name,
    } = settings;
    let body = deployment.template().map_err(cannot_deploy)?;
    let mut files = vec![Output::new(
        "template",
        path.clone(),
        Marked::new(&sources, &body),
    )];
    if !deployment.environments.is_empty() {
        let template = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = samconfig(&deployment, &name, &template);
        let marked = Marked::new(PROJECT_FILE, &text);
        files.push(Output::new(
            "settings of `sam deploy`",
            samconfig_beside(&path),
            marked,
        ));
    }
    Ok(Configuration {
        deployment,
        files,
        guest,
        action: match (arguments.check, arguments.stdout) {
            (true, _) => Action::Check,
            (_, true) => Action::Print,
            _ => Action::Write {
                force: arguments.force,
            },
        },
    })
}

/// The file that `sam deploy` reads beside a template.
fn samconfig_beside(template: &std::path::Path) -> PathBuf {
    template.with_file_name("samconfig.toml")
}

/// The failure of settings that do not fit together.
fn cannot_deploy(error: DeploymentError) -> CommandError {
    CommandError::environment(&error).hint(&error.hint)
}

/// Writes, prints or checks.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration {
        deployment,
        files,
        guest,
        action,
    } = configuration;
    match action {
        Action::Print => {
            output::text(files[0].text())?;
            Ok(Outcome::Same)
        }
        Action::Write { force } => write::all(&files, force),
        Action::Check => check::all(&deployment, &files, &guest),
    }
}

#[cfg(test)]
mod tests;
