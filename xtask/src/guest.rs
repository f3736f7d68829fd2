//! The reference guest as it ships: the same bytes that `host-cli` embeds and that `package` compiles.

use crate::{
    run::{root, target_folder},
    setup,
};
use anyhow::Context;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Builds it into this file, by default `target/guest.wasm`.
pub fn build(output: Option<PathBuf>) -> anyhow::Result<()> {
    let output = match output {
        Some(file) => file,
        None => target_folder()?.join("guest.wasm"),
    };
    setup::target()?;
    let workspace = root();
    // Shared with build scripts, so that it is not built again.
    let folder = target_folder()?.join("guests");
    let built = guest_builder::compile(workspace, &workspace.join("Cargo.toml"), "guest", &folder)?;
    let bytes = fs::copy(&built, &output).with_context(|| {
        format!(
            "failed to copy `{}` to `{}`",
            built.display(),
            output.display()
        )
    })?;
    println!("{}, {bytes} bytes", shown(&output));
    Ok(())
}

/// Relative to the current folder if it is inside it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here)
        .unwrap_or(path)
        .display()
        .to_string()
}
