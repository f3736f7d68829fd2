//! `--record`: requests go onto a tape, written by a thread of its own. Nothing is dropped: who is faster than the disk waits.

use crate::{exit::Failure, output, replacement};
use contract::outcome::Answer;
use gateway::Rejection;
use service::{Arrival, Service};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
    thread::{self, JoinHandle},
};
use tape::{RecordOptions, Recorder, is_tape};
use tokio::sync::mpsc;

/// What tells a tape from another file.
const FIRST_BYTES: u64 = 64;
/// Lines that wait to be written.
const LINES_MAX: usize = 256;

/// A tape that grows. Dropping it writes what is left.
pub struct TapeFile {
    recorder: Recorder,
    lines: Option<mpsc::Sender<Vec<u8>>>,
    writer: Option<JoinHandle<()>>,
}

impl TapeFile {
    /// Opens a file to append to; one that does not exist is made, readable by its owner only, as it may hold what others must not
    /// see.
    pub fn open(path: &Path, options: RecordOptions) -> Result<Self, Failure> {
        let shown = path.display();
        let file = open(path).map_err(|error| match error {
            OpenError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                match replacement::missing_folder(path) {
                    Some(folder) => Failure::environment(format_args!(
                        "failed to open tape `{shown}`: there is no folder `{}`",
                        folder.display()
                    ))
                    .hint(replacement::NO_FOLDER_HINT),
                    // A link that leads nowhere.
                    None => {
                        Failure::environment(format_args!("failed to open tape `{shown}`: {error}"))
                    }
                }
            }
            OpenError::Io(error) => {
                Failure::environment(format_args!("failed to open tape `{shown}`: {error}"))
            }
            OpenError::NoTape => Failure::environment(format_args!(
                "`{shown}` is there already and is no tape; it was left as it is"
            ))
            .hint("name a new file, or a tape to append to"),
        })?;
        let (lines, waiting) = mpsc::channel(LINES_MAX);
        let name = shown.to_string();
        let writer = thread::Builder::new()
            .name("tape-writer".to_owned())
            .spawn(move || write_all(file, waiting, &name))
            .map_err(|error| {
                Failure::environment(format_args!("failed to start a thread: {error}"))
            })?;
        Ok(Self {
            recorder: Recorder::new(options),
            lines: Some(lines),
            writer: Some(writer),
        })
    }

    /// [`Service::invoke`], recorded.
    pub async fn invoke(
        &self,
        service: &Service,
        event: &[u8],
        arrival: Arrival,
    ) -> Result<Answer, Rejection> {
        let (answer, line) =
            service::invoke_recorded(&self.recorder, service, event, arrival).await;
        if let (Some(line), Some(lines)) = (line, &self.lines) {
            // Where the writer has given up, it has said so.
            let _ = lines.send(line).await;
        }
        answer
    }
}

impl Drop for TapeFile {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

enum OpenError {
    Io(io::Error),
    /// Something else is there, which lines of a tape would damage.
    NoTape,
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Behind what is there, if that is a tape. A last line that was cut off gets its end, so that the next one stands alone.
fn open(path: &Path) -> Result<File, OpenError> {
    // Opening a pipe would wait for whoever reads it.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(OpenError::NoTape);
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if file.metadata()?.len() > 0 {
        let mut first = Vec::new();
        (&file).take(FIRST_BYTES).read_to_end(&mut first)?;
        if !is_tape(&first) {
            return Err(OpenError::NoTape);
        }
    }
    #[cfg(unix)]
    make_private(&file, path)?;
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// A tape that was copied here may be readable by everybody; what is recorded now must not be.
#[cfg(unix)]
fn make_private(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        output::remark(&format!(
            "tape `{}` could be read by others; now only its owner can\n",
            path.display()
        ));
    }
    Ok(())
}

/// Writes lines as they come, and hands them to the system whenever no other is waiting.
fn write_all(file: File, mut waiting: mpsc::Receiver<Vec<u8>>, name: &str) {
    let mut file = BufWriter::with_capacity(256 << 10, file);
    while let Some(line) = waiting.blocking_recv() {
        let written = file
            .write_all(&line)
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| {
                if waiting.is_empty() {
                    file.flush()
                } else {
                    Ok(())
                }
            });
        if let Err(error) = written {
            output::remark(&format!(
                "recording to `{name}` ended, the requests go on: {error}\n"
            ));
            return;
        }
    }
    if let Err(error) = file.flush() {
        output::remark(&format!("recording to `{name}` ended: {error}\n"));
    }
}
