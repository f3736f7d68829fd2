//! Where results and remarks go: results to stdout, everything else to stderr, colour only where somebody sees it.

use crate::exit::Failure;
use contract::text::printable_lines;
use std::io::{self, IsTerminal, Write};

/// Whether stdout may be coloured.
pub fn colour_on_stdout() -> bool {
    io::stdout().is_terminal() && colour_wanted()
}

/// Whether stderr may be coloured.
fn colour_on_stderr() -> bool {
    io::stderr().is_terminal() && colour_wanted()
}

/// <https://no-color.org>: set and not empty means no.
fn colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes a result to stdout, all of it and now.
pub fn result(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::output(&error))
}

/// Writes lines for people to stdout, without characters that act on a terminal: they may hold foreign text.
pub fn text(text: &str) -> Result<(), Failure> {
    result(printable_lines(text).as_bytes())
}

/// Writes one line of JSON to stdout: as it is for a program, and on a terminal with the escapes that keep it the same JSON.
pub fn json_line(json: &[u8]) -> Result<(), Failure> {
    let line = [json, b"\n"].concat();
    match str::from_utf8(&line) {
        Ok(line) if io::stdout().is_terminal() => text(line),
        Ok(_) | Err(_) => result(&line),
    }
}

/// Writes a remark to stderr, without characters that act on a terminal. That nobody can read it is no reason to stop.
pub fn remark(text: &str) {
    let _ = io::stderr()
        .lock()
        .write_all(printable_lines(text).as_bytes());
}

/// Writes the lines of a failure to stderr, which may be coloured.
pub fn failure(failure: &Failure) {
    if let Some(text) = failure.render(colour_on_stderr()) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}
