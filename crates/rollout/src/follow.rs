//! Follows a channel: reads it while requests are answered, prepares what it names, and swaps.
//!
//! Nothing here runs by itself, because a host on Lambda is frozen between requests; `serve` has a timer for idle periods. A request that
//! finds that the channel is due starts reading it in the background, and is answered by the current guests. So are all others, until
//! everything that the new generation names is ready; then the next request uses it. Requests in flight end on the guests that they began
//! with.

mod look;

use crate::{
    prepare::{HostContext, Preparer, Ready},
    report::{ChannelReport, FollowError},
    serving::{Serving, ServingGuests},
};
use contract::{digest::Digest, http::Request, limits::Limits, outcome::Fault, seed::Seed};
use rand_chacha::ChaCha12Rng;
use release::{ArtifactStore, ChannelName, ChannelStore, PublicKeys};
use runtime::engine::{Guest, LoadError};
use service::{Deployment, Router};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// Time limit for reading and preparing. Fetching an interpreter's image takes seconds.
const LOOK_DURATION_MAX: Duration = Duration::from_secs(60);
/// The same for the first time, which the start of a host waits for, if there is a bundled guest to start with (AWS: init has 10 s).
const FIRST_LOOK_DURATION_MAX: Duration = Duration::from_secs(5);

/// The channel to follow, and everything needed for it.
pub struct Following {
    /// The channel.
    pub channel: ChannelName,
    /// Keys that may sign the channel and its guests.
    pub keys: PublicKeys,
    /// The store of its document.
    pub channels: Arc<dyn ChannelStore>,
    /// The store of its guests.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// How often to read the channel; varied by a tenth, so that hosts do not all read at the same time.
    pub interval: Duration,
    /// The environment of its guests.
    pub host: HostContext,
    /// No generation below this one is accepted, whatever the stores contain; 0 for no minimum.
    pub generation_min: u64,
    /// Serves if a store cannot be reached at the start, until it can. If the channel is missing or its document is invalid, it does not
    /// serve, and stops serving.
    pub bundled: Option<Guest>,
    /// Seed for the variation of the interval.
    pub seed: Seed,
}

/// Chooses guests according to a channel. Cheap to clone.
#[derive(Clone)]
pub struct Follower(Arc<Inner>);

/// No guest is available at the start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The channel gives none.
    #[error(
        "no guest to start with: channel `{channel}` in `{channels}`, artifacts in `{artifacts}`: {error}{}",
        if *.lacks_bundled { "; and no guest is bundled" } else { "" }
    )]
    Channel {
        /// The channel.
        channel: ChannelName,
        /// The store of the channel.
        channels: String,
        /// The store of its guests.
        artifacts: String,
        /// The reason.
        error: Box<FollowError>,
        /// Whether a bundled guest would have served.
        lacks_bundled: bool,
    },
    /// The bundled guest cannot be linked.
    #[error("the bundled guest: {0}")]
    Bundled(#[from] LoadError),
}

struct Inner {
    channel: ChannelName,
    keys: PublicKeys,
    channels: Arc<dyn ChannelStore>,
    preparer: Preparer,
    interval_ms: u64,
    generation_min: u64,
    /// Nothing until the channel was read for the first time, and after it gave a reason to stop serving the bundled guest.
    serving: ServingGuests,
    next_look_at_ms: AtomicU64,
    looked_at_ms: AtomicU64,
    is_looking: AtomicBool,
    has_reports: AtomicBool,
    reports: Mutex<VecDeque<ChannelReport>>,
    /// Locked while the channel is read.
    looks: tokio::sync::Mutex<Looks>,
}

/// State that is kept between reads.
struct Looks {
    /// The first read is complete, and the host serves.
    has_started: bool,
    ready: Ready,
    /// The generation that was swapped to and when to check its record; `None` once that is done.
    unchecked: Option<(u64, u64)>,
    failures: u32,
    random: ChaCha12Rng,
}

impl Follower {
    /// Reads the channel for the first time. If a store cannot be reached, the bundled guest serves, and the reports contain the reason.
    /// Every other problem is an error, with or without a bundled guest: somebody who can delete or replace the document must not be able
    /// to choose the guest.
    pub async fn start(following: Following, now_ms: u64) -> Result<Self, StartError> {
        let Following {
            channel,
            keys,
            channels,
            artifacts,
            interval,
            generation_min,
            host,
            bundled,
            seed,
        } = following;
        let preparer = Preparer {
            host,
            artifacts,
            keys: keys.clone(),
        };
        let bundled = bundled.map(|guest| preparer.bundled(&guest)).transpose()?;
        let first_look_max = if bundled.is_some() {
            FIRST_LOOK_DURATION_MAX
        } else {
            LOOK_DURATION_MAX
        };
        let inner = Arc::new(Inner {
            channel,
            keys,
            channels,
            preparer,
            interval_ms: u64::try_from(interval.as_millis())
                .unwrap_or(u64::MAX)
                .max(1),
            generation_min,
            serving: ServingGuests::new(Serving::of(bundled)),
            next_look_at_ms: AtomicU64::new(0),
            looked_at_ms: AtomicU64::new(now_ms),
            is_looking: AtomicBool::new(false),
            has_reports: AtomicBool::new(false),
            reports: Mutex::new(VecDeque::new()),
            looks: tokio::sync::Mutex::new(Looks {
                has_started: false,
                ready: Ready::default(),
                unchecked: None,
                failures: 0,
                random: seed.guest_random(),
            }),
        });
        let report = inner.look(now_ms, first_look_max).await;
        inner.looks.lock().await.has_started = true;
        let has_bundled = matches!(**inner.serving.load(), Serving::One(_));
        match report.result {
            Ok(_) => Ok(Self(inner)),
            Err(error) if has_bundled && error.is_unreachable() => Ok(Self(inner)),
            Err(error) => Err(StartError::Channel {
                channel: inner.channel.clone(),
                channels: inner.channels.describe(),
                artifacts: inner.preparer.artifacts.describe(),
                lacks_bundled: !has_bundled && error.is_unreachable(),
                error: Box::new(error),
            }),
        }
    }

    /// Reads the channel now, whether or not it is due, and returns the result. Requests are answered meanwhile.
    pub async fn look(&self, now_ms: u64) -> ChannelReport {
        self.0.look(now_ms, LOOK_DURATION_MAX).await
    }

    /// Starts reading in the background if the channel is due, for hosts that have a timer: otherwise only requests start it.
    pub fn look_if_due(&self, now_ms: u64) {
        if now_ms >= self.0.next_look_at_ms.load(Ordering::Relaxed) {
            self.0.start_look(now_ms);
        }
    }

    /// The reports since the last call, oldest first, without reads that found nothing new.
    pub fn take_reports(&self) -> Vec<ChannelReport> {
        if !self.0.has_reports.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        self.0.reports().drain(..).collect()
    }

    /// Time since the channel was last read successfully (metric `ChannelAge`).
    pub fn age(&self, now_ms: u64) -> Duration {
        let looked_at_ms = self.0.looked_at_ms.load(Ordering::Relaxed);
        Duration::from_millis(now_ms.saturating_sub(looked_at_ms))
    }

    /// The generation that serves; `None` while the bundled guest does.
    pub fn generation(&self) -> Option<u64> {
        self.0.generation()
    }

    /// Checks the record of the current generation, without the delay for publishers that are still writing it.
    pub async fn check_record(&self, now_ms: u64) {
        let mut looks = self.0.looks.lock().await;
        let Some((generation, _)) = looks.unchecked.take() else {
            return;
        };
        let checked = self.0.check_record(now_ms, generation);
        let checked = timeout(LOOK_DURATION_MAX, checked).await;
        if let Err(error) = checked.unwrap_or(Err(FollowError::TimedOut(LOOK_DURATION_MAX))) {
            self.0.remark(now_ms, error);
        }
    }

    /// The loaded guests, newest last.
    pub async fn ready(&self) -> Vec<Digest> {
        self.0.looks.lock().await.ready.digests()
    }
}

impl Router for Follower {
    fn limits(&self) -> Limits {
        self.0.serving.limits().unwrap_or_default()
    }

    fn choose(&self, request: &Request) -> Option<Arc<Deployment>> {
        let now_ms = request.context.received_at_ms;
        self.look_if_due(now_ms);
        let chosen = self.0.serving.choose(request)?;
        if let Some(digest) = chosen.tripped {
            self.0.remark(now_ms, FollowError::Tripped(digest));
        }
        Some(chosen.deployment)
    }

    fn fault(&self) -> Fault {
        self.0.serving.fault()
    }
}
