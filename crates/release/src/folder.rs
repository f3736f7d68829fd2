//! A local folder as a store: reads only complete plain files inside the folder, within bounds.

use files::{
    self, FileError, NamedBy,
    beside::{self, Leftovers},
};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long a writer waits for another one, which holds the lock while it writes two small files.
const LOCK_DURATION_MAX: Duration = Duration::from_secs(10);
/// Between two attempts to take the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// Digits of a process id.
const PROCESS_ID_BYTES_MAX: u64 = 20;

/// Why a store did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing exists under this name.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// Larger than anything of its kind may be.
    #[error("`{name}` is larger than {bytes_max} bytes")]
    TooLarge {
        /// The requested object.
        name: String,
        /// The limit.
        bytes_max: usize,
    },
    /// It is a symbolic link, a folder or a pipe, which a store never writes.
    #[error("`{0}` is not a plain file inside the store")]
    NotPlain(String),
    /// The store cannot be reached, or does not answer: a retry may help.
    #[error("{0}")]
    Unavailable(String),
    /// The store refused: credentials, permissions, names. A retry does not help.
    #[error("{0}")]
    Refused(String),
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Every user of this machine that the umask allows.
    Public,
    /// Only the user who wrote it.
    Owner,
}

/// A folder in which names are plain files in plain folders.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The path of the folder itself may contain links; nothing below it may be one.
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Reads `name`, which this program composed: segments separated by `/`, none of them special.
    pub(super) fn read(&self, name: &str, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        let path = self.walk(name)?;
        files::read(&path, NamedBy::Folder, bytes_max as u64).map_err(|error| match error {
            FileError::Io(error) => self.failed("read", name, &error),
            FileError::Folder | FileError::Link | FileError::Special => {
                StoreError::NotPlain(self.shown(name))
            }
            FileError::TooLarge { .. } => StoreError::TooLarge {
                name: self.shown(name),
                bytes_max,
            },
        })
    }

    /// Whether anything exists under `name`, including a link or a folder.
    pub(super) fn is_taken(&self, name: &str) -> Result<bool, StoreError> {
        let path = match self.walk(name) {
            Ok(path) => path,
            Err(StoreError::Missing(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        match fs::symlink_metadata(&path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.failed("read", name, &error)),
        }
    }

    /// Names of the plain files in the folder `name`, sorted; none if the folder does not exist.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let path = self.walk(name)?;
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("read", name, &error)),
        };
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Writes `bytes` under `name`, completely or not at all: to a file beside it, which is synced and renamed.
    pub(super) fn write(&self, name: &str, bytes: &[u8], access: Access) -> Result<(), StoreError> {
        let path = self.make_way(name)?;
        write_through(&path, bytes, access).map_err(|error| self.failed("write", name, &error))?;
        beside::remove_leftovers(&path, Leftovers::OfFolder);
        Ok(())
    }

    /// An exclusive lock under `name`, held until the file is dropped or its process ends in any way. It contains the id of its process,
    /// for the message of those that wait in vain.
    pub(super) async fn lock(&self, name: &str) -> Result<File, StoreError> {
        self.lock_within(name, LOCK_DURATION_MAX).await
    }

    async fn lock_within(&self, name: &str, duration_max: Duration) -> Result<File, StoreError> {
        let failed = |error: &io::Error| self.failed("lock", name, error);
        let path = self.make_way(name)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK) // opening a pipe would block
            .open(&path)
            .map_err(|error| failed(&error))?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(StoreError::NotPlain(self.shown(name)));
        }
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < duration_max => {
                    tokio::time::sleep(LOCK_PAUSE).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(self.locked(name, &file, duration_max));
                }
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
        }
        file.set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(|error| failed(&error))?;
        Ok(file)
    }

    fn locked(&self, name: &str, file: &File, duration_max: Duration) -> StoreError {
        let mut holder = String::new();
        // Best effort: the id is only for messages.
        let _ = file.take(PROCESS_ID_BYTES_MAX).read_to_string(&mut holder);
        let holder = match holder.parse::<u32>() {
            Ok(process) => format!("process {process}"),
            Err(_) => "another process".to_owned(),
        };
        StoreError::Refused(format!(
            "failed to lock `{}` within {} s: {holder} holds it; wait until it has ended, or end it, then try again",
            self.shown(name),
            duration_max.as_secs()
        ))
    }

    /// The path of `name`, after checking that its folders are plain ones.
    fn walk(&self, name: &str) -> Result<PathBuf, StoreError> {
        let mut path = self.0.clone();
        let mut segments = name.split('/').peekable();
        while let Some(segment) = segments.next() {
            path.push(segment);
            if segments.peek().is_none() {
                break;
            }
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return Err(StoreError::NotPlain(path.display().to_string())),
                Err(error) => return Err(self.failed("read", name, &error)),
            }
        }
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => Err(StoreError::NotPlain(self.shown(name))),
            Ok(_) | Err(_) => Ok(path),
        }
    }

    /// The same, creating missing folders.
    fn make_way(&self, name: &str) -> Result<PathBuf, StoreError> {
        let failed = |error: &io::Error| self.failed("write", name, error);
        fs::create_dir_all(&self.0).map_err(|error| failed(&error))?;
        let mut path = self.0.clone();
        if let Some((folders, _)) = name.rsplit_once('/') {
            for segment in folders.split('/') {
                path.push(segment);
                match fs::create_dir(&path) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(failed(&error)),
                }
            }
        }
        self.walk(name)
    }

    fn failed(&self, action: &str, name: &str, error: &io::Error) -> StoreError {
        match error.kind() {
            io::ErrorKind::NotFound => StoreError::Missing(self.shown(name)),
            // On Linux, the open flags prevent following a link.
            _ if error.raw_os_error() == Some(libc::ELOOP) => {
                StoreError::NotPlain(self.shown(name))
            }
            // A local folder does not become reachable by waiting: an error of the file system is permanent.
            _ => StoreError::Refused(format!(
                "failed to {action} `{}`: {error}",
                self.shown(name)
            )),
        }
    }

    fn shown(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

fn write_through(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mode = match access {
        Access::Public => 0o644,
        Access::Owner => 0o600,
    };
    let (beside, mut file) = beside::create(path, mode)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn folder(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("tenon-folder-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder::new(&path)
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is_left() {
        let folder = folder("written");
        folder.write("a/b/c.json", b"one", Access::Public).unwrap();
        folder.write("a/b/c.json", b"two", Access::Owner).unwrap();
        let metadata = fs::metadata(folder.path().join("a/b/c.json")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert_eq!(folder.read("a/b/c.json", 3).unwrap(), b"two");
        assert_eq!(folder.list("a/b").unwrap(), ["c.json"]);
        assert_eq!(folder.list("a/none").unwrap(), [""; 0]);
        assert!(matches!(
            folder.read("a/b/c.json", 2),
            Err(StoreError::TooLarge { .. })
        ));
        assert!(matches!(folder.read("a/x", 2), Err(StoreError::Missing(_))));
        assert!(matches!(folder.read("x/y", 2), Err(StoreError::Missing(_))));
        fs::remove_dir_all(folder.path()).unwrap();
    }

    /// Process ids repeat, in containers at every start.
    #[test]
    fn what_killed_writers_left_is_in_nobodys_way_and_goes() {
        let folder = folder("killed");
        folder.write("a/1.json", b"1", Access::Public).unwrap();
        let path = |name: &str| folder.path().join("a").join(name);
        let old = std::time::SystemTime::now() - Duration::from_secs(2 * 60 * 60);
        for name in ["1.json.new-00000000000000aa", "2.json.new-00000000000000bb"] {
            let left = File::create(path(name)).unwrap();
            left.set_modified(old).unwrap();
        }
        let process = std::process::id();
        for number in 0..1000 {
            File::create(path(&format!("2.new-{process}-{number}"))).unwrap();
        }
        folder.write("a/2.json", b"2", Access::Public).unwrap();
        let left = folder.list("a").unwrap();
        let left: Vec<_> = left.iter().filter(|name| name.contains("json")).collect();
        assert_eq!(left, ["1.json", "2.json"]);
        fs::remove_dir_all(folder.path()).unwrap();
    }

    #[tokio::test]
    async fn pipes_are_waited_for_neither_by_readers_nor_by_writers() {
        let folder = folder("pipes");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        assert!(matches!(
            folder.read("pipe", 9),
            Err(StoreError::NotPlain(_))
        ));
        let locked = folder.lock("pipe").await;
        assert!(matches!(locked, Err(StoreError::NotPlain(_))), "{locked:?}");
        assert_eq!(folder.list("").unwrap(), [""; 0]);
        fs::remove_dir_all(folder.path()).unwrap();
    }

    #[tokio::test]
    async fn a_lock_is_waited_for_a_while_and_its_holder_is_named() {
        let folder = folder("locks");
        let held = folder.lock("a.lock").await.unwrap();
        let error = folder
            .lock_within("a.lock", Duration::from_millis(100))
            .await
            .unwrap_err();
        let holder = format!("process {} holds it", std::process::id());
        assert!(error.to_string().contains(&holder), "{error}");
        drop(held);
        folder.lock("a.lock").await.unwrap();
        fs::remove_dir_all(folder.path()).unwrap();
    }

    #[test]
    fn links_lead_nowhere() {
        let folder = folder("links");
        let outside = self::folder("outside");
        outside.write("secret", b"s", Access::Public).unwrap();
        folder.write("plain/x", b"x", Access::Public).unwrap();
        symlink(outside.path(), folder.path().join("linked")).unwrap();
        symlink(
            outside.path().join("secret"),
            folder.path().join("plain/secret"),
        )
        .unwrap();
        for name in ["linked/secret", "plain/secret"] {
            assert!(
                matches!(folder.read(name, 9), Err(StoreError::NotPlain(_))),
                "{name}"
            );
            assert!(
                matches!(
                    folder.write(name, b"new", Access::Public),
                    Err(StoreError::NotPlain(_))
                ),
                "{name}"
            );
        }
        assert_eq!(outside.read("secret", 9).unwrap(), b"s");
        assert!(matches!(
            folder.read("plain", 9),
            Err(StoreError::NotPlain(_))
        ));
        for path in [folder.path(), outside.path()] {
            fs::remove_dir_all(path).unwrap();
        }
    }
}
