//! Signatures of documents: who may decide what a host runs.
//!
//! A signed document is one JSON object, `{"payload": ..., "key": ..., "signature": ...}`. The signature covers the exact bytes of the
//! payload, preceded by a text for its purpose: nothing must be brought into canonical form before it is verified, and a manifest's
//! signature is never valid for a channel. The payload is parsed only after its signature was verified.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::hexadecimal::Hexadecimal;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{fmt, str::FromStr};

/// Prefix of a public key as text: `ed25519:`, followed by 43 characters of base64url.
const PUBLIC_PREFIX: &str = "ed25519:";
/// Prefix of a secret key as text, so that it cannot be mistaken for a public one, and scanners for leaked secrets find it.
const SECRET_PREFIX: &str = "tenon-secret-ed25519:";
/// Keys that a host trusts at the same time: the one in use and its successor.
const PUBLIC_KEYS_MAX: usize = 2;

/// The purpose of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Describes a published guest.
    Manifest,
    /// Names the guests that serve.
    Channel,
    /// Records that a generation of a channel was signed, so that older ones are recognised as outdated.
    Generation,
}

impl Purpose {
    /// Precedes the payload in the signed bytes.
    fn domain(self) -> &'static str {
        match self {
            Self::Manifest => "tenon release manifest 1\n",
            Self::Channel => "tenon release channel 1\n",
            Self::Generation => "tenon release generation 1\n",
        }
    }

    fn message(self, payload: &str) -> Vec<u8> {
        [self.domain().as_bytes(), payload.as_bytes()].concat()
    }
}

/// Signs documents. Stored in a file of the publisher, never on a host. Erased from memory when dropped.
pub struct SecretKey(SigningKey);

/// Verifies documents.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// The one or two keys that a host trusts.
#[derive(Clone, Debug)]
pub struct PublicKeys(Vec<PublicKey>);

/// The first bytes of a public key's digest, by which a document identifies the key that is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; 8]);

/// Text that is not a key, or a wrong number of keys.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a public key.
    #[error("a public key is `{PUBLIC_PREFIX}` and 43 characters, as `host-cli keygen` prints it")]
    Public,
    /// Not a secret key. The error does not repeat the text.
    #[error(
        "a secret key file holds one line that begins with `{SECRET_PREFIX}`, as `host-cli keygen` writes it"
    )]
    Secret,
    /// A weak key, under which signatures can be forged.
    #[error("the public key is weak: anybody can forge its signatures")]
    Weak,
    /// None, or more than a host accepts.
    #[error("one to {PUBLIC_KEYS_MAX} public keys are required, but there are {0}")]
    Count(usize),
}

/// Why a document is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a signed document at all.
    #[error("is not a signed document: {0}")]
    Unsigned(String),
    /// Signed by a key that this host does not trust.
    #[error("is signed by key `{0}`, which is not trusted here")]
    UnknownKey(String),
    /// The signature does not match this key, payload and purpose.
    #[error("has an invalid signature: it was changed after it was signed")]
    Wrong,
}

#[derive(Serialize)]
struct Signed<'a> {
    payload: &'a RawValue,
    key: String,
    signature: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Received<'a> {
    #[serde(borrow)]
    payload: &'a RawValue,
    key: String,
    signature: String,
}

impl SecretKey {
    /// A key from 32 random bytes of the operating system's generator.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(bytes))
    }

    /// The key's file: one line.
    pub fn to_file_text(&self) -> String {
        format!(
            "{SECRET_PREFIX}{}\n",
            URL_SAFE_NO_PAD.encode(self.0.as_bytes())
        )
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signed document around `payload`, as one line of text.
    pub fn sign(&self, purpose: Purpose, payload: &impl Serialize) -> serde_json::Result<String> {
        let payload = serde_json::value::to_raw_value(payload)?;
        let signature = self.0.sign(&purpose.message(payload.get()));
        let mut text = serde_json::to_string(&Signed {
            payload: &payload,
            key: self.public().id().to_string(),
            signature: URL_SAFE_NO_PAD.encode(signature.to_bytes()),
        })?;
        text.push('\n');
        Ok(text)
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = decode(text.trim(), SECRET_PREFIX).ok_or(KeyError::Secret)?;
        Ok(Self::new(&bytes))
    }
}

/// Never prints the key.
impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(..)")
    }
}

impl PublicKey {
    /// Whether a text is meant as a key, where a file's name would be possible, too.
    pub fn is_key_text(text: &str) -> bool {
        text.starts_with(PUBLIC_PREFIX)
    }

    /// The id of the key in documents.
    pub fn id(&self) -> KeyId {
        let digest = sha2::Digest::finalize(sha2::Digest::chain_update(
            <sha2::Sha256 as sha2::Digest>::new(),
            self.0.as_bytes(),
        ));
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        KeyId(id)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = decode(text.trim(), PUBLIC_PREFIX).ok_or(KeyError::Public)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Public)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self(key))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = URL_SAFE_NO_PAD.encode(self.0.as_bytes());
        write!(formatter, "{PUBLIC_PREFIX}{text}")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl PublicKeys {
    /// One key, or two while one replaces the other.
    pub fn new(keys: Vec<PublicKey>) -> Result<Self, KeyError> {
        if keys.is_empty() || keys.len() > PUBLIC_KEYS_MAX {
            return Err(KeyError::Count(keys.len()));
        }
        Ok(Self(keys))
    }

    /// The key that verifies what `key` signs.
    pub fn of(key: &SecretKey) -> Self {
        Self(vec![key.public()])
    }

    /// The payload of a signed document, after its signature was verified.
    #[expect(
        clippy::disallowed_methods,
        reason = "read into named members, strings and a span: no `Value`, no recursion"
    )]
    pub fn verify<'a>(&self, purpose: Purpose, text: &'a str) -> Result<&'a str, SignatureError> {
        let received: Received<'a> = serde_json::from_str(text)
            .map_err(|error| SignatureError::Unsigned(error.to_string()))?;
        let key = self
            .0
            .iter()
            .find(|key| key.id().to_string() == received.key)
            .ok_or_else(|| SignatureError::UnknownKey(shown(&received.key)))?;
        let signature = URL_SAFE_NO_PAD
            .decode(&received.signature)
            .ok()
            .and_then(|bytes| Signature::from_slice(&bytes).ok())
            .ok_or(SignatureError::Wrong)?;
        let payload = received.payload.get();
        key.0
            .verify_strict(&purpose.message(payload), &signature)
            .map_err(|_| SignatureError::Wrong)?;
        Ok(payload)
    }
}

/// Keys separated by commas.
impl FromStr for PublicKeys {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let keys = text.split(',').filter(|key| !key.trim().is_empty());
        Self::new(keys.map(str::parse).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Hexadecimal(&self.0), formatter)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn decode(text: &str, prefix: &str) -> Option<[u8; 32]> {
    let encoded = text.strip_prefix(prefix)?;
    URL_SAFE_NO_PAD.decode(encoded).ok()?.try_into().ok()
}

/// The document is not trusted yet, so its text is shortened for the log.
fn shown(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_ascii_graphic())
        .take(32)
        .collect()
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(byte: u8) -> SecretKey {
        SecretKey::new(&[byte; 32])
    }

    fn trusting(keys: &[&SecretKey]) -> PublicKeys {
        PublicKeys::new(keys.iter().map(|key| key.public()).collect()).unwrap()
    }

    #[test]
    fn what_a_trusted_key_signed_comes_back_as_it_was() {
        let signed = key(1).sign(Purpose::Channel, &json!({"a": 1.50})).unwrap();
        for keys in [trusting(&[&key(1)]), trusting(&[&key(2), &key(1)])] {
            assert_eq!(keys.verify(Purpose::Channel, &signed), Ok(r#"{"a":1.5}"#));
        }
    }

    #[test]
    fn a_document_counts_for_its_purpose_only() {
        let signed = key(1).sign(Purpose::Manifest, &json!({})).unwrap();
        assert_eq!(
            trusting(&[&key(1)]).verify(Purpose::Channel, &signed),
            Err(SignatureError::Wrong)
        );
    }

    #[test]
    fn another_key_is_refused_by_its_id_and_cannot_pose_as_a_trusted_one() {
        let (ours, theirs) = (key(1), key(2));
        let signed = theirs.sign(Purpose::Channel, &json!({"a": 1})).unwrap();
        let id = |key: &SecretKey| key.public().id().to_string();
        assert_eq!(
            trusting(&[&ours]).verify(Purpose::Channel, &signed),
            Err(SignatureError::UnknownKey(id(&theirs)))
        );
        let posing = signed.replace(&id(&theirs), &id(&ours));
        assert_eq!(
            trusting(&[&ours]).verify(Purpose::Channel, &posing),
            Err(SignatureError::Wrong)
        );
    }

    #[test]
    fn no_byte_of_the_payload_or_signature_can_change() {
        let signed = key(1).sign(Purpose::Channel, &json!({"a": "b"})).unwrap();
        let keys = trusting(&[&key(1)]);
        for (at, _) in signed.trim_end().char_indices() {
            let mut bytes = signed.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(
                    keys.verify(Purpose::Channel, &changed).is_err(),
                    "{changed}"
                );
            }
        }
        for text in [
            "",
            "{}",
            "[]",
            r#"{"payload":{},"key":"","signature":"","more":1}"#,
        ] {
            assert!(matches!(
                keys.verify(Purpose::Channel, text),
                Err(SignatureError::Unsigned(_) | SignatureError::UnknownKey(_))
            ));
        }
    }

    #[test]
    fn keys_survive_their_text_and_other_text_is_no_key() {
        let secret = key(7);
        let read: SecretKey = secret.to_file_text().parse().unwrap();
        assert_eq!(read.public(), secret.public());
        let public = secret.public().to_string();
        assert_eq!(public.parse::<PublicKey>().unwrap(), secret.public());
        assert_eq!(format!("{secret:?}"), "SecretKey(..)");
        // A secret key is refused where a public one belongs, and the message does not repeat it.
        let mistaken = secret.to_file_text().parse::<PublicKeys>().unwrap_err();
        assert_eq!(mistaken, KeyError::Public);
        assert_eq!("".parse::<PublicKeys>().unwrap_err(), KeyError::Count(0));
        let three = [public.as_str(); 3].join(",");
        assert_eq!(three.parse::<PublicKeys>().unwrap_err(), KeyError::Count(3));
        // The neutral element: every message has a valid signature under it.
        let weak = URL_SAFE_NO_PAD.encode({
            let mut point = [0; 32];
            point[0] = 1;
            point
        });
        assert_eq!(
            format!("ed25519:{weak}").parse::<PublicKey>().unwrap_err(),
            KeyError::Weak
        );
    }
}
