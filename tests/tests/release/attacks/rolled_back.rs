//! Old documents, and documents that are gone: what a restart does not forget.

use super::{
    super::site::{CHANNEL, Site, digest, key, version},
    host, next,
};
use crate::support::in_process::NOW_MS;
use host_core::release::{
    FolderArtifacts, FollowError, Look, NoGuest, PublicKeys, SecretKey, newest_generation,
    record_generation,
};
use std::fs;

/// Why a host that starts now does not, although it has a guest of its own.
async fn start_error(site: &Site) -> FollowError {
    match site.try_follow(Some(&version(3))).await {
        Ok(_) => panic!("it started"),
        Err(NoGuest::Channel { error, .. }) => *error,
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
    let expected = "generation 1, and generation 2 was signed after it";
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

/// A host that runs took generation 1, and did not look while 2 and 3 were released.
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

/// Whoever can write both stores takes the records away as well. What the host was told itself is left.
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

/// A record that no trusted key signed keeps no host from starting.
#[tokio::test]
async fn a_forged_record_does_not_stop_a_host() {
    let site = Site::new("forged-record");
    site.promote(1, 100).await;
    let (name, stranger) = (CHANNEL.parse().unwrap(), SecretKey::new(&[2; 32]));
    let store = FolderArtifacts::new(&site.folder);
    record_generation(&store, &stranger, &name, 2)
        .await
        .unwrap();
    site.follow().await.expect_version(1).await;
    let keys = PublicKeys::of(&key());
    assert_eq!(newest_generation(&store, &keys, &name, 0).await, Ok(1));
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

/// What stands around the signed payload says nothing.
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

/// The guests of two generations are never mixed: a document names them all, by their content.
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
