//! Precompiled images (`.cwasm`): machine code for one CPU and one wasmtime release, with a seal of the data needed to reject an unsuitable
//! image.
//!
//! Loading an image is as powerful as running a native program, and a damaged one crashes. So its checksum is verified before wasmtime sees
//! a byte of it. The checksum detects damage, not malice: whoever names an image to a host must trust its origin.
//!
//! Layout: wasmtime's ELF file, then a JSON object ([`Seal`]), its length (4 bytes, little endian), and [`MAGIC`].

use contract::{
    compatibility::{Target, WASMTIME},
    digest::Digest,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};
use twox_hash::XxHash3_128;

const MAGIC: &[u8; 8] = b"tenonimg";
const FORMAT: u32 = 2;
/// Upper bound of a seal's size, including its length and the magic.
const SEAL_BYTES_MAX: u64 = 4096;

/// Extension of an image's file name.
pub const IMAGE_SUFFIX: &str = "cwasm";

/// Whether a file's name says that it contains native code, which allows running it as such.
pub fn is_image_name(path: &Path) -> bool {
    path.extension()
        .is_some_and(|suffix| suffix == IMAGE_SUFFIX)
}

/// The data that follows the code.
#[derive(Serialize, Deserialize)]
struct Seal {
    format: u32,
    wasmtime: String,
    target: String,
    /// XXH3 of the code, 128 bits as hexadecimal digits. A start reads the whole code, and SHA-256 would take ten times as long.
    code: String,
    /// SHA-256 of the component that was compiled.
    component: Digest,
}

/// Why an image must not be run here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It has no seal at its end.
    #[error("image is truncated, or was not made by `host-cli compile`")]
    Truncated,
    /// The code does not match the seal.
    #[error("image is damaged: its code does not match its checksum")]
    Damaged,
    /// The seal has the format of a later version of this program.
    #[error("image has format {0}, this host reads format {FORMAT}")]
    Format(u32),
    /// It was made by another wasmtime.
    #[error("image was made with wasmtime {0}, this host runs wasmtime {WASMTIME}")]
    Wasmtime(String),
    /// It was made for another CPU.
    #[error("image was made for {0}, this host runs on {host}", host = std::env::consts::ARCH)]
    Target(String),
    /// wasmtime refused it: engine configuration or CPU features differ.
    #[error("image was made with another engine configuration: {0}")]
    Configuration(String),
}

impl ImageError {
    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Truncated | Self::Damaged => {
                "copy the image again, or make it again: `host-cli compile GUEST -o OUT.cwasm`"
            }
            Self::Target(_) => {
                "make an image for this processor from the component: `host-cli compile GUEST -o OUT.cwasm`"
            }
            Self::Format(_) | Self::Wasmtime(_) | Self::Configuration(_) => {
                "make the image again with this release: `host-cli compile GUEST -o OUT.cwasm`"
            }
        }
    }
}

/// An image that passed every check except wasmtime's own.
pub(super) struct Image<'a> {
    pub code: &'a [u8],
    pub component: Digest,
}

/// Whether these bytes are an image, valid or not: native code, and not a component.
pub fn is_image(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF") || bytes.ends_with(MAGIC)
}

#[cfg(feature = "compiler")]
pub(super) fn seal(mut code: Vec<u8>, component: &[u8], target: Target) -> Vec<u8> {
    let seal = Seal {
        format: FORMAT,
        wasmtime: WASMTIME.to_owned(),
        target: target.name().to_owned(),
        code: hexadecimal(XxHash3_128::oneshot(&code)),
        component: Digest::of(component),
    };
    let seal = serde_json::json!(seal).to_string();
    code.extend_from_slice(seal.as_bytes());
    code.extend_from_slice(&(seal.len() as u32).to_le_bytes());
    code.extend_from_slice(MAGIC);
    code
}

pub(super) fn open(bytes: &[u8]) -> Result<Image<'_>, ImageError> {
    let (code, seal) = split(bytes)?;
    seal.fits_here()?;
    Ok(Image {
        code,
        component: seal.component_of(XxHash3_128::oneshot(code))?,
    })
}

/// Checks an image in a file, without keeping what it reads, and returns the digest of its component. `None` if the file is not an image.
pub(super) fn open_file(mut file: &File) -> io::Result<Option<Result<Digest, ImageError>>> {
    let mut start = Vec::new();
    file.take(4).read_to_end(&mut start)?;
    let length = file.metadata()?.len();
    let end_at = length.saturating_sub(SEAL_BYTES_MAX);
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(end_at))?;
    file.take(SEAL_BYTES_MAX).read_to_end(&mut end)?;
    if !is_image(&start) && !is_image(&end) {
        return Ok(None);
    }
    let sealed = split(&end).and_then(|(rest, seal)| {
        seal.fits_here()?;
        Ok((rest, seal))
    });
    let (rest, seal) = match sealed {
        Ok(sealed) => sealed,
        Err(error) => return Ok(Some(Err(error))),
    };
    file.rewind()?;
    let code = checksum(file.take(end_at + rest.len() as u64))?;
    Ok(Some(seal.component_of(code)))
}

/// Reads through a buffer that fits into the CPU's cache.
fn checksum(mut code: impl Read) -> io::Result<u128> {
    let mut hasher = XxHash3_128::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match code.read(&mut buffer)? {
            0 => return Ok(hasher.finish_128()),
            read => hasher.write(&buffer[..read]),
        }
    }
}

fn hexadecimal(checksum: u128) -> String {
    format!("{checksum:032x}")
}

impl Seal {
    /// Whether code with this seal can run here, undamaged.
    fn fits_here(&self) -> Result<(), ImageError> {
        if self.wasmtime != WASMTIME {
            return Err(ImageError::Wasmtime(self.wasmtime.clone()));
        }
        if Target::HOST.is_none_or(|host| host.name() != self.target) {
            return Err(ImageError::Target(self.target.clone()));
        }
        Ok(())
    }

    /// The component, if `code` matches the checksum of the seal.
    fn component_of(&self, code: u128) -> Result<Digest, ImageError> {
        if hexadecimal(code) == self.code {
            Ok(self.component)
        } else {
            Err(ImageError::Damaged)
        }
    }
}

/// The code and its seal. The seal's format is read first: a later one may lack members of this one.
#[expect(
    clippy::disallowed_methods,
    reason = "read into types of named members that hold no `Value`"
)]
fn split(bytes: &[u8]) -> Result<(&[u8], Seal), ImageError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let (code, seal) = parts(bytes).ok_or(ImageError::Truncated)?;
    match serde_json::from_slice::<Head>(seal) {
        Ok(Head { format }) if format != FORMAT => Err(ImageError::Format(format)),
        Ok(_) | Err(_) => serde_json::from_slice(seal)
            .map(|seal| (code, seal))
            .map_err(|_| ImageError::Truncated),
    }
}

fn parts(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, length) = bytes.strip_suffix(MAGIC)?.split_last_chunk::<4>()?;
    let at = rest
        .len()
        .checked_sub(u32::from_le_bytes(*length) as usize)?;
    Some(rest.split_at(at))
}

#[cfg(test)]
#[cfg(feature = "compiler")]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn sealed() -> Vec<u8> {
        seal(
            b"\x7fELF code".to_vec(),
            b"component",
            Target::HOST.expect("guests run on this CPU"),
        )
    }

    /// Opens an image in memory and in a file, which must give the same result.
    fn opened(bytes: &[u8]) -> Result<Digest, ImageError> {
        static FILES: AtomicUsize = AtomicUsize::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("tenon-image-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        let of_file = open_file(&File::open(&path).unwrap()).unwrap();
        std::fs::remove_file(&path).unwrap();
        let of_bytes = open(bytes).map(|image| image.component);
        match of_file {
            Some(of_file) => assert_eq!(of_file, of_bytes),
            None => assert!(!is_image(bytes)),
        }
        of_bytes
    }

    #[test]
    fn a_sealed_image_opens() {
        let bytes = sealed();
        assert_eq!(open(&bytes).unwrap().code, b"\x7fELF code");
        assert_eq!(opened(&bytes), Ok(Digest::of(b"component")));
    }

    #[test]
    fn an_image_larger_than_any_buffer_opens() {
        let mut code = b"\x7fELF".to_vec();
        code.resize(1_000_003, 7);
        let bytes = seal(code, b"component", Target::HOST.unwrap());
        assert_eq!(opened(&bytes), Ok(Digest::of(b"component")));
    }

    #[test]
    fn every_truncation_is_refused() {
        let bytes = sealed();
        for length in 0..bytes.len() {
            let result = opened(&bytes[..length]);
            assert_eq!(result, Err(ImageError::Truncated), "at {length}");
        }
    }

    #[test]
    fn a_flipped_bit_in_the_code_is_refused() {
        let bytes = sealed();
        for bit in 32..8 * b"\x7fELF code".len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opened(&damaged), Err(ImageError::Damaged), "bit {bit}");
        }
    }

    #[test]
    fn another_format_is_refused_by_number() {
        let mut bytes = sealed();
        let format = br#""format":"#;
        let mut windows = bytes.windows(format.len());
        let at = windows.position(|window| window == format).unwrap() + format.len();
        bytes[at] = b'1';
        assert_eq!(opened(&bytes), Err(ImageError::Format(1)));
    }

    #[test]
    fn a_later_format_is_refused_by_number_whatever_its_seal_has() {
        let mut bytes = b"\x7fELF".to_vec();
        let seal = br#"{"format":9,"checksum":{}}"#;
        bytes.extend_from_slice(seal);
        bytes.extend_from_slice(&(seal.len() as u32).to_le_bytes());
        bytes.extend_from_slice(MAGIC);
        assert_eq!(opened(&bytes), Err(ImageError::Format(9)));
    }

    #[test]
    fn another_target_is_refused_by_name() {
        let other = if Target::HOST == Some(Target::X86_64) {
            Target::Aarch64
        } else {
            Target::X86_64
        };
        let bytes = seal(b"\x7fELF".to_vec(), b"", other);
        assert_eq!(opened(&bytes), Err(ImageError::Target(other.name().into())));
    }
}
