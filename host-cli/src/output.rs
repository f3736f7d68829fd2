//! Where results and remarks go: results to stdout, everything else to stderr, colour only where somebody sees it.

use crate::exit::Failure;
use std::io::{self, IsTerminal, Write};

/// Whether stdout may be coloured.
pub fn colour_on_stdout() -> bool {
    io::stdout().is_terminal() && colour_wanted()
}

/// Whether stderr may be coloured.
pub fn colour_on_stderr() -> bool {
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

/// Writes a remark to stderr. That nobody can read it is no reason to stop.
pub fn remark(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
