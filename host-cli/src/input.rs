//! Reading of files named on the command line; errors distinguish missing, unreadable and empty files and folders.

use crate::exit::CommandError;
use files::{self, FileError, NamedBy};
use std::{
    io::{self, Read},
    path::Path,
};

/// Reads a file that a user named, which must have 1 to `bytes_max` bytes. `what` names it in messages.
pub fn read_file(path: &Path, what: &str, bytes_max: u64) -> Result<Vec<u8>, CommandError> {
    read_named(path, NamedBy::User, what, bytes_max)
}

/// Reads a file within the same bounds; `named_by` says who named it.
pub fn read_named(
    path: &Path,
    named_by: NamedBy,
    what: &str,
    bytes_max: u64,
) -> Result<Vec<u8>, CommandError> {
    let bytes =
        files::read(path, named_by, bytes_max).map_err(|error| cannot_open(path, what, &error))?;
    bounded(bytes, &format!("{what} `{}`", path.display()), bytes_max)
}

/// The failure to open or read a file by the rules for foreign files.
pub fn cannot_open(path: &Path, what: &str, error: &FileError) -> CommandError {
    let shown = path.display();
    match error {
        FileError::Io(error) => cannot_read(path, what, error),
        FileError::Link => CommandError::environment(format_args!("{what} `{shown}` {error}"))
            .hint("name the file itself instead of the link"),
        FileError::Folder | FileError::Special => {
            CommandError::environment(format_args!("{what} `{shown}` {error}")).hint("name a file")
        }
        FileError::TooLarge { .. } => {
            CommandError::environment(format_args!("{what} `{shown}` {error}"))
                .hint("name a smaller file")
        }
    }
}

/// Reads stdin to its end, within the same bounds.
pub fn read_stdin(what: &str, bytes_max: u64) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            CommandError::environment(format_args!("failed to read {what} from stdin: {error}"))
        })?;
    bounded(bytes, &format!("{what} on stdin"), bytes_max)
}

/// The failure to read a file, with a hint for common reasons.
pub fn cannot_read(path: &Path, what: &str, error: &io::Error) -> CommandError {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            CommandError::environment(format_args!("{what} `{shown}` does not exist"))
                .hint("check the path; it is relative to the current folder")
        }
        io::ErrorKind::IsADirectory => {
            CommandError::environment(format_args!("{what} `{shown}` is a folder, not a file"))
                .hint("name a file")
        }
        _ => CommandError::environment(format_args!("failed to read {what} `{shown}`: {error}")),
    }
}

fn bounded(bytes: Vec<u8>, name: &str, bytes_max: u64) -> Result<Vec<u8>, CommandError> {
    if bytes.is_empty() {
        return Err(CommandError::environment(format_args!("{name} is empty"))
            .hint("write its content first, or pass another one"));
    }
    if bytes.len() as u64 > bytes_max {
        return Err(CommandError::environment(format_args!(
            "{name} is larger than {bytes_max} bytes"
        ))
        .hint("pass a smaller one"));
    }
    Ok(bytes)
}
