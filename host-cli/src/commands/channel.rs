//! `channel`: shows a channel's document, or verifies that a host could serve it.

use crate::{
    args::release::{ChannelArgs, ChannelCommand, ChannelOptions, ShowOptions},
    executor,
    exit::{CommandError, Outcome},
    guest, output,
    project::Project,
    release::{
        channels, keys, needs,
        stores::{Stores, StoresSpec},
    },
    seed, time,
};
use release::{Channel, ChannelName, PublicKeys};
use rollout::{Follower, Following, HostContext, NamespaceStores};
use runtime::RuntimeOptions;
use std::{sync::Arc, time::Duration};
use storage::{CursorKey, Namespace, memory::MemoryStorage};

/// How often the document of a channel is read that changes while it is verified.
const READS_MAX: usize = 3;

/// Runs the subcommand.
pub fn run(arguments: &ChannelArgs, project: Option<&Project>) -> Result<Outcome, CommandError> {
    match &arguments.command {
        ChannelCommand::Show(options) => show(options, project),
        ChannelCommand::Verify(options) => verify(options, project),
    }
}

fn show(shown: &ShowOptions, project: Option<&Project>) -> Result<Outcome, CommandError> {
    let options = &shown.channel;
    let channel = channels::named(options.channel.as_deref(), project)?;
    let keys = keys::trusted(&options.trust.public_key, project)?;
    let stores = StoresSpec::resolve(&options.stores, project)?;
    let (document, put_back) = executor::workers(1)?.block_on(async {
        let stores = stores.open().await?;
        let document = channels::read(&stores, &channel, &keys).await?;
        let Some(document) = document else {
            return Err(channels::missing(&channel, &stores).await);
        };
        let generation = document.generation;
        let put_back = channels::put_back(&stores, &channel, &keys, generation).await?;
        Ok::<_, CommandError>((document, put_back))
    })?;
    let document = match shown.show_environment {
        true => document,
        false => document.without_secrets(),
    };
    let text = format!("{:#}\n", serde_json::json!(document));
    output::text(&text)?;
    let Some(words) = put_back else {
        return Ok(Outcome::Same);
    };
    // `releases` does the same.
    output::remark(&format!("{words}\n"));
    Ok(Outcome::Differs)
}

/// Does what a host does when it starts, with a store in memory.
fn verify(options: &ChannelOptions, project: Option<&Project>) -> Result<Outcome, CommandError> {
    let channel = channels::named(options.channel.as_deref(), project)?;
    let keys = keys::trusted(&options.trust.public_key, project)?;
    let stores = StoresSpec::resolve(&options.stores, project)?;
    let engine = guest::engine(1)?;
    let seed = seed::unpredictable()?;
    let started = executor::workers(2)?.block_on(async {
        let stores = stores.open().await?;
        let following = Following {
            channel: channel.clone(),
            keys: keys.clone(),
            channels: stores.channels.clone(),
            artifacts: stores.artifacts.clone(),
            interval: Duration::from_secs(1),
            generation_min: 0,
            host: HostContext {
                engine,
                stores: NamespaceStores::of(
                    Arc::new(MemoryStorage::new()),
                    CursorKey::new([0; 32]),
                ),
                namespace: Namespace::local(),
                services: guest::services(),
                secrets: guest::secrets(guest::say_plainly),
                options: RuntimeOptions::without_check_of_grants(),
            },
            bundled: None,
            seed,
        };
        let follower = match Follower::start(following, time::now_ms()).await {
            Ok(follower) => follower,
            Err(error) => return Ok(Err(error)),
        };
        let needs = check_needs(&follower, &stores, &channel, &keys).await;
        follower.check_record(time::now_ms()).await;
        Ok::<_, CommandError>(Ok((follower, needs)))
    })?;
    let (follower, needs) = match started {
        Ok(started) => started,
        Err(error) => {
            output::text(&format!("a host cannot serve this channel: {error}\n"))?;
            return Ok(Outcome::Differs);
        }
    };
    let mut text = String::new();
    let mut outcome = Outcome::Same;
    if let Err(error) = needs {
        outcome = Outcome::Differs;
        text.push_str(&refusal(&error));
    }
    for report in follower.take_reports() {
        if report.is_failure() {
            outcome = Outcome::Differs;
        }
        text.push_str(&format!("{report}\n"));
    }
    output::text(&text)?;
    Ok(outcome)
}

fn refusal(error: &CommandError) -> String {
    let hint = error.hint_text().map(|hint| format!("; {hint}"));
    let (message, hint) = (error.message(), hint.unwrap_or_default());
    format!("a host cannot serve this channel: {message}{hint}\n")
}

/// Checks what the guests of the generation that was taken need. What hosts grant and declare themselves is not known here.
async fn check_needs(
    follower: &Follower,
    stores: &Stores,
    channel: &ChannelName,
    keys: &PublicKeys,
) -> Result<(), CommandError> {
    let document = taken(follower, stores, channel, keys).await?;
    for route in &document.routes {
        needs::check(&*stores.artifacts, keys, route, &[]).await?;
    }
    Ok(())
}

/// The document that was taken. If another one has replaced it, that one is taken instead.
async fn taken(
    follower: &Follower,
    stores: &Stores,
    channel: &ChannelName,
    keys: &PublicKeys,
) -> Result<Channel, CommandError> {
    for _ in 0..READS_MAX {
        let document = channels::read(stores, channel, keys).await?;
        let same = document.filter(|document| Some(document.generation) == follower.generation());
        if let Some(document) = same {
            return Ok(document);
        }
        follower.look(time::now_ms()).await;
    }
    Err(CommandError::environment(
        "its document is not the one that was verified",
    ))
}
