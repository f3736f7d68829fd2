//! Compressed tar archives whose bytes depend on their contents only.

use super::{Artifact, VERSION, components::Licences, program::Program};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

/// One file: its path in the archive, its bytes, and whether it is a program.
pub type File<'a> = (&'a str, &'a [u8], bool);

/// The program with the licences, in a folder.
pub fn tarball(program: &Program, licences: &Licences) -> anyhow::Result<Artifact> {
    let name = format!("host-cli-{VERSION}-{}-linux", program.arch.name());
    let path = |file: &str| format!("{name}/{file}");
    let (own, third_parties) = (path(Licences::OWN), path(Licences::THIRD_PARTIES));
    let bytes = pack(&[
        (&path("host-cli"), &program.bytes, true),
        (&own, licences.own.as_bytes(), false),
        (&third_parties, licences.third_parties.as_bytes(), false),
    ])?;
    Ok(Artifact {
        name: format!("{name}.tar.gz"),
        bytes,
    })
}

/// A tar archive, compressed with gzip: no times, users or groups of this machine.
pub fn pack(files: &[File<'_>]) -> anyhow::Result<Vec<u8>> {
    let gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    let mut archive = Builder::new(gzip);
    for (path, bytes, is_program) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(if *is_program { 0o755 } else { 0o644 });
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        archive.append_data(&mut header, path, *bytes)?;
    }
    Ok(archive.into_inner()?.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn an_archive_has_its_files_and_nothing_of_this_machine() {
        let files: [File<'_>; 2] = [("a/b", b"program", true), ("a/c", b"text", false)];
        let packed = pack(&files).unwrap();
        let mut archive = tar::Archive::new(GzDecoder::new(&*packed));
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap()), (0, 0));
            let mode = header.mode().unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            found.push((path, text, mode));
        }
        let expected = [("a/b", "program", 0o755), ("a/c", "text", 0o644)];
        assert_eq!(
            found,
            expected.map(|(path, text, mode)| (path.to_owned(), text.to_owned(), mode))
        );
        assert_eq!(pack(&files).unwrap(), packed);
    }
}
