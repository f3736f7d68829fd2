//! Which files are sources.

use files::beside;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::{
    ffi::OsStr,
    fs,
    path::{Component, Path, PathBuf},
    time::SystemTime,
};

/// Folders that tools write to, not people.
const IGNORED_FOLDERS: [&str; 4] = ["target", ".git", ".tenon", "node_modules"];
/// The file that names what git ignores.
pub const GITIGNORE: &str = ".gitignore";

/// What is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Files and folders with sources.
    pub sources: Vec<PathBuf>,
    /// The project file, if there is one. What git ignores in its folder is no source.
    pub project_file: Option<PathBuf>,
    /// Files and folders in them that the build or this program writes.
    pub outputs: Vec<PathBuf>,
}

impl Watched {
    /// A source that was changed after a time, if there is one, as it was named.
    pub fn changed_since(&self, time: SystemTime) -> Option<PathBuf> {
        let rules = SourceRules::of(self);
        self.sources
            .iter()
            .find_map(|source| changed_since(&rules, source, time))
    }
}

fn changed_since(rules: &SourceRules, path: &Path, time: SystemTime) -> Option<PathBuf> {
    if !rules.is_source(&resolved(path)) {
        return None;
    }
    let metadata = fs::symlink_metadata(path).ok()?;
    if metadata.is_dir() {
        let entries = fs::read_dir(path).ok()?.flatten();
        // In the order of their names, so that the same one is named each time.
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        return paths
            .iter()
            .find_map(|path| changed_since(rules, path, time));
    }
    let is_later = metadata.modified().is_ok_and(|modified| modified > time);
    (metadata.is_file() && is_later).then(|| path.components().collect())
}

/// The same with absolute paths without links, as the system reports changes.
#[derive(Clone)]
pub struct SourceRules {
    pub sources: Vec<PathBuf>,
    pub project_file: Option<PathBuf>,
    outputs: Vec<PathBuf>,
    /// The nearest first.
    ignored: Vec<Gitignore>,
    /// Sources that do not exist, and whose folder does. They are watched in case they will.
    pub missing: Vec<PathBuf>,
    /// Sources that are links out of the project's folder. They are not followed, because nobody expects a project to reach there.
    pub links_out: Vec<PathBuf>,
}

impl SourceRules {
    pub fn of(watched: &Watched) -> Self {
        let project_file = watched.project_file.as_deref().map(resolved);
        let folder = project_file.as_deref().and_then(Path::parent);
        let as_named = watched.project_file.as_deref().and_then(Path::parent);
        let project = as_named.zip(folder);
        let leads_out = |path: &&PathBuf| {
            project.is_some_and(|(as_named, folder)| {
                is_within(as_named, path) && !resolved(path).starts_with(folder)
            })
        };
        let (links_out, sources): (Vec<_>, Vec<_>) = watched.sources.iter().partition(leads_out);
        let is_missing = |path: &&&PathBuf| path.symlink_metadata().is_err();
        Self {
            missing: sources
                .iter()
                .filter(is_missing)
                .map(|path| (*path).clone())
                .collect(),
            sources: sources.into_iter().map(|path| resolved(path)).collect(),
            links_out: links_out.into_iter().cloned().collect(),
            outputs: watched.outputs.iter().map(|path| resolved(path)).collect(),
            ignored: folder.map(ignored_by_git).unwrap_or_default(),
            project_file,
        }
    }

    /// Whether a change of this path may be a reason to build.
    pub fn is_source(&self, path: &Path) -> bool {
        let is_output = self.outputs.iter().any(|output| path.starts_with(output));
        !is_output && self.sources.iter().any(|source| self.is_in(source, path))
    }

    /// Whether this is the project file.
    pub fn is_project_file(&self, path: &Path) -> bool {
        self.project_file.as_deref() == Some(path)
    }

    /// Whether a path is a source because of this file or folder. What is named is one, whatever git ignores.
    fn is_in(&self, source: &Path, path: &Path) -> bool {
        let Ok(below) = path.strip_prefix(source) else {
            return false;
        };
        let is_named = below.as_os_str().is_empty();
        is_named || !is_written_by_tools(below) && !self.is_ignored_by_git(source, path)
    }

    /// Whether git ignores a path below a source. A rule that ignores the source itself, such as that of a repository in whose ignored folder the
    /// project lies, says nothing about what is in it.
    fn is_ignored_by_git(&self, source: &Path, path: &Path) -> bool {
        let about_source = |rules: &&Gitignore| found(rules, source) != Some(true);
        let rules = self.ignored.iter().filter(about_source);
        rules
            .filter_map(|rules| found(rules, path))
            .next()
            .unwrap_or(false)
    }
}

/// Whether a path is in a folder by its words, whatever links are on the way.
fn is_within(folder: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(folder);
    let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    below.is_ok_and(|below| below.components().all(is_plain))
}

/// What a file of rules says about a path: whether it is ignored. Rules do not apply outside of their folder.
fn found(rules: &Gitignore, path: &Path) -> Option<bool> {
    let below = path.strip_prefix(rules.path()).ok()?;
    let found = rules.matched_path_or_any_parents(below, path.is_dir());
    (!found.is_none()).then(|| found.is_ignore())
}

/// The rules of a folder and of those above it in the same repository.
fn ignored_by_git(folder: &Path) -> Vec<Gitignore> {
    let has_git = |folder: &&Path| folder.join(".git").exists();
    let root = folder.ancestors().find(has_git).unwrap_or(folder);
    let within = folder
        .ancestors()
        .take_while(|folder| folder.starts_with(root));
    within
        .filter(|folder| folder.join(GITIGNORE).is_file())
        .filter_map(|folder| {
            let mut rules = GitignoreBuilder::new(folder);
            // What git cannot read either ignores nothing.
            let _ = rules.add(folder.join(GITIGNORE));
            rules.build().ok()
        })
        .collect()
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
fn is_written_by_tools(below: &Path) -> bool {
    let is_ignored = |part: Component<'_>| {
        let ignored = IGNORED_FOLDERS.iter();
        ignored.map(OsStr::new).any(|name| part.as_os_str() == name)
    };
    let is_temporary = below.file_name().is_some_and(beside::is_temporary);
    let file = below.file_name().map(OsStr::to_string_lossy);
    let is_editors = file.is_some_and(|file| {
        // Emacs and vim: locks, backups and trials whether a folder can be written.
        file.starts_with(".#") || file.ends_with('~') || file.ends_with(".swp") || file == "4913"
    });
    below.components().any(is_ignored) || is_editors || is_temporary
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_out_of_the_project_are_no_sources() {
        let root = std::env::temp_dir().join(format!("tenon-links-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        for folder in ["project/src", "other"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        // The project itself may be reached by a link.
        symlink("project", root.join("link")).unwrap();
        let project = root.join("link");
        symlink("../other", project.join("out")).unwrap();
        symlink("/dev/null", project.join("out.rs")).unwrap();
        symlink("src", project.join("in")).unwrap();
        let named = |names: &[&str]| {
            SourceRules::of(&Watched {
                sources: names.iter().map(|name| project.join(name)).collect(),
                project_file: Some(project.join("tenon.toml")),
                outputs: Vec::new(),
            })
        };
        let rules = named(&["in", "out", "out.rs", "../other/named.rs"]);
        let root_folder = fs::canonicalize(&root).unwrap();
        assert!(rules.is_source(&root_folder.join("project/src/lib.rs")));
        assert!(!rules.is_source(&root_folder.join("other/lib.rs")));
        assert!(!rules.is_source(Path::new("/dev/null")));
        assert_eq!(
            rules.links_out,
            [project.join("out"), project.join("out.rs")]
        );
        // What is named by its own place is meant.
        assert!(rules.is_source(&root_folder.join("other/named.rs")));
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn what_git_ignores_is_no_source_unless_it_is_named() {
        let root = std::env::temp_dir().join(format!("tenon-ignored-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let project = root.join("apis/notes");
        fs::create_dir_all(project.join("made")).unwrap();
        fs::create_dir_all(root.join(".git")).unwrap();
        fs::write(root.join(GITIGNORE), "*.log\n/apis/notes/far.rs\n").unwrap();
        fs::write(
            project.join(GITIGNORE),
            "*.redb\n/made/\n!kept.log\ngen.rs\n",
        )
        .unwrap();
        let rules = |sources: &[&str]| {
            SourceRules::of(&Watched {
                sources: sources.iter().map(|source| project.join(source)).collect(),
                project_file: Some(project.join("tenon.toml")),
                outputs: vec![project.join("guest.wasm")],
            })
        };
        let is_source = |rules: &SourceRules, path: &str| {
            rules.is_source(&fs::canonicalize(&project).unwrap().join(path))
        };
        let all = rules(&["."]);
        for source in ["src/lib.rs", "kept.log", "Cargo.toml", "new/folder"] {
            assert!(is_source(&all, source), "{source}");
        }
        for ignored in [
            "tenon.redb",
            "deep/x.redb",
            "made/lib.rs",
            "gen.rs",
            "other.log",
            "far.rs",
            "guest.wasm",
            "src/lib.rs.new-0123456789abcdef",
            "target/debug/x",
            "node_modules/x",
            ".tenon/store.redb",
        ] {
            assert!(!is_source(&all, ignored), "{ignored}");
        }
        let beside = fs::canonicalize(&root).unwrap().join("apis/beside.rs");
        assert!(!all.is_source(&beside));
        let named = rules(&["gen.rs", "made"]);
        assert!(is_source(&named, "gen.rs") && is_source(&named, "made/lib.rs"));
        assert!(!is_source(&named, "src/lib.rs"));
        // In a folder that the repository ignores as a whole, the project's own rules count.
        fs::write(root.join(GITIGNORE), "/apis/\n*.log\n").unwrap();
        let inside = rules(&["."]);
        assert!(is_source(&inside, "src/lib.rs") && is_source(&inside, "new/folder"));
        assert!(!is_source(&inside, "gen.rs") && !is_source(&inside, "made/lib.rs"));
        fs::remove_dir_all(&root).unwrap();
    }
}
