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
    let mut project = Project::new("burst", &["."]);
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
    // What else follows from a change is not lost if a build is asked for as well.
    project.inbox.build_begins();
    project.write(".gitignore", "*.txt\n");
    std::thread::sleep(Duration::from_millis(500));
    project.inbox.build();
    let Asked::Change(change) = project.next() else {
        panic!("no change");
    };
    assert!(
        change.is_build_wanted && change.changes_rules(),
        "{change:?}"
    );
}

#[test]
fn a_new_folder_that_cannot_be_watched_is_told_unless_it_is_gone() {
    use notify::{Error, ErrorKind};
    let full = not_watched(Err(Error::new(ErrorKind::MaxFilesWatch))).unwrap();
    let hint = full.hint_text().unwrap();
    assert!(hint.contains("max_user_watches"), "{hint}");
    let gone = Error::io(io::ErrorKind::NotFound.into());
    for gone in [gone, Error::path_not_found()] {
        assert!(not_watched(Err(gone)).is_none());
    }
    assert!(not_watched(Ok(())).is_none());
    let mut project = Project::new("new-folder", &["src"]);
    let not_in_a_folder = project.folder.join("src/lib.rs/new");
    project.watch.add_new_folder(&not_in_a_folder);
    assert!(project.watch.take_failure().is_some());
    assert!(project.watch.take_failure().is_none());
}
