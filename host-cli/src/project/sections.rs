//! The members of `tenon.toml`. The text on each member is also its description in `docs/tenon.schema.json`; `docs/tenon-toml.md` explains
//! them.

use super::deploy::DeploySection;
use super::values::{
    BuildCommand, DeclaredSecrets, EventName, LevelName, OutgoingGrants, ProjectLimits,
    ProjectPath, StoreName, Variables,
};
use serde::Deserialize;

/// The file.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ProjectFile {
    /// The project's name, which is also the default of its release channel.
    pub name: Option<String>,
    /// How the guest is built, and where it is.
    pub guest: GuestSection,
    /// How the guest is served locally.
    pub serve: ServeSection,
    /// Environment variables of the guest, as text. Not for secrets: the file is committed.
    pub environment: Variables,
    /// Other services that the guest may call: origins, or tables with an `origin`.
    pub outgoing: OutgoingGrants,
    /// The guest's secrets: where each is found, and what the guest may do with it. Never the values: the file is committed.
    pub secrets: DeclaredSecrets,
    /// The project's cases.
    pub test: TestSection,
    /// Where releases go, and who signs them.
    pub release: ReleaseSection,
    /// The project's stack on AWS.
    pub deploy: DeploySection,
}

/// `[guest]`
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct GuestSection {
    /// The command that builds the guest, run in the folder of this file. Words are split as a shell splits them, but no shell runs it.
    pub build: Option<BuildCommand>,
    /// The component that the command builds, or `embedded` for the items API in `host-cli`.
    pub component: Option<ProjectPath>,
    /// Files and folders whose changes `host-cli dev` rebuilds the guest for.
    pub watch: Vec<ProjectPath>,
}

/// `[serve]`
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ServeSection {
    /// Address and port to listen on.
    pub listen: Option<String>,
    /// The store: `memory`, `redb:FILE` or `dynamodb:TABLE[#NAMESPACE][@ENDPOINT]`.
    pub store: Option<StoreName>,
    /// The gateway to emulate, and the kind of events that `host-cli event` writes.
    pub event: Option<EventName>,
    /// The least severe log lines of the guest that are kept.
    pub log_level: Option<LevelName>,
    /// Limits of one request.
    pub limits: ProjectLimits,
}

/// `[test]`
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TestSection {
    /// The folder of the project's cases.
    pub cases: Option<ProjectPath>,
}

/// `[release]`
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ReleaseSection {
    /// The release channel; by default the project's name.
    pub channel: Option<String>,
    /// Where artifacts are stored: `file://FOLDER` or `s3://BUCKET/PREFIX`.
    pub artifacts: Option<String>,
    /// The DynamoDB table that contains the channels; by default the folder of the artifacts.
    pub table: Option<String>,
    /// The file of the secret key that signs releases.
    pub key: Option<ProjectPath>,
    /// The trusted public keys: texts, or files.
    pub public_keys: Vec<String>,
}
