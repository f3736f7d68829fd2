//! The guests of one generation, ready, and which of them answers a request.

use crate::{
    breaker::{Breaker, Verdict},
    sticky,
};
use contract::{digest::Digest, http::Request, limits::Limits};
use percent_encoding::percent_decode_str;
use release::Channel;
use service::Deployment;
use std::sync::Arc;

/// Digits of a digest that a selecting header must name at least.
const SELECTED_DIGITS_MIN: usize = 12;

/// One generation, ready to serve.
pub(super) struct Fleet {
    pub(super) channel: Channel,
    /// Of the signed document, to recognise it.
    pub(super) document: Digest,
    pub(super) limits: Limits,
    /// Longest paths first.
    rollouts: Vec<Rollout>,
}

/// A route, ready.
pub(super) struct Rollout {
    pub(super) path: String,
    pub(super) variants: Vec<Variant>,
    /// What serves where the only variant rests.
    pub(super) previous: Option<Arc<Deployment>>,
}

/// A guest with its share.
pub(super) struct Variant {
    pub(super) deployment: Arc<Deployment>,
    pub(super) percent: u32,
    breaker: Breaker,
}

/// Who answers.
pub(super) struct Choice<'a> {
    pub(super) deployment: &'a Arc<Deployment>,
    /// The guest that has just been taken out of service, if this request did it.
    pub(super) tripped: Option<Digest>,
}

impl Fleet {
    pub(super) fn new(
        channel: Channel,
        document: Digest,
        limits: Limits,
        mut rollouts: Vec<Rollout>,
    ) -> Self {
        rollouts.sort_by_key(|rollout| std::cmp::Reverse(segments(&rollout.path).count()));
        Self {
            channel,
            document,
            limits,
            rollouts,
        }
    }

    /// Who answers a request; nobody where no route takes its path.
    pub(super) fn choose(&self, request: &Request) -> Option<Choice<'_>> {
        let rollout = self.rollout(&request.path)?;
        if let Some(deployment) = self.selected(rollout, request) {
            return Some(Choice {
                deployment,
                tripped: None,
            });
        }
        let (last, others) = rollout.variants.split_last()?;
        let variant = if others.is_empty() {
            last
        } else {
            let bucket = sticky::bucket(&self.channel.channel, &rollout.path, request);
            let mut below = 0;
            others
                .iter()
                .find(|variant| {
                    below += variant.percent;
                    bucket < below
                })
                .unwrap_or(last)
        };
        let fallback = if others.is_empty() {
            rollout.previous.as_ref()
        } else {
            // Nothing stands behind the last of several.
            (!std::ptr::eq(variant, last)).then_some(&last.deployment)
        };
        Some(match fallback {
            Some(fallback) => variant.unless_it_rests(fallback, request.context.received_at_ms),
            None => Choice {
                deployment: &variant.deployment,
                tripped: None,
            },
        })
    }

    /// The longest route that takes a path. A path that is spelt in another way than its canonical form gets the same route either way, or
    /// none: what stands before the host and decides by path, like an authorizer, has seen it as it was spelt.
    fn rollout(&self, path: &str) -> Option<&Rollout> {
        let find = |path: &str| self.rollouts.iter().find(|rollout| rollout.takes(path));
        let rollout = find(path);
        if !may_be_spelt_otherwise(path) {
            return rollout;
        }
        let canonical = find(&canonical_path(path));
        rollout
            .filter(|rollout| canonical.is_some_and(|canonical| std::ptr::eq(*rollout, canonical)))
    }

    /// The guest that the request asks for itself, where the channel lets it.
    fn selected<'a>(&self, rollout: &'a Rollout, request: &Request) -> Option<&'a Arc<Deployment>> {
        let wanted = request
            .headers
            .get(self.channel.select_header.as_deref()?)?;
        if wanted.len() < SELECTED_DIGITS_MIN {
            return None;
        }
        rollout.deployments().find(|deployment| {
            deployment
                .runtime()
                .digest()
                .to_string()
                .starts_with(wanted)
        })
    }
}

impl Rollout {
    fn deployments(&self) -> impl Iterator<Item = &Arc<Deployment>> {
        self.variants
            .iter()
            .map(|variant| &variant.deployment)
            .chain(&self.previous)
    }

    /// Whether the path begins with this route's segments, letter by letter.
    fn takes(&self, path: &str) -> bool {
        let route = self.path.trim_end_matches('/');
        path.strip_prefix(route)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Variant {
    pub(super) fn new(deployment: Arc<Deployment>, percent: u32) -> Self {
        Self {
            deployment,
            percent,
            breaker: Breaker::default(),
        }
    }

    fn unless_it_rests<'a>(&'a self, fallback: &'a Arc<Deployment>, now_ms: u64) -> Choice<'a> {
        let digest = self.deployment.runtime().digest();
        let verdict = match self.deployment.outcomes() {
            Some(outcomes) => self.breaker.ask(outcomes, now_ms),
            None => Verdict::Serves,
        };
        let (deployment, tripped) = match verdict {
            Verdict::Serves => (&self.deployment, None),
            Verdict::Trips => (fallback, Some(digest)),
            Verdict::Rests => (fallback, None),
        };
        Choice {
            deployment,
            tripped,
        }
    }
}

/// Whether a path may have a canonical form that differs from it.
fn may_be_spelt_otherwise(path: &str) -> bool {
    path.contains('%') || path.contains("//") || path.contains("/.")
}

/// The path with all that is encoded decoded once, without dot segments and without empty ones (RFC 3986, 6.2.2). An encoded slash parts
/// segments here, too: some servers take it for one.
fn canonical_path(path: &str) -> String {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let mut kept: Vec<&str> = Vec::new();
    for segment in decoded.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// The parts of a path between its slashes; none of `/`.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .skip(1)
        .filter(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_means_is_found_however_it_is_spelt() {
        for (path, canonical) in [
            ("/", "/"),
            ("//", "/"),
            ("//orders", "/orders"),
            ("/%6frders", "/orders"),
            ("/%6Frders/%2e%2E/x/", "/x"),
            ("/a/./b//c/..", "/a/b"),
            ("/../a", "/a"),
            ("/a%2Fb", "/a/b"),
            ("/%256frders", "/%6frders"),
            ("/.well-known/x", "/.well-known/x"),
        ] {
            assert_eq!(canonical_path(path), canonical, "{path}");
            assert!(may_be_spelt_otherwise(path) || path == canonical, "{path}");
        }
    }
}
