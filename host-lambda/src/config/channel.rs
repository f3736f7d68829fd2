//! The release channel to follow, if there is one.

use super::{InvalidVariable, NO_TABLE, Variables, endpoint};
use contract::limits::CHANNEL_GENERATION_MAX;
use release::{ChannelName, PublicKeys};
use release_aws::S3Location;
use std::{path::PathBuf, time::Duration};
use storage_dynamodb::DynamoDbOptions;

/// The default interval.
const INTERVAL_MS_DEFAULT: u64 = 15_000;
/// One day. Below the minimum, a process would read its channel more often than it answers.
const INTERVAL_MS_MAX: u64 = 86_400_000;

/// The channel, and the keys to trust.
#[derive(Debug)]
pub struct ChannelConfig {
    /// The table that contains its document.
    pub name: ChannelName,
    /// The store of its guests.
    pub artifacts: Artifacts,
    /// The keys that may sign them.
    pub keys: PublicKeys,
    /// How often to read the channel.
    pub interval: Duration,
    /// No generation below this one is accepted; 0 if not set.
    pub generation_min: u64,
}

/// The store of published guests.
#[derive(Clone, Debug)]
pub enum Artifacts {
    /// A part of a bucket.
    S3(S3Location),
    /// A folder, as in a layer or in tests.
    Folder(PathBuf),
}

/// `None` without `TENON_CHANNEL`; with it, the store of guests and the keys are required.
pub fn read(
    variables: &Variables,
    table: &DynamoDbOptions,
) -> Result<Option<ChannelConfig>, InvalidVariable> {
    let Some(name) = variables.get("TENON_CHANNEL") else {
        return Ok(None);
    };
    if table.table == NO_TABLE {
        return Err(variables.invalid("TENON_TABLE", "the table of `TENON_CHANNEL`"));
    }
    let keys = "TENON_PUBLIC_KEYS";
    let meaning = "one or two public keys of the signers of `TENON_CHANNEL`";
    let interval = variables.optional_number("TENON_CHANNEL_INTERVAL_MS", 1..=INTERVAL_MS_MAX)?;
    let generation_min =
        variables.optional_number("TENON_CHANNEL_GENERATION_MIN", 1..=CHANNEL_GENERATION_MAX)?;
    Ok(Some(ChannelConfig {
        name: name.parse().map_err(|_| {
            variables.invalid(
                "TENON_CHANNEL",
                "1 to 64 characters of `a-z`, `0-9` and `-`",
            )
        })?,
        artifacts: artifacts(variables, table)?,
        // The value is not logged, because a secret key may have been put there by mistake.
        keys: variables.required(keys, meaning)?.parse().map_err(|_| {
            variables.invalid_secret(
                keys,
                "one or two public keys as `host-cli keygen` prints them, separated by a comma",
            )
        })?,
        interval: Duration::from_millis(interval.unwrap_or(INTERVAL_MS_DEFAULT)),
        generation_min: generation_min.unwrap_or(0),
    }))
}

fn artifacts(variables: &Variables, table: &DynamoDbOptions) -> Result<Artifacts, InvalidVariable> {
    let name = "TENON_ARTIFACTS";
    let url = variables.required(name, "the store of the guests of `TENON_CHANNEL`")?;
    if let Some(path) = url
        .strip_prefix("file://")
        .filter(|path| path.starts_with('/'))
    {
        return Ok(Artifacts::Folder(PathBuf::from(path)));
    }
    let endpoint = endpoint(variables, "AWS_ENDPOINT_URL_S3")?;
    S3Location::new(url, &table.region, endpoint, table.credentials.clone())
        .map(Artifacts::S3)
        .map_err(|_| variables.invalid(name, "`s3://BUCKET/PREFIX` or `file:///FOLDER`"))
}
