//! Who the caller is, as an authorizer in front of the host established.

use crate::{Context, FromRequest, FromRequestOptional, Problem, log::Level};
use alloc::{format, string::String};
use serde::de::{DeserializeOwned, IgnoredAny};

/// The caller. A request without one is answered with 401; `Option<Identity>` takes both.
///
/// `Claims` is a type of the claims that the handler needs; claims that do not fit it are answered with 403, and the log says why.
///
/// ```
/// use serde::Deserialize;
/// use tenon::{App, Identity};
///
/// #[derive(Deserialize)]
/// struct Claims {
///     email: String,
/// }
///
/// let app = App::new().get("/me", |caller: Identity<Claims>| caller.claims.email);
/// let client = app.test();
/// assert_eq!(client.get("/me").send().status(), 401);
/// let claims = serde_json::json!({"email": "ada@example.org"});
/// assert_eq!(client.get("/me").caller("ada", &claims).send().text(), "ada@example.org");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity<Claims = IgnoredClaims> {
    /// The authorizer's stable name for the caller, if it gave one.
    pub subject: Option<String>,
    /// What the authorizer said.
    pub claims: Claims,
}

/// Claims that the handler does not need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IgnoredClaims;

impl<'de> serde::Deserialize<'de> for IgnoredClaims {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl<Claims> Identity<Claims> {
    /// The subject, or 401 if the authorizer gave none.
    pub fn subject(&self) -> Result<&str, Problem> {
        let missing = || Problem::unauthorized("the caller has no name");
        self.subject.as_deref().ok_or_else(missing)
    }
}

impl<Claims: DeserializeOwned> FromRequestOptional for Identity<Claims> {
    fn from_request_optional(context: &Context) -> Result<Option<Self>, Problem> {
        let Some(caller) = &context.caller else {
            return Ok(None);
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the host wrote it, and the type is the application's"
        )]
        let claims = serde_json::from_str(&caller.claims);
        let claims =
            claims.map_err(|error| {
                let error = format!("the claims do not fit: {error}");
                Problem::forbidden("the caller's claims are not the ones that this needs")
                    .caused_by(Level::Warn, "caller refused", error)
            })?;
        Ok(Some(Self {
            subject: caller.subject.clone(),
            claims,
        }))
    }
}

impl<Claims: DeserializeOwned> FromRequest for Identity<Claims> {
    fn from_request(context: &Context) -> Result<Self, Problem> {
        Self::from_request_optional(context)?
            .ok_or_else(|| Problem::unauthorized("this needs a caller who is known"))
    }
}
