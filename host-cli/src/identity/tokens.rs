//! Bearer tokens: the keys that verify them, and the caller that each names.

use super::fetch;
use crate::{exit::CommandError, input};
use gateway::{
    EventKind,
    compose::{Authorization, Authorizer, TokenRefusal},
};
use jwt::{KEY_SET_BYTES_MAX, KeySet, TokenError};
use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// How long to wait before an issuer is asked again for its keys, because a token names one that was not among them.
const REFETCH_INTERVAL_MIN: Duration = Duration::from_secs(60);

/// The field that contains a token.
const AUTHORIZATION: &str = "authorization";

/// Verifies the tokens of requests.
#[derive(Debug)]
pub struct Tokens {
    kind: EventKind,
    keys: Keys,
    is_optional: bool,
}

#[derive(Debug)]
enum Keys {
    /// Every token is believed.
    None,
    /// From a file.
    Fixed(KeySet),
    /// From an issuer, which may change them.
    Published {
        address: String,
        set: RwLock<Arc<KeySet>>,
        asked: tokio::sync::Mutex<Instant>,
    },
}

/// Why a request has no caller, for its client and for the log.
#[derive(Debug)]
pub struct TokenFault {
    /// For the client.
    pub refusal: TokenRefusal,
    /// For the log; without anything of the token.
    pub message: String,
}

impl Tokens {
    /// Reads the keys from a file, or fetches them.
    pub async fn open(
        kind: EventKind,
        keys: Option<&str>,
        is_optional: bool,
    ) -> Result<Self, CommandError> {
        let keys = match keys {
            None => Keys::None,
            Some(address) if fetch::is_address(address) => Keys::Published {
                set: RwLock::new(Arc::new(published(address).await.map_err(|message| {
                    CommandError::environment(message).hint(
                        "check the address with a browser, or pass a file: `--jwks keys.json`",
                    )
                })?)),
                address: address.to_owned(),
                asked: tokio::sync::Mutex::new(Instant::now()),
            },
            Some(path) => {
                let bytes = input::read_file(Path::new(path), "key set", KEY_SET_BYTES_MAX as u64)?;
                Keys::Fixed(KeySet::parse(&bytes).map_err(|error| {
                    CommandError::environment(format_args!("`{path}`: {error}"))
                        .hint("pass what the issuer publishes at its `jwks_uri`")
                })?)
            }
        };
        Ok(Self {
            kind,
            keys,
            is_optional,
        })
    }

    /// The caller that a request's `authorization` fields name. A load balancer passes the request on as it is.
    pub async fn caller(
        &self,
        headers: &[(&str, &str)],
        now_ms: u64,
    ) -> Result<Option<Authorization>, TokenFault> {
        let mut names = headers.iter().map(|(name, _)| name);
        if self.is_optional && !names.any(|name| name.eq_ignore_ascii_case(AUTHORIZATION)) {
            return Ok(None);
        }
        let token = bearer(headers).ok_or_else(|| TokenFault {
            refusal: TokenRefusal::Missing,
            message: "the request has no bearer token".to_owned(),
        })?;
        let claims = self
            .verify(token, now_ms)
            .await
            .map_err(|error| TokenFault {
                refusal: match error {
                    TokenError::Expired => TokenRefusal::Expired,
                    TokenError::Malformed(_)
                    | TokenError::Algorithm(_)
                    | TokenError::UnknownKey
                    | TokenError::Signature
                    | TokenError::NotYetValid
                    | TokenError::Time(..) => TokenRefusal::Invalid,
                },
                message: error.to_string(),
            })?;
        let Some(authorizer) = Authorizer::of_tokens(self.kind) else {
            return Ok(None);
        };
        Authorization::new(self.kind, authorizer, &claims, &[])
            .map(Some)
            .map_err(|error| TokenFault {
                refusal: TokenRefusal::Invalid,
                message: format!("the token's {error}"),
            })
    }

    async fn verify(&self, token: &str, now_ms: u64) -> Result<String, TokenError> {
        match &self.keys {
            Keys::None => jwt::read_unverified(token, now_ms),
            Keys::Fixed(keys) => jwt::verify(token, keys, now_ms),
            Keys::Published {
                address,
                set,
                asked,
            } => match jwt::verify(token, &current(set), now_ms) {
                Err(TokenError::UnknownKey) => {
                    refetch(address, set, asked).await;
                    jwt::verify(token, &current(set), now_ms)
                }
                verified => verified,
            },
        }
    }
}

fn current(set: &RwLock<Arc<KeySet>>) -> Arc<KeySet> {
    set.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Fetches the keys again, unless that was done a moment ago. Whoever waits finds them fetched.
async fn refetch(address: &str, set: &RwLock<Arc<KeySet>>, asked: &tokio::sync::Mutex<Instant>) {
    let mut asked = asked.lock().await;
    if asked.elapsed() < REFETCH_INTERVAL_MIN {
        return;
    }
    *asked = Instant::now();
    // The old keys stay if the issuer does not answer.
    if let Ok(keys) = published(address).await {
        *set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

async fn published(address: &str) -> Result<KeySet, String> {
    let bytes = fetch::get(address, KEY_SET_BYTES_MAX)
        .await
        .map_err(|error| format!("failed to fetch keys from `{address}`: {error}"))?;
    KeySet::parse(&bytes).map_err(|error| format!("`{address}`: {error}"))
}

/// The token of the one `authorization` field, if there is exactly one, with the scheme `Bearer` (RFC 6750, 2.1) or, as AWS accepts it, without
/// a scheme.
fn bearer<'a>(headers: &[(&str, &'a str)]) -> Option<&'a str> {
    let mut fields = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION));
    let (_, value) = fields.next()?;
    if fields.next().is_some() {
        return None;
    }
    let value = value.trim();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Some(token.trim()),
        Some(_) => None,
        None => Some(value).filter(|token| !token.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_in_the_one_authorization_field() {
        for (fields, expected) in [
            (&[("authorization", "Bearer a.b.c")][..], Some("a.b.c")),
            (&[("Authorization", "bearer  a.b.c ")], Some("a.b.c")),
            (&[("authorization", "a.b.c")], Some("a.b.c")),
            (&[("authorization", "Basic YTpi")], None),
            (&[("authorization", "")], None),
            (&[("x-authorization", "Bearer a.b.c")], None),
            (
                &[
                    ("authorization", "Bearer a.b.c"),
                    ("authorization", "Bearer d.e.f"),
                ],
                None,
            ),
            (&[], None),
        ] {
            assert_eq!(bearer(fields), expected, "{fields:?}");
        }
    }
}
