//! `cargo xtask installed`: installs what `cargo xtask dist` built, as users do, into empty environments, and makes projects with these
//! programs alone. Cargo is hidden from them, except where a guest in Rust is built.

mod deployed;
mod project;
mod tutorial;

use crate::{
    dist::packages::{self, Installed},
    run::{root, step},
};
use anyhow::ensure;
use std::path::Path;

/// Checks the packages in `dist`.
pub fn check() -> anyhow::Result<()> {
    let dist = root().join("dist");
    ensure!(
        dist.join("SHA256SUMS").is_file(),
        "there is nothing to install: run `cargo xtask dist` first"
    );
    let mut installed = None;
    step("packages", || {
        installed = Some(packages::check(&dist)?);
        Ok(())
    })?;
    let Some(installed) = installed else {
        return Ok(());
    };
    projects(&dist, &installed)
}

fn projects(dist: &Path, installed: &Installed) -> anyhow::Result<()> {
    step("TypeScript", || {
        project::typescript().check(dist, &installed.by_npm)
    })?;
    step("Python", || {
        project::python().check(dist, &installed.by_pip)
    })?;
    let sdk = tutorial::unpacked_sdk(dist)?;
    step("tutorial", || tutorial::check(&sdk, &installed.by_pip))?;
    step("deployed project", || {
        deployed::check(&sdk, &installed.by_pip)
    })
}
