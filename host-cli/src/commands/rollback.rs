//! `rollback`: goes back to the previous guest.

use crate::{
    args::release::RollbackArgs,
    commands::releases,
    executor,
    exit::{CommandError, Outcome},
    output,
    project::Project,
    release::{
        channels::{self, Signer},
        needs,
        stores::{Stores, StoresSpec},
    },
};
use release::{self, Channel, ChannelName, Route};

/// Number of generations that are searched for the one to go back to.
const HISTORY_MAX: usize = 1000;
/// Number of generations in which the previous guest is looked for, to say what it could call then.
const RECENT: usize = 20;

/// The channel, and who signs.
pub struct Configuration {
    channel: ChannelName,
    path: String,
    to: Option<u64>,
    stores: StoresSpec,
    signer: Signer,
}

/// Reads the key.
pub fn resolve(
    arguments: &RollbackArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    Ok(Configuration {
        channel: channels::named(arguments.channel.as_deref(), project)?,
        path: channels::path(&arguments.path)?,
        to: arguments.to,
        stores: StoresSpec::resolve(&arguments.stores, project)?,
        signer: Signer::resolve(&arguments.signing, project)?,
    })
}

/// Writes the next generation.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration {
        channel,
        path,
        to,
        stores,
        signer,
    } = configuration;
    let (next, before) = executor::workers(1)?.block_on(async {
        let stores = stores.open().await?;
        let mut present = signer.present(&stores, &channel).await?;
        let current = present.document.clone();
        let Some(current) = current else {
            return Err(channels::missing(&channel, &stores).await);
        };
        let signing = signer.signing(&present);
        let releases = stores.typed.releases(&channel, &signer.key.public());
        let history = match to {
            Some(_) => history(&stores, &signer, &channel, HISTORY_MAX).await?,
            // Only a warning needs it, which must not keep a rollback back.
            None => history(&stores, &signer, &channel, RECENT).await.unwrap_or_default(),
        };
        let next = match to {
            None => release::rollback(&current, &path, &signing).map_err(|error| {
                CommandError::refused(error).hint(format_args!(
                    "{releases} lists the generations; go back to one of them with `--to GENERATION`, or remove the route with one that did not have it"
                ))
            })?,
            Some(generation) => {
                let target = history.iter().find(|past| past.generation == generation);
                let target = target.ok_or_else(|| {
                    CommandError::refused(format_args!(
                        "channel `{channel}` has no generation {generation} that a trusted key signed"
                    ))
                    .hint(format_args!("{releases} lists the existing ones"))
                })?;
                let next = release::rollback_to(&current, target, &path, &signing)
                    .map_err(CommandError::refused)?;
                warn_of_rolled_back(&history, target, &path);
                next
            }
        };
        if let Some(route) = next.route(&path) {
            needs::check(&*stores.artifacts, &signer.keys, route, &[]).await?;
            if let Some(then) = earlier(&history, to, route) {
                warn_of_changes(then, route);
            }
        }
        channels::flip(&stores, &signer, &mut present, &next).await?;
        Ok((next, current))
    })?;
    output::text(&releases::text(std::slice::from_ref(&next), Some(&before)))?;
    Ok(Outcome::Same)
}

/// The generations of the channel that a trusted key signed, newest first.
async fn history(
    stores: &Stores,
    signer: &Signer,
    channel: &ChannelName,
    count: usize,
) -> Result<Vec<Channel>, CommandError> {
    let documents = stores.channels.history(channel, count).await;
    let documents = documents.map_err(CommandError::environment)?;
    Ok(documents
        .iter()
        .filter_map(|document| Channel::open(document, &signer.keys, channel).ok())
        .collect())
}

fn warn_of_rolled_back(history: &[Channel], target: &Channel, path: &str) {
    let Some(route) = target.route(path) else {
        return;
    };
    for share in &route.guests {
        if let Some(generation) = release::rolled_back_in(history, path, share.digest) {
            output::remark(&format!(
                "warning: guest {} was rolled back in generation {generation}, and now serves again\n",
                share.digest
            ));
        }
    }
}

/// Says what the guest that serves again had then, and has not now: a route keeps all but its guests when it goes back.
fn warn_of_changes(then: &Route, route: &Route) {
    let path = &route.path;
    let warn = |what: String| {
        output::remark(&format!(
            "warning: when this guest served before, route `{path}` {what}\n"
        ))
    };
    for grant in then.outgoing.without(&route.outgoing) {
        warn(format!(
            "granted {grant}, which it does not now: `promote ... --outgoing {grant}` grants it"
        ));
    }
    if then.namespace != route.namespace {
        let namespace = |route: &Route| match &route.namespace {
            Some(namespace) => format!("`{namespace}`"),
            None => "the host's".to_owned(),
        };
        let (then, now) = (namespace(then), namespace(route));
        warn(format!(
            "had the namespace {then}, and has {now} now: `promote ... --namespace NAME` sets it"
        ));
    }
    if then.environment != route.environment || then.limits != route.limits {
        warn("had other variables or limits: `channel show` prints those of now".to_owned());
    }
}

/// The route as it was in the generation to go back to, or when its guest served last.
fn earlier<'a>(history: &'a [Channel], to: Option<u64>, route: &Route) -> Option<&'a Route> {
    let mut past = history
        .iter()
        .filter(|past| to.is_none_or(|to| past.generation == to))
        .filter_map(|past| past.route(&route.path));
    past.find(|past| past.stable() == route.stable())
}
