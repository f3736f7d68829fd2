//! Keys: another publisher's, and one that is replaced by its successor.

use super::super::site::{Site, key, version};
use crate::support::in_process::engine;
use publish::{PublishError, publish, publish_replacing};
use release::{FolderArtifacts, PublicKeys, Put, SecretKey};
use std::fs;

#[tokio::test]
async fn another_key_does_not_replace_the_manifest_of_a_guest_that_serves() {
    let site = Site::new("other-key");
    site.promote(1, 100).await;
    let artifacts = FolderArtifacts::new(&site.folder);
    let before = fs::read(site.manifest_path(1)).unwrap();
    let stranger = SecretKey::new(&[2; 32]);
    let refused = publish(engine(), &version(1), &artifacts, &stranger).await;
    let Err(PublishError::OtherKey(named)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(named, key().public().id().to_string());
    assert_eq!(fs::read(site.manifest_path(1)).unwrap(), before);
    site.follow().await.expect_version(1).await;
}

/// A successor takes over a manifest by naming the key that signed it. Hosts that trust both are served before and after.
#[tokio::test]
async fn a_successor_signs_what_the_key_before_it_signed() {
    let mut site = Site::new("successor");
    site.promote(1, 100).await;
    let artifacts = FolderArtifacts::new(&site.folder);
    let successor = SecretKey::new(&[2; 32]);
    let both = PublicKeys::new(vec![successor.public(), key().public()]).unwrap();
    let replaced = publish_replacing(engine(), &version(1), &artifacts, &successor, &both).await;
    let put = |put: Put| put == Put::Written;
    let written = replaced.unwrap().artifacts;
    // The images stay, because the previous key signed their digests.
    let written: Vec<bool> = written.iter().map(|(_, done)| put(*done)).collect();
    assert_eq!(written, [false, false, false, true]);
    site.keys = both;
    site.follow().await.expect_version(1).await;
    // The second time, it is the successor's own.
    let again = publish(engine(), &version(1), &artifacts, &successor).await;
    let again = again.unwrap().artifacts;
    assert!(again.iter().all(|(_, done)| *done == Put::Unchanged));
}
