//! Output: results to stdout, everything else to stderr, colour and wrapped lines only on a terminal.

mod wrap;

use crate::exit::CommandError;
use contract::text::printable_lines;
use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
};

/// Columns of a terminal that does not say how many it has.
const COLUMNS_DEFAULT: usize = 80;

/// Whether stdout may be coloured.
pub fn colour_on_stdout() -> bool {
    io::stdout().is_terminal() && colour_wanted()
}

/// Whether stderr may be coloured.
pub fn colour_on_stderr() -> bool {
    io::stderr().is_terminal() && colour_wanted()
}

/// Columns of the terminal that stderr goes to, if it is one.
pub fn columns_of_stderr() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(io::stderr())?;
    Some(width.0.into())
}

/// Wraps the lines of errors, hints and warnings in a text for stderr. What is no terminal gets them whole, so that they can be searched.
pub fn wrapped_for_stderr(text: &str) -> Cow<'_, str> {
    match io::stderr().is_terminal() {
        true => wrap::wrapped(text, columns_of_stderr().unwrap_or(COLUMNS_DEFAULT)),
        false => Cow::Borrowed(text),
    }
}

/// Whether the user allows colour: <https://no-color.org> disables it if the variable is set and not empty.
fn colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes a complete result to stdout and flushes it.
pub fn result(bytes: &[u8]) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| CommandError::output(&error))
}

/// Writes lines for people to stdout, without terminal control characters, because they may contain foreign text.
pub fn text(text: &str) -> Result<(), CommandError> {
    result(printable_lines(text).as_bytes())
}

/// Writes one line of JSON to stdout: unchanged for a program; on a terminal with control characters escaped, which keeps it the same JSON.
pub fn json_line(json: &[u8]) -> Result<(), CommandError> {
    let line = [json, b"\n"].concat();
    match str::from_utf8(&line) {
        Ok(line) if io::stdout().is_terminal() => text(line),
        Ok(_) | Err(_) => result(&line),
    }
}

/// Writes a remark to stderr, without terminal control characters. Errors are ignored, because a closed stderr is no reason to stop.
pub fn remark(text: &str) {
    let text = printable_lines(text);
    let _ = io::stderr()
        .lock()
        .write_all(wrapped_for_stderr(&text).as_bytes());
}

/// Writes the lines of a failure to stderr, in colour if allowed.
pub fn failure(failure: &CommandError) {
    if let Some(text) = failure.render(colour_on_stderr()) {
        let _ = io::stderr()
            .lock()
            .write_all(wrapped_for_stderr(&text).as_bytes());
    }
}
