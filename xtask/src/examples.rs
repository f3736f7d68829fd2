//! The example project, built and tested with what a user has: cargo and `host-cli`.

use crate::run::{Cargo, root, run, target_folder};
use std::process::Command;

/// Runs unit tests and cases of examples/bookings.
pub fn bookings() -> anyhow::Result<()> {
    let folder = root().join("examples/bookings");
    // Not inside the project, so that nothing of a test is left there.
    let target = target_folder()?.join("examples");
    Cargo::new("test")
        .args(["--locked"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", &target)
        .run()?;
    Cargo::new("build")
        .args(["--release", "--locked", "--bin", "host-cli"])
        .run()?;
    Cargo::new("build")
        .args(["--release", "--locked", "--target", "wasm32-wasip2"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", &target)
        .run()?;
    let component = target.join("wasm32-wasip2/release/bookings.wasm");
    run(Command::new(target_folder()?.join("release/host-cli"))
        .arg("--project")
        .arg(&folder)
        .args(["test", "--guest"])
        .arg(component)
        .current_dir(&folder))
}
