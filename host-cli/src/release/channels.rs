//! A channel as commands work on it: read, verified, and written under the condition that it has not changed.

use super::{keys, stores::Stores};
use crate::{args::release::SigningOptions, exit::Failure, time};
use host_core::release::{Channel, ChannelName, FlipError, PublicKeys, SecretKey, Signing};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The name that was typed.
pub fn name(text: &str) -> Result<ChannelName, Failure> {
    text.parse()
        .map_err(|error| Failure::usage(format_args!("`{text}`: {error}")))
}

/// The secret key, and the keys whose documents are built upon.
pub struct Signer {
    pub key: SecretKey,
    pub keys: PublicKeys,
    by: String,
    valid_for: Duration,
}

impl Signer {
    /// Reads the key file.
    pub fn resolve(options: &SigningOptions) -> Result<Self, Failure> {
        let key = keys::secret(&options.key)?;
        Ok(Self {
            keys: keys::with(&key, options.public_key.as_deref())?,
            key,
            by: options.by.clone().unwrap_or_else(whoever),
            valid_for: DAY * options.valid_days,
        })
    }

    /// As of now.
    pub fn signing(&self) -> Signing {
        Signing {
            by: self.by.clone(),
            now_ms: time::now_ms(),
            valid_for: self.valid_for,
        }
    }
}

/// The present document, if there is one. One that is not believed is not built upon: signing what somebody else slipped in would make it
/// good.
pub async fn read(
    stores: &Stores,
    channel: &ChannelName,
    keys: &PublicKeys,
) -> Result<Option<Channel>, Failure> {
    let text = stores
        .channels
        .read(channel)
        .await
        .map_err(Failure::environment)?;
    text.map(|text| Channel::open(&text, keys, channel))
        .transpose()
        .map_err(|error| not_believed(channel, &error))
}

/// The failure to take a document for what it says.
pub fn not_believed(channel: &ChannelName, error: &impl std::fmt::Display) -> Failure {
    Failure::environment(format_args!("channel `{channel}`: its document {error}"))
        .hint("give the key that signed it with `--public-key`, if you trust it")
}

/// The failure where a channel has to be there.
pub fn missing(channel: &ChannelName, stores: &Stores) -> Failure {
    let place = stores.channels.describe();
    Failure::environment(format_args!("there is no channel `{channel}` in `{place}`"))
        .hint("`host-cli promote` makes it")
}

/// Signs `next` and puts it in the place of the generation before it.
pub async fn flip(
    stores: &Stores,
    signer: &Signer,
    replaced: Option<&Channel>,
    next: &Channel,
) -> Result<(), Failure> {
    let document = next.sign(&signer.key).map_err(|error| {
        Failure::environment(format_args!("failed to write the document: {error}"))
    })?;
    let expected = replaced.map_or(0, |replaced| replaced.generation);
    stores
        .channels
        .flip(&next.channel, expected, next.generation, &document)
        .await
        .map_err(|error| match error {
            FlipError::Lost { .. } => {
                Failure::refused(format_args!("channel `{}`: {error}", next.channel))
                    .hint("look what was released with `host-cli releases`, then decide again")
            }
            FlipError::Store(error) => Failure::environment(error),
        })
}

fn whoever() -> String {
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let user = user.unwrap_or_else(|| "unknown".to_owned());
    match machine.trim() {
        "" => user,
        machine => format!("{user}@{machine}"),
    }
}
