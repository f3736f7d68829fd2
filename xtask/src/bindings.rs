//! The SDK's bindings, which follow from `wit/` and are committed, so that users' projects do not build what generates them.

use crate::run::root;
use anyhow::{Context, ensure};
use std::fs;
use wit_bindgen_core::{Files, WorldGenerator as _, wit_parser::Resolve};
use wit_bindgen_rust::Opts;

/// The generated file, in the root folder.
const FILE: &str = "sdk/rust/src/host/wasm/bindings.rs";

/// Packages besides `wit/`.
const RANDOM: &str = "sdk/rust/random";

/// What a guest imports and exports. Randomness by WASI, which needs no std.
const WORLD: &str = "
package tenon:sdk;

world api {
    include tenon:handler/service-outgoing@0.1.0;
    include tenon:handler/service-secrets@0.1.0;
    import wasi:random/random@0.2.6;
}
";

/// Writes the bindings.
pub fn write() -> anyhow::Result<()> {
    fs::write(root().join(FILE), generate()?).with_context(|| format!("failed to write `{FILE}`"))
}

/// Fails if the bindings are not those of today's `wit/`.
pub fn check() -> anyhow::Result<()> {
    let written = fs::read(root().join(FILE))
        .with_context(|| format!("failed to read `{FILE}`: run `cargo xtask reference`"))?;
    ensure!(
        written == generate()?,
        "`{FILE}` is not what follows from `wit/`: run `cargo xtask reference`"
    );
    Ok(())
}

fn generate() -> anyhow::Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    for folder in ["wit", RANDOM] {
        resolve
            .push_dir(root().join(folder))
            .with_context(|| format!("failed to read `{folder}`"))?;
    }
    let package = resolve.push_str("api.wit", WORLD)?;
    let world = resolve.select_world(&[package], None)?;
    let mut files = Files::default();
    options()
        .build()
        .generate(&mut resolve, world, &mut files)?;
    let (_, text) = files.iter().next().context("no bindings were generated")?;
    Ok(text.to_vec())
}

fn options() -> Opts {
    Opts {
        format: true,
        generate_all: true,
        pub_export_macro: true,
        export_macro_name: Some("export_component".to_owned()),
        default_bindings_module: Some("tenon::component::bindings".to_owned()),
        ..Opts::default()
    }
}
