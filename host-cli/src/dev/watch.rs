//! Watching a project's sources.

mod inbox;
mod watched;

pub use self::{inbox::Inbox, watched::Watched};

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
    /// The files that changed only while a build ran, so that the build may have written them.
    pub by_build: Vec<PathBuf>,
    /// The others.
    pub by_others: Vec<PathBuf>,
}

impl Change {
    fn is_some(&self) -> bool {
        self.sources || self.project_file
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

    /// A file is watched by its folder, because editors replace files.
    fn add(&mut self, path: &Path) -> Result<(), CommandError> {
        if path.is_dir() {
            return self.add_folder(path);
        }
        match path.parent() {
            Some(folder) if folder.is_dir() => self.watch(folder),
            Some(_) | None => Err(CommandError::environment(format_args!(
                "`{}` cannot be watched: its folder does not exist",
                path.display()
            ))
            .hint("change `watch` in section `[guest]` of tenon.toml")),
        }
    }

    /// Each folder is watched by itself. The folders in an ignored one can be very many, and a build may make them later, so nothing is watched
    /// with everything in it.
    fn add_folder(&mut self, folder: &Path) -> Result<(), CommandError> {
        self.watch(folder)?;
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            let path = entry.path();
            if self.rules.is_source(&path) {
                self.add_folder(&path)?;
            }
        }
        Ok(())
    }

    fn watch(&mut self, folder: &Path) -> Result<(), CommandError> {
        let watched = self.watcher.watch(folder, RecursiveMode::NonRecursive);
        watched.map_err(|error| cannot_watch(&error))
    }

    /// What this means for the project. New folders are watched from now on.
    fn change(&mut self, arrived: &Arrived) -> Change {
        let mut change = Change {
            // Too many events, for example: whatever was missed, a build finds it.
            sources: arrived.is_incomplete,
            ..Change::default()
        };
        for (path, is_by_build) in &arrived.paths {
            if is_folder(path) {
                // If it is gone already, there is nothing to watch.
                let _ = self.add_folder(path);
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
        if arrived.is_build_wanted && !change.project_file {
            return Asked::Build;
        }
        change.sources |= arrived.is_build_wanted;
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
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    struct Project {
        folder: PathBuf,
        watch: Watch,
        inbox: Inbox,
    }

    impl Project {
        /// A watched folder with a source and a project file.
        fn new(name: &str, sources: &[&str]) -> Self {
            let folder =
                std::env::temp_dir().join(format!("tenon-watch-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            for inner in ["src/deep", ".git"] {
                fs::create_dir_all(folder.join(inner)).unwrap();
            }
            let folder = fs::canonicalize(folder).unwrap();
            for (file, text) in [
                ("tenon.toml", "1"),
                ("src/lib.rs", "1"),
                ("guest.wasm", "1"),
                (".gitignore", "*.redb\n"),
            ] {
                fs::write(folder.join(file), text).unwrap();
            }
            let watched = Watched {
                sources: sources.iter().map(|source| folder.join(source)).collect(),
                project_file: Some(folder.join("tenon.toml")),
                outputs: vec![folder.join("guest.wasm")],
            };
            let inbox = Inbox::default();
            Self {
                watch: Watch::new(&watched, inbox.clone()).unwrap(),
                folder,
                inbox,
            }
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.folder.join(name), text).unwrap();
        }

        /// The next change.
        fn next(&mut self) -> Asked {
            next(&mut self.watch, &self.inbox)
        }

        /// What is asked next is the end, which comes after all events.
        fn expect_nothing(&mut self) {
            let inbox = self.inbox.clone();
            let waiting = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(200));
                inbox.end();
            });
            assert_eq!(self.next(), Asked::End);
            waiting.join().unwrap();
        }

        fn sources(&self, by_others: &[&str]) -> Asked {
            Asked::Change(Change {
                sources: true,
                by_others: by_others
                    .iter()
                    .map(|path| self.folder.join(path))
                    .collect(),
                ..Change::default()
            })
        }
    }

    impl Drop for Project {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    #[test]
    fn a_source_and_the_project_file_are_told_apart() {
        let mut project = Project::new("kinds", &["src"]);
        project.write("src/deep/new.rs", "2");
        assert_eq!(project.next(), project.sources(&["src/deep/new.rs"]));
        // As editors do: another file takes its name.
        project.write("other", "2");
        let file = project.folder.join("tenon.toml");
        fs::rename(project.folder.join("other"), &file).unwrap();
        assert_eq!(
            project.next(),
            Asked::Change(Change {
                project_file: true,
                by_others: vec![file],
                ..Change::default()
            })
        );
    }

    #[test]
    fn what_tools_write_is_no_change() {
        let mut project = Project::new("ignored", &["."]);
        // The first build makes the folder of its output, after the watch has begun.
        for folder in ["target/debug/deps", ".tenon"] {
            fs::create_dir_all(project.folder.join(folder)).unwrap();
        }
        for ignored in [
            "target/debug/x",
            ".tenon/store.redb",
            "tenon.redb",
            ".git/index",
            "guest.wasm",
            "src/.#lib.rs",
            "src/lib.rs~",
        ] {
            project.write(ignored, "2");
        }
        fs::read(project.folder.join("src/lib.rs")).unwrap();
        project.expect_nothing();
        let target = project.folder.join("target/debug");
        assert!(!project.watch.rules.is_source(&target));
        fs::create_dir(project.folder.join("more")).unwrap();
        assert_eq!(project.next(), project.sources(&["more"]));
        project.write("more/new.rs", "2");
        assert_eq!(project.next(), project.sources(&["more/new.rs"]));
    }

    #[test]
    fn links_to_folders_are_not_followed() {
        let mut project = Project::new("links", &["."]);
        let other = std::env::temp_dir().join(format!("tenon-watch-other-{}", std::process::id()));
        fs::create_dir_all(&other).unwrap();
        symlink(&other, project.folder.join("src/link")).unwrap();
        assert_eq!(project.next(), project.sources(&["src/link"]));
        fs::write(other.join("lib.rs"), "2").unwrap();
        project.expect_nothing();
        fs::remove_dir_all(&other).unwrap();
    }

    #[test]
    fn the_same_content_again_is_no_change() {
        let mut project = Project::new("same", &["src"]);
        project.inbox.build_begins();
        project.write("src/made.rs", "2");
        let made = project.folder.join("src/made.rs");
        assert_eq!(
            project.next(),
            Asked::Change(Change {
                sources: true,
                by_build: vec![made.clone()],
                ..Change::default()
            })
        );
        project.inbox.build_is_over();
        project.write("src/made.rs", "2");
        project.expect_nothing();
        project.write("src/made.rs", "3");
        assert_eq!(project.next(), project.sources(&["src/made.rs"]));
        fs::remove_file(made).unwrap();
        assert_eq!(project.next(), project.sources(&["src/made.rs"]));
    }

    #[test]
    fn several_writes_are_one_change() {
        let mut project = Project::new("burst", &["src"]);
        for number in 10..30 {
            project.write(&format!("src/{number}.rs"), "2");
        }
        // All of them have been reported by now.
        std::thread::sleep(Duration::from_millis(500));
        let Asked::Change(change) = project.next() else {
            panic!("no change");
        };
        assert_eq!(change.by_others.len(), 20);
        project.inbox.build();
        assert_eq!(project.next(), Asked::Build);
    }
}
