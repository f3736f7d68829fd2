//! The socket beside a store, through which `host-cli store` reaches the store that a running server has open.
//!
//! It belongs to its owner only: its mode is 0600, and a connection of another user is closed. Only one server can have a redb file open; for a
//! store in memory, a lock beside the socket says the same. So a socket that a server finds was left by one that did not end properly, and is
//! replaced.

use super::{
    StoreSpec, make_state_folder,
    protocol::{self, Message, View},
};
use crate::ownership;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::net::{UnixListener, UnixStream};

/// The socket of a store in memory, in the project's folder for local state.
const MEMORY_SOCKET: &str = "store.sock";
/// The lock beside it. It stays, because removing a lock could give it to two.
const MEMORY_LOCK: &str = "store.lock";
/// Longest path of a socket (Linux: `sun_path`).
const PATH_BYTES_MAX: usize = 107;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another server has the place.
    #[error("another server is reached at `{}`", .0.display())]
    Taken(PathBuf),
    /// The system cannot name it.
    #[error("the path of `{}` has more than {PATH_BYTES_MAX} bytes", .0.display())]
    TooLong(PathBuf),
    /// Something else has its name.
    #[error("`{}` exists and is no socket, and is left as it is", .0.display())]
    NotASocket(PathBuf),
    /// It cannot be made.
    #[error("failed to make `{}`: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Where a store is reached while a server has it open; `None` if it can be opened beside the server, or has no place.
/// `state` is the folder in which the project keeps its local state.
pub fn path_of(store: &StoreSpec, state: Option<&Path>) -> Option<PathBuf> {
    match store {
        StoreSpec::Redb(path) => {
            let mut name = path.as_os_str().to_owned();
            name.push(".sock");
            Some(name.into())
        }
        StoreSpec::Memory => Some(state?.join(MEMORY_SOCKET)),
        StoreSpec::DynamoDb(..) => None,
    }
}

/// A socket that answers; it is removed when this is dropped.
pub struct StoreSocket {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
    /// Held while the socket is ours, if the store has no lock of its own.
    _lock: Option<File>,
}

impl StoreSocket {
    /// Makes the socket of an open store, and answers at it from now on. Must be called in a runtime.
    pub fn listen(store: &StoreSpec, path: PathBuf, view: View) -> Result<Self, SocketError> {
        let failed = |source| SocketError::Io {
            path: path.clone(),
            source,
        };
        if path.as_os_str().len() > PATH_BYTES_MAX {
            return Err(SocketError::TooLong(path));
        }
        make_state_folder(&path).map_err(|error| failed(io::Error::other(error.message())))?;
        let lock = match store {
            StoreSpec::Memory => Some(lock(&path)?),
            StoreSpec::Redb(_) | StoreSpec::DynamoDb(..) => None,
        };
        remove_old(&path)?;
        let listener = UnixListener::bind(&path).map_err(failed)?;
        // Until here, the check of the peer keeps others out.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self {
            task: tokio::spawn(accept(listener, Arc::new(view))),
            path,
            _lock: lock,
        })
    }
}

/// Removes the socket of a server that did not end properly, and nothing else.
fn remove_old(path: &Path) -> Result<(), SocketError> {
    let failed = |source| SocketError::Io {
        path: path.to_owned(),
        source,
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(SocketError::NotASocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The lock of the socket at `path`.
fn lock(path: &Path) -> Result<File, SocketError> {
    let failed = |source| SocketError::Io {
        path: path.to_owned(),
        source,
    };
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path.with_file_name(MEMORY_LOCK))
        .map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(SocketError::Taken(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

impl Drop for StoreSocket {
    fn drop(&mut self) {
        self.task.abort();
        let _ = fs::remove_file(&self.path);
    }
}

/// Answers connections, of one's own user only.
async fn accept(listener: UnixListener, view: Arc<View>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files: some are closed in a moment.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        if is_own(&stream) {
            tokio::spawn(answer(stream, view.clone()));
        }
    }
}

/// Answers one connection until it ends; a message that cannot be read ends it.
async fn answer(mut stream: UnixStream, view: Arc<View>) {
    while let Ok(Some(message)) = protocol::receive::<Message>(&mut stream).await {
        let response = view.answer_message(message).await;
        if protocol::send(&mut stream, &response).await.is_err() {
            return;
        }
    }
}

/// Whether the program at the other end belongs to the user of this one.
pub fn is_own(stream: &UnixStream) -> bool {
    let peer = stream.peer_cred();
    peer.is_ok_and(|peer| peer.uid() == ownership::own_user())
}
