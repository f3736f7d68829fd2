//! Shared support for tests.

pub mod guests;
pub mod host_cli;
pub mod http_client;
pub mod in_process;
pub mod json_schema;
pub mod proxy;
pub mod recording;
pub mod table;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// An empty folder for one test, under the target folder. It stays, for inspection after a failure.
pub fn fresh_folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}
