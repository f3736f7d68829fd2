//! Files that commands write: they appear completely or not at all.
//!
//! Only a plain file is replaced. Pipes and character devices are written to, as by any other program. Links are refused because replacing
//! one would lose its target; everything else is refused as well.

use crate::exit::CommandError;
use files::beside::{self, Leftovers};
use std::{
    fmt,
    fs::{self, File, Metadata},
    io::{self, BufWriter, Write},
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

/// The name for stdout, whatever it is connected to.
const STDOUT: &str = "/dev/stdout";

/// Who may read the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// The permissions that the umask allows.
    Usual,
    /// Its owner only, because it may contain secrets.
    Owner,
}

/// Why an output cannot be written to.
#[derive(Debug)]
pub enum OutputError {
    /// The system reported an error.
    Io(io::Error),
    /// It is a folder.
    Folder,
    /// It is a link to a file, or a dangling link.
    Link,
    /// It is a socket or a block device.
    Special,
    /// Its folder does not exist.
    NoFolder(PathBuf),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(formatter),
            Self::Folder => formatter.write_str("it is a folder, not a file"),
            Self::Link => formatter.write_str("it is a link, and links are not replaced"),
            Self::Special => formatter.write_str("it is neither a file, a pipe nor a terminal"),
            Self::NoFolder(folder) => {
                write!(formatter, "folder `{}` does not exist", folder.display())
            }
        }
    }
}

impl std::error::Error for OutputError {}

/// What the name of an output refers to.
enum Destination {
    /// A file, or nothing yet.
    File,
    Stdout,
    /// A pipe, or a character device.
    Stream,
}

impl Destination {
    fn find(path: &Path) -> Result<Self, OutputError> {
        if path == Path::new(STDOUT) {
            return Ok(Self::Stdout);
        }
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match missing_folder(path) {
                    Some(folder) => Err(OutputError::NoFolder(folder.to_owned())),
                    None => Ok(Self::File),
                };
            }
            Err(error) => return Err(error.into()),
        };
        let target = if found.is_symlink() {
            // A link may be dangling.
            fs::metadata(path).map_err(|_| OutputError::Link)?
        } else {
            found.clone()
        };
        let kind = target.file_type();
        if kind.is_dir() {
            Err(OutputError::Folder)
        } else if kind.is_fifo() || kind.is_char_device() {
            Ok(Self::Stream)
        } else if !kind.is_file() {
            Err(OutputError::Special)
        } else if found.is_symlink() {
            Err(OutputError::Link)
        } else {
            Ok(Self::File)
        }
    }
}

/// Refuses an output that cannot be written to, and one that the command also reads. `what` names it in messages.
pub fn check<'a>(
    output: &Path,
    what: &str,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), CommandError> {
    Destination::find(output).map_err(|error| cannot_write(output, what, &error))?;
    let Ok(there) = fs::metadata(output) else {
        return Ok(()); // it does not exist yet
    };
    let is_same = |input: &Metadata| {
        there.is_file() && (there.dev(), there.ino()) == (input.dev(), input.ino())
    };
    let same = inputs
        .into_iter()
        .find(|input| fs::metadata(input).is_ok_and(|input| is_same(&input)));
    match same {
        None => Ok(()),
        Some(input) => Err(CommandError::usage(format_args!(
            "{what} `{}` would replace `{}`, which this command reads",
            output.display(),
            input.display()
        ))
        .hint("name another file to write to")),
    }
}

/// The failure to write an output.
pub fn cannot_write(path: &Path, what: &str, error: &OutputError) -> CommandError {
    let failure = CommandError::environment(format_args!(
        "failed to write {what} `{}`: {error}",
        path.display()
    ));
    match error {
        OutputError::Io(_) => failure,
        OutputError::Link => failure.hint("name the file that it points to, or remove the link"),
        OutputError::Folder | OutputError::Special => failure.hint("name a file to write to"),
        OutputError::NoFolder(_) => failure.hint(NO_FOLDER_HINT),
    }
}

/// The hint if the folder of an output does not exist.
pub const NO_FOLDER_HINT: &str = "create the folder, or name a file in an existing one";

/// The folder of a new file, if that folder does not exist.
pub fn missing_folder(path: &Path) -> Option<&Path> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())?;
    (!folder.exists()).then_some(folder)
}

/// Replaces a file by one with these bytes.
pub fn replace(path: &Path, readers: Readers, bytes: &[u8]) -> Result<(), OutputError> {
    let mut file = Replacement::create(path, readers)?;
    file.write_all(bytes)?;
    file.finish()
}

/// A file that is written beside its destination. [`Replacement::finish`] renames it; if dropped before, it is removed.
pub struct Replacement {
    out: Out,
    path: PathBuf,
}

enum Out {
    File {
        out: BufWriter<File>,
        unfinished: PathBuf,
    },
    Stream(BufWriter<File>),
    Stdout(io::Stdout),
}

impl Replacement {
    /// Creates the file for `path`.
    pub fn create(path: &Path, readers: Readers) -> Result<Self, OutputError> {
        let out = match Destination::find(path)? {
            Destination::File => Out::beside(path, readers)?,
            Destination::Stdout => Out::Stdout(io::stdout()),
            // Opening a pipe waits until it has a reader.
            Destination::Stream => {
                let file = fs::OpenOptions::new().write(true).open(path)?;
                Out::Stream(BufWriter::new(file))
            }
        };
        Ok(Self {
            out,
            path: path.to_owned(),
        })
    }

    /// Its destination.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs the file to disk and moves it to its destination.
    pub fn finish(&mut self) -> Result<(), OutputError> {
        self.flush()?;
        let Out::File { out, unfinished } = &self.out else {
            return Ok(());
        };
        out.get_ref().sync_all()?;
        // Something else may have appeared there in the meantime.
        match Destination::find(&self.path)? {
            Destination::File => {
                fs::rename(unfinished, &self.path)?;
                beside::remove_leftovers(&self.path, Leftovers::OfFile);
                Ok(())
            }
            Destination::Stdout | Destination::Stream => Err(OutputError::Special),
        }
    }
}

impl Out {
    fn beside(path: &Path, readers: Readers) -> io::Result<Self> {
        let mode = match readers {
            Readers::Owner => 0o600,
            Readers::Usual => 0o666,
        };
        let (unfinished, file) = beside::create(path, mode)?;
        Ok(Self::File {
            out: BufWriter::new(file),
            unfinished,
        })
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.out {
            Out::File { out, .. } | Out::Stream(out) => out.write(bytes),
            Out::Stdout(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.out {
            Out::File { out, .. } | Out::Stream(out) => out.flush(),
            Out::Stdout(out) => out.flush(),
        }
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Out::File { unfinished, .. } = &self.out {
            // After `finish` the file has another name.
            let _ = fs::remove_file(unfinished);
        }
    }
}
