//! Prepares a generation: fetches what it names, verifies, loads and links it. The result can serve the next request.

use crate::fleet::{Fleet, Rollout, Variant};
use contract::{
    compatibility::Target,
    digest::Digest,
    limits::{GUESTS_READY_MAX, Limits},
};
use outgoing::GrantServices;
use release::{
    ArtifactName, ArtifactStore, Channel, ImageRecord, Manifest, ManifestError, PublicKeys, Route,
    StoreError,
};
use runtime::{
    OutgoingAccess, Runtime, RuntimeOptions, SecretAccess,
    engine::{Engine, Guest, LoadError},
};
use secrets::{GuestAccess, ProvideSecrets};
use service::Deployment;
use std::{collections::BTreeMap, sync::Arc};
use storage::{CursorKey, Namespace, Storage, Tenant};
use tokio::sync::Semaphore;

/// What all guests of a host share.
#[derive(Clone)]
pub struct HostContext {
    /// The engine that runs them.
    pub engine: Engine,
    /// Gives each namespace its store.
    pub stores: NamespaceStores,
    /// The namespace of routes that name none.
    pub namespace: Namespace,
    /// Gives each guest the other services that it may call.
    pub services: Arc<dyn GrantServices>,
    /// Gives each guest its secrets.
    pub secrets: Arc<dyn ProvideSecrets>,
    /// The options of routes that set none; a route's limits cannot exceed these.
    pub options: RuntimeOptions,
}

/// Gives each namespace its view of a store. Cheap to clone.
#[derive(Clone)]
pub struct NamespaceStores(Arc<dyn Fn(Namespace) -> Arc<dyn Storage> + Send + Sync>);

impl NamespaceStores {
    /// From a function that opens one; it must not block.
    pub fn new(open: impl Fn(Namespace) -> Arc<dyn Storage> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    /// From an open store, with the key that seals its guests' cursors.
    pub fn of(storage: Arc<dyn Storage>, cursor_key: CursorKey) -> Self {
        Self::new(move |namespace| {
            Arc::new(Tenant::new(storage.clone(), namespace, cursor_key.clone()))
        })
    }

    fn open(&self, namespace: &Namespace) -> Arc<dyn Storage> {
        (self.0)(namespace.clone())
    }
}

impl HostContext {
    /// A guest, linked, with its view of the store, other services and secrets: ready to serve. Without a namespace it has the host's own.
    pub(super) fn deployment(
        &self,
        guest: &Guest,
        options: RuntimeOptions,
        namespace: Option<&Namespace>,
    ) -> Result<Deployment, LoadError> {
        let client = self.services.granted(&options.outgoing.grants());
        let GuestAccess { secrets, outgoing } = self
            .secrets
            .provide(&options.secrets.declarations(), client);
        let runtime = Runtime::new(&self.engine, guest, options)?;
        let namespace = namespace.unwrap_or(&self.namespace);
        let deployment = Deployment::new(runtime, self.stores.open(namespace));
        Ok(deployment.with_outgoing(outgoing).with_secrets(secrets))
    }
}

/// Why a guest is not ready.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PrepareError {
    /// The artifacts cannot be read.
    #[error("guest {digest}: {error}")]
    Store {
        /// The guest.
        digest: Digest,
        /// The reason.
        error: StoreError,
    },
    /// The manifest is not trusted, or has no image for this host.
    #[error("manifest of guest {digest} {error}")]
    Manifest {
        /// The guest.
        digest: Digest,
        /// The reason.
        error: ManifestError,
    },
    /// The image is not the signed one.
    #[error("image of guest {digest} is not the one its manifest describes: {found}")]
    Image {
        /// The guest.
        digest: Digest,
        /// The actual size or digest.
        found: String,
    },
    /// The image is the signed one, but cannot run here.
    #[error("guest {digest}: {error}")]
    Load {
        /// The guest.
        digest: Digest,
        /// The reason.
        error: Arc<LoadError>,
    },
    /// Guests cannot run on this CPU.
    #[error("guests cannot run on this processor")]
    Processor,
    /// The host is ending.
    #[error("stopped while guest {0} was prepared")]
    Stopped(Digest),
}

/// Prepares generations.
pub(super) struct Preparer {
    pub(super) host: HostContext,
    pub(super) artifacts: Arc<dyn ArtifactStore>,
    pub(super) keys: PublicKeys,
}

/// Loaded guests, oldest first: those that serve, and the last few that did.
#[derive(Default)]
pub(super) struct Ready(Vec<Guest>);

impl Ready {
    pub(super) fn digests(&self) -> Vec<Digest> {
        self.0.iter().map(Guest::digest).collect()
    }

    fn get(&self, digest: Digest) -> Option<Guest> {
        self.0
            .iter()
            .find(|guest| guest.digest() == digest)
            .cloned()
    }

    /// Adds a guest as the newest.
    fn add(&mut self, guest: Guest) {
        self.0.retain(|ready| ready.digest() != guest.digest());
        self.0.push(guest);
    }

    /// Releases all guests except those in use and the newest others.
    pub(super) fn keep(&mut self, in_use: &[Digest]) {
        let mut spare = 0;
        let mut kept: Vec<Guest> = Vec::new();
        for guest in self.0.drain(..).rev() {
            let used = in_use.contains(&guest.digest());
            spare += usize::from(!used);
            if used || spare <= GUESTS_READY_MAX {
                kept.push(guest);
            }
        }
        kept.reverse();
        self.0 = kept;
    }
}

impl Preparer {
    /// Everything that `channel` names, ready to serve, and errors of fallback guests that could not be prepared.
    pub(super) async fn fleet(
        &self,
        channel: Channel,
        document: Digest,
        ready: &mut Ready,
    ) -> Result<(Fleet, Vec<PrepareError>), PrepareError> {
        let mut rollouts = Vec::new();
        let mut missing = Vec::new();
        let mut widest: Option<Limits> = None;
        let permits = self.permits(channel.routes.len());
        for route in &channel.routes {
            let limits = route.limits.within(&self.host.options.limits);
            widest = Some(widest.map_or(limits, |widest: Limits| widest.wider(&limits)));
            let options = self.options(route, limits);
            let permits = permits.map(|count| Arc::new(Semaphore::new(count)));
            let mut variants = Vec::new();
            for share in &route.guests {
                let guest = self.guest(share.digest, ready).await?;
                let deployment = self.deployment(&guest, route, &options, permits.clone())?;
                variants.push(Variant::new(deployment, share.percent));
            }
            let previous = match route.previous {
                Some(digest) => {
                    let made = match self.guest(digest, ready).await {
                        Ok(guest) => self.deployment(&guest, route, &options, permits),
                        Err(error) => Err(error),
                    };
                    // Nobody gets it unless it replaces another one: it does not keep a generation back.
                    made.map_err(|error| missing.push(error)).ok()
                }
                None => None,
            };
            rollouts.push(Rollout {
                path: route.path.clone(),
                variants,
                previous,
            });
        }
        let limits = widest.unwrap_or(self.host.options.limits);
        Ok((Fleet::new(channel, document, limits, rollouts), missing))
    }

    /// The host's own guest, with the default namespace and options.
    pub(super) fn bundled(&self, guest: &Guest) -> Result<Arc<Deployment>, LoadError> {
        let options = self.host.options.clone();
        Ok(Arc::new(self.host.deployment(guest, options, None)?))
    }

    /// If routes share the engine, each gets its part of the instances, so that a route whose guests hang does not block the others.
    fn permits(&self, routes: usize) -> Option<usize> {
        (routes > 1).then(|| (self.host.engine.instances_max() / routes).max(1))
    }

    fn options(&self, route: &Route, limits: Limits) -> RuntimeOptions {
        let host = &self.host.options;
        // Routes may belong to different teams: only one of them gets the host's own environment, which may contain secrets, its grants and its secrets.
        let (mut environment, outgoing, secrets): (BTreeMap<String, String>, _, _) =
            match route.path.as_str() {
                "/" => (
                    host.environment.iter().cloned().collect(),
                    host.outgoing.with(&route.outgoing),
                    host.secrets.clone(),
                ),
                _ => (
                    BTreeMap::new(),
                    OutgoingAccess::Granted(Arc::new(route.outgoing.clone())),
                    SecretAccess::default(),
                ),
            };
        environment.extend(route.environment.clone());
        RuntimeOptions {
            limits,
            environment: environment.into_iter().collect(),
            outgoing,
            secrets,
            ..host.clone()
        }
    }

    fn deployment(
        &self,
        guest: &Guest,
        route: &Route,
        options: &RuntimeOptions,
        permits: Option<Arc<Semaphore>>,
    ) -> Result<Arc<Deployment>, PrepareError> {
        let mut deployment = self
            .host
            .deployment(guest, options.clone(), route.namespace.as_ref())
            .map_err(|error| load(guest.digest(), error))?
            .with_outcomes();
        if route.limits.request_duration_ms_max.is_some() {
            deployment = deployment.with_duration_max(options.limits.request_duration_max);
        }
        if let Some(permits) = permits {
            deployment = deployment.with_permits(permits);
        }
        Ok(Arc::new(deployment))
    }

    /// A guest, loaded already or from the store.
    async fn guest(&self, digest: Digest, ready: &mut Ready) -> Result<Guest, PrepareError> {
        let guest = match ready.get(digest) {
            Some(guest) => guest,
            None => self.fetch(digest).await?,
        };
        ready.add(guest.clone());
        Ok(guest)
    }

    /// Fetches, verifies and loads a guest. No byte of an image is used before a signed manifest has confirmed the digest of all of them.
    async fn fetch(&self, digest: Digest) -> Result<Guest, PrepareError> {
        let target = Target::HOST.ok_or(PrepareError::Processor)?;
        let get = async |name| {
            let got = self.artifacts.get(name).await;
            got.map_err(|error| PrepareError::Store { digest, error })
        };
        let not_believed = |error| PrepareError::Manifest { digest, error };
        let text = get(ArtifactName::Manifest(digest)).await?;
        let text = String::from_utf8_lossy(&text);
        let manifest = Manifest::open(&text, &self.keys, digest).map_err(not_believed)?;
        let record = manifest.image(target).map_err(not_believed)?.clone();
        let image = get(ArtifactName::Image(digest, target)).await?;
        let engine = self.host.engine.clone();
        // Checking and mapping takes milliseconds, so it does not run on a thread that serves requests.
        let loading =
            tokio::task::spawn_blocking(move || verify_and_load(&engine, digest, &record, &image));
        loading.await.map_err(|_| PrepareError::Stopped(digest))?
    }
}

fn verify_and_load(
    engine: &Engine,
    digest: Digest,
    record: &ImageRecord,
    image: &[u8],
) -> Result<Guest, PrepareError> {
    let differs = |found: String| PrepareError::Image { digest, found };
    if image.len() as u64 != record.bytes {
        return Err(differs(format!(
            "it has {} bytes, {} were signed",
            image.len(),
            record.bytes
        )));
    }
    let found = Digest::of(image);
    if found != record.digest {
        return Err(differs(format!("its sha256 is {found}")));
    }
    let guest = engine
        .load_image(image)
        .map_err(|error| load(digest, error))?;
    if guest.digest() != digest {
        return Err(differs(format!(
            "it was compiled from component {}",
            guest.digest()
        )));
    }
    Ok(guest)
}

fn load(digest: Digest, error: LoadError) -> PrepareError {
    PrepareError::Load {
        digest,
        error: Arc::new(error),
    }
}
