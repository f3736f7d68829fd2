//! `--fresh` and `--seed`: what a store holds when a server starts.

use super::{
    StoreSpec, entries,
    protocol::{Request, Response, View},
};
use crate::exit::CommandError;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use storage_redb::{OpenError, RedbStorage};

/// What a store holds when a server starts.
#[derive(Clone, Debug, Default)]
pub struct Start {
    is_fresh: bool,
    seed: Option<PathBuf>,
}

impl Start {
    /// Checks the options against the store; nothing is opened yet.
    pub fn resolve(
        is_fresh: bool,
        seed: Option<&Path>,
        store: &StoreSpec,
    ) -> Result<Self, CommandError> {
        if is_fresh && matches!(store, StoreSpec::DynamoDb(..)) {
            return Err(CommandError::usage(
                "`--fresh` does not empty a DynamoDB table, which others may use",
            )
            .hint("use another namespace: `--store dynamodb:TABLE#NAMESPACE`"));
        }
        Ok(Self {
            is_fresh,
            seed: seed.map(Path::to_owned),
        })
    }

    /// Removes the file of a store that is to begin empty. Only a store that no process has open is removed; one that is damaged or has another
    /// layout is, too.
    pub fn clear(&self, store: &StoreSpec) -> Result<(), CommandError> {
        let (true, StoreSpec::Redb(path)) = (self.is_fresh, store) else {
            return Ok(());
        };
        if !path.exists() {
            return Ok(());
        }
        match RedbStorage::open(path) {
            Ok(_) | Err(OpenError::Layout { .. } | OpenError::Damaged { .. }) => {}
            Err(error) => return Err(CommandError::environment(&error).hint(error.hint())),
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(CommandError::environment(format_args!(
                    "failed to remove the store `{}`: {error}",
                    path.display()
                )))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Stores the entries of the seed that are absent. Returns a line for the greeting, if there is a seed.
    pub async fn fill(&self, view: &View) -> Result<Option<String>, CommandError> {
        let Some(path) = &self.seed else {
            return Ok(None);
        };
        // A first pass finds what is wrong before anything is stored.
        entries::read(path, |_, entry| {
            view.check(&entry).map_err(|error| error.to_string())
        })?;
        let (mut stored, mut total) = (0, 0);
        let mut batches = entries::Batches::open(path)?;
        while let Some(batch) = batches.next()? {
            total += batch.len();
            let request = Request::Load {
                entries: batch,
                if_absent: true,
            };
            match view.answer(request).await {
                Response::Loaded { count } => stored += count,
                Response::Invalid(message) | Response::Failed(message) => {
                    return Err(CommandError::environment(message));
                }
                other => {
                    return Err(CommandError::environment(format_args!(
                        "the store answered something else: {other:?}"
                    )));
                }
            }
        }
        Ok(Some(seeded(path, stored, total)))
    }
}

/// The line about a seed.
fn seeded(path: &Path, stored: usize, total: usize) -> String {
    let path = path.display();
    match total - stored {
        0 if stored == 1 => format!("seed: 1 entry of {path} stored\n"),
        0 => format!("seed: {stored} entries of {path} stored\n"),
        others => format!("seed: {stored} of {total} entries of {path} stored, {others} existed\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_existed_are_named_only_if_there_are_some() {
        let line = |stored| seeded(Path::new("seed.json"), stored, 3);
        assert_eq!(line(3), "seed: 3 entries of seed.json stored\n");
        assert_eq!(
            line(1),
            "seed: 1 of 3 entries of seed.json stored, 2 existed\n"
        );
    }
}
