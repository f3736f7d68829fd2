//! Guests are swapped while requests are answered.

use super::site::{INTERVAL_MS, Site, digest, version, version_text};
use crate::support::in_process::NOW_MS;
use release::{
    ArtifactName, ArtifactStore, ChannelName, ChannelStore, FlipError, FolderArtifacts,
    FolderChannels, Put, StoreError,
};
use rollout::{FollowError, Look, StartError};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

#[tokio::test]
async fn a_promotion_serves_within_the_interval_and_one_request() {
    let site = Site::new("interval");
    site.promote(1, 100).await;
    let host = site.follow().await;
    site.promote(2, 100).await;
    // Not yet due.
    let early = host
        .get_as("192.0.2.1", &[], "/version", NOW_MS + INTERVAL_MS / 2)
        .await;
    host.serves(&early, 1);
    assert_eq!(host.follower.generation(), Some(1));
    // This request starts the read, and is answered by the current guest.
    let due = NOW_MS + INTERVAL_MS * 2;
    let first = host.get_as("192.0.2.1", &[], "/version", due).await;
    host.serves(&first, 1);
    while host.follower.generation() != Some(2) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let next = host.get_as("192.0.2.1", &[], "/version", due).await;
    host.serves(&next, 2);
    let reports = host.follower.take_reports();
    let last = reports.last().unwrap();
    let expected = Look::Swapped {
        from: Some(1),
        to: 2,
        rollback: false,
        by: "a test".to_owned(),
    };
    assert_eq!(last.result.as_ref().unwrap(), &expected);
    assert_eq!(host.follower.age(due + 1000), Duration::from_millis(1000));
}

#[tokio::test]
async fn a_rollback_needs_nothing_but_the_channel() {
    let site = Site::new("rollback");
    site.promote(1, 100).await;
    let host = site.follow().await;
    site.promote(2, 100).await;
    host.look().await.result.unwrap();
    host.expect_version(2).await;
    // The guest to go back to is ready.
    for folder in ["images", "manifests", "components"] {
        fs::remove_dir_all(site.folder.join(folder)).unwrap();
    }
    site.rollback().await;
    let report = host.look().await;
    assert!(matches!(
        report.result.unwrap(),
        Look::Swapped {
            rollback: true,
            to: 3,
            ..
        }
    ));
    host.expect_version(1).await;
    assert_eq!(host.follower.ready().await.len(), 2);
}

#[tokio::test]
async fn the_last_guests_stay_ready_and_older_ones_go() {
    let site = Site::new("ready");
    site.promote(1, 100).await;
    let host = site.follow().await;
    for number in 2..=5 {
        site.promote(number, 100).await;
        host.look().await.result.unwrap();
    }
    // 5 serves, 4 is its fallback, and three more may stay.
    let ready = host.follower.ready().await;
    assert!(
        ready.contains(&digest(5)) && ready.contains(&digest(4)),
        "{ready:?}"
    );
    assert!(ready.len() <= 5, "{ready:?}");
}

#[tokio::test]
async fn a_host_starts_with_its_bundled_guest_where_nothing_can_be_reached() {
    let site = Site::new("bundled");
    site.promote(2, 100).await;
    let channels = Arc::new(Unreachable {
        inner: site.channels.clone(),
        is_up: AtomicBool::new(false),
    });
    let artifacts = Arc::new(FolderArtifacts::new(&site.folder));
    let host = site
        .follow_with(channels.clone(), artifacts, Some(&version(1)))
        .await
        .unwrap();
    host.expect_version(1).await;
    assert_eq!(host.follower.generation(), None);
    let reports = host.follower.take_reports();
    assert!(matches!(
        reports[0].result,
        Err(FollowError::Store(StoreError::Unavailable(_)))
    ));
    // And accepts what the channel names as soon as it can be reached.
    channels.is_up.store(true, Ordering::SeqCst);
    host.look().await.result.unwrap();
    host.expect_version(2).await;
}

/// A store of channels that is unreachable until it is switched on.
struct Unreachable {
    inner: FolderChannels,
    is_up: AtomicBool,
}

#[async_trait::async_trait]
impl ChannelStore for Unreachable {
    async fn read(&self, channel: &ChannelName) -> Result<Option<String>, StoreError> {
        match self.is_up.load(Ordering::SeqCst) {
            true => self.inner.read(channel).await,
            false => Err(StoreError::Unavailable("no route to it".to_owned())),
        }
    }

    async fn flip(
        &self,
        channel: &ChannelName,
        expected: u64,
        generation: u64,
        document: &str,
    ) -> Result<(), FlipError> {
        self.inner
            .flip(channel, expected, generation, document)
            .await
    }

    async fn history(
        &self,
        channel: &ChannelName,
        count: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.inner.history(channel, count).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

#[tokio::test]
async fn without_any_guest_the_start_says_what_was_tried() {
    let site = Site::new("nothing");
    let Err(error) = site.try_follow(None).await else {
        panic!("it started");
    };
    assert!(matches!(error, StartError::Channel { .. }));
    let text = error.to_string();
    for part in ["channel `items`", "file://", "the channel does not exist"] {
        assert!(text.contains(part), "{text}");
    }
}

/// A store that responds only when allowed.
struct Slow {
    inner: FolderArtifacts,
    open: AtomicBool,
    waiting: AtomicU32,
}

#[async_trait::async_trait]
impl ArtifactStore for Slow {
    async fn get(&self, name: ArtifactName) -> Result<Vec<u8>, StoreError> {
        // A read first asks whether a later generation is recorded.
        if matches!(name, ArtifactName::Generation(..)) {
            self.waiting.fetch_add(1, Ordering::SeqCst);
        }
        while !self.open.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.inner.get(name).await
    }

    async fn exists(&self, name: ArtifactName) -> Result<bool, StoreError> {
        self.inner.exists(name).await
    }

    async fn put(&self, name: ArtifactName, bytes: &[u8]) -> Result<(), StoreError> {
        self.inner.put(name, bytes).await
    }

    async fn put_new(&self, name: ArtifactName, bytes: &[u8]) -> Result<Put, StoreError> {
        self.inner.put_new(name, bytes).await
    }

    async fn published(&self) -> Result<Vec<contract::digest::Digest>, StoreError> {
        self.inner.published().await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

#[tokio::test]
async fn no_request_waits_for_a_slow_store() {
    let site = Site::new("slow");
    site.promote(1, 100).await;
    let store = Arc::new(Slow {
        inner: FolderArtifacts::new(&site.folder),
        open: AtomicBool::new(true),
        waiting: AtomicU32::new(0),
    });
    let host = site.follow_from(store.clone(), None).await.unwrap();
    store.open.store(false, Ordering::SeqCst);
    store.waiting.store(0, Ordering::SeqCst);
    site.promote(2, 100).await;
    let due = NOW_MS + 2 * INTERVAL_MS;
    for request in 0..500 {
        let answer = host
            .get_as("192.0.2.1", &[], "/version", due + request * INTERVAL_MS)
            .await;
        host.serves(&answer, 1);
        tokio::task::yield_now().await;
    }
    // One read is in progress, however many requests found it due.
    assert_eq!(store.waiting.load(Ordering::SeqCst), 1);
    store.open.store(true, Ordering::SeqCst);
    while host.follower.generation() != Some(2) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    host.expect_version(2).await;
}

/// Requests in flight end on the guest that they began with.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_answer_is_of_one_guest_while_guests_change() {
    let site = Site::new("mixed");
    site.promote(1, 100).await;
    let host = Arc::new(site.follow().await);
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (host, stop) = (host.clone(), stop.clone());
            tokio::spawn(async move {
                let mut answers = [0_u32; 2];
                while !stop.load(Ordering::Relaxed) {
                    let answer = host.get("/version").await;
                    let guest = answer.summary.guest.unwrap();
                    let number = if guest == digest(1) { 1 } else { 2 };
                    host.serves(&answer, number);
                    answers[usize::from(number) - 1] += 1;
                }
                answers
            })
        })
        .collect();
    for swap in 0..20 {
        let number = if swap % 2 == 0 { 2 } else { 1 };
        site.promote(number, 100).await;
        host.look().await.result.unwrap();
        host.expect_version(number).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut total = [0; 2];
    for client in clients {
        let answers = client.await.unwrap();
        total = [total[0] + answers[0], total[1] + answers[1]];
    }
    assert!(
        total.iter().all(|count| *count > 0),
        "{total:?} {}",
        version_text(1)
    );
}
