//! The signed document that says which guests answer which requests.

mod name;

#[cfg(test)]
mod tests;

pub use name::{ChannelName, ChannelNameError};

use super::{
    format::check_format,
    signature::{PublicKeys, Purpose, SignatureError},
};
use contract::{
    compatibility::HANDLER,
    digest::Digest,
    http::is_token,
    limits::{
        CHANNEL_GENERATION_MAX, CHANNEL_ROUTES_MAX, ENVIRONMENT_VARIABLES_MAX, LIMITS,
        OUTGOING_GRANTS_MAX, PartialLimits, ROUTE_GUESTS_MAX,
    },
};
use outgoing::Grants;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use std::collections::BTreeMap;
use storage::Namespace;

/// The version of this document.
const FORMAT: u32 = 1;
/// Replaces a value that is not shown.
const HIDDEN: &str = "(hidden)";

/// The guests that serve, in one generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The version of the format.
    pub format: u32,
    /// The channel that this is for, so that a document of one channel is not accepted for another.
    pub channel: ChannelName,
    /// Counts changes from 1. A host never accepts a generation below its current one; a rollback is a new generation, too.
    pub generation: u64,
    /// This generation goes back to guests that served before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rollback: bool,
    /// Milliseconds since the Unix epoch at which it was signed.
    pub issued_at_ms: u64,
    /// Milliseconds since the Unix epoch from which hosts no longer accept it.
    pub expires_at_ms: u64,
    /// Who signed, in the publisher's own words.
    pub by: String,
    /// The export that all its guests have, with its version.
    pub world: String,
    /// A request header with which a client can select a guest of its route by at least the first 12 digits of its digest, for tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select_header: Option<String>,
    /// The routes, by path.
    pub routes: Vec<Route>,
}

/// The guests for one part of the paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Leading segments of the paths that these guests answer; `/` for all paths without a longer route.
    pub path: String,
    /// Their namespace in the store; the host's if absent.
    #[serde(
        default,
        with = "optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub namespace: Option<Namespace>,
    /// The environment of these guests. Guests of route `/` get the host's as well.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Other services that these guests may call. Guests of route `/` may call those that the host grants as well.
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub outgoing: Grants,
    /// Limits below those of the host.
    #[serde(
        default,
        deserialize_with = "route_limits",
        skip_serializing_if = "RouteLimits::is_none"
    )]
    pub limits: RouteLimits,
    /// Guests and their percentages of the clients, newest first. The last one is the fallback of the others.
    pub guests: Vec<Share>,
    /// The guest that served before; kept ready for a rollback, and the fallback if there is only one guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// Guests that served only before this generation are ruled out: there is no fallback to them, and no rollback goes further back. For
    /// releases that fix a vulnerability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_min: Option<u64>,
}

/// A guest's percentage of a route's clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// SHA-256 of the component.
    pub digest: Digest,
    /// 1 to 100; the percentages of a route add up to 100.
    pub percent: u32,
}

/// Limits of a route's guests. They can only be lower than those of the host.
pub type RouteLimits = PartialLimits;

/// Of all limits, those that a route may narrow.
fn route_limits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RouteLimits, D::Error> {
    let limits = PartialLimits::deserialize_strictly(deserializer)?;
    let is_of_routes = |name: &str| {
        LIMITS
            .iter()
            .any(|limit| limit.name == name && limit.is_of_routes())
    };
    match limits.names().find(|name| !is_of_routes(name)) {
        Some(name) => Err(D::Error::custom(format_args!(
            "`{name}` is not a limit of routes"
        ))),
        None => Ok(limits),
    }
}

/// Why a channel's document is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// No trusted key signed it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is signed, but has an unknown format or breaks a rule.
    #[error("cannot be followed: {0}")]
    Payload(String),
    /// Signed for another channel.
    #[error("is of channel `{0}`")]
    OtherChannel(String),
    /// It has expired.
    #[error("generation {generation} expired at {expires_at_ms} ms since 1970")]
    Expired {
        /// The expiry of the document.
        generation: u64,
        /// Milliseconds since the Unix epoch.
        expires_at_ms: u64,
    },
    /// It is for another interface.
    #[error("is for world `{0}`, this host serves `{HANDLER}`")]
    World(String),
}

impl Channel {
    /// All guests that it names, including fallbacks.
    pub fn guests(&self) -> impl Iterator<Item = Digest> + '_ {
        self.routes.iter().flat_map(|route| {
            let serving = route.guests.iter().map(|share| share.digest);
            serving.chain(route.previous)
        })
    }

    /// The first generation, without routes.
    pub fn new(channel: ChannelName) -> Self {
        Self {
            format: FORMAT,
            channel,
            generation: 0,
            rollback: false,
            issued_at_ms: 0,
            expires_at_ms: 0,
            by: String::new(),
            world: HANDLER.to_owned(),
            select_header: None,
            routes: Vec::new(),
        }
    }

    /// The document of `channel`, after its signature and all rules were checked. [`Channel::check_time`] checks the expiry.
    #[expect(
        clippy::disallowed_methods,
        reason = "read into a type of named members that holds no `Value`; its signature is verified"
    )]
    pub fn open(
        text: &str,
        keys: &PublicKeys,
        channel: &ChannelName,
    ) -> Result<Self, ChannelError> {
        let payload = keys.verify(Purpose::Channel, text)?;
        check_format(payload, FORMAT).map_err(ChannelError::Payload)?;
        let document: Self = serde_json::from_str(payload)
            .map_err(|error| ChannelError::Payload(error.to_string()))?;
        if document.channel != *channel {
            return Err(ChannelError::OtherChannel(document.channel.to_string()));
        }
        if document.world != HANDLER {
            return Err(ChannelError::World(document.world));
        }
        document.check().map_err(ChannelError::Payload)?;
        Ok(document)
    }

    /// The same without the values of environment variables, for display.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let mut shown = self.clone();
        let values = shown.routes.iter_mut();
        for value in values.flat_map(|route| route.environment.values_mut()) {
            HIDDEN.clone_into(value);
        }
        shown
    }

    /// Fails if the document has expired.
    pub fn check_time(&self, now_ms: u64) -> Result<(), ChannelError> {
        if now_ms < self.expires_at_ms {
            return Ok(());
        }
        Err(ChannelError::Expired {
            generation: self.generation,
            expires_at_ms: self.expires_at_ms,
        })
    }

    /// The route of exactly this path.
    pub fn route(&self, path: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.path == path)
    }

    /// The rules of a document that its types do not express.
    pub fn check(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!("format {}, this host reads {FORMAT}", self.format));
        }
        if !(1..=CHANNEL_GENERATION_MAX).contains(&self.generation) {
            return Err(format!(
                "generations count from 1 to {CHANNEL_GENERATION_MAX}"
            ));
        }
        if self.routes.is_empty() || self.routes.len() > CHANNEL_ROUTES_MAX {
            return Err(format!("a channel has 1 to {CHANNEL_ROUTES_MAX} routes"));
        }
        if let Some(name) = self.select_header.as_deref()
            && (!is_token(name) || name.chars().any(|character| character.is_ascii_uppercase()))
        {
            return Err("`select_header` is not the lower-case name of a header".to_owned());
        }
        for (index, route) in self.routes.iter().enumerate() {
            route.check()?;
            if self.routes[..index]
                .iter()
                .any(|other| other.path == route.path)
            {
                return Err(format!("route `{}` is there twice", route.path));
            }
        }
        Ok(())
    }
}

impl Route {
    /// The fallback of all other guests.
    pub fn stable(&self) -> Option<Digest> {
        self.guests.last().map(|share| share.digest)
    }

    fn check(&self) -> Result<(), String> {
        let path = &self.path;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        let has_segments = path == "/"
            || path.strip_prefix('/').is_some_and(|rest| {
                rest.split('/')
                    .all(|segment| !matches!(segment, "" | "." | ".."))
            });
        if !has_segments || !path.bytes().all(is_plain) {
            return Err(format!(
                "route `{path}` is not `/` or segments of letters, digits, `-`, `.`, `_` and `~`, each behind a `/`"
            ));
        }
        let percent: u32 = self.guests.iter().map(|share| share.percent.min(101)).sum();
        if self.guests.is_empty() || self.guests.len() > ROUTE_GUESTS_MAX {
            return Err(format!(
                "route `{path}` needs 1 to {ROUTE_GUESTS_MAX} guests"
            ));
        }
        if percent != 100 || self.guests.iter().any(|share| share.percent == 0) {
            return Err(format!(
                "the shares of route `{path}` are not 100 percent together"
            ));
        }
        for (index, share) in self.guests.iter().enumerate() {
            if self.guests[..index]
                .iter()
                .any(|other| other.digest == share.digest)
            {
                return Err(format!("route `{path}` has guest {} twice", share.digest));
            }
        }
        if self.environment.len() > ENVIRONMENT_VARIABLES_MAX {
            return Err(format!(
                "route `{path}` has more than {ENVIRONMENT_VARIABLES_MAX} environment variables"
            ));
        }
        if self.outgoing.iter().count() > OUTGOING_GRANTS_MAX {
            return Err(format!(
                "route `{path}` grants more than {OUTGOING_GRANTS_MAX} other services: `--replace-outgoing` takes away those of before"
            ));
        }
        Ok(())
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// An optional value that is written as text in a document.
mod optional_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::{fmt::Display, str::FromStr};

    pub fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        Option::<String>::deserialize(deserializer)?
            .map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}
