//! Tapes as files have them: compressed or not, line by line, among other lines of a log, or in CloudWatch's JSON.

use crate::{exit::Failure, input};
use flate2::bufread::MultiGzDecoder;
use host_core::{
    files::{self, NamedBy},
    tape::{Line, ReadError, TapeFinder, TapeReader, is_tape, read_messages},
};
use std::{
    fmt,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::{Path, PathBuf},
};

/// What is looked at to tell what a file is.
const HEAD_BYTES: usize = 64 << 10;

/// Where a tape comes from.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Lines, of which some are tape.
    Lines,
    /// JSON documents with log events in them.
    Documents,
    /// Nothing that would be known.
    Unknown,
}

/// Whether a file is a tape, by its name or by what it begins with.
pub fn is_tape_file(path: &Path, named_by: NamedBy) -> Result<bool, Failure> {
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

/// What was beside the lines of tape.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside {
    /// Lines of tape.
    pub tapes: u64,
    /// Lines that were split and of which parts are missing.
    pub incomplete: usize,
}

/// A line of tape, or a line that was meant to be one.
pub enum Found {
    Line(Line),
    /// Its number, and why it cannot be used.
    Bad(u64, String),
}

/// Calls `each` with every line of tape; it says whether to go on. Lines that cannot be used do not hold up those after them.
pub fn read(source: &Source, each: &mut dyn FnMut(Found) -> bool) -> Result<Beside, Failure> {
    let (opened, failed): (_, &dyn Fn(&io::Error) -> Failure) = match source {
        Source::Stdin => (decoded(io::stdin()), &|error| {
            Failure::environment(format_args!("failed to read stdin: {error}"))
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
    if beside.tapes == 0 {
        return Err(
            Failure::environment(format_args!("`{source}` holds no line of tape"))
                .hint("a tape is what `host-cli serve --record FILE` writes, see docs/tape.md"),
        );
    }
    if beside.incomplete > 0 {
        crate::output::remark(&format!(
            "`{source}`: parts of {} split lines are missing\n",
            beside.incomplete
        ));
    }
    Ok(beside)
}

fn read_lines(
    source: &Source,
    input: impl BufRead,
    each: &mut dyn FnMut(Found) -> bool,
) -> Result<Beside, Failure> {
    let mut reader = TapeReader::new(input);
    let mut beside = Beside::default();
    loop {
        let found = match reader.next_tape() {
            Ok(Some(line)) => Found::Line(line),
            Ok(None) => break,
            Err(error) => bad(source, &error)?,
        };
        beside.tapes += 1;
        if !each(found) {
            break;
        }
    }
    beside.incomplete = reader.finder().incomplete();
    Ok(beside)
}

fn read_documents(
    source: &Source,
    input: impl BufRead,
    each: &mut dyn FnMut(Found) -> bool,
) -> Result<Beside, Failure> {
    let mut finder = TapeFinder::default();
    let mut beside = Beside::default();
    let mut number = 0;
    let read = read_messages(input, &mut |message| {
        number += 1;
        let found = match finder.look(number, message) {
            Ok(Some(line)) => Found::Line(line),
            Ok(None) => return true,
            Err(error) => Found::Bad(number, error.to_string()),
        };
        beside.tapes += 1;
        each(found)
    });
    read.map_err(|error| {
        Failure::environment(format_args!(
            "`{source}` is not a list of log events: {error}"
        ))
    })?;
    beside.incomplete = finder.incomplete();
    Ok(beside)
}

/// A line that cannot be used; the failure where nothing after it can be read.
fn bad(source: &Source, error: &ReadError) -> Result<Found, Failure> {
    match error.line() {
        Some(number) => Ok(Found::Bad(number, error.to_string())),
        None => Err(Failure::environment(format_args!(
            "tape `{source}`: {error}"
        ))),
    }
}

type Input = Box<dyn BufRead>;

/// The input, decompressed where it is gzip.
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

/// The first bytes, and the rest.
fn peek(mut input: Input) -> io::Result<(Vec<u8>, Input)> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    (&mut input)
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    Ok((head, input))
}

fn shape(head: &[u8]) -> Shape {
    let has = |text: &str| {
        head.windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    let start = head.trim_ascii_start();
    let is_json = matches!(start.first(), Some(b'{' | b'['));
    if is_json && !is_tape(start) {
        let is_events = has("\"events\"") && has("\"message\"") && has("\"timestamp\"");
        if is_events || has("@message") {
            return Shape::Documents;
        }
    }
    if has("{\"tenon_tape") {
        Shape::Lines
    } else {
        Shape::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_what_it_begins_with() {
        for (text, expected) in [
            (r#"{"tenon_tape":1}"#, Shape::Lines),
            (
                "START\n2026-01-01T00:00:00Z {\"tenon_tape\":1}",
                Shape::Lines,
            ),
            (
                r#"{"events":[{"timestamp":1,"message":"{\"tenon_tape\":1}"}]}"#,
                Shape::Documents,
            ),
            (
                r#"{"results":[[{"field":"@message","value":"{\"tenon_tape\":1}"}]]}"#,
                Shape::Documents,
            ),
            (r#"[{"@message":{"tenon_tape":1}}]"#, Shape::Documents),
            (r#"{"version":"2.0","routeKey":"$default"}"#, Shape::Unknown),
            ("", Shape::Unknown),
        ] {
            assert_eq!(shape(text.as_bytes()), expected, "{text}");
        }
    }
}
