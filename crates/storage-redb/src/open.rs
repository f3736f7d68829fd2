//! Opens the file, and detects problems before anything is written to it.

use super::tables::{LAYOUT_VERSION, META, META_CURSOR_KEY, META_LAYOUT, Tables};
use redb::{Builder, Database, DatabaseError, ReadableDatabase, TableError};
use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};
use storage::CursorKey;

/// How every redb file begins.
const MAGIC: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
/// Memory for pages of the file.
const CACHE_BYTES_MAX: usize = 64 << 20;
/// Files up to this size are checked completely when they are opened, which takes about a second per gigabyte.
const CHECKED_BYTES_MAX: u64 = 256 << 20;

/// Why a store cannot be opened. The file is not changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a file of this kind.
    #[error("`{}` is not a store of this host", path.display())]
    NotAStore {
        /// Which file.
        path: PathBuf,
    },
    /// A store, but damaged.
    #[error("the store `{}` is damaged: {detail}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What redb found.
        detail: String,
    },
    /// A store that another version of this program wrote.
    #[error("the store `{}` has layout {found}, this host reads layout {LAYOUT_VERSION}", path.display())]
    Layout {
        /// Which file.
        path: PathBuf,
        /// Its layout.
        found: u32,
    },
    /// A store that a process has open.
    #[error("the store `{}` is in use by another process", path.display())]
    Locked {
        /// Which file.
        path: PathBuf,
    },
    /// A store that other users may read, although it contains the key that seals cursors.
    #[error("the store `{}` is readable by others: its permissions are {mode:o}", path.display())]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file cannot be created, read or written.
    #[error("failed to open the store `{}`: {source}", path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
}

impl OpenError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotAStore { .. } => "name another file; this one was not changed",
            Self::Damaged { .. } => {
                "restore it from a backup, or move it away to start with an empty store"
            }
            Self::Layout { .. } => {
                "use the version of the host that wrote it, or name another file"
            }
            Self::Locked { .. } => "stop the other process, or name another file",
            Self::Exposed { .. } => {
                "it contains the key that seals cursors: make it private with `chmod 600`"
            }
            Self::Unusable { .. } => {
                "check that the folder exists and that the file can be written there"
            }
        }
    }
}

pub(super) fn open(path: &Path) -> Result<(Database, CursorKey), OpenError> {
    let unusable = |source| OpenError::Unusable {
        path: path.to_owned(),
        source,
    };
    let length = match fs::metadata(path) {
        // A device or a pipe has no length, and opening one could write to it or block.
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
            return Err(OpenError::NotAStore {
                path: path.to_owned(),
            });
        }
        Ok(metadata) => {
            let length = metadata.len();
            if length > 0 {
                check_magic(path)?;
                check_layout(path)?;
            }
            check_private(path, &metadata)?;
            length
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_private(path).map_err(unusable)?;
            0
        }
        Err(source) => return Err(unusable(source)),
    };
    let database = contained(path, || {
        Builder::new()
            .set_cache_size(CACHE_BYTES_MAX)
            .set_check_integrity_on_open(length > 0 && length <= CHECKED_BYTES_MAX)
            .create(path)
    })?;
    let cursor_key = if length == 0 {
        found(&database).map_err(|error| refused(path, error))
    } else {
        read_meta(&database)
            .map_err(|error| refused(path, error))?
            .check(path)
    }?;
    Ok((database, cursor_key))
}

/// Creates an empty file that only its user can read. A file that somebody else has just created is left to the later checks.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(unix)]
fn check_private(path: &Path, metadata: &Metadata) -> Result<(), OpenError> {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 == 0 || !metadata.is_file() {
        return Ok(());
    }
    Err(OpenError::Exposed {
        path: path.to_owned(),
        mode,
    })
}

#[cfg(not(unix))]
fn check_private(_: &Path, _: &Metadata) -> Result<(), OpenError> {
    Ok(())
}

fn check_magic(path: &Path) -> Result<(), OpenError> {
    let unusable = |source| OpenError::Unusable {
        path: path.to_owned(),
        source,
    };
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start))
        .map_err(unusable)?;
    if start != MAGIC {
        return Err(OpenError::NotAStore {
            path: path.to_owned(),
        });
    }
    Ok(())
}

/// Checks the file without write access. A store that was not closed properly must be recovered first, and is checked then.
fn check_layout(path: &Path) -> Result<(), OpenError> {
    let opened = contained(path, || {
        match Builder::new()
            .set_cache_size(CACHE_BYTES_MAX)
            .open_read_only(path)
        {
            Ok(database) => Ok(Some(database)),
            Err(DatabaseError::RepairAborted) => Ok(None),
            Err(error) => Err(error),
        }
    })?;
    if let Some(database) = opened {
        contained(path, || read_meta(&database))?.check(path)?;
    }
    Ok(())
}

/// Checks the metadata of the store.
enum Meta {
    Missing,
    Found {
        layout: Option<[u8; 4]>,
        cursor_key: Option<[u8; 32]>,
    },
}

impl Meta {
    fn check(self, path: &Path) -> Result<CursorKey, OpenError> {
        let path = path.to_owned();
        match self {
            Self::Missing | Self::Found { layout: None, .. } => Err(OpenError::NotAStore { path }),
            Self::Found {
                layout: Some(layout),
                ..
            } if u32::from_be_bytes(layout) != LAYOUT_VERSION => Err(OpenError::Layout {
                path,
                found: u32::from_be_bytes(layout),
            }),
            Self::Found {
                cursor_key: Some(cursor_key),
                ..
            } => Ok(CursorKey::new(cursor_key)),
            Self::Found {
                cursor_key: None, ..
            } => Err(OpenError::Damaged {
                path,
                detail: "its cursor key is missing".to_owned(),
            }),
        }
    }
}

fn read_meta(database: &impl ReadableDatabase) -> Result<Meta, redb::Error> {
    let meta = match database.begin_read()?.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => {
            return Ok(Meta::Missing);
        }
        Err(error) => return Err(error.into()),
    };
    let layout = meta
        .get(META_LAYOUT)?
        .and_then(|value| value.value().try_into().ok());
    let cursor_key = meta
        .get(META_CURSOR_KEY)?
        .and_then(|value| value.value().try_into().ok());
    Ok(Meta::Found { layout, cursor_key })
}

/// Creates an empty store.
fn found(database: &Database) -> Result<CursorKey, redb::Error> {
    let mut cursor_key = [0; 32];
    getrandom::fill(&mut cursor_key).map_err(|error| redb::Error::Io(io::Error::other(error)))?;
    let transaction = database.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        meta.insert(META_LAYOUT, LAYOUT_VERSION.to_be_bytes().as_slice())?;
        meta.insert(META_CURSOR_KEY, cursor_key.as_slice())?;
        Tables::open(&transaction)?;
    }
    transaction.commit()?;
    Ok(CursorKey::new(cursor_key))
}

/// Runs a step of redb, which may panic on a damaged file.
fn contained<T, E: Into<redb::Error>>(
    path: &Path,
    step: impl FnOnce() -> Result<T, E>,
) -> Result<T, OpenError> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(result) => result.map_err(|error| refused(path, error)),
        Err(_) => Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: "its pages are inconsistent".to_owned(),
        }),
    }
}

fn refused(path: &Path, error: impl Into<redb::Error>) -> OpenError {
    let path = path.to_owned();
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => OpenError::Locked { path },
        redb::Error::Io(source)
            if !matches!(
                source.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            OpenError::Unusable { path, source }
        }
        error => OpenError::Damaged {
            path,
            detail: error.to_string(),
        },
    }
}
