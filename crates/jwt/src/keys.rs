//! Public keys of an issuer, as it publishes them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;

/// Size of a key set. Load balancers accept no larger ones, either.
pub const KEY_SET_BYTES_MAX: usize = 150 << 10;
/// Keys in a set.
pub const KEYS_MAX: usize = 100;
/// Size of the modulus of an RSA key; smaller ones are not safe, larger ones take long.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// Size of a coordinate, or of an Ed25519 key.
const COORDINATE_BYTES: usize = 32;

/// The keys of an issuer that can verify tokens.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
}

#[derive(Debug)]
pub(crate) struct Key {
    id: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// Why a text is not a set of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// Too large to be read.
    #[error("the key set has more than {KEY_SET_BYTES_MAX} bytes")]
    TooLarge,
    /// Not JSON of a key set (RFC 7517, 5).
    #[error("the key set is not an object with a list `keys` of public keys: {0}")]
    NotASet(#[from] serde_json::Error),
    /// Too many to be searched for every request.
    #[error("the key set has more than {KEYS_MAX} keys")]
    TooMany,
    /// No key that can be used here.
    #[error(
        "the key set has no key for signatures with RS256 (RSA of 2,048 to 8,192 bits), ES256 (P-256) or EdDSA (Ed25519)"
    )]
    Empty,
    /// It has private keys, which nobody should pass around.
    #[error("the key set contains the private key of a signer; pass its public keys only")]
    Private,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Published>,
}

/// A key as it is published. Other members are about its use elsewhere.
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<String>,
    k: Option<String>,
}

impl KeySet {
    /// Reads a key set. Keys for encryption or with unknown algorithms are left out, as RFC 7517 asks.
    pub fn parse(json: &[u8]) -> Result<Self, KeySetError> {
        if json.len() > KEY_SET_BYTES_MAX {
            return Err(KeySetError::TooLarge);
        }
        let Set { keys } = json::read(json)?;
        if keys.len() > KEYS_MAX {
            return Err(KeySetError::TooMany);
        }
        if keys.iter().any(|key| key.d.is_some() || key.k.is_some()) {
            return Err(KeySetError::Private);
        }
        let keys: Vec<_> = keys.into_iter().filter_map(Published::usable).collect();
        if keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        Ok(Self { keys })
    }

    /// The only key that a token can be signed with: that of its key id, or of its algorithm if it names none.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: &str) -> Option<&Key> {
        let mut fitting = self.keys.iter().filter(|key| {
            key.algorithm() == algorithm && (id.is_none() || key.id.as_deref() == id)
        });
        let key = fitting.next()?;
        fitting.next().is_none().then_some(key)
    }

    /// Whether there is a key of this id, for any algorithm.
    pub(crate) fn knows(&self, id: Option<&str>) -> bool {
        self.keys
            .iter()
            .any(|key| id.is_none() || key.id.as_deref() == id)
    }
}

impl Published {
    fn usable(self) -> Option<Key> {
        if self.r#use.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
        let coordinate = |text| bytes(text).filter(|bytes| bytes.len() == COORDINATE_BYTES);
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Material::Rsa {
                n: bytes(self.n).filter(|n| RSA_BYTES.contains(&n.len()))?,
                e: bytes(self.e)?,
            },
            ("EC", Some("P-256")) => {
                let mut point = vec![4]; // uncompressed
                point.extend(coordinate(self.x)?);
                point.extend(coordinate(self.y)?);
                Material::P256(point)
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(coordinate(self.x)?),
            (_, _) => return None,
        };
        let key = Key {
            id: self.kid,
            material,
        };
        self.alg
            .is_none_or(|algorithm| algorithm == key.algorithm())
            .then_some(key)
    }
}

impl Key {
    /// The only algorithm of which the key verifies signatures.
    fn algorithm(&self) -> &'static str {
        match &self.material {
            Material::Rsa { .. } => "RS256",
            Material::P256(_) => "ES256",
            Material::Ed25519(_) => "EdDSA",
        }
    }

    /// Whether `signature` is the key's signature of `message`.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.material {
            Material::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Material::Ed25519(key) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
        };
        verified.is_ok()
    }
}
