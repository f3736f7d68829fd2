//! `--fresh` and `--seed`: what a store holds when a server starts.

use super::{
    StoreSpec, Whole,
    entries::Checked,
    fresh::FreshStore,
    protocol::{Request, Response, View},
};
use crate::exit::CommandError;
use contract::count::counted;
use std::path::{Path, PathBuf};

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

    /// Opens the store. One that is to begin empty stays as it is until the empty one takes its place.
    pub async fn open(
        &self,
        store: &StoreSpec,
    ) -> Result<(Whole, Option<FreshStore>), CommandError> {
        match store {
            StoreSpec::Redb(path) if self.is_fresh && path.is_file() => {
                let fresh = FreshStore::create(path)?;
                Ok((fresh.open().await?, Some(fresh)))
            }
            StoreSpec::Redb(_) | StoreSpec::Memory | StoreSpec::DynamoDb(..) => {
                Ok((store.open_whole().await?, None))
            }
        }
    }

    /// Stores the entries of the seed that are absent. Returns a line for the greeting, if there is a seed.
    pub async fn fill(&self, view: &View) -> Result<Option<String>, CommandError> {
        let Some(path) = &self.seed else {
            return Ok(None);
        };
        // What is wrong is found before anything is stored.
        let checked = Checked::read(path, |entry| {
            view.check(entry).map_err(|error| error.to_string())
        })?;
        let (mut stored, mut total) = (0, 0);
        let mut batches = checked.into_batches()?;
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
        0 => format!(
            "seed: {} of {path} stored",
            counted(stored, "entry", "entries")
        ),
        others => format!("seed: {stored} of {total} entries of {path} stored, {others} existed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_existed_are_named_only_if_there_are_some() {
        let line = |stored| seeded(Path::new("seed.json"), stored, 3);
        assert_eq!(line(3), "seed: 3 entries of seed.json stored");
        assert_eq!(
            line(1),
            "seed: 1 of 3 entries of seed.json stored, 2 existed"
        );
    }
}
