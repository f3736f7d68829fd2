//! What `cargo xtask bench peers` compares: other hosts of `wasi:http` components, and components that none of them was made for.

use crate::{
    apps, python,
    run::{run, target_folder},
};
use anyhow::{Context, ensure};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// The crate whose example is one of the components, unmodified.
const CRATE: &str = "wstd";
const VERSION: &str = "0.6.8";
const EXAMPLE: &str = "http_server";

/// The programs, by the names of their variables, which `tests/benches/bench/peers.rs` reads.
pub fn programs() -> anyhow::Result<[(&'static str, PathBuf); 4]> {
    let folder = target_folder()?.join("bench-peers");
    Ok([
        ("TENON_BENCH_WASMTIME", wasmtime()?),
        (
            "TENON_BENCH_WASH",
            executable(&packages()?, "wash_cli/wash")?,
        ),
        ("TENON_BENCH_COMPONENT", component(&folder)?),
        ("TENON_BENCH_HONO", apps::hono()?),
    ])
}

/// wasmtime's own program.
pub fn wasmtime() -> anyhow::Result<PathBuf> {
    executable(&packages()?, "wasmtime_cli/wasmtime")
}

/// Where the wheels are unpacked.
fn packages() -> anyhow::Result<PathBuf> {
    let scripts =
        python::environment("bench-peers-python", "tests/benches/peers/requirements.txt")?;
    Ok(scripts.with_file_name("lib"))
}

/// A program in a wheel, which does not say that it is one.
fn executable(packages: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir(packages)?.filter_map(Result::ok);
    let mut found = versions.map(|version| version.path().join("site-packages").join(name));
    let found = found.find(|path| path.is_file());
    let path = found.with_context(|| format!("no `{name}` in `{}`", packages.display()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// Builds the example in a copy of the crate, because a package in the registry's folder cannot be built by itself.
fn component(folder: &Path) -> anyhow::Result<PathBuf> {
    let component = folder.join(format!("{EXAMPLE}.wasm"));
    if component.is_file() {
        return Ok(component);
    }
    let copy = folder.join(CRATE);
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    fs::create_dir_all(&copy)?;
    run(Command::new("cp")
        .arg("-r")
        .arg(source(folder)?.join("."))
        .arg(&copy))?;
    // It would ask for another toolchain.
    let toolchain = copy.join("rust-toolchain.toml");
    if toolchain.exists() {
        fs::remove_file(toolchain)?;
    }
    let manifest = copy.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    fs::write(&manifest, format!("{text}\n[workspace]\n"))?;
    run(Command::new("cargo")
        .args(["build", "--release", "--example", EXAMPLE])
        .args(["--target", "wasm32-wasip2", "--target-dir"])
        .arg(folder.join("build"))
        .current_dir(&copy))?;
    let built = folder.join(format!(
        "build/wasm32-wasip2/release/examples/{EXAMPLE}.wasm"
    ));
    fs::copy(built, &component)?;
    Ok(component)
}

/// The crate's sources, which a package that depends on it makes cargo fetch.
fn source(folder: &Path) -> anyhow::Result<PathBuf> {
    let package = folder.join("fetch");
    fs::create_dir_all(package.join("src"))?;
    fs::write(package.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"fetch\"\nedition = \"2024\"\n\n[dependencies]\n{CRATE} = \"={VERSION}\"\n\n[workspace]\n"
    );
    fs::write(package.join("Cargo.toml"), manifest)?;
    let vendored = package.join("vendor");
    run(Command::new("cargo")
        .args(["vendor", "--quiet", "--versioned-dirs"])
        .arg(&vendored)
        .current_dir(&package))?;
    let source = vendored.join(format!("{CRATE}-{VERSION}"));
    ensure!(source.is_dir(), "`{}` is missing", source.display());
    Ok(source)
}
