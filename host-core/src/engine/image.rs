//! Precompiled images (`.cwasm`): machine code for one CPU and one wasmtime release, sealed with what is needed to refuse it in time.
//!
//! Loading an image is as powerful as running a native program, and a damaged one crashes. So its digest is checked before wasmtime
//! sees a byte of it. The digest finds damage, not malice: who names an image to a host must trust where it came from.
//!
//! Layout: wasmtime's ELF file, then a JSON object ([`Seal`]), its length (4 bytes, little endian), and [`MAGIC`].

use super::Target;
use crate::digest::Digest;
use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 8] = b"tenonimg";
const FORMAT: u32 = 1;
/// The wasmtime release that the code fits: images stay valid within one minor release.
pub const WASMTIME: &str = "48.0";

/// What stands behind the code.
#[derive(Serialize, Deserialize)]
struct Seal {
    format: u32,
    wasmtime: String,
    target: String,
    /// SHA-256 of the code.
    code: Digest,
    /// SHA-256 of the component that was compiled.
    component: Digest,
}

/// An image that must not be run here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// No seal at the end.
    #[error("image is truncated, or was not made by `host-cli compile`")]
    Truncated,
    /// The code is not what was sealed.
    #[error("image is damaged: its code does not match its digest")]
    Damaged,
    /// The seal is of a later version of this program.
    #[error("image has format {0}, this host reads format {FORMAT}")]
    Format(u32),
    /// Made by another wasmtime.
    #[error("image was made with wasmtime {0}, this host runs wasmtime {WASMTIME}")]
    Wasmtime(String),
    /// Made for another CPU.
    #[error("image was made for {0}, this host runs on {host}", host = std::env::consts::ARCH)]
    Target(String),
    /// wasmtime's own check: engine configuration or CPU features differ.
    #[error("image was made with another engine configuration: {0}")]
    Configuration(String),
}

/// An image that passed every check but wasmtime's own.
pub(super) struct Image<'a> {
    pub code: &'a [u8],
    pub component: Digest,
}

pub(super) fn looks_like_image(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF") || bytes.ends_with(MAGIC)
}

#[cfg(feature = "compiler")]
pub(super) fn seal(mut code: Vec<u8>, component: &[u8], target: Target) -> Vec<u8> {
    let seal = Seal {
        format: FORMAT,
        wasmtime: WASMTIME.to_owned(),
        target: target.name().to_owned(),
        code: Digest::of(&code),
        component: Digest::of(component),
    };
    let seal = serde_json::json!(seal).to_string();
    code.extend_from_slice(seal.as_bytes());
    code.extend_from_slice(&(seal.len() as u32).to_le_bytes());
    code.extend_from_slice(MAGIC);
    code
}

pub(super) fn open(bytes: &[u8]) -> Result<Image<'_>, ImageError> {
    let (code, seal) = split(bytes).ok_or(ImageError::Truncated)?;
    if seal.format != FORMAT {
        return Err(ImageError::Format(seal.format));
    }
    if seal.wasmtime != WASMTIME {
        return Err(ImageError::Wasmtime(seal.wasmtime));
    }
    if Target::HOST.is_none_or(|host| host.name() != seal.target) {
        return Err(ImageError::Target(seal.target));
    }
    if Digest::of(code) != seal.code {
        return Err(ImageError::Damaged);
    }
    Ok(Image {
        code,
        component: seal.component,
    })
}

fn split(bytes: &[u8]) -> Option<(&[u8], Seal)> {
    let (rest, length) = bytes.strip_suffix(MAGIC)?.split_last_chunk::<4>()?;
    let at = rest
        .len()
        .checked_sub(u32::from_le_bytes(*length) as usize)?;
    let (code, seal) = rest.split_at(at);
    Some((code, serde_json::from_slice(seal).ok()?))
}

#[cfg(all(test, feature = "compiler"))]
mod tests {
    use super::*;

    fn sealed() -> Vec<u8> {
        seal(
            b"\x7fELF code".to_vec(),
            b"component",
            Target::HOST.expect("guests run on this CPU"),
        )
    }

    #[test]
    fn a_sealed_image_opens() {
        let bytes = sealed();
        let image = open(&bytes).unwrap();
        assert_eq!(image.code, b"\x7fELF code");
        assert_eq!(image.component, Digest::of(b"component"));
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = sealed();
        for length in 0..bytes.len() {
            assert_eq!(
                open(&bytes[..length]).err(),
                Some(ImageError::Truncated),
                "at {length}"
            );
        }
    }

    #[test]
    fn a_flipped_bit_in_the_code_is_refused() {
        let mut bytes = sealed();
        bytes[6] ^= 1;
        assert_eq!(open(&bytes).err(), Some(ImageError::Damaged));
    }

    #[test]
    fn another_target_is_refused_by_name() {
        let other = if Target::HOST == Some(Target::X86_64) {
            Target::Aarch64
        } else {
            Target::X86_64
        };
        let bytes = seal(b"\x7fELF".to_vec(), b"", other);
        assert_eq!(
            open(&bytes).err(),
            Some(ImageError::Target(other.name().into()))
        );
    }
}
