//! Two steps of the build, before and after `go build`:
//!
//! - `tool bindings WIT FOLDER` writes the Go packages of the interfaces in the folder `WIT`, and the module that they use.
//! - `tool component WIT CORE OUT` makes a component of the module `CORE`, as `wasm-tools component embed` and `new` do.

use anyhow::{Context, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER,
};
use wit_bindgen_core::{
    Files,
    wit_parser::{Resolve, WorldId},
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

/// A guest with storage and log.
const WORLD: &str = "service";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["bindings", wit, folder] => bindings(wit, Path::new(folder)),
        ["component", wit, core, out] => component(wit, core, out),
        _ => bail!("usage: tool bindings WIT FOLDER | tool component WIT CORE OUT"),
    }
}

fn world(wit: &str) -> anyhow::Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit)?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    Ok((resolve, world))
}

fn bindings(wit: &str, folder: &Path) -> anyhow::Result<()> {
    let (resolve, world) = world(wit)?;
    let mut files = Files::default();
    let mut generator = wit_bindgen_go::Opts::default().build();
    generator.generate(&resolve, world, &mut files)?;
    for (name, contents) in files.iter() {
        let file = folder.join(name);
        let parent = file.parent().context("a file without a folder")?;
        fs::create_dir_all(parent)?;
        // The module is this example's own; the one that is generated names a copy on the network.
        if name != "go.mod" {
            fs::write(&file, contents)?;
        }
    }
    copy(&runtime()?, &folder.join("wit-bindgen"))
}

/// The Go module that the bindings use, in the sources of the generator's crate.
fn runtime() -> anyhow::Result<PathBuf> {
    let metadata = Command::new("cargo")
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .context("failed to run `cargo`")?;
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut manifests = packages
        .filter(|package| package["name"] == "wit-bindgen-go")
        .filter_map(|package| package["manifest_path"].as_str());
    let manifest = manifests.next().context("`wit-bindgen-go` is missing")?;
    Ok(Path::new(manifest).with_file_name("src/package"))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("no `{}`", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &to)?,
            false => drop(fs::copy(entry.path(), to)?),
        }
    }
    Ok(())
}

/// Go's runtime calls WASI 0.1. The adapter is the one without files and sockets, which guests do not have.
fn component(wit: &str, core: &str, out: &str) -> anyhow::Result<()> {
    let (resolve, world) = world(wit)?;
    let mut module = fs::read(core).with_context(|| format!("failed to read `{core}`"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    let component = ComponentEncoder::default()
        .module(&module)?
        .adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_PROXY_ADAPTER,
        )?
        .validate(true)
        .encode()?;
    fs::write(out, component).with_context(|| format!("failed to write `{out}`"))
}
