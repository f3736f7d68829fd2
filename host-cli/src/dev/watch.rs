//! Watching a project's sources.

mod inbox;
mod watched;

pub use self::{
    inbox::{Inbox, Unnamed},
    watched::Watched,
};

use self::{
    inbox::Arrived,
    watched::{GITIGNORE, SourceRules},
};
use crate::exit::CommandError;
use contract::digest::Digest;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind},
};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// An editor writes several files, or one in several steps: a change is complete when nothing has happened for this long.
pub const QUIET_DURATION: Duration = Duration::from_millis(30);
/// Files that never come to rest do not put a build off any longer.
const UNREST_DURATION_MAX: Duration = Duration::from_millis(500);
/// Larger files are not read to see whether their content is another one.
const CONTENT_BYTES_MAX: u64 = 16 << 20;
/// Files whose content is remembered.
const CONTENTS_MAX: usize = 10_000;

/// What has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Whether sources have.
    pub sources: bool,
    /// Whether the project file has.
    pub project_file: bool,
    /// Whether the developer asks for a build as well.
    pub is_build_wanted: bool,
    /// The files that changed only while a build ran, so that the build may have written them.
    pub by_build: Vec<PathBuf>,
    /// The others.
    pub by_others: Vec<PathBuf>,
    /// Whether further files have changed: whatever was missed, a build finds it.
    pub unnamed: Unnamed,
}

impl Change {
    fn is_some(&self) -> bool {
        self.sources || self.project_file || self.is_build_wanted
    }

    /// Whether other files may be sources now.
    pub fn changes_rules(&self) -> bool {
        let changed = || self.by_build.iter().chain(&self.by_others);
        self.project_file || changed().any(|path| path.ends_with(GITIGNORE))
    }
}

/// Watches until it is dropped.
pub struct Watch {
    watcher: RecommendedWatcher,
    rules: SourceRules,
    contents: HashMap<PathBuf, Content>,
    /// Why a new folder is not watched, until it is told.
    failure: Option<CommandError>,
}

/// What is at a path.
#[derive(PartialEq, Eq)]
enum Content {
    Nothing,
    File(Digest),
    /// A link, which is not followed.
    Link(PathBuf),
    /// A file that is not read.
    LargeFile(u64, Option<SystemTime>),
}

impl Watch {
    /// Begins to watch; changes arrive in the inbox.
    pub fn new(watched: &Watched, inbox: Inbox) -> Result<Self, CommandError> {
        let rules = SourceRules::of(watched);
        let of_callback = rules.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            report(&event, &of_callback, &inbox);
        });
        let mut watch = Self {
            watcher: watcher.map_err(|error| cannot_watch(&error))?,
            rules,
            contents: HashMap::new(),
            failure: None,
        };
        for source in watch.rules.sources.clone() {
            watch.add(&source)?;
        }
        if let Some(file) = watch.rules.project_file.clone() {
            watch.add(&file)?;
        }
        Ok(watch)
    }

    /// What is not watched although it is named: links out of the project's folder.
    pub fn links_out(&self) -> &[PathBuf] {
        &self.rules.links_out
    }

    /// What does not exist although it is named, maybe by mistake.
    pub fn missing(&self) -> &[PathBuf] {
        &self.rules.missing
    }

    /// Why a folder that was made since is not watched; told once, however many folders it is true of.
    pub fn take_failure(&mut self) -> Option<CommandError> {
        self.failure.take()
    }

    /// A file is watched by its folder, because editors replace files.
    fn add(&mut self, path: &Path) -> Result<(), CommandError> {
        if path.is_dir() {
            return self.add_folder(path).map_err(|error| cannot_watch(&error));
        }
        match path.parent() {
            Some(folder) if folder.is_dir() => {
                self.watch(folder).map_err(|error| cannot_watch(&error))
            }
            Some(_) | None => Err(CommandError::environment(format_args!(
                "`{}` cannot be watched: its folder does not exist",
                path.display()
            ))
            .hint("change `watch` in section `[guest]` of tenon.toml")),
        }
    }

    /// Each folder is watched by itself. The folders in an ignored one can be very many, and a build may make them later, so nothing is watched
    /// with everything in it.
    fn add_folder(&mut self, folder: &Path) -> notify::Result<()> {
        self.watch(folder)?;
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            let path = entry.path();
            if self.rules.is_source(&path) {
                match self.add_folder(&path) {
                    Err(error) if is_gone(&error) => {}
                    added => added?,
                }
            }
        }
        Ok(())
    }

    /// Watches a folder that is new.
    fn add_new_folder(&mut self, folder: &Path) {
        let added = self.add_folder(folder);
        self.failure = self.failure.take().or_else(|| not_watched(added));
    }

    fn watch(&mut self, folder: &Path) -> notify::Result<()> {
        self.watcher.watch(folder, RecursiveMode::NonRecursive)
    }

    /// What this means for the project. New folders are watched from now on.
    fn change(&mut self, arrived: &Arrived) -> Change {
        let mut change = Change {
            sources: arrived.unnamed != Unnamed::Nothing,
            unnamed: arrived.unnamed,
            ..Change::default()
        };
        for (path, is_by_build) in &arrived.paths {
            if is_folder(path) {
                self.add_new_folder(path);
            } else if !self.is_other_content(path) {
                continue;
            }
            change.sources |= self.rules.is_source(path);
            change.project_file |= self.rules.is_project_file(path);
            match is_by_build {
                true => change.by_build.push(path.clone()),
                false => change.by_others.push(path.clone()),
            }
        }
        change
    }

    /// Whether a file has another content than when it changed before; the first change of a file always counts.
    fn is_other_content(&mut self, path: &Path) -> bool {
        let Ok(content) = content(path) else {
            return true;
        };
        if self.contents.len() >= CONTENTS_MAX && !self.contents.contains_key(path) {
            self.contents.clear();
        }
        let before = self.contents.get(path);
        let is_other = before.is_none_or(|before| *before != content);
        self.contents.insert(path.to_owned(), content);
        is_other
    }
}

/// Whether there is a folder, and no link to one.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

fn content(path: &Path) -> io::Result<Content> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Ok(Content::Link(fs::read_link(path)?)),
        Ok(metadata) if metadata.is_file() && metadata.len() <= CONTENT_BYTES_MAX => {
            Ok(Content::File(Digest::of(&fs::read(path)?)))
        }
        Ok(metadata) => Ok(Content::LargeFile(metadata.len(), metadata.modified().ok())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Content::Nothing),
        Err(error) => Err(error),
    }
}

/// Puts what an event means for the project into the inbox. Events of other files end here.
fn report(event: &notify::Result<Event>, rules: &SourceRules, inbox: &Inbox) {
    let event = match event {
        Ok(event) if !event.need_rescan() => event,
        Ok(_) | Err(_) => return inbox.lost(),
    };
    if is_about_content(&event.kind) {
        for path in &event.paths {
            if rules.is_source(path) || rules.is_project_file(path) {
                inbox.changed(path.clone());
            }
        }
    }
}

fn is_about_content(kind: &EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Any | EventKind::Other => true,
        EventKind::Modify(ModifyKind::Metadata(_)) => false,
        EventKind::Modify(_) => true,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
    }
}

/// Why a new folder is not watched. If it is gone already, there is nothing to watch.
fn not_watched(added: notify::Result<()>) -> Option<CommandError> {
    let error = added.err().filter(|error| !is_gone(error))?;
    Some(cannot_watch(&error))
}

fn is_gone(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::PathNotFound => true,
        notify::ErrorKind::Io(error) => error.kind() == io::ErrorKind::NotFound,
        notify::ErrorKind::Generic(_)
        | notify::ErrorKind::WatchNotFound
        | notify::ErrorKind::InvalidConfig(_)
        | notify::ErrorKind::MaxFilesWatch => false,
    }
}

fn cannot_watch(error: &notify::Error) -> CommandError {
    let full = matches!(error.kind, notify::ErrorKind::MaxFilesWatch)
        || matches!(&error.kind, notify::ErrorKind::Io(error) if error.kind() == io::ErrorKind::StorageFull);
    let failure = CommandError::environment(format_args!("failed to watch files: {error}"));
    match full {
        true => failure.hint("raise `fs.inotify.max_user_watches`, or watch fewer folders with `watch` in section `[guest]` of tenon.toml"),
        false => failure.hint("check `watch` in section `[guest]` of tenon.toml"),
    }
}

/// Waits for something to do, and for the end of a change.
pub fn next(watch: &mut Watch, inbox: &Inbox) -> Asked {
    loop {
        let mut arrived = inbox.wait(None);
        let until = Instant::now() + UNREST_DURATION_MAX;
        while !arrived.is_end
            && Instant::now() < until
            && !inbox.is_quiet(&mut arrived, QUIET_DURATION)
        {}
        if arrived.is_end {
            return Asked::End;
        }
        let mut change = watch.change(&arrived);
        if arrived.is_build_wanted && !change.changes_rules() {
            return Asked::Build;
        }
        change.is_build_wanted = arrived.is_build_wanted;
        if change.is_some() {
            return Asked::Change(change);
        }
    }
}

/// What the rebuilding thread is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Files have changed.
    Change(Change),
    /// Build again, whatever has changed.
    Build,
    /// End.
    End,
}

#[cfg(test)]
mod tests;
