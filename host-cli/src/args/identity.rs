//! `--claims`, `--jwt` and what belongs to them: who calls, in every command that makes events.

use clap::{Args, ValueEnum, builder::PossibleValue};
use gateway::{EventKind, compose::Authorizer};
use std::sync::LazyLock;

/// One caller for all requests.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Identity")]
pub struct ClaimsOptions {
    /// The caller of each request: claims as a JSON object, or a file that contains one; they reach the guest as from the gateway's authorizer
    #[arg(long, value_name = "FILE|JSON")]
    pub claims: Option<String>,
    #[arg(long, value_enum, requires = "claims", help = authorizer_help())]
    pub authorizer: Option<AuthorizerName>,
    /// A scope that the authorizer granted; may be repeated
    #[arg(long, value_name = "NAME", requires = "claims")]
    pub scope: Vec<String>,
}

fn authorizer_help() -> String {
    let defaults = EventKind::ALL.map(|kind| match Authorizer::of(kind).first() {
        Some(usual) => format!("{kind}: {usual}"),
        None => format!("{kind}: none"),
    });
    format!(
        "Which authorizer gives the claims [default: {}]",
        defaults.join(", ")
    )
}

/// Who calls a server.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Identity")]
pub struct IdentityOptions {
    #[command(flatten)]
    pub claims: ClaimsOptions,
    /// Take the caller from the bearer token of each request, as a JWT authorizer does; a request without a valid one is answered 401
    #[arg(long, conflicts_with = "claims")]
    pub jwt: bool,
    /// With `--jwt`: a request without a token has no caller, as on a route without an authorizer
    #[arg(long, requires = "jwt")]
    pub jwt_optional: bool,
    /// The public keys that verify tokens: a file, or the address where the issuer publishes them; without it, anybody can make tokens
    #[arg(long, value_name = "FILE|URL", requires = "jwt")]
    pub jwks: Option<String>,
}

/// An authorizer, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorizerName(pub Authorizer);

impl ValueEnum for AuthorizerName {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<AuthorizerName>> =
            LazyLock::new(|| Authorizer::ALL.into_iter().map(AuthorizerName).collect());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.as_str()).help(self.0.description()))
    }
}
