//! The layer: a guest as an image, precompiled by `host-cli`.

use super::Arch;
use crate::{
    run::{Cargo, run, target_folder},
    setup,
};
use anyhow::Context;
use serde_json::Value;
use std::{fs, path::Path, process::Command};

/// The last bytes of an image, after its seal and the length of the seal (4 bytes, little endian): see
/// `crates/runtime/src/engine/image.rs`.
const MAGIC: &[u8] = b"tenonimg";

/// The image of `guest`, or of the reference guest, for that architecture.
pub fn compile(arch: Arch, guest: Option<&Path>, folder: &Path) -> anyhow::Result<Vec<u8>> {
    setup::target()?;
    Cargo::new("build")
        .args(["--release", "--locked", "--bin", "host-cli"])
        .run()?;
    let image = folder.join("guest.cwasm");
    run(Command::new(target_folder()?.join("release/host-cli"))
        .arg("compile")
        .arg(guest.unwrap_or(Path::new("embedded")))
        .arg("--output")
        .arg(&image)
        .args(["--arch", arch.name()]))?;
    Ok(fs::read(&image)?)
}

/// What an image says about itself: component, target, wasmtime.
pub fn seal(image: &[u8]) -> anyhow::Result<Value> {
    let seal = || {
        let (rest, length) = image.strip_suffix(MAGIC)?.split_last_chunk::<4>()?;
        let at = rest
            .len()
            .checked_sub(u32::from_le_bytes(*length) as usize)?;
        serde_json::from_slice(&rest[at..]).ok()
    };
    seal().context("the image has no seal: it was not made by `host-cli compile`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_seal_is_behind_the_code() {
        let seal_bytes = br#"{"target":"x86_64"}"#;
        let mut image = b"\x7fELF code".to_vec();
        image.extend_from_slice(seal_bytes);
        image.extend_from_slice(&(seal_bytes.len() as u32).to_le_bytes());
        image.extend_from_slice(MAGIC);
        assert_eq!(seal(&image).unwrap(), json!({"target": "x86_64"}));
        assert!(seal(&image[..image.len() - 1]).is_err());
        assert!(seal(b"").is_err());
    }
}
