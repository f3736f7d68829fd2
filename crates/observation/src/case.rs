//! A case: a folder with an event, the expected response, and the stored state before and after.

use super::{case_inputs::CaseInputs, event::SyntaxError};
use contract::limits::{CASE_FILE_BYTES_MAX, EVENT_BYTES_MAX, JSON_NODES_MAX};
use files::{
    self, FileError, NamedBy,
    beside::{self, Leftovers},
};
use gateway::normal::readable_response;
use serde::Deserialize as _;
use serde_json::Value;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use storage::Entry;

/// The raw gateway event. A folder that has this file is a case.
pub const EVENT_FILE: &str = "event.json";
/// The expected Lambda response; `body` may be JSON (see [`readable_response`]). For a refused event: `{"refusal": TEXT}`.
pub const RESPONSE_FILE: &str = "response.json";
/// The entries stored before, as the guest names them; absent: none.
pub const BEFORE_FILE: &str = "before.json";
/// The entries expected afterwards; absent: not compared.
pub const AFTER_FILE: &str = "after.json";
/// Time and seed of a recorded request, see [`CaseInputs`]; absent: those of all cases.
pub const INPUTS_FILE: &str = "inputs.json";

/// A case, read from its folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The folder.
    pub folder: PathBuf,
    /// The raw event.
    pub event: Vec<u8>,
    /// Entries to store beforehand: a JSON array, empty if the folder has none.
    pub before: Value,
    /// The expected response in readable form; `None` if there is no expectation.
    pub response: Option<Value>,
    /// Expected entries; `None`: not compared.
    pub after: Option<Value>,
    /// Time and seed, where the case has its own.
    pub inputs: CaseInputs,
}

/// Why a case's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file cannot be read or written.
    #[error("failed to {action} `{}`: {source}", path.display())]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not readable by the rules for foreign files: a link, a pipe, a device, or too large.
    #[error("`{}` {source}", path.display())]
    Unfit {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// A file would be too large to be read again.
    #[error("`{}` would have {bytes} bytes, {CASE_FILE_BYTES_MAX} are allowed", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Its size.
        bytes: usize,
    },
    /// A file is not JSON.
    #[error("`{}:{}:{}` {error}", path.display(), error.line, error.column)]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// The position and the error.
        error: SyntaxError,
    },
    /// The files together have more values than allowed.
    #[error("the files of case `{}` have more than {JSON_NODES_MAX} JSON values together", folder.display())]
    TooManyValues {
        /// The case.
        folder: PathBuf,
    },
    /// The stored entries are invalid, or break a rule of the store.
    #[error("`{}` does not contain entries for a store: {message}", path.display())]
    Before {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Time or seed cannot be read.
    #[error("`{}` is not `{{received_at_ms, seed}}`: {message}", path.display())]
    Inputs {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A case would replace another one.
    #[error("`{}` already exists", folder.display())]
    Exists {
        /// The case.
        folder: PathBuf,
    },
    /// The entries stored afterwards cannot be read.
    #[error("failed to read the store of case `{}`: {message}", folder.display())]
    Store {
        /// The case.
        folder: PathBuf,
        /// Why.
        message: String,
    },
}

impl Case {
    /// The files that a case may consist of.
    pub const FILES: [&str; 5] = [
        EVENT_FILE,
        BEFORE_FILE,
        RESPONSE_FILE,
        AFTER_FILE,
        INPUTS_FILE,
    ];

    /// Whether `folder` is a case. If its event is a link or a pipe, it is a case that cannot be read, not a folder to be skipped.
    pub fn is_case(folder: &Path) -> bool {
        fs::symlink_metadata(folder.join(EVENT_FILE)).is_ok_and(|found| !found.is_dir())
    }

    /// The total size of a case's files in bytes; unreadable ones count as empty.
    pub fn files_bytes(folder: &Path) -> u64 {
        Self::FILES
            .iter()
            .filter_map(|name| fs::symlink_metadata(folder.join(name)).ok())
            .map(|found| found.len())
            .sum()
    }

    /// Reads a case's files.
    pub fn load(folder: &Path) -> Result<Self, CaseError> {
        let path = folder.join(EVENT_FILE);
        let event = files::read(&path, NamedBy::Folder, EVENT_BYTES_MAX as u64)
            .map_err(|error| unreadable(&path, error))?;
        Self::from_files(folder, event, |name| read_optional(&folder.join(name)))
    }

    /// The case that consists of an event and the other files of its folder. `read` returns the bytes of a file by its name, or `None` if
    /// there is no such file. Nothing else is opened: `folder` is for messages, and for [`Case::bless`].
    pub fn from_files(
        folder: &Path,
        event: Vec<u8>,
        read: impl Fn(&'static str) -> Result<Option<Vec<u8>>, CaseError>,
    ) -> Result<Self, CaseError> {
        let syntax = |name: &str, error: SyntaxError| CaseError::Syntax {
            path: folder.join(name),
            error,
        };
        super::event::head(&event).map_err(|error| syntax(EVENT_FILE, error))?;
        let mut values_count = 0;
        // One at a time: the bytes of a file are dropped before the next one is read.
        let mut read_json = |name| {
            let value = read(name)?.map(|bytes| json::value(&bytes)).transpose();
            let value = value.map_err(|error| syntax(name, error.into()))?;
            values_count += value.as_ref().map_or(0, json::count);
            match values_count > JSON_NODES_MAX {
                true => Err(CaseError::TooManyValues {
                    folder: folder.to_owned(),
                }),
                false => Ok(value),
            }
        };
        let inputs = read_json(INPUTS_FILE)?.map(|value| CaseInputs::of_value(&value));
        let inputs = inputs.transpose().map_err(|message| CaseError::Inputs {
            path: folder.join(INPUTS_FILE),
            message,
        })?;
        Ok(Self {
            event,
            inputs: inputs.unwrap_or_default(),
            before: read_json(BEFORE_FILE)?.unwrap_or_else(|| Value::Array(Vec::new())),
            response: read_json(RESPONSE_FILE)?.map(readable_response),
            after: read_json(AFTER_FILE)?,
            folder: folder.to_owned(),
        })
    }

    /// The entries to store beforehand. The store checks whether they satisfy its rules.
    pub fn entries_before(&self) -> Result<Vec<Entry>, CaseError> {
        Vec::deserialize(&self.before).map_err(|error| self.bad_before(error.to_string()))
    }

    /// The error for stored entries that a store does not accept.
    pub fn bad_before(&self, message: String) -> CaseError {
        CaseError::Before {
            path: self.folder.join(BEFORE_FILE),
            message,
        }
    }

    /// Writes a new case to its folder, which must not exist.
    pub fn create(&self) -> Result<(), CaseError> {
        let folder = &self.folder;
        let made = match folder.parent() {
            Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::create_dir(folder)),
            None => fs::create_dir(folder),
        };
        made.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => CaseError::Exists {
                folder: folder.clone(),
            },
            _ => CaseError::File {
                action: "create",
                path: folder.clone(),
                source,
            },
        })?;
        let written = self.write_files();
        if written.is_err() {
            // Half a case would be run as if it were whole.
            let _ = fs::remove_dir_all(folder);
        }
        written
    }

    fn write_files(&self) -> Result<(), CaseError> {
        let path = |name| self.folder.join(name);
        match json::value(&self.event) {
            Ok(event) => write_json(&path(EVENT_FILE), &event)?,
            // For example with repeated members, which a tree cannot hold.
            Err(_) => write_file(&path(EVENT_FILE), &self.event)?,
        }
        let has_entries = self.before.as_array().is_some_and(|list| !list.is_empty());
        if has_entries {
            write_json(&path(BEFORE_FILE), &self.before)?;
        }
        if let Some(response) = &self.response {
            write_json(&path(RESPONSE_FILE), response)?;
        }
        if let Some(after) = &self.after {
            write_json(&path(AFTER_FILE), after)?;
        }
        match self.inputs == CaseInputs::default() {
            true => Ok(()),
            false => write_json(&path(INPUTS_FILE), &self.inputs.to_value()),
        }
    }

    /// Writes `response` and `after` as the expectation to the folder's files. Writes only what changes. State is written if there is some
    /// or if an expectation existed. Returns whether a file changed.
    pub fn bless(&self, response: &Value, after: &Value) -> Result<bool, CaseError> {
        let response_changes = self.response.as_ref() != Some(response);
        if response_changes {
            write_json(&self.folder.join(RESPONSE_FILE), response)?;
        }
        let has_state = after.as_array().is_some_and(|entries| !entries.is_empty());
        let after_changes = match &self.after {
            Some(expected) => expected != after,
            None => has_state,
        };
        if after_changes {
            write_json(&self.folder.join(AFTER_FILE), after)?;
        }
        Ok(response_changes || after_changes)
    }
}

fn unreadable(path: &Path, error: FileError) -> CaseError {
    let path = path.to_owned();
    match error {
        FileError::Io(source) => CaseError::File {
            action: "read",
            path,
            source,
        },
        FileError::Folder | FileError::Link | FileError::Special | FileError::TooLarge { .. } => {
            CaseError::Unfit {
                path,
                source: error,
            }
        }
    }
}

fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, CaseError> {
    match files::read(path, NamedBy::Folder, CASE_FILE_BYTES_MAX as u64) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(unreadable(path, error)),
    }
}

fn write_json(path: &Path, value: &Value) -> Result<(), CaseError> {
    write_file(path, format!("{value:#}\n").as_bytes())
}

/// Writes a new file and renames it, so that an expectation is never half written, and a link in the folder is replaced, not followed.
fn write_file(path: &Path, text: &[u8]) -> Result<(), CaseError> {
    if text.len() > CASE_FILE_BYTES_MAX {
        return Err(CaseError::TooLarge {
            path: path.to_owned(),
            bytes: text.len(),
        });
    }
    let write = || {
        let (beside, mut file) = beside::create(path, 0o666)?;
        file.write_all(text)
            .and_then(|()| fs::rename(&beside, path))
            .inspect_err(|_| {
                let _ = fs::remove_file(&beside);
            })?;
        beside::remove_leftovers(path, Leftovers::OfFile);
        Ok(())
    };
    write().map_err(|source| CaseError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
