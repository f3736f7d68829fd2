//! Follows a channel: looks at it while requests go on, prepares what it names, and swaps.
//!
//! Nothing here runs by itself, because a host on Lambda is frozen between requests; `serve` has a timer that looks beside requests. A request that finds the last look too long ago
//! starts the next one beside itself, and is answered by what is there. So is every other, until all that the new generation names has
//! been made ready; then the next request finds it. Requests in flight end on the guests they began with.

mod look;

use crate::{
    fleet::Fleet,
    prepare::{HostContext, Preparer, Ready},
    report::{ChannelReport, FollowError},
};
use arc_swap::ArcSwap;
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

/// How long a look may take before it counts as failed. An interpreter's image takes seconds to fetch.
const LOOK_DURATION_MAX: Duration = Duration::from_secs(60);
/// The same for the first look, which a host's start waits for, where there is a bundled guest to start with (AWS: init has 10 s).
const FIRST_LOOK_DURATION_MAX: Duration = Duration::from_secs(5);

/// What to follow, and with what.
pub struct Following {
    /// The channel.
    pub channel: ChannelName,
    /// Keys that may sign for it, and for its guests.
    pub keys: PublicKeys,
    /// Where its document lies.
    pub channels: Arc<dyn ChannelStore>,
    /// Where its guests lie.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// How often to look, give or take a tenth, so that hosts do not all look at once.
    pub interval: Duration,
    /// What the guests live on.
    pub host: HostContext,
    /// No generation before this one is taken, whatever the stores hold; 0 where the host was not told.
    pub generation_min: u64,
    /// Serves if a store cannot be reached at the start, until it can. A channel that is missing, or a document that is not to be believed,
    /// is no reason to serve it, and ends its service.
    pub bundled: Option<Guest>,
    /// Scatters the looks.
    pub seed: Seed,
}

/// Chooses guests as a channel says. Cheap to clone.
#[derive(Clone)]
pub struct Follower(Arc<Inner>);

/// There is no guest to start with.
#[derive(Debug, thiserror::Error)]
pub enum NoGuest {
    /// The channel gives none.
    #[error(
        "no guest to start with: channel `{channel}` in `{channels}`, artifacts in `{artifacts}`: {error}{}",
        if *.lacks_bundled { "; and no guest is bundled" } else { "" }
    )]
    Channel {
        /// The channel.
        channel: ChannelName,
        /// Where it was looked for.
        channels: String,
        /// Where its guests were looked for.
        artifacts: String,
        /// Why.
        error: Box<FollowError>,
        /// A bundled guest would have served.
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
    serving: ArcSwap<Serving>,
    next_look_at_ms: AtomicU64,
    looked_at_ms: AtomicU64,
    is_looking: AtomicBool,
    has_reports: AtomicBool,
    reports: Mutex<VecDeque<ChannelReport>>,
    /// Locked for the length of a look.
    looks: tokio::sync::Mutex<Looks>,
}

enum Serving {
    Bundled(Arc<Deployment>),
    Fleet(Box<Fleet>),
    /// Until the first look is over, and after the channel gave a reason not to serve the bundled guest any longer.
    Nothing,
}

/// What goes from one look to the next.
struct Looks {
    /// The first look is over, and the host serves.
    has_started: bool,
    ready: Ready,
    /// The generation that was swapped to, and from when on its record is looked for. Until it has been.
    unchecked: Option<(u64, u64)>,
    failures: u32,
    random: ChaCha12Rng,
}

impl Follower {
    /// Takes the first look. If a store cannot be reached, the bundled guest serves, and why is in the reports. Anything else that is wrong
    /// with the channel is an error, bundled guest or not: whoever can delete or replace its document must not choose the guest.
    pub async fn start(following: Following, now_ms: u64) -> Result<Self, NoGuest> {
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
            serving: ArcSwap::from_pointee(bundled.map_or(Serving::Nothing, Serving::Bundled)),
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
        let has_bundled = matches!(**inner.serving.load(), Serving::Bundled(_));
        match report.result {
            Ok(_) => Ok(Self(inner)),
            Err(error) if has_bundled && error.is_unreachable() => Ok(Self(inner)),
            Err(error) => Err(NoGuest::Channel {
                channel: inner.channel.clone(),
                channels: inner.channels.describe(),
                artifacts: inner.preparer.artifacts.describe(),
                lacks_bundled: !has_bundled && error.is_unreachable(),
                error: Box::new(error),
            }),
        }
    }

    /// Looks now, whether or not it is time, and says what came of it. Requests go on meanwhile.
    pub async fn look(&self, now_ms: u64) -> ChannelReport {
        self.0.look(now_ms, LOOK_DURATION_MAX).await
    }

    /// Starts a look beside the caller where it is time for one, for hosts that have a timer: without requests nobody else does.
    pub fn look_if_due(&self, now_ms: u64) {
        if now_ms >= self.0.next_look_at_ms.load(Ordering::Relaxed) {
            self.0.start_look(now_ms);
        }
    }

    /// What happened since this was last asked: oldest first, without looks that found nothing new.
    pub fn take_reports(&self) -> Vec<ChannelReport> {
        if !self.0.has_reports.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        self.0.reports().drain(..).collect()
    }

    /// Time since the last look that found what it looked for (metric `ChannelAge`).
    pub fn age(&self, now_ms: u64) -> Duration {
        let looked_at_ms = self.0.looked_at_ms.load(Ordering::Relaxed);
        Duration::from_millis(now_ms.saturating_sub(looked_at_ms))
    }

    /// The generation that serves; nothing while the bundled guest does.
    pub fn generation(&self) -> Option<u64> {
        self.0.generation()
    }

    /// Looks for the record of the generation that serves now, without the time that those who promote have to write it.
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

    /// The guests that are loaded, newest last.
    pub async fn ready(&self) -> Vec<Digest> {
        self.0.looks.lock().await.ready.digests()
    }
}

impl Router for Follower {
    fn limits(&self) -> Limits {
        match &**self.0.serving.load() {
            Serving::Fleet(fleet) => fleet.limits,
            Serving::Bundled(deployment) => *deployment.runtime().limits(),
            Serving::Nothing => Limits::default(),
        }
    }

    fn choose(&self, request: &Request) -> Option<Arc<Deployment>> {
        let now_ms = request.context.received_at_ms;
        self.look_if_due(now_ms);
        match &**self.0.serving.load() {
            Serving::Fleet(fleet) => {
                let choice = fleet.choose(request)?;
                if let Some(digest) = choice.tripped {
                    self.0.remark(now_ms, FollowError::Tripped(digest));
                }
                Some(choice.deployment.clone())
            }
            Serving::Bundled(deployment) => Some(deployment.clone()),
            Serving::Nothing => None,
        }
    }

    fn fault(&self) -> Fault {
        match &**self.0.serving.load() {
            Serving::Fleet(_) | Serving::Bundled(_) => Fault::Unrouted,
            Serving::Nothing => Fault::Unavailable,
        }
    }
}
