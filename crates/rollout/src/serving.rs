//! The guests that serve, and how they are replaced.
//!
//! What replaces them is prepared completely before: loaded, linked and given its view of the store. The replacement itself is one atomic
//! store, so the next request uses the new guests, none waits, and requests in flight end on the deployment that they began with. Channels
//! and local development replace their guests in the same way.

use crate::{fleet::Fleet, prepare::HostContext};
use arc_swap::{ArcSwap, Guard};
use contract::{digest::Digest, http::Request, limits::Limits, outcome::Fault};
use runtime::{
    RuntimeOptions,
    engine::{Engine, Guest, LoadError},
};
use service::{Deployment, Router};
use std::sync::Arc;

/// The guests that answer requests.
pub(super) enum Serving {
    /// No guest: none is ready yet, or a reason was found to stop serving.
    Nothing,
    /// One guest for all requests.
    One(Arc<Deployment>),
    /// The guests of a channel's generation.
    Fleet(Box<Fleet>),
}

/// The guest chosen for a request.
pub(super) struct Chosen {
    pub(super) deployment: Arc<Deployment>,
    /// The guest that has just been taken out of service, if this request did it.
    pub(super) tripped: Option<Digest>,
}

impl Serving {
    pub(super) fn of(guest: Option<Arc<Deployment>>) -> Self {
        guest.map_or(Self::Nothing, Self::One)
    }

    fn limits(&self) -> Option<Limits> {
        match self {
            Self::Nothing => None,
            Self::One(deployment) => Some(*deployment.runtime().limits()),
            Self::Fleet(fleet) => Some(fleet.limits),
        }
    }

    fn choose(&self, request: &Request) -> Option<Chosen> {
        match self {
            Self::Nothing => None,
            Self::One(deployment) => Some(Chosen {
                deployment: deployment.clone(),
                tripped: None,
            }),
            Self::Fleet(fleet) => {
                let choice = fleet.choose(request)?;
                Some(Chosen {
                    deployment: choice.deployment.clone(),
                    tripped: choice.tripped,
                })
            }
        }
    }
}

/// The guests that serve, replaced as a whole.
pub(super) struct ServingGuests(ArcSwap<Serving>);

impl ServingGuests {
    pub(super) fn new(first: Serving) -> Self {
        Self(ArcSwap::from_pointee(first))
    }

    pub(super) fn load(&self) -> Guard<Arc<Serving>> {
        self.0.load()
    }

    /// Lets these guests answer from the next request on.
    pub(super) fn replace(&self, next: Serving) {
        self.0.store(Arc::new(next));
    }

    /// The highest limits of all guests; `None` while there are none.
    pub(super) fn limits(&self) -> Option<Limits> {
        self.load().limits()
    }

    pub(super) fn choose(&self, request: &Request) -> Option<Chosen> {
        self.load().choose(request)
    }

    /// Why no guest answers, if that is so.
    pub(super) fn fault(&self) -> Fault {
        match &**self.load() {
            Serving::One(_) | Serving::Fleet(_) => Fault::Unrouted,
            Serving::Nothing => Fault::Unavailable,
        }
    }
}

/// One guest at a time, replaced while requests are answered, for hosts that get their guests elsewhere than from a channel. Cheap to clone.
#[derive(Clone)]
pub struct ReplaceableGuest {
    host: HostContext,
    serving: Arc<ServingGuests>,
}

impl ReplaceableGuest {
    /// No guest serves yet: until [`replace`](Self::replace), requests are answered with [`Fault::Unavailable`].
    pub fn new(host: HostContext) -> Self {
        Self {
            host,
            serving: Arc::new(ServingGuests::new(Serving::Nothing)),
        }
    }

    /// The engine that guests must be loaded for.
    pub fn engine(&self) -> &Engine {
        &self.host.engine
    }

    /// Links a guest and gives it its view of the store, so that it can serve the next request.
    pub fn prepare(
        &self,
        guest: &Guest,
        options: RuntimeOptions,
    ) -> Result<Arc<Deployment>, LoadError> {
        let deployment = self.host.deployment(guest, options, None)?;
        Ok(Arc::new(deployment))
    }

    /// Lets a prepared guest answer from the next request on.
    pub fn replace(&self, deployment: Arc<Deployment>) {
        self.serving.replace(Serving::One(deployment));
    }

    /// The guest that serves, if there is one.
    pub fn serving(&self) -> Option<Arc<Deployment>> {
        match &**self.serving.load() {
            Serving::One(deployment) => Some(deployment.clone()),
            Serving::Nothing | Serving::Fleet(_) => None,
        }
    }
}

impl Router for ReplaceableGuest {
    fn limits(&self) -> Limits {
        self.serving.limits().unwrap_or(self.host.options.limits)
    }

    fn choose(&self, request: &Request) -> Option<Arc<Deployment>> {
        Some(self.serving.choose(request)?.deployment)
    }

    fn fault(&self) -> Fault {
        self.serving.fault()
    }
}
