//! `--store`: choosing and opening a backend, and temporary stores for cases.

mod dynamodb;
pub mod entries;
pub mod fresh;
pub mod protocol;
pub mod remote;
pub mod seeding;
pub mod socket;

pub use self::dynamodb::TableSpec;
use crate::{exit::CommandError, seed};
use replay::{CaseStore, replay_cursor_key};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use storage::{Contents, CursorKey, Namespace, Storage, Tenant, memory::MemoryStorage};
use storage_redb::RedbStorage;

/// Where a project keeps local state, such as its store. Not committed.
pub const STATE_FOLDER: &str = ".tenon";
/// The store of servers, and of `host-cli store`, if nothing else is named.
pub const STORE_DEFAULT: &str = "redb:tenon.redb";

/// How a store is named on the command line.
pub const STORE_FORMS: &str = "`memory`, `redb:FILE` or `dynamodb:TABLE[#NAMESPACE][@ENDPOINT]`";
/// The same, as a regular expression for editors.
#[cfg(test)]
pub const STORE_PATTERN: &str = "^(memory$|redb:.|dynamodb:.)";

/// A store as named on the command line, not yet opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreSpec {
    /// Discarded when the program ends.
    Memory,
    /// One local file.
    Redb(PathBuf),
    /// A namespace in a DynamoDB table.
    DynamoDb(TableSpec, Namespace),
}

impl StoreSpec {
    /// Reads one of [`STORE_FORMS`].
    pub fn resolve(text: &str) -> Result<Self, CommandError> {
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("redb", path)) if !path.is_empty() => Ok(Self::Redb(PathBuf::from(path))),
            Some(("redb", _)) => Err(CommandError::usage(format_args!(
                "store `{text}` has no file name"
            ))
            .hint("write `--store redb:tenon.redb`")),
            Some(("dynamodb", part)) => {
                let (table, namespace) = TableSpec::resolve_part(part)?;
                Ok(Self::DynamoDb(table, namespace))
            }
            Some(_) | None => Err(CommandError::usage(format_args!("unknown store `{text}`"))
                .hint("write `--store memory`, `--store redb:FILE` or `--store dynamodb:TABLE`")),
        }
    }

    /// Its file, if it is in one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Redb(path) => Some(path),
            Self::Memory | Self::DynamoDb(..) => None,
        }
    }

    /// Opens the store so that a second run gives the same results: the memory store then has the fixed cursor key of replays.
    pub async fn open_reproducibly(&self) -> Result<Arc<dyn Storage>, CommandError> {
        let mut whole = self.open_whole().await?;
        if *self == Self::Memory {
            whole.cursor_key = replay_cursor_key();
        }
        Ok(whole.into_view())
    }

    /// Opens the store for several guests, each with its own namespace. A missing file is created; a missing table is an error. The memory store
    /// has a new cursor key each time.
    pub async fn open_whole(&self) -> Result<Whole, CommandError> {
        let whole = |storage: Arc<dyn Contents>, cursor_key, namespace: &Namespace| Whole {
            storage,
            cursor_key,
            namespace: namespace.clone(),
        };
        let local = Namespace::local();
        Ok(match self {
            Self::Memory => {
                let cursor_key = CursorKey::new(*seed::unpredictable()?.as_bytes());
                whole(Arc::new(MemoryStorage::new()), cursor_key, &local)
            }
            Self::Redb(path) => {
                let store = open_redb(path)?;
                let cursor_key = store.cursor_key().clone();
                whole(Arc::new(store), cursor_key, &local)
            }
            Self::DynamoDb(table, namespace) => {
                let (store, cursor_key) = table.open().await?;
                whole(Arc::new(store), cursor_key, namespace)
            }
        })
    }
}

/// A store with all namespaces.
pub struct Whole {
    /// Its backend.
    pub storage: Arc<dyn Contents>,
    /// The key that seals cursors.
    pub cursor_key: CursorKey,
    /// The namespace of guests that have no other.
    pub namespace: Namespace,
}

impl Whole {
    /// The store in the default namespace, for a guest.
    pub fn into_view(self) -> Arc<dyn Storage> {
        Arc::new(Tenant::new(self.storage, self.namespace, self.cursor_key))
    }

    /// The same for people: also as a whole.
    pub fn view_for_people(&self) -> protocol::View {
        protocol::View::new(
            self.storage.clone(),
            self.namespace.clone(),
            self.cursor_key.clone(),
        )
    }
}

/// Describes the store to the user: the absolute path of a file, the table with its server.
impl fmt::Display for StoreSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => formatter.write_str("memory, discarded at the end"),
            Self::Redb(path) => std::path::absolute(path)
                .as_deref()
                .unwrap_or(path)
                .display()
                .fmt(formatter),
            Self::DynamoDb(table, namespace) => {
                write!(formatter, "DynamoDB table {table}, namespace {namespace}")
            }
        }
    }
}

fn open_redb(path: &Path) -> Result<RedbStorage, CommandError> {
    let shown = path.display();
    make_state_folder(path)?;
    if path.is_dir() {
        let message = format!("store `{shown}` is a folder, not a file");
        return Err(
            CommandError::environment(message).hint("name a file in it: `--store redb:FILE`")
        );
    }
    RedbStorage::open(path).map_err(|error| CommandError::environment(&error).hint(error.hint()))
}

/// Creates the folder of a project's local state for a file in it. Other folders must exist: a misspelt path is not a new store.
pub fn make_state_folder(file: &Path) -> Result<(), CommandError> {
    let folder = file
        .parent()
        .filter(|folder| folder.ends_with(STATE_FOLDER));
    let Some(folder) = folder.filter(|folder| !folder.exists()) else {
        return Ok(());
    };
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        // Another command may have created it at the same time.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            let shown = folder.display();
            Err(CommandError::environment(format_args!(
                "failed to create folder `{shown}`: {error}"
            )))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Stores for cases: each is empty, and none touches the store named on the command line.
pub enum CaseStores {
    /// In memory.
    Memory,
    /// Files in a folder for this run, removed at the end.
    Redb {
        /// The folder.
        folder: PathBuf,
        /// Number of files created so far.
        count: AtomicU64,
    },
    /// Not possible in a table: a host must not be able to fill or read a whole table.
    None(TableSpec),
}

impl CaseStores {
    /// Stores of the same kind as `spec`.
    pub fn new(spec: &StoreSpec) -> Result<Self, CommandError> {
        match spec {
            StoreSpec::DynamoDb(table, _) => Ok(Self::None(table.clone())),
            StoreSpec::Memory => Ok(Self::Memory),
            StoreSpec::Redb(_) => Ok(Self::Redb {
                folder: private_folder()?,
                count: AtomicU64::new(0),
            }),
        }
    }

    /// Creates one more store.
    pub fn open(&self) -> Result<Arc<dyn CaseStore>, CommandError> {
        match self {
            Self::Memory => Ok(Arc::new(MemoryStorage::new())),
            Self::Redb { folder, count } => {
                let number = count.fetch_add(1, Ordering::Relaxed);
                Ok(Arc::new(open_redb(&folder.join(format!("{number}.redb")))?))
            }
            Self::None(table) => Err(CommandError::usage(format_args!(
                "each case needs its own store, so cases cannot use table `{table}`"
            ))
            .hint("replay cases with `--store memory` or `--store redb:FILE`; only events in files can use tables")),
        }
    }
}

impl CaseStores {
    /// Removes the files of the stores.
    pub fn remove(&self) {
        if let Self::Redb { folder, .. } = self {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

impl Drop for CaseStores {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Creates a folder that only its owner can read, under an unpredictable name, so that no file or link can already exist there.
fn private_folder() -> Result<PathBuf, CommandError> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(|error| {
        CommandError::environment(format_args!("failed to get random bytes: {error}"))
    })?;
    let name = u128::from_be_bytes(name);
    let folder = std::env::temp_dir().join(format!("tenon-cases-{name:032x}"));
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(|error| {
        let shown = folder.display();
        CommandError::environment(format_args!("failed to create folder `{shown}`: {error}"))
    })?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn cases_have_a_folder_that_only_its_owner_sees_and_that_is_removed() {
        use std::os::unix::fs::PermissionsExt;
        let spec = StoreSpec::Redb(PathBuf::from("x.redb"));
        let (one, other) = (
            CaseStores::new(&spec).unwrap(),
            CaseStores::new(&spec).unwrap(),
        );
        let folder = |stores: &CaseStores| match stores {
            CaseStores::Redb { folder, .. } => folder.clone(),
            CaseStores::Memory | CaseStores::None(_) => panic!("not in files"),
        };
        let paths = [folder(&one), folder(&other)];
        assert_ne!(paths[0], paths[1]);
        one.open().unwrap();
        for path in &paths {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(!name.contains(&std::process::id().to_string()) && name.len() > 32);
        }
        drop((one, other));
        assert!(paths.iter().all(|path| !path.exists()));
    }

    #[test]
    fn stores_are_named_by_kind_and_file() {
        assert_eq!(StoreSpec::resolve("memory").unwrap(), StoreSpec::Memory);
        let redb = StoreSpec::resolve("redb:a:b.redb").unwrap();
        assert_eq!(redb, StoreSpec::Redb(PathBuf::from("a:b.redb")));
        assert!(matches!(
            StoreSpec::resolve("dynamodb:items@http://127.0.0.1:8000"),
            Ok(StoreSpec::DynamoDb(..))
        ));
        for text in [
            "",
            "dynamodb",
            "dynamodb:",
            "redb",
            "redb:",
            "memory:x",
            "postgres:x",
            "Memory",
        ] {
            assert!(StoreSpec::resolve(text).is_err(), "{text}");
        }
    }
}
