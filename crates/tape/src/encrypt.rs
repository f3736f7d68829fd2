//! Tapes for one reader only: lines encrypted to an age recipient (<https://age-encryption.org/v1>), so that nothing needs to be redacted.
//!
//! This module implements the part of the format that is needed, X25519 recipients, with primitives that the hosts contain anyway: the
//! `age` crate would add 79 others, including translations of its messages. `age` itself reads what is written here; the tests read what
//! `age` wrote, and its published vectors.

mod bech32;
mod header;
mod stream;

use super::{VERSION, exchange::FIRST_MEMBER};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use curve25519_dalek::montgomery::MontgomeryPoint;
use header::{Header, Stanza, VERSION_LINE};
use hmac::{Hmac, KeyInit, Mac};
use json::Object;
use serde::Deserialize;
use sha2::Sha256;
use std::{borrow::Cow, fmt, str::FromStr};
use stream::{open_box, seal_box};

/// The only kind of recipient that is read and written.
const KIND: &str = "X25519";
/// A passphrase as recipient, which must be the only one.
const KIND_PASSPHRASE: &str = "scrypt";
const WRAP_INFO: &[u8] = b"age-encryption.org/v1/X25519";
const FILE_KEY_BYTES: usize = 16;
const NONCE_BYTES: usize = 16;
/// Size of a wrapped key: [`FILE_KEY_BYTES`] and a tag.
const BODY_BYTES: usize = FILE_KEY_BYTES + 16;

/// The recipient of lines: `age1...`, as `age-keygen` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient([u8; 32]);

/// The key that reads them: `AGE-SECRET-KEY-1...`.
#[derive(Clone)]
pub struct Identity {
    secret: [u8; 32],
    recipient: Recipient,
}

/// Text that is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a recipient.
    #[error("not an age recipient: it begins with `age1`, as `age-keygen` prints it")]
    Recipient,
    /// A point of low order, with which every shared secret is zero.
    #[error("the age recipient is weak: anybody can decrypt what is encrypted to it")]
    Weak,
    /// Not an identity.
    #[error("not an age identity: it begins with `AGE-SECRET-KEY-1`, as `age-keygen` writes it")]
    Identity,
}

/// Why a line cannot be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// Not an age file in base64.
    #[error("not encrypted by age, or damaged")]
    Malformed,
    /// Encrypted to other recipients.
    #[error("encrypted to another recipient")]
    OtherRecipient,
    /// Changed after it was encrypted.
    #[error("damaged: it was changed after it was encrypted")]
    Damaged,
}

/// Why a text cannot be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum EncryptError {
    /// There are no random bytes, without which nothing is secret.
    #[error("failed to get random bytes from the operating system: {0}")]
    NoRandomness(#[from] getrandom::Error),
    /// The shared secret with the recipient is zero, or a cipher refused.
    #[error("nothing can be encrypted to this recipient")]
    Refused,
}

impl FromStr for Recipient {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let point: [u8; 32] = bech32::decode("age", text.trim())
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(KeyError::Recipient)?;
        // With a point of low order, any secret gives zero.
        shared(&point, [0x40; 32]).map_err(|NothingShared| KeyError::Weak)?;
        Ok(Self(point))
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&bech32::encode("age", &self.0))
    }
}

impl FromStr for Identity {
    type Err = KeyError;

    /// Parses an identity, or an identity file: empty lines and lines that begin with `#` are skipped.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let key = lines.next().filter(|key| *key == key.to_ascii_uppercase());
        let secret: [u8; 32] = key
            .and_then(|key| bech32::decode("age-secret-key-", &key.to_ascii_lowercase()))
            .and_then(|bytes| bytes.try_into().ok())
            .filter(|_| lines.next().is_none())
            .ok_or(KeyError::Identity)?;
        Ok(Self {
            secret,
            recipient: Recipient(MontgomeryPoint::mul_base_clamped(secret).to_bytes()),
        })
    }
}

/// Never prints the secret.
impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identity({})", self.recipient)
    }
}

impl Identity {
    /// The recipient that this identity can read.
    pub fn recipient(&self) -> Recipient {
        self.recipient
    }

    /// Decrypts the result of [`Recipient::encrypt`].
    pub fn decrypt(&self, encrypted: &str) -> Result<Vec<u8>, DecryptError> {
        let file = STANDARD
            .decode(encrypted)
            .map_err(|_| DecryptError::Malformed)?;
        let header = Header::read(&file).ok_or(DecryptError::Malformed)?;
        let is_alone = header.stanzas.len() == 1;
        let mut file_key = None;
        for stanza in &header.stanzas {
            match stanza.kind {
                KIND_PASSPHRASE if !is_alone => return Err(DecryptError::Malformed),
                // All stanzas are checked, also after a match, so that a file that age refuses is refused.
                KIND => {
                    let found = self.unwrap(stanza).map_err(|_| DecryptError::Malformed)?;
                    file_key = file_key.or(found);
                }
                _ => {}
            }
        }
        let file_key = file_key.ok_or(DecryptError::OtherRecipient)?;
        header_mac(&file_key, header.signed)
            .verify_slice(&header.mac)
            .map_err(|_| DecryptError::Damaged)?;
        let (nonce, chunks) = header
            .payload
            .split_at_checked(NONCE_BYTES)
            .ok_or(DecryptError::Malformed)?;
        let key = hkdf(nonce, &file_key, b"payload");
        stream::open(&key, chunks).ok_or(DecryptError::Damaged)
    }

    /// The file's key; `None` if it was wrapped for another identity.
    fn unwrap(&self, stanza: &Stanza<'_>) -> Result<Option<Vec<u8>>, NoStanza> {
        let [share] = stanza.arguments.as_slice() else {
            return Err(NoStanza);
        };
        let share: [u8; 32] = STANDARD_NO_PAD
            .decode(share)
            .ok()
            .and_then(|share| share.try_into().ok())
            .ok_or(NoStanza)?;
        if stanza.body.len() != BODY_BYTES {
            return Err(NoStanza);
        }
        let shared = shared(&share, self.secret).map_err(|NothingShared| NoStanza)?;
        let key = wrap_key(&shared, &share, &self.recipient);
        Ok(open_box(&key, [0; 12], &stanza.body))
    }
}

/// Invalid for an X25519 recipient.
struct NoStanza;

/// The shared secret of two keys is zero, which is not a secret.
struct NothingShared;

/// X25519 (RFC 7748), with the check that its section 6.1 describes.
fn shared(point: &[u8; 32], secret: [u8; 32]) -> Result<[u8; 32], NothingShared> {
    let shared = MontgomeryPoint(*point).mul_clamped(secret).to_bytes();
    if shared.iter().fold(0, |sum, byte| sum | byte) == 0 {
        Err(NothingShared)
    } else {
        Ok(shared)
    }
}

impl Recipient {
    /// An age file with this text, in base64.
    pub fn encrypt(&self, text: &[u8]) -> Result<String, EncryptError> {
        let mut random = [0; 32 + FILE_KEY_BYTES + NONCE_BYTES];
        getrandom::fill(&mut random)?;
        let (ephemeral, rest) = random.split_at(32);
        let (file_key, nonce) = rest.split_at(FILE_KEY_BYTES);
        let mut secret = [0; 32];
        secret.copy_from_slice(ephemeral);
        let share = MontgomeryPoint::mul_base_clamped(secret).to_bytes();
        let shared = shared(&self.0, secret).map_err(|NothingShared| EncryptError::Refused)?;
        let key = wrap_key(&shared, &share, self);
        let body = seal_box(&key, [0; 12], file_key).ok_or(EncryptError::Refused)?;
        let mut file = format!(
            "{VERSION_LINE}\n-> {KIND} {}\n{}\n---",
            STANDARD_NO_PAD.encode(share),
            STANDARD_NO_PAD.encode(body)
        );
        let mac = header_mac(file_key, file.as_bytes())
            .finalize()
            .into_bytes();
        file.push_str(&format!(" {}\n", STANDARD_NO_PAD.encode(mac)));
        let mut file = file.into_bytes();
        file.extend_from_slice(nonce);
        let key = hkdf(nonce, file_key, b"payload");
        stream::seal(&key, text, &mut file).ok_or(EncryptError::Refused)?;
        Ok(STANDARD.encode(file))
    }
}

/// A line of tape for one reader: version, id and time in clear, everything else encrypted.
pub(super) fn encrypt_line(
    line: &[u8],
    id: &str,
    received_at_ms: u64,
    recipient: &Recipient,
) -> Result<Vec<u8>, EncryptError> {
    let encrypted = recipient.encrypt(line)?;
    let mut out = Vec::with_capacity(encrypted.len() + 128);
    let mut object = Object::begin(&mut out);
    object.number(FIRST_MEMBER, u64::from(VERSION));
    object.string("id", id);
    object.number("received_at_ms", received_at_ms);
    object.string("encrypted", &encrypted);
    object.end();
    Ok(out)
}

/// The decrypted line; `None` if the line is not encrypted, or of a later version, which [`Exchange::read`](crate::Exchange::read) refuses.
#[expect(
    clippy::disallowed_methods,
    reason = "read into a type of named members that holds no `Value`"
)]
pub fn decrypt_line(line: &[u8], identity: &Identity) -> Result<Option<Vec<u8>>, DecryptError> {
    #[derive(Deserialize)]
    struct Encrypted<'a> {
        #[serde(rename = "tenon_tape")]
        version: u32,
        #[serde(borrow)]
        encrypted: Option<Cow<'a, str>>,
    }
    let encrypted = serde_json::from_slice::<Encrypted<'_>>(line)
        .ok()
        .filter(|line| line.version <= VERSION)
        .and_then(|line| line.encrypted);
    encrypted
        .map(|encrypted| identity.decrypt(&encrypted))
        .transpose()
}

fn wrap_key(shared: &[u8; 32], share: &[u8; 32], recipient: &Recipient) -> [u8; 32] {
    let salt = [*share, recipient.0].concat();
    hkdf(&salt, shared, WRAP_INFO)
}

fn header_mac(file_key: &[u8], signed: &[u8]) -> Hmac<Sha256> {
    let mut mac = hmac(&hkdf(b"", file_key, b"header"));
    mac.update(signed);
    mac
}

/// HKDF-SHA256 (RFC 5869) for keys of 32 bytes: one block.
fn hkdf(salt: &[u8], input: &[u8], info: &[u8]) -> [u8; 32] {
    let mut extract = hmac(salt);
    extract.update(input);
    let mut expand = hmac(&extract.finalize().into_bytes());
    expand.update(info);
    expand.update(&[1]);
    expand.finalize().into_bytes().into()
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    // HMAC accepts keys of any length.
    Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
