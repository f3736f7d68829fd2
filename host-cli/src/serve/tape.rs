//! `--record`: records requests to a tape, which a separate thread writes. Nothing is dropped: a producer that is faster than the disk
//! waits.

use super::{lines::Format, remark::remark};
use crate::{exit::CommandError, replacement};
use contract::outcome::Answer;
use gateway::{Reply, compose::Composed};
use service::{Invocation, Recorder, Service};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
    thread::{self, JoinHandle},
};
use tape::{RecordOptions, is_tape};
use tokio::sync::mpsc;

/// The bytes that distinguish a tape from another file.
const FIRST_BYTES: u64 = 64;
/// Number of lines that may wait to be written.
const LINES_MAX: usize = 256;

/// A tape that is being written. Dropping it writes the remaining lines.
pub struct TapeFile {
    recorder: Recorder,
    lines: Option<mpsc::Sender<Vec<u8>>>,
    writer: Option<JoinHandle<()>>,
}

impl TapeFile {
    /// Opens a file to append to. A new one is readable by its owner only, because it may contain secrets.
    pub fn open(path: &Path, options: RecordOptions, format: Format) -> Result<Self, CommandError> {
        let shown = path.display();
        let file = open(path, format).map_err(|error| match error {
            OpenError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                match replacement::missing_folder(path) {
                    Some(folder) => CommandError::environment(format_args!(
                        "failed to open tape `{shown}`: folder `{}` does not exist",
                        folder.display()
                    ))
                    .hint(replacement::NO_FOLDER_HINT),
                    // A dangling link.
                    None => CommandError::environment(format_args!(
                        "failed to open tape `{shown}`: {error}"
                    )),
                }
            }
            OpenError::Io(error) => {
                CommandError::environment(format_args!("failed to open tape `{shown}`: {error}"))
            }
            OpenError::NoTape => CommandError::environment(format_args!(
                "`{shown}` already exists and is not a tape; it was not changed"
            ))
            .hint("name a new file, or a tape to append to"),
        })?;
        let (lines, waiting) = mpsc::channel(LINES_MAX);
        let name = shown.to_string();
        let writer = thread::Builder::new()
            .name("tape-writer".to_owned())
            .spawn(move || write_all(file, waiting, &name, format))
            .map_err(|error| {
                CommandError::environment(format_args!("failed to start a thread: {error}"))
            })?;
        Ok(Self {
            recorder: Recorder::new(options),
            lines: Some(lines),
            writer: Some(writer),
        })
    }

    /// [`Service::handle`], recorded. The JSON of the event and of the reply is written for the tape only.
    pub async fn handle(
        &self,
        service: &Service,
        event: Composed<'_>,
        invocation: Invocation,
    ) -> Answer<Reply> {
        let Some(mut recording) = self.recorder.begin(&invocation) else {
            let event = service.parse_composed(event, &invocation);
            return service.handle(event, invocation).await;
        };
        let json = event.to_json();
        let event = service.parse_composed(event, &invocation);
        let answer = recording.handle(service, event, invocation).await;
        if recording.wants(&answer.summary) {
            let payload = answer.payload.to_json();
            self.write(recording.line(service, &json, &payload, &answer.summary))
                .await;
        }
        answer
    }

    async fn write(&self, line: Option<Vec<u8>>) {
        if let (Some(line), Some(lines)) = (line, &self.lines) {
            // If the writer has stopped, it has reported the error.
            let _ = lines.send(line).await;
        }
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
    /// The file has other content, which lines of a tape would damage.
    NoTape,
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Appends to an existing tape. An incomplete last line gets a line break, so that the next one is separate.
fn open(path: &Path, format: Format) -> Result<File, OpenError> {
    // Opening a pipe would wait for a reader.
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
    make_private(&file, path, format)?;
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

/// An existing tape may be readable by everybody, for example after it was copied; from now on only its owner may read it.
#[cfg(unix)]
fn make_private(file: &File, path: &Path, format: Format) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        let text = format!(
            "tape `{}` was readable by others; now only its owner can read it",
            path.display()
        );
        remark(format, "warn", &text);
    }
    Ok(())
}

/// Writes lines as they arrive, and flushes whenever none is waiting.
fn write_all(file: File, mut waiting: mpsc::Receiver<Vec<u8>>, name: &str, format: Format) {
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
            let text =
                format!("recording to `{name}` has ended, requests are still served: {error}");
            remark(format, "error", &text);
            return;
        }
    }
    if let Err(error) = file.flush() {
        let text = format!("recording to `{name}` has ended: {error}");
        remark(format, "error", &text);
    }
}
