//! Artifacts that are not the signed ones: they are never loaded, and version 1 keeps serving.

use super::{
    super::site::{Site, digest, key, version},
    host,
};
use crate::support::in_process::engine;
use contract::{compatibility::Target, digest::Digest};
use release::{Manifest, ManifestError, Purpose, SecretKey, SignatureError, StoreError};
use rollout::{FollowError, PrepareError};
use runtime::engine::{ImageError, LoadError, compile};
use std::{fs, os::unix::fs::symlink};

/// A valid document names version 2, but the object under its name is wrong.
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

/// Names are derived from digests. Even a signed manifest cannot choose a location.
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
            // As another wasmtime release would write it, sealed again.
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

/// Hosts do not run the component, but gates compare it and it is compiled again.
#[tokio::test]
async fn publishing_again_mends_what_was_tampered_with() {
    let site = Site::new("mended");
    let artifacts = release::FolderArtifacts::new(&site.folder);
    let component = site.folder.join(format!("components/{}.wasm", digest(2)));
    fs::write(&component, b"something else").unwrap();
    fs::write(site.image_path(2), b"something else").unwrap();
    publish::publish(engine(), &version(2), &artifacts, &key())
        .await
        .unwrap();
    assert_eq!(Digest::of(&fs::read(component).unwrap()), digest(2));
    site.promote(2, 100).await;
    site.follow().await.expect_version(2).await;
    // Repeating it changes nothing.
    let again = publish::publish(engine(), &version(2), &artifacts, &key()).await;
    let unchanged = release::Put::Unchanged;
    assert!(
        again
            .unwrap()
            .artifacts
            .iter()
            .all(|(_, put)| *put == unchanged)
    );
}

/// A native image runs with the host's permissions. It is not accepted under the name of a component.
#[tokio::test]
async fn an_image_that_is_named_as_a_component_is_not_published() {
    let site = Site::new("image-as-component");
    let image = fs::read(site.image_path(1)).unwrap();
    let artifacts = release::FolderArtifacts::new(&site.folder);
    let before = site.files();
    let refused = publish::publish(engine(), &image, &artifacts, &key()).await;
    assert!(matches!(refused, Err(publish::PublishError::Image)));
    assert_eq!(site.files(), before);
    // Somebody who can write to the store puts it in the component's place: no host reads that.
    fs::write(
        site.folder.join(format!("components/{}.wasm", digest(1))),
        &image,
    )
    .unwrap();
    site.promote(1, 100).await;
    site.follow().await.expect_version(1).await;
}
