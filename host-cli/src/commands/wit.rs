//! `wit`: writes the contract, for guests that bind to it themselves.

use crate::{
    args::WitArgs,
    contract_files::{FILES, PACKAGE, version},
    exit::{CommandError, Outcome},
    input, output,
    replacement::{self, Readers},
};
use files::NamedBy;
use std::{fs, path::Path};

/// Name of the output in messages.
const WHAT: &str = "interface";
/// A file of the contract, or of something else in its place.
const WIT_BYTES_MAX: u64 = 1 << 20;

/// Writes the files that are missing, and prints the version of the contract.
pub fn run(arguments: &WitArgs) -> Result<Outcome, CommandError> {
    let folder = &arguments.folder;
    fs::create_dir_all(folder).map_err(|error| {
        CommandError::environment(format_args!(
            "failed to create folder `{}`: {error}",
            folder.display()
        ))
    })?;
    let mut missing = Vec::new();
    for (name, text) in FILES {
        let path = folder.join(name);
        if !is_there(&path, text, arguments.replace)? {
            missing.push((path, text));
        }
    }
    // Nothing is written until it is known that nothing else is replaced.
    for (path, text) in &missing {
        replacement::replace(path, Readers::Usual, text.as_bytes())
            .map_err(|error| replacement::cannot_write(path, WHAT, &error))?;
        output::remark(&format!("wrote `{}`\n", path.display()));
    }
    output::text(&format!("{PACKAGE}@{}\n", version()))?;
    Ok(Outcome::Same)
}

/// Whether the file already has this text. Another text is an error, unless it may be replaced.
fn is_there(path: &Path, text: &str, may_replace: bool) -> Result<bool, CommandError> {
    if path.symlink_metadata().is_err() {
        return Ok(false);
    }
    if may_replace {
        return Ok(false);
    }
    match input::read_named(path, NamedBy::User, WHAT, WIT_BYTES_MAX) {
        Ok(found) if found == text.as_bytes() => Ok(true),
        Ok(_) => Err(CommandError::refused(format_args!(
            "`{}` exists and differs from this program's version {}",
            path.display(),
            version()
        ))
        .hint("replace it with `--replace`, or name another folder")),
        Err(error) => Err(error),
    }
}
