//! Opens foreign files by one set of rules, and replaces files so that readers see either the old or the new one, complete.
//!
//! A file that a person names may be a link or a pipe such as `/dev/stdin` or `<(command)`, and the program waits for it. A file that a program
//! finds in a folder may be neither: a link could point to any file of the machine, and a pipe could block the program for ever. A file that a
//! setting names may be a link, because deployments use them, but not a pipe. Devices are never read, and every read is bounded.
//!
//! ```
//! use files::{FileError, NamedBy};
//! use std::path::Path;
//!
//! let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
//! assert!(files::read(&manifest, NamedBy::User, 64 * 1024).is_ok());
//! assert!(matches!(files::read(&manifest, NamedBy::User, 8), Err(FileError::TooLarge { .. })));
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]
#![warn(missing_docs)]

pub mod beside;

use std::{
    fs::{self, File, FileType, OpenOptions},
    io::{self, Read},
    os::fd::AsRawFd,
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Who named a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// A person, on the command line.
    User,
    /// A setting, or the program itself; it must not wait for the other end of a pipe.
    Setting,
    /// A folder that contains it.
    Folder,
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system reported an error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a folder.
    #[error("is a folder, not a file")]
    Folder,
    /// It is a link, found in a folder.
    #[error("is a link, and links inside a folder are not followed")]
    Link,
    /// It is a device, or a pipe or socket that no person named.
    #[error("is not a regular file")]
    Special,
    /// It is larger than allowed.
    #[error("is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
}

impl FileError {
    /// Whether the file does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// Opens a file for reading.
pub fn open(path: &Path, named_by: NamedBy) -> Result<File, FileError> {
    let mut options = OpenOptions::new();
    options.read(true);
    match named_by {
        // Checked before opening, because opening a device may have side effects.
        NamedBy::User => check(fs::metadata(path)?.file_type(), named_by)?,
        // Opening a pipe would wait for its writer.
        NamedBy::Setting => {
            check(fs::metadata(path)?.file_type(), named_by)?;
            options.custom_flags(libc::O_NONBLOCK);
        }
        NamedBy::Folder => {
            options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        }
    }
    let file = options
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(libc::ELOOP) if named_by == NamedBy::Folder => FileError::Link,
            Some(libc::ENXIO) => FileError::Special,
            _ => error.into(),
        })?;
    check(file.metadata()?.file_type(), named_by)?;
    Ok(file)
}

/// A path that leads to an open file or folder, whatever has its name meanwhile.
pub fn path_of_open(file: &File) -> PathBuf {
    let descriptors = if cfg!(target_os = "linux") {
        "/proc/self/fd"
    } else {
        "/dev/fd"
    };
    Path::new(descriptors).join(file.as_raw_fd().to_string())
}

/// Reads a file of at most `bytes_max` bytes.
pub fn read(path: &Path, named_by: NamedBy, bytes_max: u64) -> Result<Vec<u8>, FileError> {
    let file = open(path, named_by)?;
    let length = file.metadata()?.len();
    if length > bytes_max {
        return Err(FileError::TooLarge { bytes_max });
    }
    let mut bytes = Vec::with_capacity(length as usize);
    // It may grow while it is read, and a pipe has no length.
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(FileError::TooLarge { bytes_max });
    }
    Ok(bytes)
}

fn check(kind: FileType, named_by: NamedBy) -> Result<(), FileError> {
    if kind.is_dir() {
        return Err(FileError::Folder);
    }
    let is_stream = kind.is_fifo() || kind.is_socket();
    if kind.is_file() || (is_stream && named_by == NamedBy::User) {
        Ok(())
    } else {
        Err(FileError::Special)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::fs::symlink, path::PathBuf, process::Command};

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("tenon-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn links_are_followed_only_where_a_person_named_them() {
        let scratch = Scratch::new("files-links");
        let (file, link) = (scratch.0.join("file"), scratch.0.join("link"));
        fs::write(&file, "text").unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(read(&link, NamedBy::User, 4).unwrap(), b"text");
        assert_eq!(read(&link, NamedBy::Setting, 4).unwrap(), b"text");
        assert_eq!(read(&file, NamedBy::Folder, 4).unwrap(), b"text");
        assert!(matches!(
            read(&link, NamedBy::Folder, 4),
            Err(FileError::Link)
        ));
        let absent = scratch.0.join("absent");
        assert!(open(&absent, NamedBy::Folder).unwrap_err().is_missing());
    }

    #[test]
    fn pipes_devices_and_folders_are_told_apart() {
        let scratch = Scratch::new("files-kinds");
        let pipe = scratch.0.join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        for named_by in [NamedBy::Setting, NamedBy::Folder] {
            assert!(matches!(open(&pipe, named_by), Err(FileError::Special)));
        }
        for named_by in [NamedBy::User, NamedBy::Setting, NamedBy::Folder] {
            assert!(matches!(
                read(Path::new("/dev/zero"), named_by, 1),
                Err(FileError::Special)
            ));
            assert!(matches!(open(&scratch.0, named_by), Err(FileError::Folder)));
        }
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, "through").unwrap()
        });
        assert_eq!(read(&pipe, NamedBy::User, 100).unwrap(), b"through");
        writer.join().unwrap();
    }

    #[test]
    fn a_file_beyond_its_bound_is_not_read() {
        let scratch = Scratch::new("files-bound");
        let file = scratch.0.join("file");
        fs::write(&file, "text").unwrap();
        assert!(matches!(
            read(&file, NamedBy::User, 3),
            Err(FileError::TooLarge { bytes_max: 3 })
        ));
    }
}
