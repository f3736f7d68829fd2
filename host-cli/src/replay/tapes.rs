//! Tapes in files: compressed or not, line by line, among other log lines, or in CloudWatch's JSON.

mod shape;

use self::shape::{Shape, shape};
use crate::{exit::CommandError, input};
use contract::count::counted;
use files::{self, NamedBy};
use flate2::bufread::MultiGzDecoder;
use std::{
    fmt,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::{Path, PathBuf},
};
use tape::{Line, MessagesError, MissingParts, ReadError, TapeFinder, TapeReader, read_messages};

/// Number of bytes that are examined to recognise the kind of a file.
const HEAD_BYTES: usize = 64 << 10;

/// The source of a tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Stdin,
    File(PathBuf, NamedBy),
}

impl Source {
    /// For messages.
    pub fn path(&self) -> &Path {
        match self {
            Self::Stdin => Path::new("(stdin)"),
            Self::File(path, _) => path,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().display().fmt(formatter)
    }
}

/// Whether a file is a tape, according to its name or its first bytes.
pub fn is_tape_file(path: &Path, named_by: NamedBy) -> Result<bool, CommandError> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    if [".tape", ".gz", ".log"]
        .iter()
        .any(|ending| name.ends_with(ending))
    {
        return Ok(true);
    }
    let file =
        files::open(path, named_by).map_err(|error| input::cannot_open(path, "file", &error))?;
    let (head, _) = decoded(file)
        .and_then(peek)
        .map_err(|error| input::cannot_read(path, "file", &error))?;
    Ok(shape(&head) != Shape::Unknown)
}

/// What the input contained besides lines of tape.
#[derive(Debug, Default)]
struct Beside {
    /// Lines of tape.
    tapes: u64,
    /// Number of split lines with missing parts.
    incomplete: usize,
    /// The missing parts of the first of them.
    missing: Vec<MissingParts>,
    /// Number of incomplete parts.
    cut: usize,
}

impl Beside {
    fn take(&mut self, finder: &TapeFinder) {
        self.incomplete = finder.incomplete();
        self.missing = finder.missing();
        self.cut = finder.cut();
    }

    /// The missing parts of split lines, as text; empty if there are none.
    fn words(&self) -> Option<String> {
        let mut words = Vec::new();
        if self.incomplete > 0 {
            let missing: Vec<String> = self.missing.iter().map(ToString::to_string).collect();
            let more = self.incomplete - missing.len();
            let lines = counted(
                self.incomplete,
                "split line is incomplete",
                "split lines are incomplete",
            );
            words.push(match (missing.join("; "), more) {
                (missing, 0) => format!("{lines}; missing: {missing}"),
                (missing, _) if missing.is_empty() => lines,
                (missing, more) => {
                    format!("{lines}; missing: {missing}, and parts of {more} more")
                }
            });
        }
        if self.cut > 0 {
            words.push(match self.cut {
                1 => "a part of a split line is incomplete".to_owned(),
                count => format!("{count} parts of split lines are incomplete"),
            });
        }
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// What to do about missing parts.
const PARTS_HINT: &str = "parts stand in other events of the same log stream, before and behind these: `host-cli pull \
    LOG-GROUP --since TIME -o FILE` with an earlier time fetches and joins them";

/// A line of tape, or an invalid one.
pub enum Found {
    Line(Line),
    /// Its number, and why it cannot be used.
    Bad(u64, String),
}

/// Calls `each` with every line of tape, which says whether to continue. Invalid lines do not stop later ones. If the input itself fails,
/// all complete lines before have been passed on.
pub fn read(source: &Source, each: &mut dyn FnMut(Found) -> bool) -> Result<(), CommandError> {
    let (opened, failed): (_, &dyn Fn(&io::Error) -> CommandError) = match source {
        Source::Stdin => (decoded(io::stdin()), &|error| {
            CommandError::environment(format_args!("failed to read stdin: {error}"))
        }),
        Source::File(path, named_by) => {
            let file = files::open(path, *named_by)
                .map_err(|error| input::cannot_open(path, "tape", &error))?;
            (decoded(file), &|error| {
                input::cannot_read(path, "tape", error)
            })
        }
    };
    let (head, rest) = opened.and_then(peek).map_err(|error| failed(&error))?;
    let shape = shape(&head);
    let input = BufReader::with_capacity(256 << 10, Cursor::new(head).chain(rest));
    let beside = match shape {
        Shape::Lines | Shape::Unknown => read_lines(source, input, each)?,
        Shape::Documents => read_documents(source, input, each)?,
    };
    match (beside.tapes, beside.words()) {
        (0, Some(missing)) => Err(CommandError::environment(format_args!(
            "`{source}` contains no complete line of tape: {missing}"
        ))
        .hint(PARTS_HINT)),
        (0, None) => Err(CommandError::environment(format_args!(
            "`{source}` contains no line of tape"
        ))
        .hint("`host-cli serve --record FILE` writes tapes, see docs/tape.md")),
        (_, Some(missing)) => {
            crate::output::remark(&format!("`{source}`: {missing}; {PARTS_HINT}\n"));
            Ok(())
        }
        (_, None) => Ok(()),
    }
}

fn read_lines(
    source: &Source,
    input: impl BufRead,
    each: &mut dyn FnMut(Found) -> bool,
) -> Result<Beside, CommandError> {
    let mut reader = TapeReader::new(input);
    let mut beside = Beside::default();
    loop {
        let found = match reader.next_tape() {
            Ok(Some(line)) => Found::Line(line),
            Ok(None) => break,
            Err(ReadError::Io(error)) => return Err(broken_off(source, reader.lines(), &error)),
            Err(error @ (ReadError::TooLong { number } | ReadError::Parts { number, .. })) => {
                Found::Bad(number, error.to_string())
            }
        };
        beside.tapes += 1;
        if !each(found) {
            break;
        }
    }
    beside.take(reader.finder());
    Ok(beside)
}

fn read_documents(
    source: &Source,
    input: impl BufRead,
    each: &mut dyn FnMut(Found) -> bool,
) -> Result<Beside, CommandError> {
    let mut finder = TapeFinder::default();
    let mut beside = Beside::default();
    let mut number = 0;
    let read = read_messages(input, &mut |message| {
        number += 1;
        let found = match message.map(|message| finder.look(number, message)) {
            Ok(Ok(Some(line))) => Found::Line(line),
            Ok(Ok(None)) => return true,
            Ok(Err(error)) => Found::Bad(number, error.to_string()),
            Err(error) => Found::Bad(number, format!("the log event cannot be read: {error}")),
        };
        beside.tapes += 1;
        each(found)
    });
    read.map_err(|error| match error {
        MessagesError::Io(error) => broken_off(source, number, &error),
        MessagesError::Cut => {
            broken_off(source, number, &io::ErrorKind::UnexpectedEof.into())
        }
        MessagesError::Unexpected { .. } | MessagesError::TooLong { .. } => {
            CommandError::environment(format_args!(
                "`{source}` cannot be read to its end as a list of log events: {error}; {}, and nothing after it",
                lines_read(number)
            ))
        }
    })?;
    beside.take(&finder);
    Ok(beside)
}

/// The input is incomplete, or cannot be read further.
fn broken_off(source: &Source, lines: u64, error: &io::Error) -> CommandError {
    let read = lines_read(lines);
    match error.kind() {
        io::ErrorKind::UnexpectedEof => CommandError::environment(format_args!(
            "`{source}` is cut short: it ends in the middle of a line or of its compressed data; {read}"
        ))
        .hint("fetch the file again: its download or copy was interrupted"),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            CommandError::environment(format_args!("`{source}` is damaged: {error}; {read}"))
                .hint("fetch the file again: its content has changed")
        }
        _ => CommandError::environment(format_args!("failed to read `{source}`: {error}; {read}")),
    }
}

fn lines_read(lines: u64) -> String {
    counted(
        lines,
        "line before that was read",
        "lines before that were read",
    )
}

type Input = Box<dyn BufRead>;

/// The input, decompressed if it is gzip.
fn decoded(input: impl Read + 'static) -> io::Result<Input> {
    let mut input = BufReader::with_capacity(256 << 10, input);
    let is_gzip = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_gzip {
        Box::new(BufReader::with_capacity(
            256 << 10,
            MultiGzDecoder::new(input),
        ))
    } else {
        Box::new(input)
    })
}

/// The first bytes, and the rest. An error after the first bytes occurs again when the rest is read.
fn peek(mut input: Input) -> io::Result<(Vec<u8>, Input)> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    match (&mut input).take(HEAD_BYTES as u64).read_to_end(&mut head) {
        Ok(_) => Ok((head, input)),
        Err(error) => Ok((
            head,
            Box::new(BufReader::with_capacity(1, Failed(Some(error)))),
        )),
    }
}

/// An input that has failed, because a decompressor reports an error only once.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
