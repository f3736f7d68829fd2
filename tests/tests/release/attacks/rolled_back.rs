//! Old and missing documents: what survives a restart.

use super::{
    super::site::{CHANNEL, Site, digest, key, version},
    host, next,
};
use crate::support::in_process::NOW_MS;
use contract::outcome::Fault;
use release::{
    ChannelName, ChannelStore, FlipError, FolderArtifacts, FolderChannels, PublicKeys, SecretKey,
    StoreError, newest_record, record_generation,
};
use rollout::{ChannelReport, FollowError, Look, StartError};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Why a host that starts now fails, although it has a guest of its own.
async fn start_error(site: &Site) -> FollowError {
    match site.try_follow(Some(&version(3))).await {
        Ok(_) => panic!("it started"),
        Err(StartError::Channel { error, .. }) => *error,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn an_old_document_does_not_start_a_host() {
    let site = Site::new("old-document");
    site.promote(1, 100).await;
    let old = fs::read_to_string(site.document_path()).unwrap();
    site.promote(2, 100).await;
    site.plant(&old);
    let error = start_error(&site).await;
    let expected = "generation 1, but generation 2 was signed after it";
    assert!(error.to_string().contains(expected), "{error}");
    assert!(
        matches!(
            error,
            FollowError::Superseded {
                found: 1,
                recorded: 2
            }
        ),
        "{error}"
    );
}

/// A running host accepted generation 1, and did not read the channel while 2 and 3 were released.
#[tokio::test]
async fn an_old_document_that_is_newer_than_what_serves_is_not_taken() {
    let (site, host) = host("old-but-newer").await;
    site.promote(2, 100).await;
    let second = fs::read_to_string(site.document_path()).unwrap();
    site.promote(3, 100).await;
    site.plant(&second);
    let error = host.refusal().await;
    assert!(
        matches!(
            error,
            FollowError::Superseded {
                found: 2,
                recorded: 3
            }
        ),
        "{error}"
    );
    host.expect_version(1).await;
}

/// An attacker who can write to both stores removes the records as well. Only the host's own minimum remains.
#[tokio::test]
async fn without_records_the_hosts_own_minimum_holds() {
    let mut site = Site::new("no-records");
    site.promote(1, 100).await;
    let old = fs::read_to_string(site.document_path()).unwrap();
    site.promote(2, 100).await;
    site.plant(&old);
    fs::remove_dir_all(site.folder.join("generations")).unwrap();
    site.follow().await.expect_version(1).await;
    site.generation_min = 2;
    let error = start_error(&site).await;
    assert!(
        matches!(
            error,
            FollowError::BelowMinimum {
                found: 1,
                minimum: 2
            }
        ),
        "{error}"
    );
}

/// What a host that starts now reports about records that were replaced by something else.
async fn invalid_records(site: &Site) -> Vec<u64> {
    let host = site.follow().await;
    host.expect_version(1).await;
    // Once.
    for _ in 0..2 {
        host.look_later().await.result.unwrap();
    }
    let failures = host.follower.take_reports().into_iter();
    let failures = failures.filter_map(|report| report.result.err());
    failures
        .map(|error| match error {
            FollowError::InvalidRecord { generation, reason } => {
                assert!(reason.contains("generations/"), "{reason}");
                generation
            }
            error => panic!("{error}"),
        })
        .collect()
}

/// An attacker who may write to both stores but delete in neither replaces the record. Invalid records must not stop hosts, but they are
/// reported.
#[tokio::test]
async fn a_replaced_record_is_reported_by_hosts_that_start_on_the_document_before() {
    let site = Site::new("replaced-record");
    site.promote(1, 100).await;
    let old = fs::read_to_string(site.document_path()).unwrap();
    site.promote(2, 100).await;
    site.plant(&old);
    fs::write(site.record_path(2), "{}").unwrap();
    assert_eq!(invalid_records(&site).await, [1]);
    fs::write(site.record_path(2), vec![b' '; 1 << 20]).unwrap();
    assert_eq!(invalid_records(&site).await, [1]);
}

/// Only replacing all records after the document's generation hides that it is old.
#[tokio::test]
async fn one_replaced_record_does_not_hide_the_next() {
    let site = Site::new("replaced-one-record");
    site.promote(1, 100).await;
    let old = fs::read_to_string(site.document_path()).unwrap();
    site.promote(2, 100).await;
    site.promote(1, 100).await;
    site.plant(&old);
    fs::write(site.record_path(2), "{}").unwrap();
    let error = start_error(&site).await;
    assert!(
        matches!(
            error,
            FollowError::Superseded {
                found: 1,
                recorded: 3
            }
        ),
        "{error}"
    );
}

/// A record that no trusted key signed does not prevent a host from starting, and is reported.
#[tokio::test]
async fn a_forged_record_does_not_stop_a_host() {
    let site = Site::new("forged-record");
    site.promote(1, 100).await;
    let (name, stranger) = (CHANNEL.parse().unwrap(), SecretKey::new(&[2; 32]));
    let store = FolderArtifacts::new(&site.folder);
    record_generation(&store, &stranger, &name, 2)
        .await
        .unwrap();
    assert_eq!(invalid_records(&site).await, [1]);
    let keys = PublicKeys::of(&key());
    let newest = newest_record(&store, &keys, &name, 0).await.unwrap();
    assert_eq!(newest.generation, 1);
    assert_eq!(newest.invalid.unwrap().generation, 2);
}

#[tokio::test]
async fn a_deleted_document_does_not_start_the_bundled_guest() {
    let (site, host) = host("deleted").await;
    fs::remove_file(site.document_path()).unwrap();
    assert!(matches!(host.refusal().await, FollowError::NoChannel));
    host.expect_version(1).await;
    let error = start_error(&site).await;
    assert!(matches!(error, FollowError::NoChannel), "{error}");
}

#[tokio::test]
async fn an_expired_document_does_not_start_a_host_and_does_not_stop_one() {
    let (site, host) = host("expired").await;
    let mut short = next(&site).await;
    short.expires_at_ms = NOW_MS + 1000;
    site.flip(&short).await;
    host.look().await.result.unwrap();
    let later = host.follower.look(NOW_MS + 1000).await;
    assert!(later.is_failure());
    host.expect_version(2).await;
    short.generation += 1;
    short.expires_at_ms = NOW_MS;
    site.flip(&short).await;
    let error = start_error(&site).await;
    assert!(matches!(error, FollowError::Document(_)), "{error}");
}

/// The formatting around the signed payload has no meaning.
#[tokio::test]
async fn blanks_around_what_is_signed_raise_no_alarm() {
    let (site, host) = host("blanks").await;
    let document = fs::read_to_string(site.document_path()).unwrap();
    for change in [
        document.replacen('{', "{ ", 1),
        format!("\n{document}\n"),
        document.replacen(",\"key\":", " , \"key\" : ", 1),
    ] {
        assert_ne!(change, document);
        site.plant(&change);
        assert_eq!(host.look().await.result.unwrap(), Look::Unchanged);
    }
    assert!(host.follower.take_reports().is_empty());
}

/// The guests of two generations are never mixed: a document names all of them by content.
#[tokio::test]
async fn what_an_old_generation_named_serves_only_by_its_digest() {
    let (site, host) = host("mixed-generations").await;
    fs::copy(site.image_path(1), site.image_path(2)).unwrap();
    fs::copy(site.manifest_path(1), site.manifest_path(2)).unwrap();
    site.promote(2, 100).await;
    let error = host.refusal().await;
    assert!(
        error.to_string().contains(&digest(2).to_string()),
        "{error}"
    );
    host.expect_version(1).await;
}

/// A folder, a link or a pipe is not a signed record.
#[tokio::test]
async fn what_is_no_plain_file_in_a_records_place_does_not_stop_a_host() {
    let site = Site::new("record-not-plain");
    site.promote(1, 100).await;
    let genuine = site.record_path(1);
    let planted = site.record_path(2);
    fs::create_dir(&planted).unwrap();
    assert_eq!(invalid_records(&site).await, [1]);
    fs::remove_dir(&planted).unwrap();
    std::os::unix::fs::symlink(&genuine, &planted).unwrap();
    assert_eq!(invalid_records(&site).await, [1]);
    fs::remove_file(&planted).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&planted).status();
    assert!(made.unwrap().success());
    assert_eq!(invalid_records(&site).await, [1]);
}

/// Stores give the same answer for unreadable and for missing objects: a host that cannot read the record of its own generation would not
/// see the next one either.
#[tokio::test]
async fn a_generation_without_a_record_serves_and_is_reported() {
    let site = Site::new("no-own-record");
    site.promote(1, 100).await;
    let silent = site.follow().await;
    silent.look_later().await.result.unwrap();
    let reports = silent.follower.take_reports();
    assert!(reports.iter().all(|report| !report.is_failure()));
    let record = fs::read(site.record_path(1)).unwrap();
    fs::remove_file(site.record_path(1)).unwrap();
    // Publishers write the document first.
    let early = site.follow().await;
    early.look().await.result.unwrap();
    fs::write(site.record_path(1), record).unwrap();
    early.look_later().await.result.unwrap();
    let reports = early.follower.take_reports();
    assert!(reports.iter().all(|report| !report.is_failure()));
    fs::remove_file(site.record_path(1)).unwrap();
    let host = site.follow().await;
    // Once.
    for _ in 0..2 {
        host.look_later().await.result.unwrap();
    }
    host.expect_version(1).await;
    let failures: Vec<_> = host
        .follower
        .take_reports()
        .into_iter()
        .filter_map(|report| report.result.err())
        .collect();
    assert!(
        matches!(
            failures.as_slice(),
            [FollowError::NoRecord { generation: 1, .. }]
        ),
        "{failures:?}"
    );
    assert!(failures[0].to_string().contains("promote again"));
}

/// A store of channels that cannot be reached until it is told.
struct Distant {
    channels: FolderChannels,
    is_near: AtomicBool,
}

#[async_trait::async_trait]
impl ChannelStore for Distant {
    async fn read(&self, channel: &ChannelName) -> Result<Option<String>, StoreError> {
        if self.is_near.load(Ordering::Relaxed) {
            self.channels.read(channel).await
        } else {
            Err(StoreError::Unavailable("it is far away".to_owned()))
        }
    }

    async fn flip(
        &self,
        channel: &ChannelName,
        expected: u64,
        generation: u64,
        document: &str,
    ) -> Result<(), FlipError> {
        self.channels
            .flip(channel, expected, generation, document)
            .await
    }

    async fn history(
        &self,
        channel: &ChannelName,
        count: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.channels.history(channel, count).await
    }

    fn describe(&self) -> String {
        self.channels.describe()
    }
}

/// Otherwise an attacker could choose the guest by deleting the document and blocking the store while hosts start.
#[tokio::test]
async fn a_bundled_guest_serves_no_longer_than_nothing_is_known_of_the_channel() {
    let site = Site::new("bundled-stops");
    let channels = Arc::new(Distant {
        channels: site.channels.clone(),
        is_near: AtomicBool::new(false),
    });
    let artifacts = Arc::new(FolderArtifacts::new(&site.folder));
    let host = site
        .follow_with(channels.clone(), artifacts, Some(&version(3)))
        .await
        .unwrap();
    host.expect_version(3).await;
    // Still unreachable: nothing is known.
    assert!(host.look().await.is_failure());
    host.expect_version(3).await;
    host.follower.take_reports();
    channels.is_near.store(true, Ordering::Relaxed);
    assert!(matches!(host.refusal().await, FollowError::NoChannel));
    let answer = host.get("/version").await;
    assert_eq!(answer.summary.fault, Some(Fault::Unavailable));
    assert_eq!(answer.summary.status, 503);
    let reports = host.follower.take_reports();
    let says_so = |report: &ChannelReport| {
        report.is_failure() && matches!(report.result, Err(FollowError::BundledStopped(_)))
    };
    assert!(reports.iter().any(says_so), "{reports:?}");
    // Unreachable again: it was already ruled out.
    channels.is_near.store(false, Ordering::Relaxed);
    assert!(host.look().await.is_failure());
    assert_eq!(host.get("/version").await.summary.status, 503);
    channels.is_near.store(true, Ordering::Relaxed);
    site.promote(1, 100).await;
    host.look().await.result.unwrap();
    host.expect_version(1).await;
}

/// Not fetched if a later generation is recorded, and bounded otherwise: an attacker who plants documents could exhaust the hosts' memory.
#[tokio::test]
async fn guests_of_refused_generations_do_not_stay_loaded() {
    let (site, host) = host("refused-not-kept").await;
    site.promote(2, 100).await;
    let second = fs::read_to_string(site.document_path()).unwrap();
    site.promote(3, 100).await;
    site.plant(&second);
    assert!(matches!(
        host.refusal().await,
        FollowError::Superseded { .. }
    ));
    assert_eq!(host.follower.ready().await, [digest(1)]);
    // Everything that these name exists, except the last guest.
    for (number, generation) in [(2, 4), (3, 5), (4, 6), (5, 7)] {
        let mut wanted = next(&site).await;
        wanted.generation = generation;
        // The document there names what was planted before.
        wanted.routes.truncate(1);
        wanted.routes[0].guests[0].digest = digest(number);
        let mut last = wanted.routes[0].clone();
        last.path = "/last".to_owned();
        last.previous = None;
        last.guests[0].digest = digest(6);
        wanted.routes[0].previous = None;
        wanted.routes.push(last);
        site.plant(&wanted.sign(&key()).unwrap());
        let error = host.refusal().await;
        assert!(matches!(error, FollowError::Prepare { .. }), "{error}");
    }
    // The guests that serve, and as many others as are kept after any read.
    let ready = host.follower.ready().await;
    assert_eq!(ready, [1, 3, 4, 5].map(digest));
    host.expect_version(1).await;
}
