//! The release channel to follow, where there is one.

use super::{InvalidVariable, Variables, endpoint};
use contract::limits::CHANNEL_GENERATION_MAX;
use release::{ChannelName, PublicKeys};
use release_aws::S3Location;
use std::{path::PathBuf, time::Duration};
use storage_dynamodb::DynamoDbOptions;

/// How often to look where nothing else is said.
const INTERVAL_MS_DEFAULT: u64 = 15_000;
/// A day. Below, a process would look at its channel more often than it answers.
const INTERVAL_MS_MAX: u64 = 86_400_000;

/// Which channel, and what to believe.
#[derive(Debug)]
pub struct ChannelConfig {
    /// Its document is in the table.
    pub name: ChannelName,
    /// Where its guests are.
    pub artifacts: Artifacts,
    /// Who may sign for them.
    pub keys: PublicKeys,
    /// How often to look.
    pub interval: Duration,
    /// No generation before this one is taken; 0 where nothing is said.
    pub generation_min: u64,
}

/// Where published guests are.
#[derive(Clone, Debug)]
pub enum Artifacts {
    /// A part of a bucket.
    S3(S3Location),
    /// A folder, as in a layer or in tests.
    Folder(PathBuf),
}

/// `None` without `TENON_CHANNEL`; with it, the guests' place and keys have to be there.
pub fn read(
    variables: &Variables,
    table: &DynamoDbOptions,
) -> Result<Option<ChannelConfig>, InvalidVariable> {
    let Some(name) = variables.get("TENON_CHANNEL") else {
        return Ok(None);
    };
    let keys = "TENON_PUBLIC_KEYS";
    let meaning = "one or two public keys, which sign what `TENON_CHANNEL` serves";
    let interval = variables.optional_number("TENON_CHANNEL_INTERVAL_MS", 1..=INTERVAL_MS_MAX)?;
    let generation_min =
        variables.optional_number("TENON_CHANNEL_GENERATION_MIN", 1..=CHANNEL_GENERATION_MAX)?;
    Ok(Some(ChannelConfig {
        name: name.parse().map_err(|_| {
            variables.invalid("TENON_CHANNEL", "1 to 64 characters of `a-z`, `0-9` and `-`")
        })?,
        artifacts: artifacts(variables, table)?,
        // Whoever put a secret key there by mistake does not find it in the log as well.
        keys: variables.required(keys, meaning)?.parse().map_err(|_| {
            variables.invalid_secret(keys, "one or two public keys as `host-cli keygen` prints them, with a comma between them")
        })?,
        interval: Duration::from_millis(interval.unwrap_or(INTERVAL_MS_DEFAULT)),
        generation_min: generation_min.unwrap_or(0),
    }))
}

fn artifacts(variables: &Variables, table: &DynamoDbOptions) -> Result<Artifacts, InvalidVariable> {
    let name = "TENON_ARTIFACTS";
    let url = variables.required(name, "where the guests of `TENON_CHANNEL` are")?;
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
