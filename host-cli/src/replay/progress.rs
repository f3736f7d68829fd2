//! A progress bar on a terminal, for long replays.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Shorter replays show no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// The progress of a replay, in bytes of its input.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// When the bar appears, unless it is already shown.
    hidden: Cell<bool>,
    done: Cell<u64>,
    /// Inputs that are not done yet, with their sizes.
    inputs: RefCell<VecDeque<(PathBuf, u64)>>,
    /// Bytes of the inputs that are done.
    ended_bytes: Cell<u64>,
}

impl Progress {
    /// For inputs of these sizes, in order. It is only shown on a terminal.
    pub fn new(inputs: impl IntoIterator<Item = (PathBuf, u64)>) -> Self {
        let inputs: VecDeque<(PathBuf, u64)> = inputs.into_iter().collect();
        let bytes_total = inputs.iter().map(|(_, bytes)| bytes).sum();
        let bar = ProgressBar::with_draw_target(Some(bytes_total), ProgressDrawTarget::hidden());
        if let Ok(style) =
            ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}  {eta} left")
        {
            bar.set_style(style);
        }
        Self {
            bar,
            started: Instant::now(),
            hidden: Cell::new(io::stderr().is_terminal()),
            done: Cell::new(0),
            inputs: RefCell::new(inputs),
            ended_bytes: Cell::new(0),
        }
    }

    /// Adds this many bytes.
    pub fn advance(&self, bytes: u64, count: u64) {
        self.done.set(self.done.get() + count);
        if self.hidden.get() && self.started.elapsed() > PATIENCE {
            self.hidden.set(false);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{} done", self.done.get()));
        }
        // The contents of a compressed file are larger than the file.
        let inputs = self.inputs.borrow();
        let present_bytes = inputs.front().map_or(0, |(_, bytes)| *bytes);
        let end = self.ended_bytes.get() + present_bytes;
        self.bar
            .set_position((self.bar.position() + bytes).min(end));
    }

    /// Marks an input as done, including blanks and lines that are not replayed.
    pub fn end_of_input(&self, path: &Path) {
        let mut inputs = self.inputs.borrow_mut();
        let Some(position) = inputs.iter().position(|(input, _)| input == path) else {
            return;
        };
        let ended: u64 = inputs.drain(..=position).map(|(_, bytes)| bytes).sum();
        self.ended_bytes.set(self.ended_bytes.get() + ended);
        self.bar.set_position(self.ended_bytes.get());
    }

    /// Hides the bar while a function may print.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.bar.suspend(work)
    }

    /// Removes the bar; returns the number of replayed events and the time.
    pub fn finish(&self) -> (u64, Duration) {
        self.bar.finish_and_clear();
        (self.done.get(), self.started.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_input_is_all_of_it() {
        let (tape, packed) = (Path::new("a.tape"), Path::new("b.tape.gz"));
        let progress = Progress::new([(tape.to_owned(), 100), (packed.to_owned(), 10)]);
        progress.advance(60, 1);
        assert_eq!(progress.bar.position(), 60);
        // Forty bytes were lines of a log, between those of the tape.
        progress.end_of_input(tape);
        assert_eq!(progress.bar.position(), 100);
        progress.advance(500, 1);
        assert_eq!(progress.bar.position(), 110);
        progress.end_of_input(packed);
        assert_eq!(progress.bar.position(), 110);
    }
}
