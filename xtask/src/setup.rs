//! Installs what building needs. rustup does not always install automatically: `RUSTUP_AUTO_INSTALL=0` is common on build machines.

use crate::run::{output, root, run};
use anyhow::Context;
use std::{path::Path, process::Command};

const TARGET: &str = "wasm32-wasip2";

/// The compiler target for guests.
pub fn target() -> anyhow::Result<()> {
    rust_target(TARGET)
}

/// A target's standard library.
pub fn rust_target(name: &str) -> anyhow::Result<()> {
    let folder = output(rustc().args(["--print", "target-libdir", "--target", name]))?;
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    run(Command::new("rustup")
        .args(["target", "add", name])
        .current_dir(root()))
    .with_context(|| format!("the target `{name}` is missing, and only rustup can add it"))
}

/// `cargo fmt` and `cargo clippy`.
pub fn lint_tools() -> anyhow::Result<()> {
    let sysroot = output(rustc().args(["--print", "sysroot"]))?;
    let programs = Path::new(sysroot.trim()).join("bin");
    for (program, component) in [("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")] {
        if !programs.join(program).is_file() {
            run(Command::new("rustup")
                .args(["component", "add", component])
                .current_dir(root()))?;
        }
    }
    Ok(())
}

fn rustc() -> Command {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(root()); // so that `rust-toolchain.toml` selects the toolchain
    rustc
}
