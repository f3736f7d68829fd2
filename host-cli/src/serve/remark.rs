//! What a server says besides the lines of requests: text for people, JSON for programs.

use super::lines::Format;
use crate::output;

/// Writes a remark to stderr at once. `text` has no line break at its end.
pub fn remark(format: Format, level: &str, text: &str) {
    match format {
        Format::Text => output::remark(&format!("{text}\n")),
        Format::Json => {
            let mut line = Vec::new();
            format.note(&mut line, level, text);
            output::remark(&String::from_utf8_lossy(&line));
        }
    }
}
