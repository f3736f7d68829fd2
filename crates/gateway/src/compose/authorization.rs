//! What an authorizer adds to an event: claims about the caller, in the form of the emulated gateway.
//!
//! | authorizer | kinds | form | AWS |
//! |---|---|---|---|
//! | Cognito | REST | `authorizer.claims`, all values texts | "Control access to REST APIs using Amazon Cognito user pools" |
//! | JWT | HTTP API | `authorizer.jwt`, all values texts | "Control access to HTTP APIs with JWT authorizers" |
//! | Lambda | REST, HTTP API | `authorizer`, `authorizer.lambda`: the context | "Use API Gateway Lambda authorizers" |
//! | IAM | REST, HTTP API, function URL | `identity`, `authorizer.iam` | "Create AWS Lambda proxy integrations for HTTP APIs" |
//! | OIDC | load balancer | headers `x-amzn-oidc-*` | "Authenticate users using an Application Load Balancer" |

use super::{
    authorizer::{Authorizer, ClaimsError},
    claims,
    maps::Pair,
};
use crate::{EventKind, envelope::CallerIdentity};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use json::{Object, write_array, write_string};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The header that holds the caller's `sub`.
const OIDC_IDENTITY: &str = "x-amzn-oidc-identity";
/// The header that holds the claims, as a token that the load balancer signs.
const OIDC_DATA: &str = "x-amzn-oidc-data";
/// What these headers begin with, and that of the provider's token, which nobody has here: a client's own do not pass.
const OIDC_PREFIX: &str = "x-amzn-oidc-";
/// How long a token of the load balancer is valid.
const OIDC_DURATION_S: u64 = 120;

/// A caller, in the form in which the authorizer of one kind of gateway adds it to each event.
#[derive(Clone, Debug)]
pub struct Authorization {
    kind: EventKind,
    addition: Addition,
}

#[derive(Clone, Debug)]
enum Addition {
    /// `requestContext.authorizer`.
    Authorizer(Box<RawValue>),
    /// `requestContext.identity`.
    Identity(Box<CallerIdentity<'static>>),
    /// Headers.
    Oidc { subject: String, claims: String },
}

impl Authorization {
    /// Wraps claims, the text of a JSON object, as `authorizer` does. Names and their order stay; values become what the authorizer makes of
    /// them. `scopes` are those that a JWT authorizer or a user pool granted.
    pub fn new(
        kind: EventKind,
        authorizer: Authorizer,
        claims: &str,
        scopes: &[String],
    ) -> Result<Self, ClaimsError> {
        if !Authorizer::of(kind).contains(&authorizer) {
            return Err(ClaimsError::NotOfKind { kind, authorizer });
        }
        let members = claims::members(claims)?;
        let addition = match (kind, authorizer) {
            (_, Authorizer::Cognito) => {
                let mut json = Vec::new();
                let mut object = Object::begin(&mut json);
                claims::write_texts(object.object("claims"), &members, claims::text_of_cognito)?;
                if !scopes.is_empty() {
                    write_array(object.name("scopes"), scopes.iter(), |out, scope| {
                        write_string(out, scope);
                    });
                }
                object.end();
                authorizer_member(json)?
            }
            (_, Authorizer::Jwt) => {
                let mut json = Vec::new();
                let mut object = Object::begin(&mut json);
                let mut jwt = object.object("jwt");
                claims::write_texts(jwt.object("claims"), &members, claims::text_of_jwt)?;
                if scopes.is_empty() {
                    jwt.null("scopes");
                } else {
                    write_array(jwt.name("scopes"), scopes.iter(), |out, scope| {
                        write_string(out, scope);
                    });
                }
                jwt.end();
                object.end();
                authorizer_member(json)?
            }
            (EventKind::Rest, Authorizer::Lambda) => {
                claims::check_context_of_rest(&members)?;
                authorizer_member(claims::object(&members))?
            }
            (EventKind::HttpApi | EventKind::FunctionUrl | EventKind::Alb, Authorizer::Lambda) => {
                authorizer_member(wrapped("lambda", &claims::object(&members)))?
            }
            (EventKind::Rest, Authorizer::Iam) => {
                Addition::Identity(Box::new(claims::iam_caller_of_rest(&members)?))
            }
            (EventKind::HttpApi | EventKind::FunctionUrl | EventKind::Alb, Authorizer::Iam) => {
                authorizer_member(wrapped("iam", &claims::iam_caller(&members)?))?
            }
            (_, Authorizer::Oidc) => Addition::Oidc {
                subject: claims::subject(&members)?,
                claims: String::from_utf8_lossy(&claims::object(&members)).into_owned(),
            },
        };
        Ok(Self { kind, addition })
    }

    /// How many bytes the event grows by, at most.
    pub(super) fn bytes(&self) -> usize {
        match &self.addition {
            Addition::Authorizer(json) => json.get().len(),
            Addition::Identity(caller) => caller
                .members()
                .iter()
                .map(|(_, text)| text.as_ref().map_or(0, |text| text.0.len()))
                .sum(),
            // Base64 adds a third.
            Addition::Oidc { subject, claims } => subject.len() + 2 * claims.len() + 1024,
        }
    }

    /// `requestContext.authorizer`, if the caller is there.
    pub(super) fn authorizer(&self) -> Option<&RawValue> {
        match &self.addition {
            Addition::Authorizer(json) => Some(json),
            Addition::Identity(_) | Addition::Oidc { .. } => None,
        }
    }

    /// `requestContext.identity`, if the caller is there; without an address.
    pub(super) fn identity(&self) -> Option<CallerIdentity<'static>> {
        match &self.addition {
            Addition::Identity(caller) => Some((**caller).clone()),
            Addition::Authorizer(_) | Addition::Oidc { .. } => None,
        }
    }

    /// The kind of gateway for which it was made.
    pub(super) fn kind(&self) -> EventKind {
        self.kind
    }

    /// Replaces a client's own headers about the caller by those of the load balancer.
    pub(super) fn add_headers<'a>(&'a self, headers: &mut Vec<Pair<'a>>, received_at_ms: u64) {
        let Addition::Oidc { subject, claims } = &self.addition else {
            return;
        };
        headers.retain(|(name, _)| !name.starts_with(OIDC_PREFIX));
        let data = token_of_load_balancer(claims, received_at_ms / 1000 + OIDC_DURATION_S);
        for (name, value) in [
            (OIDC_DATA, Cow::Owned(data)),
            (OIDC_IDENTITY, Cow::Borrowed(subject.as_str())),
        ] {
            headers.push((Cow::Borrowed(name), value));
        }
    }
}

/// Claims as the load balancer sends them: with padding, unlike other tokens. Only the load balancer can sign them, so a guest that checks the
/// signature refuses this one.
fn token_of_load_balancer(claims: &str, expires_at_s: u64) -> String {
    let mut header = Vec::new();
    let mut object = Object::begin(&mut header);
    object.plain("typ", "JWT");
    object.plain("kid", "00000000-0000-0000-0000-000000000000");
    object.plain("alg", "ES256");
    object.plain(
        "signer",
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/tenon/0123456789abcdef",
    );
    object.number("exp", expires_at_s);
    object.end();
    let [header, claims, signature] =
        [&header, claims.as_bytes(), &[0; 64]].map(|part| URL_SAFE.encode(part));
    format!("{header}.{claims}.{signature}")
}

#[expect(clippy::disallowed_methods, reason = "a text of ours, as a span")]
fn authorizer_member(json: Vec<u8>) -> Result<Addition, ClaimsError> {
    // Values are copied as they were checked, so this only counts what was written.
    let text = String::from_utf8_lossy(&json).into_owned();
    json::check(text.as_bytes())?;
    serde_json::from_str(&text)
        .map(Addition::Authorizer)
        .map_err(|_| ClaimsError::NotAnObject("unreadable"))
}

fn wrapped(name: &str, json: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut object = Object::begin(&mut out);
    object.raw(name, json);
    object.end();
    out
}
