//! Shared support for tests.

pub mod guests;
pub mod host_cli;
pub mod http_client;
pub mod in_process;
pub mod json_schema;
pub mod proxy;
pub mod recording;
pub mod table;
pub mod upstream;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// An empty folder for one test, under the target folder. It stays, for inspection after a failure.
///
/// # Panics
///
/// If another test has taken the name: it would lose its files while it runs.
pub fn fresh_folder(test: &str) -> PathBuf {
    static TAKEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let is_new = TAKEN.lock().unwrap().insert(test.to_owned());
    assert!(is_new, "two tests have the folder `{test}`");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}
