//! The tutorial of the guide, followed with the installed program and the crates of the SDK.

use crate::{
    dist::{VERSION, sdks::CRATES},
    run::{Cargo, run, target_folder},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Unpacks the crates beside each other; returns the folder of the SDK's.
pub fn unpacked_sdk(dist: &Path) -> anyhow::Result<PathBuf> {
    let folder = target_folder()?.join("installed/crates");
    fs::create_dir_all(&folder)?;
    for name in CRATES {
        run(Command::new("tar")
            .args(["--extract", "--gzip", "--file"])
            .arg(dist.join(format!("{name}-{VERSION}.crate")))
            .arg("--directory")
            .arg(&folder))?;
    }
    Ok(folder.join(format!("tenon-sdk-{VERSION}")))
}

/// Runs the test that follows the page.
pub fn check(sdk: &Path, programs: &Path) -> anyhow::Result<()> {
    Cargo::new("test")
        .args(["--release", "--workspace", "--locked", "--test", "cli"])
        .args(["--", "--exact", "guide::the_tutorial_is_true"])
        .env("TENON_TEST_PROGRAMS", programs)
        .env("TENON_TEST_SDK", sdk)
        .run()
}
