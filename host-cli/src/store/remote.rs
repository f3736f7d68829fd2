//! The store of a `host-cli store` command: opened here, or reached through the socket of the server that has it open.

use super::{
    StoreSpec,
    protocol::{self, Message, Request, Response, View},
    socket,
};
use crate::exit::CommandError;
use std::{io, path::Path};
use storage::Namespace;
use tokio::{net::UnixStream, sync::Mutex};

/// A store that answers requests about one namespace.
pub struct Reached {
    place: Place,
    /// The one that is named on the command line.
    namespace: Option<Namespace>,
}

enum Place {
    /// Opened by this program.
    Here(View),
    /// Open in a running server.
    There(Mutex<UnixStream>),
}

/// What the command is going to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Reading: the store must exist.
    Read,
    /// Writing: a missing file is created.
    Write,
}

impl Reached {
    /// Reaches a store: through the socket if a server answers there, otherwise by opening it. Without a namespace, requests are about that of
    /// guests that have no other.
    pub async fn open(
        store: &StoreSpec,
        namespace: Option<Namespace>,
        state: Option<&Path>,
        usage: Use,
    ) -> Result<Self, CommandError> {
        let place = Place::open(store, state, usage).await?;
        Ok(Self { place, namespace })
    }

    /// Carries out a request.
    pub async fn ask(&self, request: Request) -> Result<Response, CommandError> {
        let namespace = self.namespace.as_ref().map(ToString::to_string);
        self.place.ask(Message { namespace, request }).await
    }
}

impl Place {
    async fn open(
        store: &StoreSpec,
        state: Option<&Path>,
        usage: Use,
    ) -> Result<Self, CommandError> {
        let path = socket::path_of(store, state);
        if let Some(path) = &path
            && let Some(stream) = connect(path).await?
        {
            return Ok(Self::There(Mutex::new(stream)));
        }
        match (store, path) {
            (StoreSpec::Memory, Some(path)) => Err(CommandError::environment(format_args!(
                "no server with a store in memory answers at `{}`",
                path.display()
            ))
            .hint("start one with `host-cli serve --store memory` in this project")),
            (StoreSpec::Memory, None) => Err(CommandError::environment(
                "a store in memory is reached through the project of its server, and this folder has no tenon.toml",
            )
            .hint("run this in the server's project, or use `--store redb:FILE`")),
            (StoreSpec::Redb(file), _) if usage == Use::Read && !file.exists() => {
                Err(CommandError::environment(format_args!(
                    "the store `{}` does not exist",
                    file.display()
                ))
                .hint("name another one with `--store redb:FILE`; `host-cli serve` creates it"))
            }
            (StoreSpec::Redb(_) | StoreSpec::DynamoDb(..), _) => {
                Ok(Self::Here(store.open_whole().await?.view_for_people()))
            }
        }
    }

    async fn ask(&self, message: Message) -> Result<Response, CommandError> {
        let response = match self {
            Self::Here(view) => view.answer_message(message).await,
            Self::There(stream) => {
                let mut stream = stream.lock().await;
                let answer = async {
                    protocol::send(&mut *stream, &message).await?;
                    let response = protocol::receive::<Response>(&mut *stream).await?;
                    response.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
                };
                answer.await.map_err(|error: io::Error| {
                    CommandError::environment(format_args!(
                        "the server that has the store open does not answer: {error}"
                    ))
                    .hint("it may have ended; run the command again")
                })?
            }
        };
        match response {
            Response::Failed(message) => Err(CommandError::environment(message)),
            other => Ok(other),
        }
    }
}

/// A connection to the server at `path`; `None` if there is none.
async fn connect(path: &Path) -> Result<Option<UnixStream>, CommandError> {
    match UnixStream::connect(path).await {
        Ok(stream) if socket::is_own(&stream) => Ok(Some(stream)),
        // It could answer anything, and would get what is written.
        Ok(_) => Err(CommandError::environment(format_args!(
            "the server at `{}` belongs to another user",
            path.display()
        ))
        .hint("remove the socket, or use a store of your own")),
        // Nobody listens: there is no socket, or a server left it behind. A path that no socket can have was not made.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(CommandError::environment(format_args!(
            "failed to reach the server at `{}`: {error}",
            path.display()
        ))),
    }
}
