//! Zip archives whose bytes depend on their contents only: fixed times and modes, one compression method.

use crate::manifest::{ArchiveDescription, EntryDescription};
use contract::digest::Digest;
use std::io::{Cursor, Read, Write};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// The highest level of deflate, the only method that Lambda supports.
const LEVEL: i64 = 9;

/// One file of an archive.
pub struct Entry<'a> {
    name: &'static str,
    contents: &'a [u8],
    mode: u32,
}

impl<'a> Entry<'a> {
    /// An executable file.
    pub fn program(name: &'static str, contents: &'a [u8]) -> Self {
        Self {
            name,
            contents,
            mode: 0o755,
        }
    }

    /// A file that is only read.
    pub fn data(name: &'static str, contents: &'a [u8]) -> Self {
        Self {
            name,
            contents,
            mode: 0o644,
        }
    }
}

/// The archive could not be made: its contents are too large for the format.
#[derive(Debug, thiserror::Error)]
#[error("failed to make a zip archive: {0}")]
pub struct ArchiveError(String);

/// Why an archive is not the one that its description is about.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    /// Its digest is another one.
    #[error("is not the one that its manifest describes")]
    Digest,
    /// It is no archive with the files that are described.
    #[error("does not contain what its manifest describes")]
    Entries,
}

/// An archive with one entry.
pub struct Archive {
    /// As Lambda takes it.
    pub bytes: Vec<u8>,
    /// What a manifest says about it.
    pub description: ArchiveDescription,
}

impl Archive {
    /// Packs one file.
    pub fn pack(entry: &Entry<'_>) -> Result<Self, ArchiveError> {
        let bytes = zip(entry).map_err(|error| ArchiveError(error.to_string()))?;
        let contents = EntryDescription {
            bytes: entry.contents.len(),
            sha256: Digest::of(entry.contents),
        };
        let description = ArchiveDescription {
            bytes: bytes.len(),
            contains: [(entry.name.to_owned(), contents)].into(),
            sha256: Digest::of(&bytes),
        };
        Ok(Self { bytes, description })
    }
}

/// Checks that an archive is the one that is described, and contains the one file that is described under this name.
pub fn check(
    archive: &[u8],
    description: &ArchiveDescription,
    name: &str,
) -> Result<(), ContentsError> {
    if description.bytes != archive.len() || description.sha256 != Digest::of(archive) {
        return Err(ContentsError::Digest);
    }
    let described = description.contains.get(name);
    let described = described.filter(|_| description.contains.len() == 1);
    let described = described.ok_or(ContentsError::Entries)?;
    let found = only_entry(archive, name, described.bytes).ok_or(ContentsError::Entries)?;
    if found.len() != described.bytes || Digest::of(&found) != described.sha256 {
        return Err(ContentsError::Entries);
    }
    Ok(())
}

/// The one file in an archive, of which no more is unpacked than one byte beyond `bytes`.
fn only_entry(archive: &[u8], name: &str, bytes: usize) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).ok()?;
    if archive.len() != 1 {
        return None;
    }
    let entry = archive.by_name(name).ok()?;
    let mut contents = Vec::new();
    let limit = u64::try_from(bytes).ok()?.checked_add(1)?;
    entry.take(limit).read_to_end(&mut contents).ok()?;
    Some(contents)
}

fn zip(entry: &Entry<'_>) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL))
        .last_modified_time(DateTime::default()) // the earliest time of the format
        .unix_permissions(entry.mode);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(entry.name, options)?;
    writer.write_all(entry.contents)?;
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Read, thread, time::Duration};

    #[test]
    fn the_same_contents_give_the_same_bytes() {
        let entry = Entry::program("bootstrap", b"contents");
        let first = Archive::pack(&entry).unwrap();
        thread::sleep(Duration::from_millis(2100)); // times have a resolution of two seconds
        assert_eq!(first.bytes, Archive::pack(&entry).unwrap().bytes);
    }

    #[test]
    fn an_entry_comes_out_as_it_went_in() {
        let packed = Archive::pack(&Entry::program("bootstrap", b"contents")).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(&packed.bytes)).unwrap();
        let mut file = archive.by_name("bootstrap").unwrap();
        let mut contents = String::new();
        file.read_to_string(&mut contents).unwrap();
        assert_eq!(contents, "contents");
        assert_eq!(file.unix_mode(), Some(0o100_755));
        assert_eq!(file.last_modified(), Some(DateTime::default()));
    }

    #[test]
    fn an_archive_is_compared_with_its_description() {
        let packed = Archive::pack(&Entry::program("bootstrap", b"contents")).unwrap();
        let result = |change: fn(&mut ArchiveDescription)| {
            let mut description = packed.description.clone();
            change(&mut description);
            check(&packed.bytes, &description, "bootstrap")
        };
        assert_eq!(result(|_| {}), Ok(()));
        let digest: fn(&mut ArchiveDescription) = |changed| changed.sha256 = Digest::of(b"");
        assert_eq!(result(digest), Err(ContentsError::Digest));
        let entries: [fn(&mut ArchiveDescription); 3] = [
            |changed| changed.contains.clear(),
            |changed| {
                changed
                    .contains
                    .values_mut()
                    .for_each(|entry| entry.bytes = 7)
            },
            |changed| {
                let digest = Digest::of(b"others");
                changed
                    .contains
                    .values_mut()
                    .for_each(|entry| entry.sha256 = digest);
            },
        ];
        for change in entries {
            assert_eq!(result(change), Err(ContentsError::Entries));
        }
        assert_eq!(
            check(&packed.bytes, &packed.description, "other"),
            Err(ContentsError::Entries)
        );
    }

    #[test]
    fn the_description_is_that_of_the_bytes() {
        let packed = Archive::pack(&Entry::data("guest.cwasm", b"contents")).unwrap();
        let description = packed.description;
        assert_eq!(description.bytes, packed.bytes.len());
        assert_eq!(description.sha256, Digest::of(&packed.bytes));
        let entry = &description.contains["guest.cwasm"];
        assert_eq!(entry.bytes, 8);
        assert_eq!(entry.sha256, Digest::of(b"contents"));
    }
}
