//! A case: a folder with an event, what is expected of it, and the stored state before and after.

use super::{event::SyntaxError, normal::readable_response};
use contract::limits::{CASE_FILE_BYTES_MAX, EVENT_BYTES_MAX, JSON_NODES_MAX};
use files::{
    self, FileError, NamedBy,
    beside::{self, Leftovers},
};
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
/// The expected Lambda response; `body` may stand as JSON (see [`readable_response`]). A refused event has `{"refusal": TEXT}`.
pub const RESPONSE_FILE: &str = "response.json";
/// The entries stored before, as the guest names them; absent: none.
pub const BEFORE_FILE: &str = "before.json";
/// The entries expected afterwards; absent: not compared.
pub const AFTER_FILE: &str = "after.json";

/// A case as its folder says.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The folder.
    pub folder: PathBuf,
    /// The raw event.
    pub event: Vec<u8>,
    /// Entries to store beforehand: a JSON array, empty if the folder has none.
    pub before: Value,
    /// Expected response, readable; `None`: nobody has said yet.
    pub response: Option<Value>,
    /// Expected entries; `None`: not compared.
    pub after: Option<Value>,
}

/// A case's folder cannot be used.
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
    /// A file is none that is read: a link, a pipe, a device, or too large.
    #[error("`{}` {source}", path.display())]
    Unfit {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// A file would be larger than one that is read.
    #[error("`{}` would have {bytes} bytes, {CASE_FILE_BYTES_MAX} are read", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// What it would have.
        bytes: usize,
    },
    /// A file is not JSON.
    #[error("`{}:{}:{}` {error}", path.display(), error.line, error.column)]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        error: SyntaxError,
    },
    /// The files have more values together than are read.
    #[error("the files of case `{}` have more than {JSON_NODES_MAX} JSON values together", folder.display())]
    TooManyValues {
        /// The case.
        folder: PathBuf,
    },
    /// The entries to store beforehand are not entries, or break a rule of the store.
    #[error("`{}` does not hold entries for a store: {message}", path.display())]
    Before {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        message: String,
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
    /// Whether `folder` is a case. One whose event is a link or a pipe is a case that cannot be read, not a folder that is passed over.
    pub fn is_case(folder: &Path) -> bool {
        fs::symlink_metadata(folder.join(EVENT_FILE)).is_ok_and(|found| !found.is_dir())
    }

    /// The bytes that the files of a case have together; what cannot be read has none.
    pub fn files_bytes(folder: &Path) -> u64 {
        [EVENT_FILE, RESPONSE_FILE, BEFORE_FILE, AFTER_FILE]
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

    /// The case that an event and the other files of its folder make. `read` gives the bytes of a file by its name, `None` where there is no
    /// such file. Nothing else is opened: `folder` is for messages, and for [`Case::bless`].
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
        // One at a time: the bytes of a file are gone before the next one is read.
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
        Ok(Self {
            event,
            before: read_json(BEFORE_FILE)?.unwrap_or_else(|| Value::Array(Vec::new())),
            response: read_json(RESPONSE_FILE)?.map(readable_response),
            after: read_json(AFTER_FILE)?,
            folder: folder.to_owned(),
        })
    }

    /// The entries to store beforehand. Whether they keep the rules of a store is for the store to say.
    pub fn entries_before(&self) -> Result<Vec<Entry>, CaseError> {
        Vec::deserialize(&self.before).map_err(|error| self.bad_before(error.to_string()))
    }

    /// The error for entries beforehand that a store does not take.
    pub fn bad_before(&self, message: String) -> CaseError {
        CaseError::Before {
            path: self.folder.join(BEFORE_FILE),
            message,
        }
    }

    /// Makes `response` and `after` what is expected, in the folder's files. Writes only what changes. State is written where there is
    /// some or where it was expected before. Returns whether a file changed.
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

/// Through a new file beside it, so that an expectation is never half written, and so that a link in the folder leads nowhere: it is
/// replaced, not followed.
fn write_json(path: &Path, value: &Value) -> Result<(), CaseError> {
    let mut text = format!("{value:#}");
    text.push('\n');
    if text.len() > CASE_FILE_BYTES_MAX {
        return Err(CaseError::TooLarge {
            path: path.to_owned(),
            bytes: text.len(),
        });
    }
    let write = || {
        let (beside, mut file) = beside::create(path, 0o666)?;
        file.write_all(text.as_bytes())
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
mod tests {
    use super::*;
    use serde_json::json;
    use std::{os::unix::fs::symlink, process::Command};

    /// A case of its own, whose event alone is there.
    fn folder_with_event(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("tenon-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(EVENT_FILE), "{}").unwrap();
        folder
    }

    #[test]
    fn what_is_no_regular_file_is_an_error_of_the_case() {
        let folder = folder_with_event("case-kinds");
        assert!(Case::load(&folder).is_ok());
        for name in [EVENT_FILE, BEFORE_FILE, RESPONSE_FILE, AFTER_FILE] {
            let path = folder.join(name);
            let refused = |what: &str| {
                assert!(Case::is_case(&folder), "{name}");
                let error = Case::load(&folder).unwrap_err();
                assert!(matches!(error, CaseError::Unfit { .. }), "{error}");
                let message = error.to_string();
                assert!(
                    message.contains(name) && message.contains(what),
                    "{message}"
                );
                fs::remove_file(&path).unwrap();
            };
            let _ = fs::remove_file(&path);
            for target in ["/dev/zero", "/etc/hostname", "nowhere"] {
                symlink(target, &path).unwrap();
                refused("is a link");
            }
            let made = Command::new("mkfifo").arg(&path).status().unwrap();
            assert!(made.success());
            refused("is no regular file");
            let sparse = fs::File::create(&path).unwrap();
            sparse.set_len(1 << 40).unwrap();
            refused("is larger than");
            fs::write(&path, if name == EVENT_FILE { "{}" } else { "[]" }).unwrap();
            assert!(Case::load(&folder).is_ok(), "{name}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let folder = folder_with_event("case-large");
        let case = Case::load(&folder).unwrap();
        let long = Value::String("x".repeat(CASE_FILE_BYTES_MAX));
        let error = case.bless(&long, &json!([])).unwrap_err();
        assert!(matches!(error, CaseError::TooLarge { .. }), "{error}");
        assert!(!folder.join(RESPONSE_FILE).exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn blessing_writes_through_no_link() {
        let folder = std::env::temp_dir().join(format!("tenon-bless-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let case_folder = folder.join("case");
        fs::create_dir_all(&case_folder).unwrap();
        let precious = folder.join("precious");
        fs::write(&precious, "precious").unwrap();
        fs::write(case_folder.join(EVENT_FILE), "{}").unwrap();
        for name in [
            RESPONSE_FILE,
            AFTER_FILE,
            "response.json.new",
            "after.json.new",
        ] {
            symlink(&precious, case_folder.join(name)).unwrap();
        }
        let case = Case {
            event: b"{}".to_vec(),
            before: json!([]),
            response: None,
            after: None,
            folder: case_folder.clone(),
        };
        assert!(
            case.bless(&json!({"statusCode": 200}), &json!([{}]))
                .unwrap()
        );
        assert_eq!(fs::read(&precious).unwrap(), b"precious");
        for name in [RESPONSE_FILE, AFTER_FILE] {
            let written = fs::symlink_metadata(case_folder.join(name)).unwrap();
            assert!(written.is_file(), "{name}");
        }
        // Nothing is left beside.
        assert_eq!(fs::read_dir(&case_folder).unwrap().count(), 5);
        fs::remove_dir_all(folder).unwrap();
    }
}
