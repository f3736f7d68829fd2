//! The reference guest as it ships: the same bytes that `host-cli` carries and that `package` compiles.

use crate::{
    run::{root, target_folder},
    setup,
};
use anyhow::{Context, bail};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Builds it into `FILE`, which is `target/guest.wasm` unless told.
pub fn build(arguments: &[String]) -> anyhow::Result<()> {
    let output = match arguments {
        [] => target_folder()?.join("guest.wasm"),
        [option, path] if matches!(option.as_str(), "--output" | "-o") => PathBuf::from(path),
        _ => bail!("`cargo xtask guest` takes `--output FILE` and nothing else"),
    };
    setup::target()?;
    let workspace = root();
    // Shared with build scripts, so that what they built is not built again.
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

/// Relative to the current folder where it lies below it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here)
        .unwrap_or(path)
        .display()
        .to_string()
}
