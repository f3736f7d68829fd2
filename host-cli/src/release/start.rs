//! Why a server does not start on a channel, and what to do about it.

use super::{channels, stores::Stores};
use crate::exit::CommandError;
use release::{ChannelError, ChannelName};
use rollout::{FollowError, StartError};

/// The failure, with what to do.
pub async fn not_started(error: StartError, stores: &Stores) -> CommandError {
    match error {
        StartError::Bundled(_) => CommandError::environment(error),
        StartError::Channel { channel, error, .. } => match *error {
            FollowError::NoChannel => channels::missing(&channel, stores).await,
            FollowError::Document(error) => untrusted(&channel, &error, stores),
            error => {
                let place = stores.channels.describe();
                CommandError::environment(format_args!(
                    "failed to follow `{channel}` in `{place}`: {error}"
                ))
                .hint(hint(&channel, &error, stores))
            }
        },
    }
}

fn untrusted(channel: &ChannelName, error: &ChannelError, stores: &Stores) -> CommandError {
    let failure = channels::not_believed(channel, error);
    if let ChannelError::Signature(_) = error {
        return failure;
    }
    failure.hint(format_args!(
        "write a new one with {}",
        stores.typed.promote(channel, "")
    ))
}

fn hint(channel: &ChannelName, error: &FollowError, stores: &Stores) -> String {
    if error.is_unreachable() {
        return "check the place and the network; with `--guest GUEST.wasm`, that guest serves until the channel can be read".to_owned();
    }
    match error {
        FollowError::Prepare { .. } | FollowError::NoFallback { .. } => format!(
            "guests are read from `{}`: publish this one there with {}, or promote another one",
            stores.artifacts.describe(),
            stores.typed.publish()
        ),
        FollowError::Older { .. }
        | FollowError::Superseded { .. }
        | FollowError::Forked(_)
        | FollowError::InvalidRecord { .. } => format!(
            "find out who did it, then write a newer generation with {}",
            stores.typed.promote(channel, " --recover")
        ),
        FollowError::BelowMinimum { .. } => format!(
            "write newer generations with {}, or lower `--generation-min`",
            stores.typed.promote(channel, "")
        ),
        FollowError::Store(_)
        | FollowError::NoChannel
        | FollowError::Document(_)
        | FollowError::NoRecord { .. }
        | FollowError::BundledStopped(_)
        | FollowError::TimedOut(_)
        | FollowError::Tripped(_) => {
            "check the place of the channel, and who may read it".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::release::AwsOptions, release::stores::StoresSpec};
    use release::StoreError;
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    /// A folder of its own with the documents of these channels.
    async fn stores(name: &str, channels: &[&str]) -> (PathBuf, Stores) {
        let folder =
            std::env::temp_dir().join(format!("tenon-start-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("channels")).unwrap();
        for channel in channels {
            fs::write(folder.join(format!("channels/{channel}.json")), "{}").unwrap();
        }
        let aws = AwsOptions { endpoint: None };
        let url = format!("file://{}", folder.display());
        let spec = StoresSpec::new(Some(&url), None, &aws, None).unwrap();
        (folder, spec.open().await.unwrap())
    }

    async fn text(channel: &str, error: FollowError, stores: &Stores, folder: &Path) -> String {
        let error = StartError::Channel {
            channel: channel.parse().unwrap(),
            channels: stores.channels.describe(),
            artifacts: stores.artifacts.describe(),
            error: Box::new(error),
            lacks_bundled: true,
        };
        let text = not_started(error, stores).await.render(false).unwrap();
        text.replace(&folder.display().to_string(), "FOLDER")
    }

    #[tokio::test]
    async fn a_misspelt_channel_leads_to_the_nearest_one() {
        let (folder, there) = stores("nearest", &["items", "shop"]).await;
        insta::assert_snapshot!(text("itmes", FollowError::NoChannel, &there, &folder).await, @r"
        error: channel `itmes` does not exist in `file://FOLDER/channels`
          hint: did you mean `items`? Otherwise create it with `host-cli promote itmes DIGEST --artifacts file://FOLDER --key KEYFILE`
        ");
        insta::assert_snapshot!(text("payments", FollowError::NoChannel, &there, &folder).await, @r"
        error: channel `payments` does not exist in `file://FOLDER/channels`
          hint: create it with `host-cli promote payments DIGEST --artifacts file://FOLDER --key KEYFILE`
        ");
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn what_is_wrong_and_what_to_do_are_two_lines() {
        let (folder, there) = stores("lines", &[]).await;
        let errors = [
            FollowError::Store(StoreError::Unavailable("no answer".to_owned())),
            FollowError::Superseded {
                found: 1,
                recorded: 2,
            },
            FollowError::BelowMinimum {
                found: 1,
                minimum: 2,
            },
            FollowError::Document(ChannelError::Payload("format 9".to_owned())),
        ];
        let mut lines = String::new();
        for error in errors {
            lines.push_str(&text("items", error, &there, &folder).await);
        }
        insta::assert_snapshot!(lines, @r"
        error: failed to follow `items` in `file://FOLDER/channels`: channel cannot be read: no answer
          hint: check the place and the network; with `--guest GUEST.wasm`, that guest serves until the channel can be read
        error: failed to follow `items` in `file://FOLDER/channels`: channel document has generation 1, but generation 2 was signed after it: an old document was put back
          hint: find out who did it, then write a newer generation with `host-cli promote items DIGEST --artifacts file://FOLDER --key KEYFILE --recover`
        error: failed to follow `items` in `file://FOLDER/channels`: channel document has generation 1, but this host accepts none below 2
          hint: write newer generations with `host-cli promote items DIGEST --artifacts file://FOLDER --key KEYFILE`, or lower `--generation-min`
        error: channel `items`: its document cannot be followed: format 9
          hint: write a new one with `host-cli promote items DIGEST --artifacts file://FOLDER --key KEYFILE`
        ");
        fs::remove_dir_all(folder).unwrap();
    }
}
