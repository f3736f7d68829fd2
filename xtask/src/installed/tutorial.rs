//! The tutorial of the guide, followed with the installed program and the crates of the SDK.

use crate::{
    dist::{VERSION, sdks::CRATES},
    run::{Cargo, run, target_folder},
};
use std::{fs, path::Path, process::Command};

/// Unpacks the crates, and runs the test that follows the page.
pub fn check(dist: &Path, programs: &Path) -> anyhow::Result<()> {
    let folder = target_folder()?.join("installed/crates");
    fs::create_dir_all(&folder)?;
    for name in CRATES {
        run(Command::new("tar")
            .args(["--extract", "--gzip", "--file"])
            .arg(dist.join(format!("{name}-{VERSION}.crate")))
            .arg("--directory")
            .arg(&folder))?;
    }
    Cargo::new("test")
        .args(["--release", "--workspace", "--locked", "--test", "cli"])
        .args(["--", "--exact", "guide::the_tutorial_is_true"])
        .env("TENON_TEST_PROGRAMS", programs)
        .env(
            "TENON_TEST_SDK",
            folder.join(format!("tenon-sdk-{VERSION}")),
        )
        .run()
}
