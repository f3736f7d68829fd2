//! What `serve` does between requests: an idle server follows its channel, too, and says when the file of its guest has changed.

use super::exchange::Exchanger;
use crate::time;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked whether there is something to do.
const TICK_DURATION_MAX: Duration = Duration::from_secs(1);
/// The same where a channel is looked at more often than that.
const TICK_DURATION_MIN: Duration = Duration::from_millis(20);

/// Works until it is dropped. `guest` is the file that serves, if one does.
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
                "`{}` has changed: the guest that was loaded from it goes on serving; start again to serve the new one",
                path.display()
            ));
        }
        report_closed(&exchanger);
    }
}

/// Says how many connections were closed since this was last said. The last of them close before a server ends between two ticks, so that
/// it is to be called once more at the end.
pub fn report_closed(exchanger: &Exchanger) {
    let closed = exchanger.clients.take_closed();
    if closed > 0 {
        exchanger.warn(&format!(
            "{closed} connections closed: there were too many, or they held too much memory"
        ));
    }
}

/// The file of a guest, as it was when it was loaded.
#[derive(Debug)]
pub struct GuestFile {
    path: PathBuf,
    state: Option<FileState>,
}

/// By what a change is found.
#[derive(Debug, PartialEq, Eq)]
struct FileState {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl GuestFile {
    /// To be called before the file is read.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            state: FileState::of(path),
        }
    }

    /// Whether there is another file now. One that is missing is being built.
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
