//! `promote`: lets a published guest serve, after the gate has compared it with the current one.

use crate::{
    args::release::PromoteArgs,
    commands::releases,
    executor,
    exit::{CommandError, Outcome},
    guest::{self, environment},
    output,
    project::Project,
    release::{
        channels::{self, Signer},
        gate::{Candidate, Gate},
        needs,
        stores::{Stores, StoresSpec},
    },
};
use contract::{compatibility::Target, digest::Digest};
use release::{self, ArtifactName, ChangeError, Channel, ChannelName, Manifest, Promotion};

/// The targets for which a guest must have an image: those that hosts run on.
const TARGETS: [Target; 2] = [Target::X86_64, Target::Aarch64];

/// What to promote, who signs, and the conditions.
pub struct Configuration {
    channel: ChannelName,
    /// As typed: the digest, or its first digits.
    digest: String,
    /// The digest is completed once the store is open.
    promotion: Promotion,
    stores: StoresSpec,
    signer: Signer,
    gate: Option<Gate>,
}

/// Reads the key and the inputs of the gate.
pub fn resolve(
    arguments: &PromoteArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    channels::check_digest(&arguments.digest)?;
    let namespace = arguments.namespace.as_deref().map(str::parse).transpose();
    let promotion = Promotion {
        digest: Digest::of(b""),
        percent: arguments.percent,
        path: channels::path(&arguments.path)?,
        namespace: namespace
            .map_err(|error| CommandError::usage(format_args!("`--namespace`: {error}")))?,
        environment: environment::resolve(&arguments.environment, project)?
            .into_iter()
            .collect(),
        outgoing: guest::with_those_of_project(arguments.outgoing.clone(), project)?,
        replaces_outgoing: arguments.replace_outgoing,
        limits: arguments.limits.0,
        select_header: arguments
            .select_header
            .clone()
            .map(|name| (name != "none").then_some(name)),
        is_minimum: arguments.no_fallback,
    };
    Ok(Configuration {
        channel: channels::named(arguments.channel.as_deref(), project)?,
        digest: arguments.digest.clone(),
        promotion,
        stores: StoresSpec::resolve(&arguments.stores, project)?,
        signer: Signer::resolve(&arguments.signing, project)?,
        gate: Gate::resolve(&arguments.gate, &arguments.ignore)?,
    })
}

/// Makes the checks that hosts make, lets the gate decide, and writes the next generation.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration {
        channel,
        digest,
        mut promotion,
        stores,
        signer,
        gate,
    } = configuration;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let next = executor::workers(jobs)?.block_on(async {
        let stores = stores.open().await?;
        let mut there = signer.present(&stores, &channel).await?;
        promotion.digest = channels::digest(&stores, &signer.key.public(), &digest).await?;
        let published = check_published(&stores, &signer, promotion.digest).await?;
        let (current, signing) = (there.document.as_ref(), signer.signing(&there));
        let next = release::promote(&channel, current, &promotion, &signing)
            .map_err(|error| refused(error, &channel, current.is_none()))?;
        if current.is_none() {
            output::remark(&format!("channel `{channel}` is new\n"));
        }
        let new_route = next.route(&promotion.path).ok_or_else(|| {
            CommandError::environment("the new generation does not have the route")
        })?;
        needs::check(&*stores.artifacts, &signer.keys, new_route, &[published]).await?;
        if let Some(gate) = &gate {
            let present = present(current, &promotion);
            let new = Candidate {
                digest: promotion.digest,
                route: new_route,
            };
            let is_compared = present.is_some();
            if !gate.passes(&stores, &next, present, new).await? {
                output::remark(match is_compared {
                    true => "not promoted: the guests differ\n",
                    false => "not promoted: the guest's responses are not those expected\n",
                });
                return Ok(None);
            }
        }
        let before = there.document.clone();
        channels::flip(&stores, &signer, &mut there, &next).await?;
        Ok(Some((next, before)))
    })?;
    let Some((next, before)) = next else {
        return Ok(Outcome::Differs);
    };
    output::text(&releases::text(
        std::slice::from_ref(&next),
        before.as_ref(),
    ))?;
    Ok(Outcome::Same)
}

fn refused(error: ChangeError, channel: &ChannelName, is_new: bool) -> CommandError {
    let failure = CommandError::refused(error);
    if is_new {
        failure.hint(format!(
            "channel `{channel}` does not exist yet: check its name"
        ))
    } else {
        failure
    }
}

/// The guest that serves the route now.
fn present<'a>(current: Option<&'a Channel>, promotion: &Promotion) -> Option<Candidate<'a>> {
    let route = current?.route(&promotion.path)?;
    let digest = route.stable()?;
    Some(Candidate { digest, route })
}

/// The manifest of a guest that hosts can load: a channel must not name one that they cannot serve.
async fn check_published(
    stores: &Stores,
    signer: &Signer,
    digest: Digest,
) -> Result<Manifest, CommandError> {
    let place = stores.artifacts.describe();
    let not_published = |what: &dyn std::fmt::Display| {
        CommandError::environment(format_args!("guest {digest} in `{place}`: {what}"))
            .hint(format_args!("publish it with {}", stores.typed.publish()))
    };
    let text = stores.artifacts.get(ArtifactName::Manifest(digest)).await;
    let text = text.map_err(|error| not_published(&error))?;
    let manifest = Manifest::open(&String::from_utf8_lossy(&text), &signer.keys, digest)
        .map_err(|error| not_published(&format_args!("its manifest {error}")))?;
    for target in TARGETS {
        manifest
            .image(target)
            .map_err(|error| not_published(&format_args!("its manifest {error}")))?;
        let name = ArtifactName::Image(digest, target);
        let exists = stores.artifacts.exists(name).await;
        if !exists.map_err(|error| not_published(&error))? {
            return Err(not_published(&format_args!("`{name}` is missing")));
        }
    }
    Ok(manifest)
}
