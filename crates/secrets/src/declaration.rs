//! Which secrets a guest has, where its host finds them, and what the guest may do with them.
//!
//! Project files and the variable `TENON_SECRETS` have the same form:
//!
//! ```
//! let declarations = secrets::SecretDeclarations::from_json(
//!     r#"{
//!         "stripe-key": {"from": "env:STRIPE_KEY", "for": ["https://api.stripe.com"]},
//!         "webhook-key": {"from": "file:webhook.key", "hmac": true}
//!     }"#,
//! )?;
//! declarations.check()?;
//! # Ok::<(), secrets::DeclarationError>(())
//! ```

use crate::{
    name::SecretName,
    origin::Origin,
    source::{Source, SourceError},
    value::ValueEncoding,
};
use contract::limits::{SECRET_ORIGINS_MAX, SECRETS_MAX};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

/// Bytes of declarations as JSON: a Lambda function's whole environment has 4 KiB, a project file 64 KiB.
const JSON_BYTES_MAX: usize = 64 * 1024;

/// A part of an outgoing request in which placeholders are filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The values of its header fields.
    Headers,
    /// The path and query of its URL.
    Url,
    /// Its body.
    Body,
}

/// One secret of a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretDeclaration {
    /// Where its host finds it.
    pub from: Source,
    /// How it is written there.
    #[serde(skip_serializing_if = "is_plain")]
    pub encoding: ValueEncoding,
    /// The origins for which it is filled into requests.
    #[serde(rename = "for", skip_serializing_if = "BTreeSet::is_empty")]
    pub origins: BTreeSet<Origin>,
    /// The parts of requests in which it is filled in; empty if `origins` is.
    #[serde(rename = "in", skip_serializing_if = "is_default")]
    pub places: BTreeSet<Place>,
    /// Whether the guest may sign and verify with it.
    #[serde(skip_serializing_if = "is_false")]
    pub hmac: bool,
    /// Whether the guest may read it.
    #[serde(skip_serializing_if = "is_false")]
    pub reveal: bool,
}

/// The secrets of a guest, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SecretDeclarations(BTreeMap<SecretName, SecretDeclaration>);

/// Why declarations are not used. No text repeats a source, because somebody may have written the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// The JSON is none, or has other members.
    #[error("secrets are not declared in a readable form: {0}")]
    Form(String),
    /// A guest may do nothing with a secret.
    #[error(
        "secret `{0}` has no use: say `for = [\"https://HOST\"]` to have it filled into requests, `hmac = true` or `reveal = true`"
    )]
    NoUse(SecretName),
    /// Places without origins.
    #[error("secret `{0}` has `in`, which has no effect without `for`")]
    PlacesWithoutOrigins(SecretName),
    /// Too many origins.
    #[error("secret `{0}` is for more than {SECRET_ORIGINS_MAX} origins")]
    Origins(SecretName),
    /// Too many secrets.
    #[error("a guest has at most {SECRETS_MAX} secrets")]
    Secrets,
}

impl DeclarationError {
    /// The secret that is wrong, if it is one alone.
    pub fn secret(&self) -> Option<&SecretName> {
        match self {
            Self::NoUse(name) | Self::PlacesWithoutOrigins(name) | Self::Origins(name) => {
                Some(name)
            }
            Self::Form(_) | Self::Secrets => None,
        }
    }
}

impl SecretDeclaration {
    /// Without any use.
    pub fn new(from: Source) -> Self {
        Self {
            from,
            encoding: ValueEncoding::Plain,
            origins: BTreeSet::new(),
            places: BTreeSet::new(),
            hmac: false,
            reveal: false,
        }
    }

    fn has_use(&self) -> bool {
        !self.origins.is_empty() || self.hmac || self.reveal
    }
}

impl SecretDeclarations {
    /// Reads the JSON of the variable `TENON_SECRETS`.
    pub fn from_json(json: &str) -> Result<Self, DeclarationError> {
        if json.len() > JSON_BYTES_MAX {
            let form = format!("more than {JSON_BYTES_MAX} bytes");
            return Err(DeclarationError::Form(form));
        }
        let read = json::read(json.as_bytes());
        read.map_err(|error| DeclarationError::Form(json::without_input(&error.to_string())))
    }

    /// Adds or replaces one.
    pub fn insert(&mut self, name: SecretName, declaration: SecretDeclaration) {
        self.0.insert(name, declaration);
    }

    /// The secret of this name.
    pub fn get(&self, name: &str) -> Option<&SecretDeclaration> {
        self.0.get(name)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&SecretName, &SecretDeclaration)> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These declarations, and those of `base` for other names. One without any use, as the short form gives it, only says where the secret
    /// is found; its uses are those of `base`.
    #[must_use]
    pub fn over(mut self, base: &Self) -> Self {
        for (name, declared) in &base.0 {
            match self.0.get_mut(name) {
                Some(declaration) if declaration.has_use() => {}
                Some(declaration) => {
                    let from = declaration.from.clone();
                    *declaration = SecretDeclaration {
                        from,
                        ..declared.clone()
                    };
                }
                None => {
                    self.0.insert(name.clone(), declared.clone());
                }
            }
        }
        self
    }

    /// The same with relative paths of files made ones below `folder`.
    #[must_use]
    pub fn below(self, folder: &Path) -> Self {
        let below = self.0.into_iter().map(|(name, declaration)| {
            let from = declaration.from.below(folder);
            (
                name,
                SecretDeclaration {
                    from,
                    ..declaration
                },
            )
        });
        Self(below.collect())
    }

    /// Whether they can be used: each secret has a use, and all are within the limits.
    pub fn check(&self) -> Result<(), DeclarationError> {
        if self.0.len() > SECRETS_MAX {
            return Err(DeclarationError::Secrets);
        }
        for (name, declaration) in &self.0 {
            let error = if declaration.origins.is_empty() && !declaration.places.is_empty() {
                DeclarationError::PlacesWithoutOrigins
            } else if !declaration.has_use() {
                DeclarationError::NoUse
            } else if declaration.origins.len() > SECRET_ORIGINS_MAX {
                DeclarationError::Origins
            } else {
                continue;
            };
            return Err(error(name.clone()));
        }
        Ok(())
    }
}

fn default_places() -> BTreeSet<Place> {
    BTreeSet::from([Place::Headers])
}

fn is_default(places: &BTreeSet<Place>) -> bool {
    places.is_empty() || *places == default_places()
}

fn is_plain(encoding: &ValueEncoding) -> bool {
    *encoding == ValueEncoding::Plain
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A declaration in full.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    from: Source,
    #[serde(default)]
    encoding: ValueEncoding,
    #[serde(default, rename = "for")]
    origins: BTreeSet<Origin>,
    #[serde(rename = "in")]
    places: Option<BTreeSet<Place>>,
    #[serde(default)]
    hmac: bool,
    #[serde(default)]
    reveal: bool,
}

impl From<Members> for SecretDeclaration {
    fn from(members: Members) -> Self {
        let places = match members.places {
            Some(places) => places,
            None if members.origins.is_empty() => BTreeSet::new(),
            None => default_places(),
        };
        Self {
            from: members.from,
            encoding: members.encoding,
            origins: members.origins,
            places,
            hmac: members.hmac,
            reveal: members.reveal,
        }
    }
}

struct DeclarationVisitor;

impl<'de> Visitor<'de> for DeclarationVisitor {
    type Value = SecretDeclaration;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a source, or an object with `from`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretDeclaration, E> {
        let from = text
            .parse()
            .map_err(|error: SourceError| E::custom(error))?;
        Ok(SecretDeclaration::new(from))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretDeclaration, A::Error> {
        Members::deserialize(MapAccessDeserializer::new(map)).map(SecretDeclaration::from)
    }
}

impl<'de> Deserialize<'de> for SecretDeclaration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DeclarationVisitor)
    }
}

struct DeclarationsVisitor;

impl<'de> Visitor<'de> for DeclarationsVisitor {
    type Value = SecretDeclarations;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with a member for each secret")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretDeclarations, A::Error> {
        let mut declarations = SecretDeclarations::default();
        while let Some(name) = map.next_key::<SecretName>()? {
            if declarations.0.len() == SECRETS_MAX {
                return Err(A::Error::custom(DeclarationError::Secrets));
            }
            if declarations.0.contains_key(&name) {
                return Err(A::Error::custom(format_args!("`{name}` is declared twice")));
            }
            let declaration = map.next_value()?;
            declarations.insert(name, declaration);
        }
        Ok(declarations)
    }
}

impl<'de> Deserialize<'de> for SecretDeclarations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DeclarationsVisitor)
    }
}

#[cfg(test)]
mod tests;
