//! Asks the guest for each route, in memory: it answers OPTIONS, or a GET where that cannot do anything.

use crate::{executor, exit::CommandError, guest::HostedGuest, seed, store::StoreSpec, time};
use contract::http::Scheme;
use deployment::{ApiKind, Method, Route, RouteKey};
use gateway::{
    EventKind, Origin,
    compose::{Incoming, compose},
    deliver::{BinaryMedia, Delivery, deliver},
};
use replay::ReplayedEvent;
use service::{Deployment, Service};
use std::collections::{BTreeMap, BTreeSet};

/// No guest has this path.
const NOWHERE: &str = "/tenon-no-such-path";
/// In the place of a parameter.
const SAMPLE: &str = "sample";
/// From the addresses reserved for documentation (RFC 5737).
const CLIENT_ADDRESS: &str = "203.0.113.7";

/// What the guest's answers say.
#[derive(Debug, Default)]
pub struct Answers {
    /// Routes that it does not have.
    pub missing: Vec<RouteKey>,
    /// What is not known, and why.
    pub remarks: Vec<String>,
}

/// A guest in memory. It can call no other service.
struct Asked {
    runtime: tokio::runtime::Runtime,
    service: Service,
    kind: EventKind,
}

/// Asks for each route. A guest that cannot run here is a failure.
pub fn each(api: ApiKind, routes: &[Route], guest: &HostedGuest) -> Result<Answers, CommandError> {
    let runtime = executor::workers(1)?;
    let linked = guest.link_for_replays(1)?;
    let storage = runtime.block_on(StoreSpec::Memory.open_reproducibly())?;
    let asked = Asked {
        runtime,
        service: Service::of(Deployment::new(linked, storage)),
        kind: match api {
            ApiKind::Rest => EventKind::Rest,
            ApiKind::Http => EventKind::HttpApi,
            ApiKind::FunctionUrl => EventKind::FunctionUrl,
        },
    };
    asked.each(routes)
}

impl Asked {
    fn each(&self, routes: &[Route]) -> Result<Answers, CommandError> {
        let mut paths: BTreeMap<&str, Vec<&RouteKey>> = BTreeMap::new();
        for route in routes {
            paths.entry(&route.key.path).or_default().push(&route.key);
        }
        let nowhere = self.answer(Method::Options, NOWHERE)?;
        let mut answers = BTreeMap::new();
        for path in paths.keys() {
            answers.insert(*path, self.answer(Method::Options, &sample(path))?);
        }
        // Frameworks that do not answer OPTIONS have no path by it.
        let tells = nowhere.status == 404 && answers.values().any(|answer| answer.status != 404);
        let mut found = Answers::default();
        for (path, keys) in paths {
            match tells {
                true => found.by_options(path, &keys, &answers[path]),
                false => self.by_get(path, &keys, &mut found)?,
            }
        }
        Ok(found)
    }

    /// A path without parameters that answers 404 to GET is not there.
    fn by_get(
        &self,
        path: &str,
        keys: &[&RouteKey],
        found: &mut Answers,
    ) -> Result<(), CommandError> {
        let get = keys
            .iter()
            .find(|key| key.method == Method::Get && !path.contains('{'));
        match get {
            Some(key) => {
                if self.answer(Method::Get, path)?.status == 404 {
                    found.missing.push((*key).clone());
                }
            }
            None => found.remarks.push(format!(
                "whether the guest has `{path}` is not known: it does not answer OPTIONS"
            )),
        }
        Ok(())
    }

    fn answer(&self, method: Method, target: &str) -> Result<Delivery, CommandError> {
        let seed = seed::unpredictable()?;
        let received_at_ms = time::resolve(None)?;
        let origin = Origin::new(self.kind);
        let incoming = Incoming {
            method: method.as_str(),
            target,
            headers: &[("host", "api.example.com")],
            body: &[],
            client_address: CLIENT_ADDRESS,
            scheme: Scheme::Https,
            request_id: &seed.request_id(),
            received_at_ms,
        };
        let event = compose(origin, &incoming).to_json();
        let exchange = ReplayedEvent {
            event: &event,
            received_at_ms,
            seed: seed.clone(),
        };
        let answer = self
            .runtime
            .block_on(exchange.run(&self.service))
            .map_err(CommandError::refused)?;
        let binary = BinaryMedia {
            accept: None,
            types: &[],
        };
        Ok(deliver(&origin, &answer.payload, &binary))
    }
}

impl Answers {
    fn by_options(&mut self, path: &str, keys: &[&RouteKey], answer: &Delivery) {
        if answer.status == 404 {
            self.missing.extend(keys.iter().map(|key| (*key).clone()));
            return;
        }
        let allowed = allowed(answer);
        if allowed.is_empty() {
            self.remarks.push(format!(
                "which methods the guest has at `{path}` is not known: it answers OPTIONS with {} and without `allow`",
                answer.status
            ));
            return;
        }
        let lacking = keys
            .iter()
            .filter(|key| !allowed.contains(key.method.as_str()));
        self.missing.extend(lacking.map(|key| (*key).clone()));
    }
}

/// The methods that a response names.
fn allowed(answer: &Delivery) -> BTreeSet<String> {
    let names = ["allow", "access-control-allow-methods"];
    let fields = answer.headers.iter();
    fields
        .filter(|(name, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known)))
        .flat_map(|(_, value)| value.split(','))
        .map(|method| method.trim().to_owned())
        .filter(|method| !method.is_empty())
        .collect()
}

/// A path with a sample in the place of each parameter.
fn sample(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| match segment.starts_with('{') {
            true => SAMPLE,
            false => segment,
        });
    segments.collect::<Vec<_>>().join("/")
}
