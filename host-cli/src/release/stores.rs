//! The stores of artifacts and channels: `file://`, `s3://`, a DynamoDB table.

use crate::{
    args::release::{ARTIFACTS_FORMS, AwsOptions, StoreOptions},
    exit::CommandError,
    project::Project,
    store::TableSpec,
};
use release::{
    ArtifactStore, ChannelName, ChannelStore, FolderArtifacts, FolderChannels, PublicKey,
};
use release_aws::TableChannels;
use std::{path::PathBuf, sync::Arc};

/// Both stores of a release.
pub struct Stores {
    pub artifacts: Arc<dyn ArtifactStore>,
    pub channels: Arc<dyn ChannelStore>,
    pub typed: TypedStores,
}

/// The options that name the stores, for the commands that messages suggest.
#[derive(Clone, Debug)]
pub struct TypedStores {
    artifacts: String,
    table: String,
    endpoint: String,
}

impl TypedStores {
    fn new(artifacts: &str, table: Option<&str>, endpoint: Option<&str>) -> Self {
        let option = |name: &str, value: Option<&str>| {
            value.map_or_else(String::new, |value| format!(" {name} {}", word(value)))
        };
        Self {
            artifacts: word(artifacts),
            table: option("--table", table),
            endpoint: option("--endpoint", endpoint),
        }
    }

    /// The options for a channel's stores.
    fn of_channels(&self) -> String {
        let Self {
            artifacts,
            table,
            endpoint,
        } = self;
        format!("--artifacts {artifacts}{table}{endpoint}")
    }

    /// The command that lists the generations of the channel.
    pub fn releases(&self, channel: &ChannelName, key: &PublicKey) -> String {
        let stores = self.of_channels();
        format!("`host-cli releases {channel} {stores} --public-key {key}`")
    }

    /// The command that lists the published guests.
    pub fn published(&self, key: &PublicKey) -> String {
        let (artifacts, endpoint) = (&self.artifacts, &self.endpoint);
        format!("`host-cli published --artifacts {artifacts}{endpoint} --public-key {key}`")
    }

    /// The command that promotes a guest, with one more option.
    pub fn promote(&self, channel: &ChannelName, option: &str) -> String {
        let stores = self.of_channels();
        format!("`host-cli promote {channel} DIGEST {stores} --key KEYFILE{option}`")
    }

    /// The command that publishes a guest.
    pub fn publish(&self) -> String {
        let (artifacts, endpoint) = (&self.artifacts, &self.endpoint);
        format!("`host-cli publish GUEST.wasm --to {artifacts}{endpoint} --key KEYFILE`")
    }
}

/// Quotes a text as one word for a shell.
pub fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-#".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) && !text.starts_with('#') {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The locations of the stores, as typed.
#[derive(Clone, Debug)]
pub struct StoresSpec {
    artifacts: ArtifactsSpec,
    table: Option<TableSpec>,
    endpoint: Option<String>,
    typed: TypedStores,
}

#[derive(Clone, Debug)]
enum ArtifactsSpec {
    Folder(PathBuf),
    S3(String),
}

impl StoresSpec {
    /// Resolves the options of a command that needs both stores.
    pub fn resolve(
        options: &StoreOptions,
        project: Option<&Project>,
    ) -> Result<Self, CommandError> {
        let (artifacts, table) = (options.artifacts.as_deref(), options.table.as_deref());
        Self::new(artifacts, table, &options.aws, project)
    }

    /// Resolves `--artifacts` and `--table`. The table of the project is that of its artifacts.
    pub fn new(
        artifacts: Option<&str>,
        table: Option<&str>,
        aws: &AwsOptions,
        project: Option<&Project>,
    ) -> Result<Self, CommandError> {
        let of_project = project
            .filter(|_| artifacts.is_none())
            .and_then(|project| project.file.release.table.as_deref());
        let table = table.or(of_project);
        let artifacts = &named(artifacts, "--artifacts", project)?;
        let typed = TypedStores::new(artifacts, table, aws.endpoint.as_deref());
        let artifacts = artifacts_spec(artifacts)?;
        if let (ArtifactsSpec::S3(_), None) = (&artifacts, table) {
            return Err(no_table());
        }
        let table = match (table, &aws.endpoint) {
            (Some(table), Some(endpoint)) if !table.contains('@') => {
                Some(TableSpec::resolve(&format!("{table}@{endpoint}"))?)
            }
            (Some(table), _) => Some(TableSpec::resolve(table)?),
            (None, _) => None,
        };
        Ok(Self {
            artifacts,
            table,
            endpoint: aws.endpoint.clone(),
            typed,
        })
    }

    /// Opens both stores. Nothing is sent yet.
    pub async fn open(&self) -> Result<Stores, CommandError> {
        let channels: Arc<dyn ChannelStore> = match (&self.table, &self.artifacts) {
            (Some(table), _) => Arc::new(TableChannels::new(&table.options().await?)),
            (None, ArtifactsSpec::Folder(path)) => Arc::new(FolderChannels::new(path)),
            (None, ArtifactsSpec::S3(_)) => return Err(no_table()),
        };
        Ok(Stores {
            artifacts: open_artifacts(&self.artifacts, self.endpoint.as_deref()).await?,
            channels,
            typed: self.typed.clone(),
        })
    }
}

fn no_table() -> CommandError {
    CommandError::usage("channels cannot be stored in S3")
        .hint("name the DynamoDB table that contains them: `--table TABLE`")
}

/// The place of the artifacts: as typed with this option, otherwise the project's.
pub fn named(
    typed: Option<&str>,
    option: &str,
    project: Option<&Project>,
) -> Result<String, CommandError> {
    typed
        .map(str::to_owned)
        .or_else(|| project.and_then(Project::artifacts))
        .ok_or_else(|| {
            CommandError::usage(format_args!("`{option}` is missing: where artifacts are stored")).hint(
                format_args!(
                    "give `{option}` {ARTIFACTS_FORMS}, or write `artifacts` in section `[release]` of tenon.toml"
                ),
            )
        })
}

/// Opens only the store of artifacts.
pub async fn artifacts(
    url: &str,
    aws: &AwsOptions,
) -> Result<Arc<dyn ArtifactStore>, CommandError> {
    open_artifacts(&artifacts_spec(url)?, aws.endpoint.as_deref()).await
}

/// Checks `--to` without opening it.
pub fn check(url: &str) -> Result<(), CommandError> {
    artifacts_spec(url).map(drop)
}

fn artifacts_spec(url: &str) -> Result<ArtifactsSpec, CommandError> {
    let unknown = || {
        CommandError::usage(format_args!("`{url}` is not a valid place for artifacts"))
            .hint(format_args!("write {ARTIFACTS_FORMS}"))
    };
    match url.split_once("://") {
        Some(("file", path)) if !path.is_empty() => Ok(ArtifactsSpec::Folder(PathBuf::from(path))),
        Some(("s3", bucket)) if !bucket.is_empty() => Ok(ArtifactsSpec::S3(url.to_owned())),
        Some(_) | None => Err(unknown()),
    }
}

async fn open_artifacts(
    spec: &ArtifactsSpec,
    endpoint: Option<&str>,
) -> Result<Arc<dyn ArtifactStore>, CommandError> {
    match spec {
        ArtifactsSpec::Folder(path) => Ok(Arc::new(FolderArtifacts::new(path))),
        ArtifactsSpec::S3(url) => crate::aws::artifacts(url, endpoint).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_command_line_is_quoted_where_a_shell_would_act_on_it() {
        for (text, expected) in [
            ("file://releases", "file://releases"),
            (
                "items#shop@http://127.0.0.1:8000",
                "items#shop@http://127.0.0.1:8000",
            ),
            ("file://my releases", "'file://my releases'"),
            ("a'$(b)", r"'a'\''$(b)'"),
            ("", "''"),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
