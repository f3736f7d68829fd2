//! Any bytes as a release document, as stored and as signed by a trusted key: one that satisfies its rules, or an error, never a panic.
#![no_main]

use contract::{compatibility::Target, digest::Digest, limits::Limits};
use release::{
    Channel, ChannelError, ChannelName, GenerationRecord, Manifest, ManifestError, PublicKey,
    PublicKeys, Purpose, SecretKey,
};
use serde_json::value::RawValue;
use std::sync::LazyLock;

struct Trust {
    key: SecretKey,
    keys: PublicKeys,
    channel: ChannelName,
}

/// Bytes of a key that is used only here.
static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let key = SecretKey::new(&[7; 32]);
    Trust {
        keys: PublicKeys::of(&key),
        key,
        channel: "items".parse().expect("a valid name"),
    }
});

/// The component of the manifests in the corpus.
const COMPONENT: &[u8] = b"component";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    GenerationRecord::open(bytes, &TRUST.keys);
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let (channel, manifest) = (channel(text), manifest(text));
    assert!(channel.is_none() || manifest.is_none(), "for one purpose");
    keys(text);
    // What follows the signature is JSON, because a publisher writes nothing else.
    let Ok(payload) = RawValue::from_string(text.to_owned()) else {
        return;
    };
    let signed = |purpose| TRUST.key.sign(purpose, &payload).expect("JSON");
    // Signing takes most of the time, so inputs that cannot be such a document are not signed as one.
    if text.contains("\"routes\"") {
        self::channel(&signed(Purpose::Channel));
    } else if text.contains("\"images\"") {
        self::manifest(&signed(Purpose::Manifest));
    } else if text.contains("\"generation\"") {
        let signed = signed(Purpose::Generation);
        if let Some(record) = GenerationRecord::open(signed.as_bytes(), &TRUST.keys) {
            let again = record.sign(&TRUST.key).expect("JSON");
            let again = GenerationRecord::open(again.as_bytes(), &TRUST.keys);
            assert_eq!(again, Some(record));
        }
    }
});

/// A channel as a host follows it.
fn channel(text: &str) -> Option<Channel> {
    let open = |text: &str| Channel::open(text, &TRUST.keys, &TRUST.channel);
    let channel = match open(text) {
        Ok(channel) => channel,
        Err(error) => {
            assert_ne!(error.to_string(), "");
            return None;
        }
    };
    let again = TRUST.key.sign(Purpose::Channel, &channel).expect("JSON");
    assert_eq!(open(&again), Ok(channel.clone()));
    let expired = channel.check_time(channel.expires_at_ms);
    assert!(matches!(expired, Err(ChannelError::Expired { .. })));
    let host = Limits::default();
    for route in &channel.routes {
        let percent: u32 = route.guests.iter().map(|share| share.percent).sum();
        assert_eq!(percent, 100);
        assert!(route.stable().is_some());
        let limits = route.limits.within(&host);
        assert!(limits.request_body_bytes_max <= host.request_body_bytes_max);
        assert!(limits.guest_memory_bytes_max <= host.guest_memory_bytes_max);
        assert!(limits.storage_calls_max <= host.storage_calls_max);
        assert!(limits.request_duration_max <= host.request_duration_max);
    }
    let shown = channel.without_secrets();
    let mut values = shown
        .routes
        .iter()
        .flat_map(|route| route.environment.values());
    assert!(values.all(|value| value == "(hidden)"));
    Some(channel)
}

/// A manifest as a host reads it to find an image.
fn manifest(text: &str) -> Option<Manifest> {
    let open = |text: &str, component| Manifest::open(text, &TRUST.keys, component);
    let opened = match open(text, Digest::of(COMPONENT)) {
        Err(ManifestError::OtherComponent(component)) => open(text, component),
        opened => opened,
    };
    let mut manifest = match opened {
        Ok(manifest) => manifest,
        Err(error) => {
            assert_ne!(error.to_string(), "");
            return None;
        }
    };
    let again = TRUST.key.sign(Purpose::Manifest, &manifest).expect("JSON");
    assert_eq!(open(&again, manifest.component), Ok(manifest.clone()));
    for target in [Target::X86_64, Target::Aarch64] {
        let found = manifest.image(target).is_ok();
        manifest.add_image(target, b"image");
        match manifest.image(target) {
            Ok(image) => assert_eq!(image.digest, Digest::of(b"image")),
            Err(error) => assert!(!found && matches!(error, ManifestError::World(_))),
        }
    }
    Some(manifest)
}

/// Keys and names as settings give them.
fn keys(text: &str) {
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!(text.parse::<PublicKeys>().is_ok());
    }
    if let Ok(key) = text.parse::<SecretKey>() {
        let again: SecretKey = key.to_file_text().parse().expect("its own text");
        assert_eq!(again.public(), key.public());
        // One is never accepted for the other.
        assert!(text.parse::<PublicKey>().is_err());
    }
    if let Ok(name) = text.parse::<ChannelName>() {
        assert_eq!(name.to_string(), text);
    }
}
