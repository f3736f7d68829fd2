//! The guests of one generation, ready to serve, and which of them answers a request.

use crate::{
    breaker::{Breaker, Verdict},
    routing, sticky,
};
use contract::{digest::Digest, http::Request, limits::Limits};
use release::Channel;
use service::Deployment;
use std::sync::Arc;

/// Smallest number of digits of a digest in the selecting header.
const SELECTED_DIGITS_MIN: usize = 12;

/// One generation, ready to serve.
pub(super) struct Fleet {
    pub(super) channel: Channel,
    /// The signed document, to recognise it.
    pub(super) document: Digest,
    pub(super) limits: Limits,
    /// Sorted by length, longest paths first.
    rollouts: Vec<Rollout>,
}

/// A route, ready.
pub(super) struct Rollout {
    pub(super) path: String,
    pub(super) variants: Vec<Variant>,
    /// The fallback if there is only one variant and it is out of service.
    pub(super) previous: Option<Arc<Deployment>>,
}

/// A guest with its percentage.
pub(super) struct Variant {
    pub(super) deployment: Arc<Deployment>,
    pub(super) percent: u32,
    breaker: Breaker,
}

/// The guest that answers.
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
        routing::sort(&mut rollouts, |rollout| &rollout.path);
        Self {
            channel,
            document,
            limits,
            rollouts,
        }
    }

    /// The guest that answers a request; `None` if no route matches its path.
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
            // The last of several variants has no fallback.
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

    fn rollout(&self, path: &str) -> Option<&Rollout> {
        routing::find(&self.rollouts, |rollout| &rollout.path, path)
    }

    /// The guest that the request itself selects, if the channel allows it.
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
