//! Finds cases and events for the typed paths, in a fixed order and without holding a long file in memory.

use super::tapes::{self, Source};
use crate::{exit::CommandError, input, output};
use contract::{limits, seed::Seed};
use files::{self, NamedBy};
use observation::{Case, EventHead, head};
use std::{
    fs,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Largest event.
pub const EVENT_BYTES_MAX: u64 = limits::EVENT_BYTES_MAX as u64;

/// One input that a path refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A case folder.
    Case(PathBuf),
    /// A file with one event, on any number of lines.
    Event(PathBuf, NamedBy),
    /// A file with one event per line.
    Lines(PathBuf, NamedBy),
    /// A tape.
    Tape(Source),
}

impl Input {
    /// What was found.
    pub fn path(&self) -> &Path {
        match self {
            Self::Case(path) | Self::Event(path, _) | Self::Lines(path, _) => path,
            Self::Tape(source) => source.path(),
        }
    }

    /// The files that contain parts of it.
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Case(folder) => Case::FILES.map(|file| folder.join(file)).to_vec(),
            Self::Event(path, _) | Self::Lines(path, _) | Self::Tape(Source::File(path, _)) => {
                vec![path.clone()]
            }
            Self::Tape(Source::Stdin) => Vec::new(),
        }
    }

    /// Whether it says which guest it is for: each line of a tape has the guest's digest.
    pub fn names_guest(&self) -> bool {
        match self {
            Self::Tape(_) => true,
            Self::Case(_) | Self::Event(..) | Self::Lines(..) => false,
        }
    }
}

/// An event with its source.
#[derive(Debug)]
pub struct Event {
    /// Its file and line.
    pub place: Place,
    /// Its number among all events of the replay, from 0, which determines its seed.
    pub position: u64,
    /// When and how it may run.
    pub head: EventHead,
    /// The raw event.
    pub bytes: Vec<u8>,
    /// Its own seed, where a tape gives one.
    pub seed: Option<Seed>,
    /// The line of tape that contains it, with the recorded response.
    pub recorded: Option<Arc<[u8]>>,
}

/// The source of an event or a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// File or folder.
    pub path: Arc<Path>,
    /// Counted from 1; only in files with several events.
    pub line: Option<u64>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.display().fmt(formatter)?;
        match self.line {
            Some(line) => write!(formatter, ":{line}"),
            None => Ok(()),
        }
    }
}

/// Finds cases and events. The contents of a folder are sorted by name; a case's own files are not events.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Input>, CommandError> {
    let mut inputs = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            inputs.push(Input::Tape(Source::Stdin));
            continue;
        }
        let before = inputs.len();
        let metadata =
            fs::metadata(path).map_err(|error| input::cannot_read(path, "path", &error))?;
        if metadata.is_dir() {
            inputs.append(&mut find_in_folder(path)?);
        } else if has_extension(path, "wasm") || has_extension(path, "cwasm") {
            let shown = path.display();
            return Err(CommandError::usage(format_args!(
                "`{shown}` is a guest, not something to replay"
            ))
            .hint(format_args!(
                "name a tape, event or case, and add `--guest {shown}`"
            )));
        } else {
            // A pipe can be read only once, so it is not examined.
            let is_stream = !metadata.is_file();
            inputs.push(file(path.clone(), NamedBy::User, is_stream)?);
        }
        if inputs.len() == before {
            let message = format!(
                "folder `{}` contains neither cases, events nor tapes",
                path.display()
            );
            return Err(CommandError::environment(message).hint(
                "events are `*.json` and `*.jsonl`; a case is a folder with `event.json`; tapes are `*.tape`",
            ));
        }
    }
    Ok(inputs)
}

/// The cases, events and tapes in a folder; there may be none.
pub fn find_in_folder(folder: &Path) -> Result<Vec<Input>, CommandError> {
    let mut inputs = Vec::new();
    add_folder(folder, &mut inputs)?;
    Ok(inputs)
}

fn add_folder(folder: &Path, inputs: &mut Vec<Input>) -> Result<(), CommandError> {
    if Case::is_case(folder) {
        inputs.push(Input::Case(folder.to_owned()));
        return Ok(());
    }
    let failed = |error| input::cannot_read(folder, "folder", &error);
    let mut entries = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    entries.sort();
    for path in entries {
        let kind = fs::symlink_metadata(&path).map_err(failed)?.file_type();
        if kind.is_dir() {
            add_folder(&path, inputs)?;
            continue;
        }
        // The link's target may be a case or contain tapes, so it is not skipped silently.
        if kind.is_symlink() && path.is_dir() {
            let shown = path.display();
            output::remark(&format!(
                "`{shown}` is a link to a folder and was skipped: name it to read it\n"
            ));
            continue;
        }
        let is_lines = has_extension(&path, "jsonl");
        let is_known = is_lines
            || ["json", "tape", "gz"]
                .iter()
                .any(|known| has_extension(&path, known));
        if !is_known {
            continue;
        }
        // A link may point to any file, or form a cycle; a pipe may never end.
        if !kind.is_file() {
            let what = if kind.is_symlink() {
                "a link"
            } else {
                "not a regular file"
            };
            let shown = path.display();
            output::remark(&format!(
                "`{shown}` is {what} and was skipped: name it to read it\n"
            ));
            continue;
        }
        inputs.push(file(path, NamedBy::Folder, false)?);
    }
    Ok(())
}

/// The kind of a file. One that cannot be examined is a tape.
fn file(path: PathBuf, named_by: NamedBy, is_stream: bool) -> Result<Input, CommandError> {
    Ok(if is_stream || tapes::is_tape_file(&path, named_by)? {
        Input::Tape(Source::File(path, named_by))
    } else if has_extension(&path, "jsonl") {
        Input::Lines(path, named_by)
    } else {
        Input::Event(path, named_by)
    })
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Reads the one event of a file.
pub fn read_event(path: &Path, named_by: NamedBy, position: u64) -> Result<Event, CommandError> {
    let bytes = input::read_named(path, named_by, "event", EVENT_BYTES_MAX)?;
    event(
        Place {
            path: path.into(),
            line: None,
        },
        position,
        bytes,
    )
}

/// Why a file with several events gives no event.
#[derive(Debug)]
pub enum LineError {
    /// The line is not an event; later ones may be.
    Bad(CommandError),
    /// Nothing more can be read.
    Input(CommandError),
}

impl LineError {
    /// For callers that need all of the lines or none.
    pub fn into_failure(self) -> CommandError {
        match self {
            Self::Bad(failure) | Self::Input(failure) => failure,
        }
    }
}

/// Reads one event after the other from a file with one per line; empty lines are skipped.
pub struct Lines {
    path: Arc<Path>,
    line: u64,
    reader: BufReader<fs::File>,
    /// The buffer of the current line, which is reused.
    buffer: Vec<u8>,
}

/// A longer line's capacity is not kept for the next one.
const BUFFER_BYTES_KEPT_MAX: usize = 1 << 20;

impl Lines {
    /// Opens the file.
    pub fn open(path: &Path, named_by: NamedBy) -> Result<Self, CommandError> {
        let file = files::open(path, named_by)
            .map_err(|error| input::cannot_open(path, "file", &error))?;
        Ok(Self {
            path: path.into(),
            line: 0,
            reader: BufReader::with_capacity(256 << 10, file),
            buffer: Vec::new(),
        })
    }

    /// The next event; `None` at the end. After an invalid line, the next one can be read.
    pub fn next(&mut self, position: u64) -> Result<Option<Event>, LineError> {
        loop {
            self.buffer.clear();
            self.buffer.shrink_to(BUFFER_BYTES_KEPT_MAX);
            let read = (&mut self.reader)
                .take(EVENT_BYTES_MAX + 1)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|error| self.broken_off(&error))?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            let place = Place {
                path: Arc::clone(&self.path),
                line: Some(self.line),
            };
            if self.buffer.last() != Some(&b'\n') && self.buffer.len() as u64 > EVENT_BYTES_MAX {
                let skipped = self.reader.skip_until(b'\n');
                skipped.map_err(|error| self.broken_off(&error))?;
                let message = format!("event `{place}` is larger than {EVENT_BYTES_MAX} bytes");
                return Err(LineError::Bad(CommandError::environment(message)));
            }
            let bytes = self.buffer.trim_ascii_end();
            if !bytes.is_empty() {
                return event(place, position, bytes.to_vec())
                    .map(Some)
                    .map_err(LineError::Bad);
            }
        }
    }

    fn broken_off(&self, error: &io::Error) -> LineError {
        let (path, line) = (self.path.display(), self.line);
        LineError::Input(CommandError::environment(format_args!(
            "failed to read file `{path}` after line {line}: {error}; the rest of it was not read"
        )))
    }
}

fn event(place: Place, position: u64, bytes: Vec<u8>) -> Result<Event, CommandError> {
    match head(&bytes) {
        Ok(head) => Ok(Event {
            place,
            position,
            head,
            bytes,
            seed: None,
            recorded: None,
        }),
        Err(error) => {
            let line = place.line.unwrap_or(error.line as u64);
            let (path, column) = (place.path.display(), error.column);
            Err(CommandError::environment(format_args!(
                "event `{path}:{line}:{column}` {error}"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("tenon-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_folder_gives_its_cases_and_events_in_order() {
        let folder = scratch("find");
        fs::create_dir_all(folder.join("b-case/inner")).unwrap();
        for file in [
            "b-case/event.json",
            "b-case/inner/x.json",
            "c.json",
            "a.jsonl",
            "d.txt",
        ] {
            fs::write(folder.join(file), "{}").unwrap();
        }
        let found = find(std::slice::from_ref(&folder)).unwrap();
        assert_eq!(
            found,
            [
                Input::Lines(folder.join("a.jsonl"), NamedBy::Folder),
                Input::Case(folder.join("b-case")),
                Input::Event(folder.join("c.json"), NamedBy::Folder),
            ]
        );
        fs::create_dir(folder.join("empty")).unwrap();
        assert!(find(&[folder.join("empty")]).is_err());
        assert!(find(&[folder.join("absent")]).is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn lines_are_numbered_as_an_editor_does() {
        let folder = scratch("lines");
        let path = folder.join("events.jsonl");
        fs::write(&path, "{\"httpMethod\":\"GET\"}\n\n{}\r\n{\"a\":nope}").unwrap();
        let mut lines = Lines::open(&path, NamedBy::User).unwrap();
        assert!(lines.next(0).unwrap().unwrap().head.is_safe);
        assert_eq!(lines.next(1).unwrap().unwrap().place.line, Some(3));
        let failure = lines.next(2).unwrap_err().into_failure();
        let failure = failure.render(false).unwrap();
        assert!(failure.contains("events.jsonl:4:"), "{failure}");
        assert!(lines.next(2).unwrap().is_none());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped() {
        let folder = scratch("long-line");
        let path = folder.join("events.jsonl");
        let event = "{\"httpMethod\":\"GET\"}\n";
        let long = "x".repeat(EVENT_BYTES_MAX as usize + 1);
        fs::write(&path, format!("{event}{long}\n{event}{long}{long}")).unwrap();
        let mut lines = Lines::open(&path, NamedBy::User).unwrap();
        assert_eq!(lines.next(0).unwrap().unwrap().place.line, Some(1));
        for (line, next) in [(2, Some(3)), (4, None)] {
            let error = lines.next(1).unwrap_err();
            assert!(matches!(error, LineError::Bad(_)), "{error:?}");
            let message = error.into_failure().render(false).unwrap();
            assert!(
                message.contains(&format!("events.jsonl:{line}` is larger")),
                "{message}"
            );
            let event = lines.next(1).unwrap();
            assert_eq!(event.and_then(|event| event.place.line), next);
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
