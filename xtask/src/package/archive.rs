//! Zip archives whose bytes depend on their contents only: fixed times and modes, one compression method.

use std::io::{Cursor, Write};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// The highest level of deflate, the only method that Lambda supports.
const LEVEL: i64 = 9;

/// One file of an archive.
pub struct Entry<'a> {
    pub name: &'static str,
    pub contents: &'a [u8],
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

/// The archive's bytes.
pub fn zip(entry: &Entry<'_>) -> anyhow::Result<Vec<u8>> {
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
        let first = zip(&entry).unwrap();
        thread::sleep(Duration::from_millis(2100)); // times have a resolution of two seconds
        assert_eq!(first, zip(&entry).unwrap());
    }

    #[test]
    fn an_entry_comes_out_as_it_went_in() {
        let bytes = zip(&Entry::program("bootstrap", b"contents")).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut file = archive.by_name("bootstrap").unwrap();
        let mut contents = String::new();
        file.read_to_string(&mut contents).unwrap();
        assert_eq!(contents, "contents");
        assert_eq!(file.unix_mode(), Some(0o100_755));
        assert_eq!(file.last_modified(), Some(DateTime::default()));
    }
}
