//! Verifies JSON Web Tokens (RFC 7519) with the public keys of their issuer (RFC 7517).
//!
//! The key decides about the algorithm, never the token: an RSA key verifies RS256, a P-256 key ES256, an Ed25519 key EdDSA, and a token that
//! names another algorithm, or `none`, is refused. So no token can be checked with a key of another kind. Times are checked with [`LEEWAY_S`];
//! a token without `exp` is refused. The issuer and the audience are not looked at: the keys say whom one trusts.
//!
//! Own code on `ring`, which the TLS stack contains anyway: libraries for tokens bring a second implementation of RSA, or a second TLS stack.
#![warn(missing_docs)]

mod keys;
mod token;

pub use keys::{KEY_SET_BYTES_MAX, KEYS_MAX, KeySet, KeySetError};
pub use token::{LEEWAY_S, TOKEN_BYTES_MAX, TokenError, read_unverified, verify};
