//! `cargo xtask reference`: writes docs/guide/reference.md, the WIT package as a page for people who write guests.
//!
//! The page follows from `wit/` alone, comments included; `cargo xtask check` fails if it is not what this would write.

mod page;

use crate::run::root;
use anyhow::{Context, ensure};
use std::{fs, path::PathBuf};
use wit_parser::Resolve;

/// The page, in the root folder.
const PAGE: &str = "docs/guide/reference.md";

/// Writes the page.
pub fn write() -> anyhow::Result<()> {
    let path = page_path();
    fs::write(&path, generate()?).with_context(|| format!("failed to write `{PAGE}`"))
}

/// Fails if the page is not the one of today's `wit/`.
pub fn check() -> anyhow::Result<()> {
    let written = fs::read_to_string(page_path())
        .with_context(|| format!("failed to read `{PAGE}`: run `cargo xtask reference`"))?;
    ensure!(
        written == generate()?,
        "`{PAGE}` is not what follows from `wit/`: run `cargo xtask reference`"
    );
    Ok(())
}

fn generate() -> anyhow::Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(root().join("wit"))
        .context("failed to read `wit/`")?;
    Ok(page::of(&resolve, package))
}

fn page_path() -> PathBuf {
    root().join(PAGE)
}
