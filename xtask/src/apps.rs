//! The applications of `tests/components`, which the public toolchains of their languages make into components of `wasi:http`.

use crate::{
    npm, python,
    run::{root, run, target_folder},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where they are.
pub const FOLDER: &str = "tests/components";

/// The packages of WASI whose text the toolchains want.
const PACKAGES: [&str; 5] = ["cli", "clocks", "http", "io", "random"];
/// Their version in `crates/runtime/wit/deps`.
const VERSION: &str = "0.2.6";
/// The version that StarlingMonkey exports for `addEventListener("fetch")`.
const VERSION_OF_STARLINGMONKEY: &str = "0.2.10";

/// An application of Hono, on StarlingMonkey.
pub fn hono() -> anyhow::Result<PathBuf> {
    let folder = root().join(FOLDER).join("hono");
    write_interfaces(&folder, VERSION_OF_STARLINGMONKEY)?;
    npm::build(&folder)?;
    Ok(folder.join("hono.wasm"))
}

/// An application of Python without a framework.
pub fn python() -> anyhow::Result<PathBuf> {
    let folder = root().join(FOLDER).join("python");
    write_interfaces(&folder, VERSION)?;
    let requirements = format!("{FOLDER}/python/requirements.txt");
    let programs = python::environment("components-python", &requirements)?;
    let component = target_folder()?.join("components-python.wasm");
    run(Command::new(programs.join("componentize-py"))
        .args(["--quiet", "--wit-path", "wit", "--world", "component"])
        .args(["componentize", "app", "--output"])
        .arg(&component)
        .current_dir(&folder))?;
    Ok(component)
}

/// Copies WASI's interfaces beside an application's world, where both toolchains look for them.
fn write_interfaces(folder: &Path, version: &str) -> anyhow::Result<()> {
    let to = folder.join("wit/deps");
    fs::create_dir_all(&to)?;
    for package in PACKAGES {
        let name = format!("wasi-{package}.wit");
        let text = fs::read_to_string(root().join("crates/runtime/wit/deps").join(&name))?;
        let text = text.replace(&format!("@{VERSION}"), &format!("@{version}"));
        fs::write(to.join(name), text)?;
    }
    Ok(())
}
