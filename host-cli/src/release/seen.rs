//! The newest generation of each channel that this publisher has seen, in a file of the user. The stores may have lost it, and signing on
//! top of an old document would make that document the newest one.

use super::stores::Stores;
use crate::exit::CommandError;
use contract::digest::Digest;
use files::{
    NamedBy,
    beside::{self, Leftovers},
};
use release::{ChannelName, PublicKey};
use serde::{Deserialize, Serialize};
use std::{
    env, fs, io,
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Component, Path, PathBuf},
};

/// Each file contains one small JSON object.
const FILE_BYTES_MAX: u64 = 16 * 1024;

/// What is known about one channel in one pair of stores, for one key. With another key, the same name is another channel.
pub struct Seen {
    file: Option<PathBuf>,
    memory: Memory,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    channel: String,
    channels: String,
    artifacts: String,
    key: String,
    generation: u64,
}

impl Seen {
    /// Reads what this user has seen. Without a home folder nothing is known, and nothing is stored.
    pub fn open(
        stores: &Stores,
        channel: &ChannelName,
        key: &PublicKey,
    ) -> Result<Self, CommandError> {
        let nothing = Memory {
            channel: channel.to_string(),
            channels: canonical(&stores.channels.describe()),
            artifacts: canonical(&stores.artifacts.describe()),
            key: key.id().to_string(),
            generation: 0,
        };
        let name = Digest::of(
            serde_json::json!([
                nothing.channel,
                nothing.channels,
                nothing.artifacts,
                nothing.key
            ])
            .to_string()
            .as_bytes(),
        );
        let Some(folder) = folder() else {
            return Ok(Self {
                file: None,
                memory: nothing,
            });
        };
        let file = folder.join(format!("{name}.json"));
        let memory =
            match crate::input::read_named(&file, NamedBy::Setting, "state file", FILE_BYTES_MAX) {
                Ok(bytes) => read(&file, &bytes, &nothing)?,
                Err(_) if !exists(&file) => nothing,
                Err(failure) => return Err(failure),
            };
        Ok(Self {
            file: Some(file),
            memory,
        })
    }

    /// The newest generation; 0 if none was seen.
    pub fn generation(&self) -> u64 {
        self.memory.generation
    }

    /// Stores a generation if it is newer.
    pub fn note(&mut self, generation: u64) -> Result<(), CommandError> {
        if generation <= self.memory.generation {
            return Ok(());
        }
        self.memory.generation = generation;
        let Some(file) = &self.file else {
            return Ok(());
        };
        let text = serde_json::json!(self.memory).to_string() + "\n";
        write(file, text.as_bytes()).map_err(|error| {
            CommandError::environment(format_args!(
                "failed to write state file `{}`: {error}",
                file.display()
            ))
            .hint("it records which generation this publisher has seen; name another folder with `XDG_STATE_HOME`")
        })
    }
}

/// The canonical path of a folder, so that links and dots in the typed path do not matter. Components that do not exist yet cannot be
/// links.
fn canonical(place: &str) -> String {
    let folder = place.strip_prefix("file://").map(Path::new);
    let folder = folder.and_then(|folder| std::path::absolute(folder).ok());
    folder.map_or_else(
        || place.to_owned(),
        |folder| format!("file://{}", canonical_folder(&folder).display()),
    )
}

fn canonical_folder(folder: &Path) -> PathBuf {
    let known = folder
        .ancestors()
        .find_map(|ancestor| Some((ancestor, fs::canonicalize(ancestor).ok()?)));
    let Some((ancestor, mut canonical)) = known else {
        return folder.to_owned();
    };
    let rest = folder.strip_prefix(ancestor).unwrap_or(Path::new(""));
    for component in rest.components() {
        match component {
            Component::ParentDir => {
                canonical.pop();
            }
            Component::CurDir => {}
            Component::Normal(name) => canonical.push(name),
            Component::RootDir | Component::Prefix(_) => {}
        }
    }
    canonical
}

#[expect(
    clippy::disallowed_methods,
    reason = "read into a type of named members that holds no `Value`"
)]
fn read(file: &Path, bytes: &[u8], expected: &Memory) -> Result<Memory, CommandError> {
    let memory = serde_json::from_slice::<Memory>(bytes).ok();
    let is_this = |memory: &Memory| {
        let generation = memory.generation;
        *memory
            == Memory {
                generation,
                ..expected.clone()
            }
    };
    memory.filter(is_this).ok_or_else(|| {
        CommandError::environment(format_args!(
            "state file `{}` is damaged",
            file.display()
        ))
        .hint("it records which generation of the channel this publisher has seen: compare with `host-cli releases CHANNEL --artifacts URL --public-key KEY`, then remove it")
    })
}

fn exists(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok()
}

/// Writes the file completely or not at all, readable by its owner only.
fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let (beside, mut opened) = beside::create(file, 0o600)?;
    opened
        .write_all(bytes)
        .and_then(|()| opened.sync_all())
        .and_then(|()| fs::rename(&beside, file))
        .inspect_err(|_| {
            // Best effort: the first error is the one to report.
            let _ = fs::remove_file(&beside);
        })?;
    beside::remove_leftovers(file, Leftovers::OfFolder);
    Ok(())
}

/// `$XDG_STATE_HOME/tenon/channels`, or the default below the home folder (XDG Base Directory Specification).
fn folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|folder| !folder.is_empty());
    let state = match set("XDG_STATE_HOME") {
        Some(state) => PathBuf::from(state),
        None => PathBuf::from(set("HOME")?).join(".local/state"),
    };
    Some(state.join("tenon/channels"))
}
