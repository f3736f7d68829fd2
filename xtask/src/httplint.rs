//! `cargo xtask httplint`: do the answers that the cases record follow the rules of HTTP?

use crate::{
    python,
    run::{root, run},
};
use std::process::Command;

/// Lints the answers of all cases. What is noted and stays is explained in the script.
pub fn check() -> anyhow::Result<()> {
    let programs = python::programs()?;
    run(Command::new(programs.join("python"))
        .arg(root().join("tests/httplint/check.py"))
        .arg(root().join("tests/cases")))
}
