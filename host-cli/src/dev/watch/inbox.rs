//! What reaches the thread that rebuilds: changed files, and wishes. It is collected until the thread asks, so it takes bounded memory however
//! long a build runs and whatever is written meanwhile.

use std::{
    collections::BTreeMap,
    fs, mem,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// Changed files that are kept by name. Whoever changes more at once has changed the sources.
const PATHS_MAX: usize = 1000;

/// Collects until it is emptied. Cheap to clone.
#[derive(Clone, Default)]
pub struct Inbox(Arc<Shared>);

#[derive(Default)]
struct Shared {
    content: Mutex<Content>,
    arrived: Condvar,
}

#[derive(Default)]
struct Content {
    build: Build,
    arrived: Arrived,
}

/// Whether changes may be those of a build.
#[derive(Clone, Copy, Default)]
enum Build {
    #[default]
    None,
    Runs,
    /// What was written until then is reported a little later.
    Ended(SystemTime),
}

impl Build {
    /// Whether what is reported now may have been written by a build.
    fn is_near(self) -> bool {
        match self {
            Self::None => false,
            Self::Runs | Self::Ended(_) => true,
        }
    }

    fn may_have_written(self, path: &Path) -> bool {
        match self {
            Self::None => false,
            Self::Runs => true,
            Self::Ended(ended) => {
                let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
                // A file that is gone may have been a temporary one of the build.
                modified.map_or(true, |modified| modified <= ended)
            }
        }
    }
}

/// Whether files have changed whose names are not known: too many at once, or more than the system reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unnamed {
    /// None has.
    #[default]
    Nothing,
    /// Only while a build ran, so that the build may have written them.
    ByBuild,
    /// Also at other times.
    ByOthers,
}

impl Unnamed {
    fn of(is_by_build: bool) -> Self {
        match is_by_build {
            true => Self::ByBuild,
            false => Self::ByOthers,
        }
    }
}

/// What has arrived.
#[derive(Debug, Default)]
pub struct Arrived {
    /// The files that have changed, and whether each changed only while a build ran.
    pub paths: BTreeMap<PathBuf, bool>,
    /// Whether further files have changed.
    pub unnamed: Unnamed,
    /// Whether the developer asks for a build.
    pub is_build_wanted: bool,
    /// Whether the program ends.
    pub is_end: bool,
}

impl Arrived {
    fn is_nothing(&self) -> bool {
        self.paths.is_empty()
            && self.unnamed == Unnamed::Nothing
            && !self.is_build_wanted
            && !self.is_end
    }

    fn insert(&mut self, path: PathBuf, is_by_build: bool) {
        if let Some(known) = self.paths.get_mut(&path) {
            *known &= is_by_build;
        } else if self.paths.len() < PATHS_MAX {
            self.paths.insert(path, is_by_build);
        } else {
            self.unnamed = self.unnamed.max(Unnamed::of(is_by_build));
        }
    }

    /// Adds what has arrived later.
    pub fn add(&mut self, later: Self) {
        for (path, is_by_build) in later.paths {
            self.insert(path, is_by_build);
        }
        self.unnamed = self.unnamed.max(later.unnamed);
        self.is_build_wanted |= later.is_build_wanted;
        self.is_end |= later.is_end;
    }
}

impl Inbox {
    /// Something happened to this file.
    pub fn changed(&self, path: PathBuf) {
        self.put(|content| {
            let is_by_build = content.build.may_have_written(&path);
            content.arrived.insert(path, is_by_build);
        });
    }

    /// Something happened to files that are not known.
    pub fn lost(&self) {
        self.put(|content| {
            let unnamed = Unnamed::of(content.build.is_near());
            content.arrived.unnamed = content.arrived.unnamed.max(unnamed);
        });
    }

    /// The developer asks for a build.
    pub fn build(&self) {
        self.put(|content| content.arrived.is_build_wanted = true);
    }

    /// The program ends.
    pub fn end(&self) {
        self.put(|content| content.arrived.is_end = true);
    }

    /// From now on a build runs: files that change meanwhile may be written by it.
    pub fn build_begins(&self) {
        self.lock().build = Build::Runs;
    }

    /// The build has ended; changes before this moment are still to be reported.
    pub fn build_has_ended(&self) {
        self.lock().build = Build::Ended(SystemTime::now());
    }

    /// All changes of the build have been reported.
    pub fn build_is_over(&self) {
        self.lock().build = Build::None;
    }

    /// Waits until something has arrived, at most so long.
    pub fn wait(&self, duration_max: Option<Duration>) -> Arrived {
        let content = self.lock();
        let is_empty = |content: &mut Content| content.arrived.is_nothing();
        let mut content = match duration_max {
            None => {
                let woken = self.0.arrived.wait_while(content, is_empty);
                woken.unwrap_or_else(PoisonError::into_inner)
            }
            Some(duration) => {
                let woken = self
                    .0
                    .arrived
                    .wait_timeout_while(content, duration, is_empty);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        mem::take(&mut content.arrived)
    }

    /// Whether nothing has arrived for so long; what arrives is added to `arrived`.
    pub fn is_quiet(&self, arrived: &mut Arrived, duration: Duration) -> bool {
        let later = self.wait(Some(duration));
        let is_quiet = later.is_nothing();
        arrived.add(later);
        is_quiet
    }

    fn put(&self, put: impl FnOnce(&mut Content)) {
        put(&mut self.lock());
        self.0.arrived.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        let locked = self.0.content.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_changes_takes_bounded_memory() {
        let inbox = Inbox::default();
        for number in 0..3 * PATHS_MAX {
            inbox.changed(format!("/{number}").into());
            inbox.changed("/0".into());
        }
        let arrived = inbox.wait(None);
        assert_eq!(arrived.paths.len(), PATHS_MAX);
        assert!(arrived.unnamed == Unnamed::ByOthers && !arrived.is_end);
        assert!(inbox.wait(Some(Duration::ZERO)).is_nothing());
    }

    #[test]
    fn files_without_a_name_are_the_builds_if_a_build_ran() {
        let inbox = Inbox::default();
        let many =
            || (0..2 * PATHS_MAX).for_each(|number| inbox.changed(format!("/{number}").into()));
        inbox.build_begins();
        many();
        assert_eq!(inbox.wait(None).unnamed, Unnamed::ByBuild);
        inbox.lost();
        inbox.build_has_ended();
        inbox.lost();
        let mut arrived = inbox.wait(None);
        assert_eq!(arrived.unnamed, Unnamed::ByBuild);
        inbox.build_is_over();
        inbox.lost();
        assert!(!inbox.is_quiet(&mut arrived, Duration::ZERO));
        assert_eq!(arrived.unnamed, Unnamed::ByOthers);
    }

    #[test]
    fn a_file_that_also_changed_without_a_build_is_not_the_builds() {
        let inbox = Inbox::default();
        inbox.changed("/a".into());
        inbox.build_begins();
        for path in ["/a", "/b", "/c"] {
            inbox.changed(path.into());
        }
        inbox.build_has_ended();
        inbox.changed("/gone".into());
        inbox.build_is_over();
        inbox.changed("/c".into());
        let paths: Vec<_> = inbox.wait(None).paths.into_iter().collect();
        assert_eq!(
            paths,
            [
                ("/a".into(), false),
                ("/b".into(), true),
                ("/c".into(), false),
                ("/gone".into(), true)
            ]
        );
    }
}
