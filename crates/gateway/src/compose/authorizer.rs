//! Who vouches for the caller of a request, and why claims cannot come from there.

use crate::EventKind;
use json::JsonError;
use std::{fmt, str::FromStr};

/// Who vouches for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authorizer {
    /// A user pool of Cognito, in front of a REST API.
    Cognito,
    /// A JWT authorizer of an HTTP API.
    Jwt,
    /// A function of one's own.
    Lambda,
    /// AWS itself, from the request's signature.
    Iam,
    /// An OpenID provider, to which a load balancer sent the user.
    Oidc,
}

impl Authorizer {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Cognito,
        Self::Jwt,
        Self::Lambda,
        Self::Iam,
        Self::Oidc,
    ];

    /// The name under which people choose it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cognito => "cognito",
            Self::Jwt => "jwt",
            Self::Lambda => "lambda",
            Self::Iam => "iam",
            Self::Oidc => "oidc",
        }
    }

    /// Which authorizer that is, for people.
    pub fn description(self) -> &'static str {
        match self {
            Self::Cognito => "Cognito user pool (REST API)",
            Self::Jwt => "JWT authorizer (HTTP API)",
            Self::Lambda => "Lambda authorizer (REST API, HTTP API)",
            Self::Iam => "IAM (REST API, HTTP API, function URL)",
            Self::Oidc => "OpenID Connect (load balancer)",
        }
    }

    /// Those that a kind of gateway has, the usual one first.
    pub fn of(kind: EventKind) -> &'static [Self] {
        match kind {
            EventKind::Rest => &[Self::Cognito, Self::Lambda, Self::Iam],
            EventKind::HttpApi => &[Self::Jwt, Self::Lambda, Self::Iam],
            EventKind::FunctionUrl => &[Self::Iam],
            EventKind::Alb => &[Self::Oidc],
        }
    }

    /// Whether a kind of gateway takes bearer tokens: a function URL knows callers by AWS's signature of a request only.
    pub fn takes_tokens(kind: EventKind) -> bool {
        match kind {
            EventKind::Rest | EventKind::HttpApi | EventKind::Alb => true,
            EventKind::FunctionUrl => false,
        }
    }

    /// The one that a kind of gateway has for bearer tokens. A load balancer verifies them and adds nothing; a function URL takes none.
    pub fn of_tokens(kind: EventKind) -> Option<Self> {
        match kind {
            EventKind::Rest => Some(Self::Cognito),
            EventKind::HttpApi => Some(Self::Jwt),
            EventKind::FunctionUrl | EventKind::Alb => None,
        }
    }
}

impl fmt::Display for Authorizer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A name that no authorizer has.
#[derive(Debug, thiserror::Error)]
#[error("unknown authorizer `{0}`; one of {names}", names = names(&Authorizer::ALL))]
pub struct AuthorizerNameError(String);

impl FromStr for Authorizer {
    type Err = AuthorizerNameError;

    fn from_str(name: &str) -> Result<Self, AuthorizerNameError> {
        Self::ALL
            .into_iter()
            .find(|authorizer| authorizer.as_str() == name)
            .ok_or_else(|| AuthorizerNameError(name.to_owned()))
    }
}

fn names(authorizers: &[Authorizer]) -> String {
    let names: Vec<_> = authorizers
        .iter()
        .map(|authorizer| format!("`{authorizer}`"))
        .collect();
    names.join(", ")
}

/// Why claims cannot come from an authorizer. No message quotes a value.
#[derive(Debug, thiserror::Error)]
pub enum ClaimsError {
    /// Not JSON.
    #[error("claims are not JSON: {0}")]
    NotJson(#[from] JsonError),
    /// JSON, but something else than an object.
    #[error("claims are {0}, not an object")]
    NotAnObject(&'static str),
    /// The name of a claim occurs twice.
    #[error("claim `{0}` is given twice")]
    Repeated(String),
    /// The kind of gateway has no such authorizer.
    #[error("{kind} has no authorizer `{authorizer}`; it has {names}", kind = .kind.description(), names = names(Authorizer::of(*.kind)))]
    NotOfKind {
        /// Which gateway.
        kind: EventKind,
        /// Which authorizer was asked for.
        authorizer: Authorizer,
    },
    /// A caller that IAM authenticated has other members.
    #[error("claim `{name}` is not a member of an IAM caller; these are {known}")]
    UnknownMember {
        /// As given.
        name: String,
        /// What there is.
        known: String,
    },
    /// A value has a type that the authorizer cannot give.
    #[error("claim `{name}` must be {expected}")]
    Type {
        /// Of the claim.
        name: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// Without it, the gateway's event would name no caller.
    #[error("claim `{0}` is missing, from which {1} knows the caller")]
    Missing(&'static str, Authorizer),
}
