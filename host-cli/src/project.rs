//! The project file `tenon.toml`: what a folder's API is, so that commands need no options for it. Options win over the file.

pub mod deploy;
mod members;
mod read;
#[cfg(test)]
mod schema;
mod sections;
mod values;

pub use self::{
    sections::{ProjectFile, ServeSection},
    values::{BuildCommand, check_name},
};

use crate::{
    exit::CommandError,
    input, ownership,
    store::{STORE_DEFAULT, StoreSpec},
};
use contract::limits::KIB;
use files::NamedBy;
use gateway::EventKind;
use std::path::{Path, PathBuf};

/// The JSON Schema of `tenon.toml`.
pub const SCHEMA: &str = include_str!("../../docs/tenon.schema.json");

/// The name of the file.
pub const PROJECT_FILE: &str = "tenon.toml";
/// Where its cases are, unless it names another folder.
pub const CASES_FOLDER: &str = "cases";
/// The name of the embedded guest. A file of this name is written `./embedded`.
pub const EMBEDDED_NAME: &str = "embedded";
/// Largest size of the file. A page has a few kilobytes.
const PROJECT_BYTES_MAX: u64 = 64 * KIB as u64;

/// A folder with a project file.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder, to which all paths in the file are relative. Empty if it is the current one.
    pub folder: PathBuf,
    /// The content of the file.
    pub file: ProjectFile,
    /// Whether the user named it, and so trusts it, whoever can change it.
    is_named: bool,
}

impl Project {
    /// The project that contains the current folder, if there is one.
    pub fn of_current_folder() -> Result<Option<Self>, CommandError> {
        // Without a current folder, there is nothing to search; what a command needs from it will fail with its own message.
        let Ok(current) = std::env::current_dir() else {
            return Ok(None);
        };
        match nearest(&current) {
            // Messages then have short paths.
            Some(folder) if folder == current => Self::open(Path::new(""), false).map(Some),
            Some(folder) => Self::open(folder, false).map(Some),
            None => Ok(None),
        }
    }

    /// The project in a folder that the user named.
    pub fn named(folder: &Path) -> Result<Self, CommandError> {
        Self::open(folder, true)
    }

    fn open(folder: &Path, is_named: bool) -> Result<Self, CommandError> {
        let mut project = Self {
            folder: folder.to_owned(),
            file: ProjectFile::default(),
            is_named,
        };
        let path = project.path_of_file();
        project.check("project file", &path)?;
        project.file = read_file(&path)?;
        // A name without a folder is looked up on the path, as the user would type it.
        let program = project.file.guest.build.as_ref();
        if let Some(program) = program
            .map(|build| &build.program)
            .filter(|name| name.contains('/'))
        {
            project.check("build program", &project.path(program))?;
        }
        Ok(project)
    }

    /// Reads the file again, after it was edited.
    pub fn reread(&self) -> Result<Self, CommandError> {
        Self::open(&self.folder, self.is_named)
    }

    /// Refuses what the file leads to, and what is run or trusted, if others can change it and nobody named the project.
    pub fn check(&self, what: &str, path: &Path) -> Result<(), CommandError> {
        match self.is_named {
            true => Ok(()),
            false => ownership::check(what, path),
        }
    }

    /// Whether [`check`](Self::check) refuses nothing.
    pub fn is_named(&self) -> bool {
        self.is_named
    }

    /// Its file.
    pub fn path_of_file(&self) -> PathBuf {
        self.path(PROJECT_FILE)
    }

    /// A path in the file, relative to the folder.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.join(relative)
    }

    /// The file of its guest, or the name of the embedded one, if it has a guest.
    pub fn component(&self) -> Option<PathBuf> {
        let component = &self.file.guest.component.as_ref()?.0;
        Some(match component == Path::new(EMBEDDED_NAME) {
            true => component.clone(),
            false => self.path(component),
        })
    }

    /// The command that builds its guest, unless another guest is named.
    pub fn build(&self, named: Option<&Path>) -> Option<&BuildCommand> {
        self.file.guest.build.as_ref().filter(|_| named.is_none())
    }

    /// The files and folders whose changes are a reason to build: those that it names, otherwise all.
    pub fn sources(&self) -> Vec<PathBuf> {
        match self.file.guest.watch.as_slice() {
            [] => vec![self.path(".")],
            named => named.iter().map(|path| self.path(&path.0)).collect(),
        }
    }

    /// The folder of its cases.
    pub fn cases(&self) -> PathBuf {
        match &self.file.test.cases {
            Some(cases) => self.path(&cases.0),
            None => self.path(CASES_FOLDER),
        }
    }

    /// The store of `serve`, if it names one.
    pub fn store(&self) -> Option<StoreSpec> {
        let store = self.file.serve.store.as_ref()?;
        Some(match store.0.clone() {
            StoreSpec::Redb(path) => StoreSpec::Redb(self.path(path)),
            other @ (StoreSpec::Memory | StoreSpec::DynamoDb(..)) => other,
        })
    }

    /// Where its artifacts are stored, if it says so: an address with the folder of the project in it.
    pub fn artifacts(&self) -> Option<String> {
        let artifacts = self.file.release.artifacts.as_deref()?;
        Some(match artifacts.strip_prefix("file://") {
            Some(path) => format!("file://{}", self.path(path).display()),
            None => artifacts.to_owned(),
        })
    }

    /// The file of the key that signs its releases, if it names one.
    pub fn key(&self) -> Option<PathBuf> {
        Some(self.path(&self.file.release.key.as_ref()?.0))
    }

    /// The keys that it trusts: texts, or files.
    pub fn public_keys(&self) -> Result<Vec<String>, CommandError> {
        let named = self.file.release.public_keys.iter();
        named
            .map(|key| match release::PublicKey::is_key_text(key) {
                true => Ok(key.clone()),
                false => {
                    let path = self.path(key);
                    self.check("public key", &path)?;
                    Ok(path.display().to_string())
                }
            })
            .collect()
    }

    /// The channel that its commands release to: the one that it names, otherwise that of its own name.
    pub fn channel(&self) -> Option<&str> {
        let named = self.file.release.channel.as_deref();
        named.or(self.file.name.as_deref())
    }
}

fn read_file(path: &Path) -> Result<ProjectFile, CommandError> {
    let bytes = input::read_named(path, NamedBy::Setting, "project file", PROJECT_BYTES_MAX)?;
    read::parse(&bytes).map_err(|error| error.in_file(path))
}

/// The store: as typed, otherwise the project's, otherwise the usual one.
pub fn store(typed: Option<&str>, project: Option<&Project>) -> Result<StoreSpec, CommandError> {
    match (typed, project.and_then(Project::store)) {
        (Some(typed), _) => StoreSpec::resolve(typed),
        (None, Some(store)) => Ok(store),
        (None, None) => StoreSpec::resolve(STORE_DEFAULT),
    }
}

/// The kind of events: as typed, otherwise the project's, otherwise that of the deployed API.
pub fn event_kind(typed: Option<EventKind>, project: Option<&Project>) -> EventKind {
    let of_project = project.and_then(|project| project.file.serve.event);
    typed
        .or(of_project.map(|name| name.0))
        .unwrap_or(EventKind::Rest)
}

/// The folder with a project file that is this one or the nearest above it.
fn nearest(start: &Path) -> Option<&Path> {
    let has_file = |folder: &&Path| folder.join(PROJECT_FILE).symlink_metadata().is_ok();
    start.ancestors().find(has_file)
}

#[cfg(test)]
mod tests;
