//! `channel`: shows a channel's document, or verifies that a host could serve it.

use crate::{
    args::release::{ChannelArgs, ChannelCommand, ChannelOptions, ShowOptions},
    executor,
    exit::{CommandError, Outcome},
    guest, output,
    project::Project,
    release::{channels, keys, needs, stores::StoresSpec},
    seed, time,
};
use rollout::{Follower, Following, HostContext, NamespaceStores};
use runtime::RuntimeOptions;
use std::{sync::Arc, time::Duration};
use storage::{CursorKey, Namespace, memory::MemoryStorage};

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
        // What is wrong with it is told below.
        let document = channels::read(&stores, &channel, &keys)
            .await
            .ok()
            .flatten();
        let (artifacts, trusted) = (stores.artifacts.clone(), keys.clone());
        let following = Following {
            channel,
            keys,
            channels: stores.channels,
            artifacts: stores.artifacts,
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
        let started = Follower::start(following, time::now_ms()).await;
        if let Ok(follower) = &started {
            follower.check_record(time::now_ms()).await;
            // What hosts grant and declare themselves is not known here.
            for route in document.iter().flat_map(|document| &document.routes) {
                needs::check(&*artifacts, &trusted, route).await?;
            }
        }
        Ok(started)
    })?;
    let follower = match started {
        Ok(follower) => follower,
        Err(error) => {
            output::text(&format!("a host cannot serve this channel: {error}\n"))?;
            return Ok(Outcome::Differs);
        }
    };
    let mut text = String::new();
    let mut outcome = Outcome::Same;
    for report in follower.take_reports() {
        if report.is_failure() {
            outcome = Outcome::Differs;
        }
        text.push_str(&format!("{report}\n"));
    }
    output::text(&text)?;
    Ok(outcome)
}
