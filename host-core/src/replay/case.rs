//! A case: a folder with an event, what is expected of it, and the stored state before and after.

use super::{SyntaxError, readable_response};
use crate::json;
use serde_json::Value;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

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
    /// A file is not JSON.
    #[error("`{}:{}:{}` is not JSON: {}", path.display(), error.line, error.column, error.message)]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        error: SyntaxError,
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
    /// Whether `folder` is a case.
    pub fn is_case(folder: &Path) -> bool {
        folder.join(EVENT_FILE).is_file()
    }

    /// Reads a case's files.
    pub fn load(folder: &Path) -> Result<Self, CaseError> {
        let path = folder.join(EVENT_FILE);
        let event = fs::read(&path).map_err(|source| CaseError::File {
            action: "read",
            path: path.clone(),
            source,
        })?;
        super::head(&event).map_err(|error| CaseError::Syntax { path, error })?;
        Ok(Self {
            event,
            before: read_json(&folder.join(BEFORE_FILE))?
                .unwrap_or_else(|| Value::Array(Vec::new())),
            response: read_json(&folder.join(RESPONSE_FILE))?.map(readable_response),
            after: read_json(&folder.join(AFTER_FILE))?,
            folder: folder.to_owned(),
        })
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

fn read_json(path: &Path) -> Result<Option<Value>, CaseError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(CaseError::File {
                action: "read",
                path: path.to_owned(),
                source,
            });
        }
    };
    match json::value(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(CaseError::Syntax {
            path: path.to_owned(),
            error: error.into(),
        }),
    }
}

/// Through a new file beside it, so that an expectation is never half written, and so that a link in the folder leads nowhere: it is
/// replaced, not followed.
fn write_json(path: &Path, value: &Value) -> Result<(), CaseError> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mut text = format!("{value:#}");
    text.push('\n');
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("json.new-{}-{number}", std::process::id()));
    let write = || {
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).open(&beside)?;
        file.write_all(text.as_bytes())
            .and_then(|()| fs::rename(&beside, path))
            .inspect_err(|_| {
                let _ = fs::remove_file(&beside);
            })
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
    use std::os::unix::fs::symlink;

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
