//! Documents that somebody puts into the channel's store: version 1 keeps serving.

use super::{
    super::site::{CHANNEL, Host, Site, digest, key},
    host, next,
};
use crate::support::in_process::NOW_MS;
use release::{
    Channel, ChannelError, ChannelStore, Purpose, SecretKey, SignatureError, StoreError,
};
use rollout::{FollowError, Look};
use std::{fs, os::unix::fs::symlink};

/// The document is refused with this reason, and version 1 serves; then the valid one is accepted.
async fn refused(
    site: &Site,
    host: &Host,
    document: &str,
    is_expected: impl Fn(&FollowError) -> bool,
) {
    let genuine = fs::read_to_string(site.document_path()).unwrap();
    site.plant(document);
    let error = host.refusal().await;
    assert!(is_expected(&error), "{error}");
    host.expect_version(1).await;
    assert!(
        host.follower
            .take_reports()
            .iter()
            .all(|report| report.is_failure())
    );
    site.plant(&genuine);
    assert_eq!(host.look().await.result.unwrap(), Look::Unchanged);
}

fn is_signature(error: &FollowError, expected: &SignatureError) -> bool {
    matches!(error, FollowError::Document(ChannelError::Signature(error)) if error == expected)
}

#[tokio::test]
async fn a_document_that_no_trusted_key_signed_is_refused() {
    let (site, host) = host("unsigned").await;
    let next = next(&site).await;
    let payload = serde_json::to_string(&next).unwrap();
    let unsigned = |error: &FollowError| {
        matches!(
            error,
            FollowError::Document(ChannelError::Signature(SignatureError::Unsigned(_)))
        )
    };
    for document in [
        "",
        "{}",
        "null",
        &payload,
        &format!("{{\"payload\":{payload}}}"),
    ] {
        refused(&site, &host, document, unsigned).await;
    }
    let stranger = SecretKey::new(&[2; 32]);
    let theirs = next.sign(&stranger).unwrap();
    let unknown = SignatureError::UnknownKey(stranger.public().id().to_string());
    refused(&site, &host, &theirs, |error| is_signature(error, &unknown)).await;

    let ours = next.sign(&key()).unwrap();
    let tampered = ours.replace(&digest(2).to_string(), &digest(3).to_string());
    refused(&site, &host, &tampered, |error| {
        is_signature(error, &SignatureError::Wrong)
    })
    .await;
    let as_manifest = key().sign(Purpose::Manifest, &next).unwrap();
    refused(&site, &host, &as_manifest, |error| {
        is_signature(error, &SignatureError::Wrong)
    })
    .await;
}

#[tokio::test]
async fn a_signed_document_that_is_not_for_now_and_here_is_refused() {
    let (site, host) = host("misplaced").await;
    let first = fs::read_to_string(site.document_path()).unwrap();
    let next = next(&site).await;
    let signed = |change: &dyn Fn(&mut Channel)| {
        let mut document = next.clone();
        change(&mut document);
        document.sign(&key()).unwrap()
    };
    let other = signed(&|document| document.channel = "staging".parse().unwrap());
    refused(&site, &host, &other, |error| {
        matches!(error, FollowError::Document(ChannelError::OtherChannel(name)) if name == "staging")
    })
    .await;
    let expired = signed(&|document| document.expires_at_ms = NOW_MS);
    refused(&site, &host, &expired, |error| {
        matches!(
            error,
            FollowError::Document(ChannelError::Expired { generation: 2, .. })
        )
    })
    .await;
    let world = signed(&|document| document.world = "tenon:handler/handler@0.2.0".to_owned());
    refused(&site, &host, &world, |error| {
        matches!(error, FollowError::Document(ChannelError::World(_)))
    })
    .await;
    let forward = signed(&|document| document.generation = u64::MAX);
    refused(&site, &host, &forward, |error| {
        matches!(error, FollowError::Document(ChannelError::Payload(_)))
    })
    .await;
    let twin = signed(&|document| document.generation = 1);
    refused(&site, &host, &twin, |error| {
        matches!(error, FollowError::Forked(1))
    })
    .await;
    // The document that served before, put back.
    site.flip(&next).await;
    host.look().await.result.unwrap();
    host.expect_version(2).await;
    site.plant(&first);
    let error = host.refusal().await;
    assert!(
        matches!(
            error,
            FollowError::Older {
                serving: 2,
                found: 1
            }
        ),
        "{error}"
    );
    host.expect_version(2).await;
}

#[tokio::test]
async fn a_document_that_lies_elsewhere_or_is_too_large_is_refused() {
    let (site, host) = host("elsewhere").await;
    let next = next(&site).await.sign(&key()).unwrap();
    let large = format!("{}{next}", " ".repeat(70_000));
    refused(&site, &host, &large, |error| {
        matches!(error, FollowError::Store(StoreError::TooLarge { .. }))
    })
    .await;
    let outside = site.folder.join("outside.json");
    fs::write(&outside, &next).unwrap();
    fs::remove_file(site.document_path()).unwrap();
    symlink(&outside, site.document_path()).unwrap();
    let error = host.refusal().await;
    assert!(
        matches!(error, FollowError::Store(StoreError::NotPlain(_))),
        "{error}"
    );
    fs::remove_file(site.document_path()).unwrap();
    let error = host.refusal().await;
    assert!(matches!(error, FollowError::NoChannel), "{error}");
    fs::remove_dir_all(&site.folder).unwrap();
    assert!(host.look().await.is_failure());
    host.expect_version(1).await;
}

/// Two publishers at once: the store decides, and the host sees one of them.
#[tokio::test]
async fn of_two_who_promote_at_once_one_is_refused() {
    let (site, host) = host("race").await;
    let next = next(&site).await;
    let mut other = next.clone();
    other.by = "somebody else".to_owned();
    site.flip(&next).await;
    let name = CHANNEL.parse().unwrap();
    let late = site
        .channels
        .flip(&name, 1, 2, &other.sign(&key()).unwrap())
        .await;
    assert!(late.is_err());
    host.look().await.result.unwrap();
    host.expect_version(2).await;
}
