//! Changes of a channel: computes the next generation from the current one. Pure functions without input or output.

#[cfg(test)]
mod tests;

use super::{
    channel::{Channel, ChannelName, Route, RouteLimits, Share},
    signature::{Purpose, SecretKey},
};
use contract::digest::Digest;
use outgoing::Grants;
use std::{collections::BTreeMap, time::Duration};
use storage::Namespace;

/// Lets a guest serve a percentage of a route's clients.
#[derive(Clone, Debug)]
pub struct Promotion {
    /// The guest.
    pub digest: Digest,
    /// 1 to 100.
    pub percent: u32,
    /// The route, which is created if it does not exist.
    pub path: String,
    /// Replaces the route's namespace.
    pub namespace: Option<Namespace>,
    /// Added to the route's environment.
    pub environment: BTreeMap<String, String>,
    /// Added to what the route's guests may call. Nothing is taken away, because a guest that a rollback brings back is refused without
    /// what it imports.
    pub outgoing: Grants,
    /// Whether the route's guests may call nothing else from now on.
    pub replaces_outgoing: bool,
    /// Replaces the limits of the route that are given.
    pub limits: RouteLimits,
    /// Replaces the channel's header; `Some(None)` removes it.
    pub select_header: Option<Option<String>>,
    /// Whether earlier guests are ruled out for the route, as a fallback and by a rollback.
    pub is_minimum: bool,
}

/// Who signs, when, and for how long.
#[derive(Clone, Debug)]
pub struct Signing {
    /// In the publisher's own words.
    pub by: String,
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// How long hosts accept the document.
    pub valid_for: Duration,
    /// The newest generation that is known to have been signed, if the current document is older.
    pub newest_generation: u64,
}

/// Why there is no next generation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// A percentage below 100 needs a guest for the rest.
    #[error("route `{0}` has no guest yet that could serve the rest: promote to 100 percent first")]
    NothingBeside(String),
    /// Promoting the guest that serves the rest cannot lower its percentage.
    #[error(
        "guest {0} already serves all clients that have no guest on trial: a smaller share can only be given to another guest"
    )]
    IsStable(Digest),
    /// There is no such route.
    #[error("channel `{0}` has no route `{1}`; it has {2}")]
    NoRoute(ChannelName, String, String),
    /// There is no earlier guest, or it was rolled back.
    #[error("the document names no guest that route `{0}` could go back to")]
    NothingBefore(String),
    /// A percentage beside guests that are ruled out.
    #[error(
        "guests from before cannot both keep a share of route `{0}` and be ruled out: promote to 100 percent"
    )]
    MinimumOfShare(String),
    /// Not an earlier generation.
    #[error("generation {target} is not older than the present one, {present}")]
    NotOlder {
        /// The requested generation.
        target: u64,
        /// The current generation.
        present: u64,
    },
    /// Ruled out by the promotion of a later generation.
    #[error(
        "route `{path}` does not go back to generation {target}: generation {minimum} ruled out everything before it"
    )]
    BelowMinimum {
        /// The route.
        path: String,
        /// The requested generation.
        target: u64,
        /// The route's `generation_min`.
        minimum: u64,
    },
    /// The result would be invalid.
    #[error("{0}")]
    Rule(String),
}

/// The generation after `current`, in which a guest gets its percentage.
pub fn promote(
    channel: &ChannelName,
    current: Option<&Channel>,
    promotion: &Promotion,
    signing: &Signing,
) -> Result<Channel, ChangeError> {
    let mut next = next(channel, current, signing);
    let position = next
        .routes
        .iter()
        .position(|route| route.path == promotion.path);
    let mut route = match position {
        Some(position) => next.routes.remove(position),
        None => empty_route(&promotion.path),
    };
    share_out(&mut route, promotion)?;
    if promotion.is_minimum {
        route.previous = None;
        route.generation_min = Some(next.generation);
    }
    if promotion.namespace.is_some() {
        route.namespace.clone_from(&promotion.namespace);
    }
    route.environment.extend(promotion.environment.clone());
    route.outgoing = match promotion.replaces_outgoing {
        true => promotion.outgoing.clone(),
        false => route.outgoing.with(&promotion.outgoing),
    };
    route.limits = promotion.limits.or(&route.limits);
    if let Some(select_header) = &promotion.select_header {
        next.select_header.clone_from(select_header);
    }
    next.routes
        .insert(position.unwrap_or(next.routes.len()), route);
    next.check().map_err(ChangeError::Rule)?;
    Ok(next)
}

/// The generation after `current`, in which a route goes back: a canary is removed if there is one; otherwise the previous guest serves.
/// The guest that was rolled back is no longer named, so that neither a second rollback nor a fallback brings it back.
pub fn rollback(current: &Channel, path: &str, signing: &Signing) -> Result<Channel, ChangeError> {
    let mut next = next(&current.channel, Some(current), signing);
    next.rollback = true;
    let route = route_of(&mut next, path)?;
    let (serving, previous) = if route.guests.len() > 1 {
        (route.stable(), route.previous)
    } else {
        (route.previous, None)
    };
    let Some(serving) = serving else {
        return Err(ChangeError::NothingBefore(path.to_owned()));
    };
    route.guests = vec![all_of(serving)];
    route.previous = previous.filter(|previous| *previous != serving);
    next.check().map_err(ChangeError::Rule)?;
    Ok(next)
}

/// The generation after `current`, in which a route has the guests and percentages of the earlier generation `target`, or is not there if
/// it was not there then. Namespace, environment, grants and limits stay unchanged.
pub fn rollback_to(
    current: &Channel,
    target: &Channel,
    path: &str,
    signing: &Signing,
) -> Result<Channel, ChangeError> {
    if target.generation >= current.generation {
        return Err(ChangeError::NotOlder {
            target: target.generation,
            present: current.generation,
        });
    }
    let mut next = next(&current.channel, Some(current), signing);
    next.rollback = true;
    let route = route_of(&mut next, path)?;
    if let Some(minimum) = route.generation_min
        && target.generation < minimum
    {
        return Err(ChangeError::BelowMinimum {
            path: path.to_owned(),
            target: target.generation,
            minimum,
        });
    }
    match target.route(path) {
        Some(earlier) => {
            route.guests.clone_from(&earlier.guests);
            route.previous = None;
        }
        None => next.routes.retain(|route| route.path != path),
    }
    next.check().map_err(ChangeError::Rule)?;
    Ok(next)
}

/// The generation in which a rollback removed `guest` from the route, in a history sorted newest first.
pub fn rolled_back_in(history: &[Channel], path: &str, guest: Digest) -> Option<u64> {
    let names_guest = |channel: &Channel| {
        let route = channel.route(path);
        route.is_some_and(|route| route.guests.iter().any(|share| share.digest == guest))
    };
    history.windows(2).find_map(|pair| {
        let [newer, older] = pair else { return None };
        (newer.rollback && names_guest(older) && !names_guest(newer)).then_some(newer.generation)
    })
}

fn route_of<'c>(channel: &'c mut Channel, path: &str) -> Result<&'c mut Route, ChangeError> {
    let Some(position) = channel.routes.iter().position(|route| route.path == path) else {
        let paths: Vec<String> = channel
            .routes
            .iter()
            .map(|route| format!("`{}`", route.path))
            .collect();
        return Err(ChangeError::NoRoute(
            channel.channel.clone(),
            path.to_owned(),
            paths.join(", "),
        ));
    };
    Ok(&mut channel.routes[position])
}

impl Channel {
    /// The signed document, as stores keep it.
    pub fn sign(&self, key: &SecretKey) -> serde_json::Result<String> {
        key.sign(Purpose::Channel, self)
    }
}

fn next(channel: &ChannelName, current: Option<&Channel>, signing: &Signing) -> Channel {
    let mut next = match current {
        Some(current) => current.clone(),
        None => Channel::new(channel.clone()),
    };
    next.generation = next
        .generation
        .max(signing.newest_generation)
        .saturating_add(1);
    next.rollback = false;
    next.by.clone_from(&signing.by);
    next.issued_at_ms = signing.now_ms;
    next.expires_at_ms = signing
        .now_ms
        .saturating_add(u64::try_from(signing.valid_for.as_millis()).unwrap_or(u64::MAX));
    next
}

fn empty_route(path: &str) -> Route {
    Route {
        path: path.to_owned(),
        namespace: None,
        environment: BTreeMap::new(),
        outgoing: Grants::default(),
        limits: RouteLimits::default(),
        guests: Vec::new(),
        previous: None,
        generation_min: None,
    }
}

fn share_out(route: &mut Route, promotion: &Promotion) -> Result<(), ChangeError> {
    let Promotion {
        digest, percent, ..
    } = *promotion;
    let stable = route.stable();
    if percent >= 100 {
        if percent > 100 {
            return Err(ChangeError::Rule(format!(
                "{percent} is more than 100 percent"
            )));
        }
        // The guest with the largest percentage until now becomes the one to go back to.
        route.previous = stable.filter(|stable| *stable != digest).or(route.previous);
        route.previous = route.previous.filter(|previous| *previous != digest);
        route.guests = vec![all_of(digest)];
        return Ok(());
    }
    if promotion.is_minimum {
        return Err(ChangeError::MinimumOfShare(route.path.clone()));
    }
    let Some(stable) = stable else {
        return Err(ChangeError::NothingBeside(route.path.clone()));
    };
    if stable == digest {
        return Err(ChangeError::IsStable(digest));
    }
    route.guests = vec![
        Share { digest, percent },
        Share {
            digest: stable,
            percent: 100 - percent,
        },
    ];
    Ok(())
}

fn all_of(digest: Digest) -> Share {
    Share {
        digest,
        percent: 100,
    }
}
