//! A token in its compact form: header, claims and signature in base64url, between dots.

use crate::keys::KeySet;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use json::Value;
use serde::Deserialize;

/// Size of a token.
pub const TOKEN_BYTES_MAX: usize = 16 << 10;
/// How far the clocks of issuer and verifier may be apart, in seconds.
pub const LEEWAY_S: u64 = 60;
/// How many bytes of a foreign name are shown.
const SHOWN_CHARACTERS_MAX: usize = 40;

/// Why a token is refused. No message quotes a claim.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token in compact form.
    #[error("the token {0}")]
    Malformed(&'static str),
    /// Signed with another algorithm, or not at all.
    #[error(
        "the token names the algorithm `{0}`; accepted are `RS256`, `ES256` and `EdDSA`, each with a key of its kind"
    )]
    Algorithm(String),
    /// No key, or several, could have signed it. An issuer that changed its keys publishes the new ones.
    #[error("the token is signed with a key that the key set does not have")]
    UnknownKey,
    /// Changed, or signed by somebody else.
    #[error("the signature of the token is not valid")]
    Signature,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// A time is missing or is not a number.
    #[error("the token's claim `{0}` {1}")]
    Time(&'static str, &'static str),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that a verifier has to understand.
    crit: Option<serde::de::IgnoredAny>,
}

/// Parts of a token, not verified.
struct Parts<'a> {
    header: Header,
    claims: String,
    signed: &'a str,
    signature: Vec<u8>,
}

/// The claims of a token that a key of the set has signed, and that is valid at `now_ms`, as the text of a JSON object.
pub fn verify(token: &str, keys: &KeySet, now_ms: u64) -> Result<String, TokenError> {
    let parts = Parts::of(token)?;
    let (algorithm, id) = (parts.header.alg.as_str(), parts.header.kid.as_deref());
    if parts.header.crit.is_some() {
        return Err(TokenError::Malformed(
            "has extensions that must be understood",
        ));
    }
    if !["RS256", "ES256", "EdDSA"].contains(&algorithm) {
        return Err(algorithm_error(algorithm));
    }
    let key = keys.find(id, algorithm).ok_or_else(|| match id {
        // The key is there, but for another algorithm.
        Some(_) if keys.knows(id) => algorithm_error(algorithm),
        Some(_) | None => TokenError::UnknownKey,
    })?;
    if !key.has_signed(parts.signed.as_bytes(), &parts.signature) {
        return Err(TokenError::Signature);
    }
    check_times(&parts.claims, now_ms)?;
    Ok(parts.claims)
}

/// The claims of a token that anybody may have written. Only its form and its times are checked.
pub fn read_unverified(token: &str, now_ms: u64) -> Result<String, TokenError> {
    let parts = Parts::of(token)?;
    check_times(&parts.claims, now_ms)?;
    Ok(parts.claims)
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed("is too large"));
        }
        let not_compact = TokenError::Malformed("does not consist of three parts between dots");
        let Some((signed, signature)) = token.rsplit_once('.') else {
            return Err(not_compact);
        };
        let (header, claims) = match signed.split_once('.') {
            Some((header, claims)) if !claims.contains('.') => (header, claims),
            Some(_) | None => return Err(not_compact),
        };
        let decoded = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| TokenError::Malformed("is not base64url"))
        };
        let header = json::read(&decoded(header)?)
            .map_err(|_| TokenError::Malformed("has no header with an algorithm"))?;
        let claims = String::from_utf8(decoded(claims)?)
            .map_err(|_| TokenError::Malformed("has claims that are not UTF-8"))?;
        match json::value(claims.as_bytes()) {
            Ok(Value::Object(_)) => {}
            Ok(_) | Err(_) => {
                return Err(TokenError::Malformed(
                    "has claims that are not a JSON object",
                ));
            }
        }
        Ok(Self {
            header,
            claims,
            signed,
            signature: decoded(signature)?,
        })
    }
}

/// Checks `exp`, which must be there, and `nbf` and `iat`, which may be. A name that occurs twice could be read differently by others.
fn check_times(claims: &str, now_ms: u64) -> Result<(), TokenError> {
    let members =
        json::members(claims).map_err(|_| TokenError::Malformed("has claims that are not JSON"))?;
    let time = |name: &'static str| {
        let mut found = members.iter().filter(|(member, _)| member == name);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(TokenError::Time(name, "is there twice")),
            (Some((_, value)), None) => match value.parse::<f64>() {
                Ok(seconds) if seconds.is_finite() => Ok(Some(seconds)),
                Ok(_) | Err(_) => Err(TokenError::Time(name, "is not a number of seconds")),
            },
        }
    };
    let now_s = now_ms as f64 / 1000.0;
    let leeway_s = LEEWAY_S as f64;
    let (expiry, begin, issue) = (time("exp")?, time("nbf")?, time("iat")?);
    match expiry {
        None => return Err(TokenError::Time("exp", "is missing")),
        Some(expiry) if now_s >= expiry + leeway_s => return Err(TokenError::Expired),
        Some(_) => {}
    }
    let is_early = |time: f64| now_s < time - leeway_s;
    if begin.is_some_and(is_early) || issue.is_some_and(is_early) {
        return Err(TokenError::NotYetValid);
    }
    Ok(())
}

fn algorithm_error(algorithm: &str) -> TokenError {
    TokenError::Algorithm(algorithm.chars().take(SHOWN_CHARACTERS_MAX).collect())
}
