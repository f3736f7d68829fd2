//! Tapes for one reader only: lines encrypted to an age recipient (<https://age-encryption.org/v1>), so that nothing needs to be redacted.
//!
//! Of the format we take what that needs, X25519 recipients, over primitives that the hosts contain anyway: the `age` crate brings 150
//! others, translations of its messages among them. `age` itself reads what is written here, and the tests read what it wrote.

mod bech32;
mod stream;

use super::{VERSION, exchange::FIRST_MEMBER};
use crate::json::Object;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use curve25519_dalek::montgomery::MontgomeryPoint;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use std::{borrow::Cow, fmt, str::FromStr};
use stream::{open_box, seal_box};

const VERSION_LINE: &str = "age-encryption.org/v1";
const STANZA: &str = "-> X25519 ";
const WRAP_INFO: &[u8] = b"age-encryption.org/v1/X25519";
const FILE_KEY_BYTES: usize = 16;
const NONCE_BYTES: usize = 16;
/// Stanzas of other recipients that a header may have before ours.
const HEADER_LINES_MAX: usize = 64;

/// Whom lines are encrypted to: `age1...`, as `age-keygen` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient([u8; 32]);

/// Who can read them: `AGE-SECRET-KEY-1...`.
#[derive(Clone)]
pub struct Identity {
    secret: [u8; 32],
    recipient: Recipient,
}

/// Text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not a recipient.
    #[error("not an age recipient: it begins with `age1`, as `age-keygen` prints it")]
    Recipient,
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
    /// Encrypted to others.
    #[error("encrypted to another recipient")]
    OtherRecipient,
    /// Changed after it was encrypted.
    #[error("damaged: it is not what was encrypted")]
    Damaged,
}

/// The operating system gives no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

impl FromStr for Recipient {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        bech32::decode("age", text.trim())
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(InvalidKey::Recipient)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&bech32::encode("age", &self.0))
    }
}

impl FromStr for Identity {
    type Err = InvalidKey;

    /// Reads an identity, or a file of one: empty lines and lines that begin with `#` are passed over.
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let mut lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let key = lines.next().filter(|key| *key == key.to_ascii_uppercase());
        let secret: [u8; 32] = key
            .and_then(|key| bech32::decode("age-secret-key-", &key.to_ascii_lowercase()))
            .and_then(|bytes| bytes.try_into().ok())
            .filter(|_| lines.next().is_none())
            .ok_or(InvalidKey::Identity)?;
        Ok(Self {
            secret,
            recipient: Recipient(MontgomeryPoint::mul_base_clamped(secret).to_bytes()),
        })
    }
}

/// Never shows the secret.
impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identity({})", self.recipient)
    }
}

impl Identity {
    /// Whom to encrypt to, so that this identity reads it.
    pub fn recipient(&self) -> Recipient {
        self.recipient
    }

    /// The text of what [`Recipient::encrypt`] gave.
    pub fn decrypt(&self, encrypted: &str) -> Result<Vec<u8>, DecryptError> {
        let file = STANDARD
            .decode(encrypted)
            .map_err(|_| DecryptError::Malformed)?;
        let header = Header::read(&file).ok_or(DecryptError::Malformed)?;
        let file_key = header
            .stanzas
            .iter()
            .find_map(|(share, body)| self.unwrap(share, body))
            .ok_or(DecryptError::OtherRecipient)?;
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

    fn unwrap(&self, share: &[u8; 32], body: &[u8]) -> Option<Vec<u8>> {
        let shared = MontgomeryPoint(*share).mul_clamped(self.secret).to_bytes();
        let key = wrap_key(&shared, share, &self.recipient)?;
        let file_key = open_box(&key, [0; 12], body)?;
        (file_key.len() == FILE_KEY_BYTES).then_some(file_key)
    }
}

impl Recipient {
    /// An age file with this text, in base64.
    pub fn encrypt(&self, text: &[u8]) -> Result<String, NoRandomness> {
        let mut random = [0; 32 + FILE_KEY_BYTES + NONCE_BYTES];
        getrandom::fill(&mut random)?;
        let (ephemeral, rest) = random.split_at(32);
        let (file_key, nonce) = rest.split_at(FILE_KEY_BYTES);
        let mut secret = [0; 32];
        secret.copy_from_slice(ephemeral);
        let share = MontgomeryPoint::mul_base_clamped(secret).to_bytes();
        let shared = MontgomeryPoint(self.0).mul_clamped(secret).to_bytes();
        // A recipient for which nothing is shared is none that anybody has: what is written then is read by nobody.
        let key = wrap_key(&shared, &share, self).unwrap_or_default();
        let body = seal_box(&key, [0; 12], file_key);
        let mut file = format!(
            "{VERSION_LINE}\n{STANZA}{}\n{}\n---",
            STANDARD_NO_PAD.encode(share),
            STANDARD_NO_PAD.encode(body)
        );
        let mac = header_mac(file_key, file.as_bytes())
            .finalize()
            .into_bytes();
        file.push_str(&format!(" {}\n", STANDARD_NO_PAD.encode(mac)));
        let mut file = file.into_bytes();
        file.extend_from_slice(nonce);
        stream::seal(&hkdf(nonce, file_key, b"payload"), text, &mut file);
        Ok(STANDARD.encode(file))
    }
}

/// A line of tape for one reader: version, id and time as they were, everything else encrypted.
pub(super) fn encrypt_line(
    line: &[u8],
    id: &str,
    received_at_ms: u64,
    recipient: &Recipient,
) -> Result<Vec<u8>, NoRandomness> {
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

/// The line that was encrypted; `None` where a line is not encrypted.
pub fn decrypt_line(line: &[u8], identity: &Identity) -> Result<Option<Vec<u8>>, DecryptError> {
    #[derive(Deserialize)]
    struct Encrypted<'a> {
        #[serde(borrow)]
        encrypted: Option<Cow<'a, str>>,
    }
    let encrypted = serde_json::from_slice::<Encrypted<'_>>(line)
        .ok()
        .and_then(|line| line.encrypted);
    encrypted
        .map(|encrypted| identity.decrypt(&encrypted))
        .transpose()
}

/// An age file's header, and what follows.
struct Header<'a> {
    /// Ephemeral share and wrapped key of each X25519 stanza.
    stanzas: Vec<([u8; 32], Vec<u8>)>,
    /// What the MAC is over.
    signed: &'a [u8],
    mac: Vec<u8>,
    payload: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(file: &'a [u8]) -> Option<Self> {
        let mut at = 0;
        let mut next = || {
            let end = at + file[at..].iter().position(|byte| *byte == b'\n')?;
            let line = str::from_utf8(&file[at..end]).ok()?;
            let start = std::mem::replace(&mut at, end + 1);
            Some((start, line))
        };
        if next()?.1 != VERSION_LINE {
            return None;
        }
        let mut stanzas = Vec::new();
        let mut share = None;
        for _ in 0..HEADER_LINES_MAX {
            let (start, line) = next()?;
            if let Some(mac) = line.strip_prefix("--- ") {
                return Some(Self {
                    stanzas,
                    signed: &file[..start + 3],
                    mac: STANDARD_NO_PAD.decode(mac).ok()?,
                    payload: &file[at..],
                });
            }
            if line.starts_with("-> ") {
                share = line
                    .strip_prefix(STANZA)
                    .and_then(|share| STANDARD_NO_PAD.decode(share).ok()?.try_into().ok());
            } else if let Some(share) = share.take() {
                stanzas.push((share, STANDARD_NO_PAD.decode(line).ok()?));
            }
        }
        None
    }
}

/// `None`: nothing is shared, which only a made-up key brings about.
fn wrap_key(shared: &[u8; 32], share: &[u8; 32], recipient: &Recipient) -> Option<[u8; 32]> {
    if shared.iter().all(|byte| *byte == 0) {
        return None;
    }
    let salt = [*share, recipient.0].concat();
    Some(hkdf(&salt, shared, WRAP_INFO))
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
    // HMAC takes keys of any length.
    Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"))
}

#[cfg(test)]
mod tests;
