//! Whoever can write to the stores can keep a host from seeing new releases, and nothing else: version 1 goes on serving.

use super::site::{CHANNEL, Host, Site, digest, key, promotion, signing, version};
use crate::support::in_process::{NOW_MS, engine};
use host_core::{
    digest::Digest,
    engine::{ImageError, LoadError, Target, compile},
    release::{
        Channel, ChannelError, ChannelStore, FollowError, Look, Manifest, ManifestError,
        PrepareError, Purpose, SecretKey, SignatureError, StoreError, promote,
    },
};
use std::{fs, os::unix::fs::symlink};

/// A host that serves version 1, where version 2 is about to be released.
async fn host(test: &str) -> (Site, Host) {
    let site = Site::new(test);
    site.promote(1, 100).await;
    let host = site.follow().await;
    host.expect_version(1).await;
    host.follower.take_reports();
    (site, host)
}

/// The generation that would let version 2 serve.
async fn next(site: &Site) -> Channel {
    let current = site.current().await;
    let name = CHANNEL.parse().unwrap();
    promote(&name, current.as_ref(), &promotion(2, 100), &signing()).unwrap()
}

/// The document is refused so, and version 1 serves; then the true one is taken.
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
    let twin = signed(&|document| document.generation = 1);
    refused(&site, &host, &twin, |error| {
        matches!(error, FollowError::Forked(1))
    })
    .await;
    // The very document that served before, brought back.
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

/// Version 2 is named by a good document, and what lies under its name is not as it should be.
async fn unfit(
    test: &str,
    change: impl FnOnce(&Site),
    is_expected: impl Fn(&PrepareError) -> bool,
) {
    let (site, host) = host(test).await;
    change(&site);
    site.promote(2, 100).await;
    let error = host.refusal().await;
    let FollowError::Prepare {
        generation: 2,
        error,
    } = &error
    else {
        panic!("{error}");
    };
    assert!(is_expected(error), "{error}");
    host.expect_version(1).await;
}

fn is_manifest(error: &PrepareError, expected: &ManifestError) -> bool {
    matches!(error, PrepareError::Manifest { error, .. } if error == expected)
}

fn is_image(error: &PrepareError) -> bool {
    matches!(error, PrepareError::Image { .. })
}

#[tokio::test]
async fn a_manifest_that_is_not_the_signed_one_is_refused() {
    let wrong = ManifestError::Signature(SignatureError::Wrong);
    unfit(
        "manifest-tampered",
        |site| {
            let path = site.manifest_path(2);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replacen("\"bytes\":", "\"bytes\":1", 1)).unwrap();
        },
        |error| is_manifest(error, &wrong),
    )
    .await;
    unfit(
        "manifest-swapped",
        |site| {
            fs::copy(site.manifest_path(3), site.manifest_path(2)).unwrap();
        },
        |error| is_manifest(error, &ManifestError::OtherComponent(digest(3))),
    )
    .await;
    let stranger = SecretKey::new(&[2; 32]);
    let unknown = SignatureError::UnknownKey(stranger.public().id().to_string());
    unfit(
        "manifest-stranger",
        |site| {
            let manifest = Manifest::new(&version(2), Vec::new());
            let text = stranger.sign(Purpose::Manifest, &manifest).unwrap();
            fs::write(site.manifest_path(2), text).unwrap();
        },
        |error| is_manifest(error, &ManifestError::Signature(unknown.clone())),
    )
    .await;
    unfit(
        "manifest-missing",
        |site| fs::remove_file(site.manifest_path(2)).unwrap(),
        |error| {
            matches!(
                error,
                PrepareError::Store {
                    error: StoreError::Missing(_),
                    ..
                }
            )
        },
    )
    .await;
}

/// Names follow from digests. A manifest cannot say where anything lies, not even a signed one.
#[tokio::test]
async fn a_manifest_cannot_point_outside_its_prefix() {
    unfit(
        "manifest-points",
        |site| {
            let manifest = serde_json::json!(Manifest::new(&version(2), Vec::new()));
            let mut pointing = manifest;
            pointing["images"] = serde_json::json!([{
                "target": "../../../etc/passwd", "wasmtime": "48.0", "compatibility": "..",
                "digest": digest(2), "bytes": 1,
            }]);
            fs::write(
                site.manifest_path(2),
                key().sign(Purpose::Manifest, &pointing).unwrap(),
            )
            .unwrap();
        },
        |error| {
            matches!(
                error,
                PrepareError::Manifest {
                    error: ManifestError::NoImage { .. },
                    ..
                }
            )
        },
    )
    .await;
    unfit(
        "manifest-path",
        |site| {
            let mut pointing = serde_json::json!(Manifest::new(&version(2), Vec::new()));
            pointing["path"] = "../elsewhere.cwasm".into();
            fs::write(
                site.manifest_path(2),
                key().sign(Purpose::Manifest, &pointing).unwrap(),
            )
            .unwrap();
        },
        |error| {
            matches!(
                error,
                PrepareError::Manifest {
                    error: ManifestError::Payload(_),
                    ..
                }
            )
        },
    )
    .await;
}

#[tokio::test]
async fn an_image_that_is_not_the_signed_one_is_never_loaded() {
    unfit(
        "image-tampered",
        |site| {
            let mut image = fs::read(site.image_path(2)).unwrap();
            let middle = image.len() / 2;
            image[middle] ^= 1;
            fs::write(site.image_path(2), image).unwrap();
        },
        is_image,
    )
    .await;
    unfit(
        "image-truncated",
        |site| {
            let image = fs::read(site.image_path(2)).unwrap();
            fs::write(site.image_path(2), &image[..image.len() - 1]).unwrap();
        },
        is_image,
    )
    .await;
    unfit(
        "image-swapped",
        |site| {
            fs::copy(site.image_path(3), site.image_path(2)).unwrap();
        },
        is_image,
    )
    .await;
    unfit(
        "image-linked",
        |site| {
            let elsewhere = site.folder.join("elsewhere.cwasm");
            fs::rename(site.image_path(2), &elsewhere).unwrap();
            symlink(elsewhere, site.image_path(2)).unwrap();
        },
        |error| {
            matches!(
                error,
                PrepareError::Store {
                    error: StoreError::NotPlain(_),
                    ..
                }
            )
        },
    )
    .await;
    unfit(
        "image-missing",
        |site| fs::remove_file(site.image_path(2)).unwrap(),
        |error| {
            matches!(
                error,
                PrepareError::Store {
                    error: StoreError::Missing(_),
                    ..
                }
            )
        },
    )
    .await;
    unfit(
        "image-oversized",
        |site| {
            let file = fs::File::create(site.image_path(2)).unwrap();
            file.set_len(257 << 20).unwrap();
        },
        |error| {
            matches!(
                error,
                PrepareError::Store {
                    error: StoreError::TooLarge { .. },
                    ..
                }
            )
        },
    )
    .await;
}

/// Signs a manifest for version 2 that describes `image`.
fn describe(site: &Site, image: &[u8]) {
    let mut manifest = Manifest::new(&version(2), Vec::new());
    manifest.add_image(Target::HOST.unwrap(), image);
    fs::write(site.image_path(2), image).unwrap();
    fs::write(
        site.manifest_path(2),
        key().sign(Purpose::Manifest, &manifest).unwrap(),
    )
    .unwrap();
}

/// What a publisher signed by mistake is still not run.
#[tokio::test]
async fn a_signed_image_for_another_host_is_refused() {
    let other = match Target::HOST.unwrap() {
        Target::X86_64 => Target::Aarch64,
        Target::Aarch64 => Target::X86_64,
    };
    unfit(
        "image-processor",
        |site| describe(site, &compile(&version(2), other).unwrap()),
        |error| {
            matches!(error, PrepareError::Load { error, .. }
                if matches!(&**error, LoadError::Image(ImageError::Target(_))))
        },
    )
    .await;
    unfit(
        "image-configuration",
        |site| {
            // As another wasmtime release would leave it, sealed again.
            let image = compile(&version(2), Target::HOST.unwrap()).unwrap();
            describe(site, &resealed(&image));
        },
        |error| {
            matches!(error, PrepareError::Load { error, .. }
                if matches!(&**error, LoadError::Image(ImageError::Wasmtime(_))))
        },
    )
    .await;
    unfit(
        "image-other",
        |site| describe(site, &compile(&version(3), Target::HOST.unwrap()).unwrap()),
        is_image,
    )
    .await;
    unfit(
        "image-none",
        |site| describe(site, b"not an image at all"),
        |error| matches!(error, PrepareError::Load { .. }),
    )
    .await;
}

/// The image with another wasmtime release in its seal, of the same length.
fn resealed(image: &[u8]) -> Vec<u8> {
    let (ours, theirs) = (b"\"wasmtime\":\"48.0\"", b"\"wasmtime\":\"47.0\"");
    let at = image
        .windows(ours.len())
        .rposition(|window| window == ours)
        .unwrap();
    let mut image = image.to_vec();
    image[at..at + ours.len()].copy_from_slice(theirs);
    image
}

/// The component is not what hosts run, but what gates compare and what is compiled again.
#[tokio::test]
async fn publishing_again_mends_what_was_tampered_with() {
    let site = Site::new("mended");
    let artifacts = host_core::release::FolderArtifacts::new(&site.folder);
    let component = site.folder.join(format!("components/{}.wasm", digest(2)));
    fs::write(&component, b"something else").unwrap();
    fs::write(site.image_path(2), b"something else").unwrap();
    host_core::release::publish(engine(), &version(2), &artifacts, &key())
        .await
        .unwrap();
    assert_eq!(Digest::of(&fs::read(component).unwrap()), digest(2));
    site.promote(2, 100).await;
    site.follow().await.expect_version(2).await;
    // And once more changes nothing at all.
    let again = host_core::release::publish(engine(), &version(2), &artifacts, &key()).await;
    let unchanged = host_core::release::Put::Unchanged;
    assert!(
        again
            .unwrap()
            .artifacts
            .iter()
            .all(|(_, put)| *put == unchanged)
    );
}

/// Two people at once: the store decides, and the host sees one of them.
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
