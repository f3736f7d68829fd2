//! The line of `serve` that says what comes from the project's file.

use crate::{args::ServeArgs, project::Project};
use runtime::Environment;

/// The project's file, and what comes from it because no option says otherwise.
pub fn project_line(project: &Project, arguments: &ServeArgs, environment: &Environment) -> String {
    let (serve, guest) = (&project.file.serve, &arguments.guest);
    let is_unset = |name: &str| !guest.limits.0.names().any(|typed| typed == name);
    let mut parts: Vec<String> = [
        ("guest", guest.guest.is_none()),
        (
            "address",
            serve.listen.is_some() && arguments.server.listen.is_none(),
        ),
        (
            "store",
            serve.store.is_some() && arguments.server.store.is_none(),
        ),
        (
            "event kind",
            serve.event.is_some() && arguments.server.event_kind.is_none(),
        ),
        (
            "log level",
            serve.log_level.is_some() && guest.log_level.is_none(),
        ),
    ]
    .into_iter()
    .filter(|(_, is_from_file)| *is_from_file)
    .map(|(part, _)| part.to_owned())
    .collect();
    parts.extend(
        serve
            .limits
            .0
            .names()
            .filter(|name| is_unset(name))
            .map(str::to_owned),
    );
    let variables = project.file.environment.0.iter();
    let is_kept = |of_file: &(&String, &String)| {
        let mut given = environment.iter().map(|(name, value)| (name, value));
        given.any(|given| given == *of_file)
    };
    parts.extend(
        variables
            .filter(is_kept)
            .map(|(name, _)| format!("variable {name}")),
    );
    let mut text = project.path_of_file().display().to_string();
    if !parts.is_empty() {
        text.push_str(" sets the ");
        text.push_str(&parts.join(", "));
    }
    text
}
