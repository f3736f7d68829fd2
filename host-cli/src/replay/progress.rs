//! A progress bar on a terminal, for replays that take long enough to wonder.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    cell::Cell,
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

/// What takes less than this shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far a replay is, in bytes of its input.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// Where it is to appear, until it does.
    hidden: Cell<bool>,
    done: Cell<u64>,
}

impl Progress {
    /// For an input of so many bytes. On anything but a terminal it never shows.
    pub fn new(bytes_total: u64) -> Self {
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
        }
    }

    /// So much more is done.
    pub fn advance(&self, bytes: u64, count: u64) {
        self.done.set(self.done.get() + count);
        if self.hidden.get() && self.started.elapsed() > PATIENCE {
            self.hidden.set(false);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{} done", self.done.get()));
        }
        self.bar.inc(bytes);
    }

    /// Does something that may print, with the bar out of the way.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.bar.suspend(work)
    }

    /// Takes the bar away; how many were done in which time.
    pub fn finish(&self) -> (u64, Duration) {
        self.bar.finish_and_clear();
        (self.done.get(), self.started.elapsed())
    }
}
