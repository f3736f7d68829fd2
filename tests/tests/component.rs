//! The reference component is small, contains nothing of the machine that built it, and imports only what it uses.

use crate::support::{guests::REFERENCE, in_process::engine, workspace};
use std::env;

const COMPONENT_BYTES_MAX: usize = 300_000;

#[test]
fn the_component_stays_small() {
    assert!(
        REFERENCE.len() < COMPONENT_BYTES_MAX,
        "the component has {} bytes",
        REFERENCE.len()
    );
}

#[test]
fn the_component_names_no_folder_of_the_build() {
    let home = env::home_dir().unwrap();
    for folder in [workspace(), &home] {
        let folder = folder.to_str().unwrap();
        let found = REFERENCE
            .windows(folder.len())
            .position(|window| window == folder.as_bytes());
        assert_eq!(found, None, "`{folder}` stands in the component");
    }
}

#[test]
fn the_component_imports_only_what_it_uses() {
    let candidate = engine().read_component(REFERENCE).unwrap();
    let inspection = candidate.inspection();
    let imports: Vec<_> = inspection
        .imports
        .iter()
        .map(|import| import.name.split('@').next().unwrap())
        .collect();
    for import in &imports {
        let is_used = [
            "tenon:handler/http",
            "tenon:handler/log",
            "tenon:handler/storage",
            "wasi:random/random",
        ];
        assert!(
            is_used.contains(import),
            "`{import}` is imported: {imports:?}"
        );
    }
    assert_eq!(inspection.exports, ["tenon:handler/handler@0.1.0"]);
}
