//! What `serve` does between requests: an idle server also follows its channel, and reports when the file of its guest has changed.

use super::exchange::Exchanger;
use crate::time;
use contract::count::counted;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::{MissedTickBehavior, interval};

/// How often to check whether there is something to do.
const TICK_DURATION_MAX: Duration = Duration::from_secs(1);
/// The same for a channel with a shorter interval.
const TICK_DURATION_MIN: Duration = Duration::from_millis(20);

/// Runs until it is dropped. `guest` is the file of the guest that serves, if there is one.
pub async fn run(
    exchanger: Arc<Exchanger>,
    channel_interval: Option<Duration>,
    mut guest: Option<GuestFile>,
) {
    let tick = channel_interval
        .unwrap_or(TICK_DURATION_MAX)
        .clamp(TICK_DURATION_MIN, TICK_DURATION_MAX);
    let mut ticks = interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(follower) = &exchanger.follower {
            follower.look_if_due(time::now_ms());
            exchanger.write_reports();
        }
        if guest.as_ref().is_some_and(GuestFile::has_changed)
            && let Some(GuestFile { path, .. }) = guest.take()
        {
            exchanger.warn(&format!(
                "`{}` has changed: the guest that was loaded from it keeps serving; restart the server to serve the new one",
                path.display()
            ));
        }
        report_closed(&exchanger);
    }
}

/// Reports how many connections were closed since the last report. Call it once more at the end, because connections may close after the
/// last tick.
pub fn report_closed(exchanger: &Exchanger) {
    let closed = exchanger.clients.take_closed();
    if closed > 0 {
        exchanger.warn(&format!(
            "{} closed: there were too many, or they used too much memory",
            counted(closed, "connection", "connections")
        ));
    }
}

/// The file of a guest, as it was when it was loaded.
#[derive(Debug)]
pub struct GuestFile {
    path: PathBuf,
    state: Option<FileState>,
}

/// Properties that reveal a change.
#[derive(Debug, PartialEq, Eq)]
struct FileState {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl GuestFile {
    /// Must be called before the file is read.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            state: FileState::of(path),
        }
    }

    /// Whether the file was replaced. A missing file is ignored, because it is probably being built.
    fn has_changed(&self) -> bool {
        FileState::of(&self.path).is_some_and(|state| Some(state) != self.state)
    }
}

impl FileState {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            bytes: metadata.len(),
        })
    }
}
