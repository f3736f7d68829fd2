//! Files that take the place of others as a whole or not at all.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// A file that grows beside its destination. [`Replacement::finish`] puts it there; dropped before, it is gone.
pub struct Replacement {
    out: BufWriter<fs::File>,
    unfinished: PathBuf,
    path: PathBuf,
}

/// Who may read the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Whoever the system lets.
    Usual,
    /// Its owner only, as it may hold what others must not see.
    Owner,
}

/// Puts bytes in a file's place.
pub fn replace(path: &Path, readers: Readers, bytes: &[u8]) -> io::Result<()> {
    let mut file = Replacement::create(path, readers)?;
    file.write_all(bytes)?;
    file.finish()
}

impl Replacement {
    /// Begins a file for `path`.
    pub fn create(path: &Path, readers: Readers) -> io::Result<Self> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(format!(".new-{}", std::process::id()));
        let unfinished = PathBuf::from(unfinished);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if readers == Readers::Owner {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        Ok(Self {
            out: BufWriter::new(options.open(&unfinished)?),
            unfinished,
            path: path.to_owned(),
        })
    }

    /// Where it will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts what was written in its place, on the disk.
    pub fn finish(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        fs::rename(&self.unfinished, &self.path)
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // After the end it has another name.
        let _ = fs::remove_file(&self.unfinished);
    }
}
