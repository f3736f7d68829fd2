//! What the developer reads besides the lines of requests. It goes the same way as those, so that the order is kept.

use crate::{
    exit::CommandError,
    output,
    serve::{exchange::Exchanger, lines::Format},
};
use contract::text::printable_lines;
use std::sync::Arc;

/// Writes to stderr. Cheap to clone.
#[derive(Clone)]
pub struct Screen(Arc<Exchanger>);

impl Screen {
    /// Writes between the lines of this server's requests.
    pub fn new(exchanger: Arc<Exchanger>) -> Self {
        Self(exchanger)
    }

    /// Whether lines are JSON, which programs read.
    fn is_json(&self) -> bool {
        self.0.format == Format::Json
    }

    /// Writes one message, which may have several lines.
    pub fn say(&self, text: &str) {
        self.0.log.add(|lines| match self.is_json() {
            true => self.0.format.note(lines, "info", text),
            false => {
                let text = printable_lines(text);
                lines.extend_from_slice(output::wrapped_for_stderr(&text).as_bytes());
                lines.push(b'\n');
            }
        });
    }

    /// Writes text for terminals, whose foreign parts are already printable.
    pub fn show(&self, text: &[u8]) {
        match self.is_json() {
            true => self.say(String::from_utf8_lossy(text).trim_end()),
            false => self.0.log.add(|lines| lines.extend_from_slice(text)),
        }
    }

    /// Waits until all of it is written, so that what others write comes behind it.
    pub fn flush(&self) {
        self.0.log.flush();
    }

    /// Whether [`show`](Self::show) may be given colours.
    pub fn is_coloured(&self) -> bool {
        !self.is_json() && output::colour_on_stderr()
    }

    /// Writes a failure and what to do about it; the program goes on.
    pub fn fail(&self, failure: &CommandError) {
        if self.is_json() {
            self.0.log.add(|lines| {
                let message = match failure.hint_text() {
                    Some(hint) => format!("{}; hint: {hint}", failure.message()),
                    None => failure.message().to_owned(),
                };
                self.0.format.note(lines, "error", &message);
            });
        } else if let Some(text) = failure.render(output::colour_on_stderr()) {
            self.0.log.add(|lines| {
                lines.extend_from_slice(output::wrapped_for_stderr(&text).as_bytes());
            });
        }
    }
}
