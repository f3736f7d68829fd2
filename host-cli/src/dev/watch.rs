//! Watching a project's sources.

use crate::exit::CommandError;
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode, ModifyKind},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

/// An editor writes several files, or one in several steps: a change is complete when nothing has happened for this long.
const QUIET_DURATION: Duration = Duration::from_millis(30);
/// Files that never come to rest do not put a build off any longer.
const UNREST_DURATION_MAX: Duration = Duration::from_millis(500);
/// Folders that tools write to, not people.
const IGNORED_FOLDERS: [&str; 4] = ["target", ".git", ".tenon", "node_modules"];

/// What reaches the thread that rebuilds.
pub enum Message {
    /// Something happened to files.
    Files(notify::Result<Event>),
    /// The developer asks for a build.
    Rebuild,
    /// The program ends.
    Stop,
}

/// What is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Files and folders with sources.
    pub sources: Vec<PathBuf>,
    /// The project file, if there is one.
    pub project_file: Option<PathBuf>,
    /// Files and folders in them that the build or this program writes.
    pub outputs: Vec<PathBuf>,
}

/// What has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Sources.
    pub sources: bool,
    /// The project file.
    pub project_file: bool,
}

impl Change {
    fn is_some(self) -> bool {
        self.sources || self.project_file
    }

    fn add(&mut self, other: Self) {
        self.sources |= other.sources;
        self.project_file |= other.project_file;
    }
}

impl Watched {
    /// The same with absolute paths without links, as the system reports changes.
    fn resolved(&self) -> Self {
        let resolve = |path: &PathBuf| resolved(path);
        Self {
            sources: self.sources.iter().map(resolve).collect(),
            project_file: self.project_file.as_ref().map(resolve),
            outputs: self.outputs.iter().map(resolve).collect(),
        }
    }

    /// What a change of this path means.
    fn change(&self, path: &Path) -> Change {
        Change {
            sources: self.is_source(path),
            project_file: self.project_file.as_deref() == Some(path),
        }
    }

    fn is_source(&self, path: &Path) -> bool {
        let is_output = self.outputs.iter().any(|output| path.starts_with(output));
        let below = self
            .sources
            .iter()
            .find_map(|source| path.strip_prefix(source).ok());
        !is_output && below.is_some_and(|below| !is_ignored(below))
    }
}

/// An absolute path without links; of a missing file, that of its folder with its name.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    fs::canonicalize(&absolute).unwrap_or_else(|_| {
        match (absolute.parent(), absolute.file_name()) {
            (Some(folder), Some(name)) => match fs::canonicalize(folder) {
                Ok(folder) => folder.join(name),
                Err(_) => absolute.clone(),
            },
            _ => absolute.clone(),
        }
    })
}

/// Whether a path below a source is one that tools or editors write.
fn is_ignored(below: &Path) -> bool {
    let name_of =
        |component: std::path::Component<'_>| component.as_os_str().to_string_lossy().into_owned();
    let in_ignored = below
        .components()
        .any(|component| IGNORED_FOLDERS.contains(&&*name_of(component)));
    let file = below
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let is_editors = file.is_some_and(|file| {
        // Emacs and vim: locks, backups and trials whether a folder can be written.
        file.starts_with(".#") || file.ends_with('~') || file.ends_with(".swp") || file == "4913"
    });
    in_ignored || is_editors
}

/// Watches until it is dropped.
pub struct Watch {
    watcher: RecommendedWatcher,
    watched: Watched,
    /// Folders of which only some subfolders are watched with everything in them.
    divided: Vec<PathBuf>,
}

impl Watch {
    /// Begins to watch; changes arrive as messages.
    pub fn new(watched: &Watched, changes: Sender<Message>) -> Result<Self, CommandError> {
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // The receiver is gone when the program ends.
            let _ = changes.send(Message::Files(event));
        });
        let mut watch = Self {
            watcher: watcher.map_err(|error| cannot_watch(&error))?,
            watched: watched.resolved(),
            divided: Vec::new(),
        };
        for source in watch.watched.sources.clone() {
            watch.add(&source)?;
        }
        if let Some(file) = watch.watched.project_file.clone() {
            watch.add(&file)?;
        }
        Ok(watch)
    }

    /// A file is watched by its folder, because editors replace files.
    fn add(&mut self, path: &Path) -> Result<(), CommandError> {
        if path.is_dir() {
            return self.add_folder(path);
        }
        match path.parent() {
            Some(folder) if folder.is_dir() => self.watch(folder, RecursiveMode::NonRecursive),
            Some(_) | None => Err(CommandError::environment(format_args!(
                "`{}` cannot be watched: its folder does not exist",
                path.display()
            ))
            .hint("change `watch` in section `[guest]` of tenon.toml")),
        }
    }

    /// The folders in an ignored one can be very many, so they are not watched.
    fn add_folder(&mut self, folder: &Path) -> Result<(), CommandError> {
        let is_divided = IGNORED_FOLDERS
            .iter()
            .any(|name| folder.join(name).is_dir());
        if !is_divided {
            return self.watch(folder, RecursiveMode::Recursive);
        }
        self.watch(folder, RecursiveMode::NonRecursive)?;
        self.divided.push(folder.to_owned());
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            if !is_ignored(Path::new(&entry.file_name())) {
                self.add_folder(&entry.path())?;
            }
        }
        Ok(())
    }

    fn watch(&mut self, path: &Path, mode: RecursiveMode) -> Result<(), CommandError> {
        let watched = self.watcher.watch(path, mode);
        watched.map_err(|error| cannot_watch(&error))
    }

    /// What an event means for the project. New folders are watched from now on.
    pub fn change(&mut self, event: &notify::Result<Event>) -> Change {
        let mut change = Change::default();
        let Ok(event) = event else {
            // Too many events, for example: whatever was missed, a build finds it.
            return Change {
                sources: true,
                project_file: false,
            };
        };
        if event.need_rescan() {
            change.sources = true;
        }
        if !is_about_content(&event.kind) {
            return change;
        }
        for path in &event.paths {
            change.add(self.watched.change(path));
            let is_new_part = path
                .parent()
                .is_some_and(|folder| self.divided.iter().any(|divided| divided == folder));
            if is_new_part && self.watched.is_source(path) && path.is_dir() {
                // If it is gone already, there is nothing to watch.
                let _ = self.add_folder(path);
            }
        }
        change
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

/// Waits for the next message that asks for something, and for the end of a change.
pub fn next(watch: Option<&mut Watch>, messages: &Receiver<Message>) -> Asked {
    let mut watch = watch;
    let mut change = Change::default();
    let mut change_of = |event: &notify::Result<Event>| match watch.as_mut() {
        Some(watch) => watch.change(event),
        None => Change::default(),
    };
    while !change.is_some() {
        match messages.recv() {
            Ok(Message::Files(event)) => change.add(change_of(&event)),
            Ok(Message::Rebuild) => return Asked::Rebuild,
            Ok(Message::Stop) | Err(_) => return Asked::Stop,
        }
    }
    let until = Instant::now() + UNREST_DURATION_MAX;
    while Instant::now() < until {
        match messages.recv_timeout(QUIET_DURATION) {
            Ok(Message::Files(event)) => {
                let further = change_of(&event);
                change.add(further);
            }
            Ok(Message::Rebuild) => change.sources = true,
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return Asked::Stop,
            Err(RecvTimeoutError::Timeout) => break,
        }
    }
    Asked::Change(change)
}

/// What the rebuilding thread is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Files have changed.
    Change(Change),
    /// Build again, whatever has changed.
    Rebuild,
    /// End.
    Stop,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    struct Project {
        folder: PathBuf,
        watch: Watch,
        messages: Receiver<Message>,
        sender: Sender<Message>,
    }

    impl Project {
        /// A watched folder with a build's output, a source and a project file.
        fn new(name: &str, sources: &[&str]) -> Self {
            let folder =
                std::env::temp_dir().join(format!("tenon-watch-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            for inner in ["target/debug", "src/deep", ".git"] {
                fs::create_dir_all(folder.join(inner)).unwrap();
            }
            for file in ["tenon.toml", "src/lib.rs", "guest.wasm"] {
                fs::write(folder.join(file), "1").unwrap();
            }
            let watched = Watched {
                sources: sources.iter().map(|source| folder.join(source)).collect(),
                project_file: Some(folder.join("tenon.toml")),
                outputs: vec![folder.join("guest.wasm")],
            };
            let (sender, messages) = mpsc::channel();
            Self {
                watch: Watch::new(&watched, sender.clone()).unwrap(),
                folder,
                messages,
                sender,
            }
        }

        fn write(&self, name: &str) {
            fs::write(self.folder.join(name), "2").unwrap();
        }

        /// The next change.
        fn next(&mut self) -> Asked {
            next(Some(&mut self.watch), &self.messages)
        }
    }

    impl Drop for Project {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    const SOURCES: Asked = Asked::Change(Change {
        sources: true,
        project_file: false,
    });

    #[test]
    fn a_source_and_the_project_file_are_told_apart() {
        let mut project = Project::new("kinds", &["src"]);
        project.write("src/deep/new.rs");
        assert_eq!(project.next(), SOURCES);
        // As editors do: another file takes its name.
        project.write("other");
        fs::rename(
            project.folder.join("other"),
            project.folder.join("tenon.toml"),
        )
        .unwrap();
        assert_eq!(
            project.next(),
            Asked::Change(Change {
                sources: false,
                project_file: true
            })
        );
    }

    #[test]
    fn what_tools_write_is_no_change() {
        let mut project = Project::new("ignored", &["."]);
        for ignored in [
            "target/debug/x",
            ".git/index",
            "guest.wasm",
            "src/.#lib.rs",
            "src/lib.rs~",
        ] {
            project.write(ignored);
        }
        fs::read(project.folder.join("src/lib.rs")).unwrap();
        // None of it ends the wait, which the message does.
        let sender = project.sender.clone();
        let waiting = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            sender.send(Message::Stop).unwrap();
        });
        assert_eq!(project.next(), Asked::Stop);
        waiting.join().unwrap();
        fs::create_dir(project.folder.join("more")).unwrap();
        assert_eq!(project.next(), SOURCES);
        project.write("more/new.rs");
        assert_eq!(project.next(), SOURCES);
    }

    #[test]
    fn several_writes_are_one_change() {
        let mut project = Project::new("burst", &["src"]);
        for number in 0..20 {
            project.write(&format!("src/{number}.rs"));
        }
        // All of them have been reported by now.
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(project.next(), SOURCES);
        project.sender.send(Message::Rebuild).unwrap();
        assert_eq!(project.next(), Asked::Rebuild);
    }
}
