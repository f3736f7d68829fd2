//! `new`: makes a project that builds, serves and tests at once.

use crate::{
    args::{LanguageName, NewArgs},
    exit::{CommandError, Outcome},
    output,
    template::{self, Sdk},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Where to write which project.
pub struct Configuration {
    folder: PathBuf,
    name: String,
    sdk: Sdk,
}

/// Checks the name and finds the SDK; nothing is written yet.
pub fn resolve(arguments: &NewArgs) -> Result<Configuration, CommandError> {
    let folder = arguments.folder.clone();
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default().to_owned();
    if let Err(error) = template::check_name(&name) {
        return Err(
            CommandError::usage(format_args!("`{}`: {error}", folder.display()))
                .hint("begin with a letter, and use letters, digits, `-` and `_`: `host-cli new bookings`"),
        );
    }
    if folder.symlink_metadata().is_ok() {
        return Err(CommandError::environment(format_args!(
            "`{}` already exists and was not changed",
            folder.display()
        ))
        .hint("name a folder that does not exist yet"));
    }
    Ok(Configuration {
        sdk: Sdk::find(arguments.lang, arguments.sdk.as_deref())?,
        folder,
        name,
    })
}

/// Writes the project, or nothing.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration { folder, name, sdk } = configuration;
    let failed = |path: &Path, error: &io::Error| {
        CommandError::environment(format_args!(
            "failed to write `{}`: {error}",
            path.display()
        ))
    };
    // Only this command creates the folder, so everything in it is its own.
    fs::create_dir(&folder).map_err(|error| {
        let failure = failed(&folder, &error);
        match error.kind() {
            io::ErrorKind::NotFound => failure.hint("create the folder above it first"),
            _ => failure,
        }
    })?;
    let written = template::files(&name, &sdk).try_for_each(|(path, text)| {
        let path = folder.join(path);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| failed(&path, &error))
    });
    if let Err(failure) = written {
        let _ = fs::remove_dir_all(&folder);
        return Err(failure);
    }
    let shown = folder.display();
    output::remark(&format!("created `{shown}`; its SDK is {sdk}\n"));
    if sdk.is_missing() {
        output::remark(
            "warning: this SDK is not published yet, and a package of its name may be somebody else's\n  hint: name a package or a folder with `--sdk PATH`\n",
        );
    }
    let install = match sdk.language() {
        LanguageName::Rust => "",
        LanguageName::Typescript => "  npm install\n",
        LanguageName::Python => {
            "  python3 -m venv .venv\n  .venv/bin/pip install -r requirements.txt\n"
        }
    };
    output::text(&format!(
        "next:\n  cd {}\n{install}  host-cli dev\n  curl {}\n",
        typed(&folder),
        template::EXAMPLE
    ))?;
    Ok(Outcome::Same)
}

/// A path as a shell takes it.
fn typed(path: &Path) -> String {
    let path = path.display().to_string();
    shlex::try_quote(&path).map_or_else(|_| path.clone(), Into::into)
}
