//! `--fresh`: an empty store for a server that starts.

use super::{StoreSpec, Whole};
use crate::exit::CommandError;
use files::beside::{self, Leftovers};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use storage_redb::{OpenError, RedbStorage};

/// An empty store beside the one that it replaces once the server has started. If the start fails, the other one is as it was.
pub struct FreshStore {
    path: PathBuf,
    beside: PathBuf,
    is_in_place: bool,
    /// The store that is replaced, held open so that no other process uses it meanwhile.
    _replaced: Option<RedbStorage>,
}

impl FreshStore {
    /// Creates the file beside the store at `path`. Only a store that no process has open is replaced; one that is damaged or has another layout
    /// is, too.
    pub fn create(path: &Path) -> Result<Self, CommandError> {
        let replaced = match RedbStorage::open(path) {
            Ok(store) => Some(store),
            Err(OpenError::Layout { .. } | OpenError::Damaged { .. }) => None,
            Err(error) => return Err(CommandError::environment(&error).hint(error.hint())),
        };
        // redb makes a store of an empty file.
        let (beside, _) =
            beside::create(path, 0o600).map_err(|error| cannot_replace(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            beside,
            is_in_place: false,
            _replaced: replaced,
        })
    }

    /// Opens the empty store.
    pub async fn open(&self) -> Result<Whole, CommandError> {
        StoreSpec::Redb(self.beside.clone()).open_whole().await
    }

    /// Replaces the other store. Whoever has this one open keeps it open.
    pub fn take_place(mut self) -> Result<(), CommandError> {
        let renamed = fs::rename(&self.beside, &self.path);
        renamed.map_err(|error| cannot_replace(&self.path, &error))?;
        self.is_in_place = true;
        beside::remove_leftovers(&self.path, Leftovers::OfFile);
        Ok(())
    }
}

impl Drop for FreshStore {
    fn drop(&mut self) {
        if !self.is_in_place {
            let _ = fs::remove_file(&self.beside);
        }
    }
}

fn cannot_replace(path: &Path, error: &io::Error) -> CommandError {
    CommandError::environment(format_args!(
        "failed to replace the store `{}`: {error}",
        path.display()
    ))
    .hint("check that files can be created in its folder")
}
