//! Reads from an executable whether Lambda can run it: its CPU, and the version of the C library that it needs.
//!
//! Layout: the ELF specification, and for the versions the Linux Standard Base, 10.7 "Symbol Versioning".

use super::Arch;
use anyhow::{Context, bail, ensure};
use std::fmt;

/// The C library of Amazon Linux 2023, on which `provided.al2023` functions run.
const GLIBC_MAX: Version = Version(2, 34);

const PROGRAM_HEADERS_AT: usize = 32;
const SECTION_HEADERS_AT: usize = 40;
const SECTION_HEADER_BYTES: usize = 64;
/// The types of the program headers with the libraries that it needs, and with what loads them.
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
/// The type of the section that lists the required versions of libraries.
const SHT_GNU_VERNEED: u32 = 0x6fff_fffe;

/// A release of glibc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0, self.1)
    }
}

/// Fails on an executable that Lambda would not run, and says why.
pub fn check(bytes: &[u8], arch: Arch) -> anyhow::Result<()> {
    let elf = Elf::read(bytes)?;
    ensure!(
        elf.machine()? == machine(arch),
        "it is not an executable for {}",
        arch.name()
    );
    let needed = elf.needed_versions()?;
    for name in needed {
        if let Some(version) = glibc(name) {
            ensure!(
                version <= GLIBC_MAX,
                "it needs `{name}`, but Amazon Linux 2023 has glibc {GLIBC_MAX}"
            );
        }
    }
    Ok(())
}

/// Fails on an executable that needs anything of its system but the kernel.
pub fn check_static(bytes: &[u8]) -> anyhow::Result<()> {
    for header in Elf::read(bytes)?.program_headers()? {
        ensure!(
            header != PT_INTERP && header != PT_DYNAMIC,
            "it is not linked statically"
        );
    }
    Ok(())
}

/// The newest glibc version that it requires.
pub fn newest_glibc(bytes: &[u8]) -> anyhow::Result<Option<Version>> {
    let elf = Elf::read(bytes)?;
    Ok(elf.needed_versions()?.into_iter().filter_map(glibc).max())
}

/// The value of `e_machine` for this architecture.
fn machine(arch: Arch) -> u16 {
    match arch {
        Arch::X86_64 => 62,
        Arch::Arm64 => 183,
    }
}

/// `GLIBC_2.34` or `GLIBC_2.2.5`; nothing for `GLIBC_PRIVATE` and other libraries' versions.
fn glibc(name: &str) -> Option<Version> {
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    Some(Version(numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// A 64-bit little-endian file, as both architectures have.
struct Elf<'a>(&'a [u8]);

impl<'a> Elf<'a> {
    fn read(bytes: &'a [u8]) -> anyhow::Result<Self> {
        ensure!(
            bytes.starts_with(b"\x7fELF\x02\x01"),
            "it is not a 64-bit little-endian ELF file"
        );
        Ok(Self(bytes))
    }

    fn machine(&self) -> anyhow::Result<u16> {
        self.u16(18)
    }

    /// Names like `GLIBC_2.34`, of all libraries.
    fn needed_versions(&self) -> anyhow::Result<Vec<&'a str>> {
        let Some(section) = self.section_of_type(SHT_GNU_VERNEED)? else {
            return Ok(Vec::new()); // linked statically
        };
        let names = self.offset(self.section(self.u32(section + 40)? as usize)? + 24)?;
        let libraries = self.u32(section + 44)?;
        let mut library = self.offset(section + 24)?;
        let mut found = Vec::new();
        for _ in 0..libraries {
            let mut version = library + self.u32(library + 8)? as usize;
            for _ in 0..self.u16(library + 2)? {
                found.push(self.text(names + self.u32(version + 8)? as usize)?);
                version += self.u32(version + 12)? as usize;
            }
            library += self.u32(library + 12)? as usize;
        }
        Ok(found)
    }

    /// The types of the program headers.
    fn program_headers(&self) -> anyhow::Result<Vec<u32>> {
        let at = self.offset(PROGRAM_HEADERS_AT)?;
        let (bytes, count) = (self.u16(54)?, self.u16(56)?);
        (0..usize::from(count))
            .map(|index| self.u32(at + index * usize::from(bytes)))
            .collect()
    }

    /// Where the header of the first section of that type is.
    fn section_of_type(&self, wanted: u32) -> anyhow::Result<Option<usize>> {
        for index in 0..usize::from(self.u16(60)?) {
            let section = self.section(index)?;
            if self.u32(section + 4)? == wanted {
                return Ok(Some(section));
            }
        }
        Ok(None)
    }

    /// Where a section's header is.
    fn section(&self, index: usize) -> anyhow::Result<usize> {
        Ok(self.offset(SECTION_HEADERS_AT)? + index * SECTION_HEADER_BYTES)
    }

    fn offset(&self, at: usize) -> anyhow::Result<usize> {
        Ok(usize::try_from(u64::from_le_bytes(self.array(at)?))?)
    }

    fn u32(&self, at: usize) -> anyhow::Result<u32> {
        Ok(u32::from_le_bytes(self.array(at)?))
    }

    fn u16(&self, at: usize) -> anyhow::Result<u16> {
        Ok(u16::from_le_bytes(self.array(at)?))
    }

    fn array<const N: usize>(&self, at: usize) -> anyhow::Result<[u8; N]> {
        let bytes = self.0.get(at..).and_then(<[u8]>::first_chunk);
        bytes.copied().context("the ELF file is truncated")
    }

    fn text(&self, at: usize) -> anyhow::Result<&'a str> {
        let rest = self.0.get(at..).context("the ELF file is truncated")?;
        let Some(end) = rest.iter().position(|byte| *byte == 0) else {
            bail!("the ELF file is truncated");
        };
        Ok(std::str::from_utf8(&rest[..end])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This test's own executable, which needs symbols of glibc, at least `__libc_start_main`.
    fn own() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(glibc("GLIBC_2.34"), Some(Version(2, 34)));
        assert_eq!(glibc("GLIBC_2.2.5"), Some(Version(2, 2)));
        assert_eq!(glibc("GLIBC_PRIVATE"), None);
        assert_eq!(glibc("GCC_3.0"), None);
        assert!(Version(2, 4) < GLIBC_MAX);
        assert!(Version(2, 35) > GLIBC_MAX);
    }

    #[test]
    fn an_executable_says_what_it_needs() {
        assert!(newest_glibc(&own()).unwrap().unwrap() >= Version(2, 17));
    }

    #[test]
    fn a_program_of_this_system_is_not_static() {
        let error = check_static(&own()).unwrap_err().to_string();
        assert_eq!(error, "it is not linked statically");
        let mut bytes = own();
        let at = Elf(&bytes).offset(PROGRAM_HEADERS_AT).unwrap();
        let (size, count) = (Elf(&bytes).u16(54).unwrap(), Elf(&bytes).u16(56).unwrap());
        for index in 0..usize::from(count) {
            // A type that means nothing.
            bytes[at + index * usize::from(size)..][..4].copy_from_slice(&[0; 4]);
        }
        check_static(&bytes).unwrap();
    }

    #[test]
    fn a_symbol_that_is_too_new_is_named() {
        let mut bytes = own();
        let newest = newest_glibc(&bytes).unwrap().unwrap();
        let name = format!("GLIBC_{newest}\0");
        let length = name.len();
        // Wherever it is: a release build has the name in more than one table.
        for at in 0..bytes.len() - length {
            if bytes[at..][..length] == *name.as_bytes() {
                bytes[at..][..length].copy_from_slice(b"GLIBC_9.99\0");
            }
        }
        let error = check(&bytes, Arch::HERE).unwrap_err().to_string();
        assert_eq!(
            error,
            "it needs `GLIBC_9.99`, but Amazon Linux 2023 has glibc 2.34"
        );
    }

    #[test]
    fn another_cpu_is_refused() {
        let other = Arch::ALL.into_iter().find(|arch| *arch != Arch::HERE);
        let error = check(&own(), other.unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("it is not an executable for"), "{error}");
    }

    #[test]
    fn every_truncation_is_an_error_or_harmless() {
        let bytes = own();
        for length in (0..bytes.len()).step_by(bytes.len() / 1000 + 1) {
            let _ = newest_glibc(&bytes[..length]);
        }
        assert!(newest_glibc(b"#!/bin/sh").is_err());
    }
}
