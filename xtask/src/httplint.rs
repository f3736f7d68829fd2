//! `cargo xtask httplint`: checks that the responses recorded by the cases follow the rules of HTTP.

use crate::{
    python,
    run::{root, run},
};
use std::process::Command;

/// Lints the responses of all cases. The script explains the notes that remain.
pub fn check() -> anyhow::Result<()> {
    let programs = python::programs()?;
    run(Command::new(programs.join("python"))
        .arg(root().join("tests/httplint/check.py"))
        .arg(root().join("tests/cases")))
}
