//! Arguments of the commands that release guests, as typed.

use super::{guest::EnvironmentOptions, limits::RouteLimitOptions};
use clap::{Args, Subcommand, ValueEnum};
use outgoing::{Grant, GrantError};
use std::path::PathBuf;

/// How a store of artifacts is named on the command line and in tenon.toml.
pub const ARTIFACTS_FORMS: &str = "`file://FOLDER` or `s3://BUCKET/PREFIX`";

/// The help of an option that names a store of artifacts.
pub fn artifacts_help(remark: &str) -> String {
    format!("Where artifacts are stored: {ARTIFACTS_FORMS} {remark}")
        .trim_end()
        .to_owned()
}

/// Create a key that signs releases
///
/// Writes the secret key to KEYFILE, readable by its owner only, and the public key to stdout and KEYFILE.pub. Hosts get the public key.
/// Existing files are never replaced.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli keygen release.key")]
pub struct KeygenArgs {
    /// File for the secret key, which must not exist yet
    #[arg(value_name = "KEYFILE")]
    pub key: PathBuf,
}

/// Check, compile, sign and upload a guest
///
/// Checks the guest as a host does, compiles it for x86_64 and aarch64, uploads it under names derived from its content, and prints its
/// digest. No host runs it before a channel names it; publishing it again changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli publish guest.wasm --to file://releases --key release.key
  host-cli publish guest.wasm --to s3://my-bucket/guests --key release.key")]
pub struct PublishArgs {
    /// The component (.wasm) [default: that of tenon.toml]
    #[arg(value_name = "GUEST")]
    pub guest: Option<PathBuf>,
    #[arg(long, value_name = "URL", help = artifacts_help("[default: that of tenon.toml]"))]
    pub to: Option<String>,
    #[command(flatten)]
    pub aws: AwsOptions,
    /// File that contains the secret key [default: that of tenon.toml]
    #[arg(long, value_name = "KEYFILE")]
    pub key: Option<PathBuf>,
    /// Replace this guest's manifest even if this key signed it: its text, or a file that contains it. For key rotation; hosts must trust
    /// both keys before
    #[arg(long, value_name = "KEY")]
    pub public_key: Option<String>,
}

/// List the published guests
///
/// Prints the digest of each guest whose manifest a trusted key signed, with its size and the processors that it was compiled for.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli published --artifacts file://releases --public-key release.key.pub
  host-cli published --artifacts s3://my-bucket/guests \\
    --public-key release.key.pub --format json")]
pub struct PublishedArgs {
    #[arg(long, value_name = "URL", help = artifacts_help("[default: that of tenon.toml]"))]
    pub artifacts: Option<String>,
    #[command(flatten)]
    pub aws: AwsOptions,
    #[command(flatten)]
    pub trust: TrustOptions,
    /// Output format
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
}

/// Let a published guest serve all clients or a percentage of them
///
/// Writes the channel's next generation, on condition that nobody else has written it. Hosts that follow the channel switch to it within
/// their interval. With `--gate`, recorded requests run on the current guest and on the new one first, and nothing is written if they
/// differ.
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    override_usage = "host-cli promote [OPTIONS] [CHANNEL] <DIGEST>"
)]
#[command(after_help = "\
Examples:
  host-cli promote items 2f6a... --artifacts file://releases --key release.key
  host-cli promote items 2f6a... --artifacts file://releases --key release.key \\
    --percent 5 --gate tests/cases
  host-cli promote shop 81cc... --artifacts file://releases --key release.key \\
    --path /orders --namespace orders")]
pub struct PromoteArgs {
    /// The channel, which is created if it does not exist [default: that of tenon.toml]
    #[arg(value_name = "CHANNEL")]
    pub channel: Option<String>,
    /// The guest's digest, or at least its first six digits
    #[arg(value_name = "DIGEST", required = true)]
    pub digest: String,
    #[command(flatten)]
    pub stores: StoreOptions,
    #[command(flatten)]
    pub signing: SigningOptions,
    /// Percentage of the clients that get this guest; the others keep the current one
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub percent: u32,
    /// Change only the route for requests below this path
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub path: String,
    /// The guest's part of the store [default: that of the route, else that of the host]
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    #[command(flatten)]
    pub environment: EnvironmentOptions,
    /// Another service that the route's guests may call: an origin, or a table of `outgoing` as JSON. May be repeated; adds to `outgoing` in
    /// tenon.toml, and to what the route has
    #[arg(long, value_name = "GRANT", value_parser = grant)]
    pub outgoing: Vec<Grant>,
    /// Take away from the route what it may call besides
    #[arg(long)]
    pub replace_outgoing: bool,
    #[command(flatten)]
    pub limits: RouteLimitOptions,
    /// Rule out all earlier guests: hosts never fall back to one, and no rollback goes further back. Use it for a guest that fixes a
    /// vulnerability
    #[arg(long)]
    pub no_fallback: bool,
    /// Header with which a client can select a guest of the channel by its digest, for tests; `none` removes it
    #[arg(long, value_name = "NAME")]
    pub select_header: Option<String>,
    /// Tapes, events, files of events, case folders or folders of them, for which both guests must respond alike; may be repeated
    #[arg(long, value_name = "PATH")]
    pub gate: Vec<PathBuf>,
    /// A difference to ignore, as for `replay --ignore`: `header:etag`, `/body/title`, `/stored/*/revision`; may be repeated
    #[arg(long, value_name = "RULE", requires = "gate")]
    pub ignore: Vec<String>,
}

/// Go back to the previous guest
///
/// Removes a canary, or replaces the current guest with the previous one. With `--to`, the route gets the guests that it had in an earlier
/// generation. A rollback is a new generation, signed as a rollback; hosts keep the previous guest ready. A second rollback does not bring
/// back what was rolled back; only its generation or digest does.
#[derive(Debug, Args)]
#[command(override_usage = "host-cli rollback [OPTIONS] [CHANNEL]")]
#[command(after_help = "\
Examples:
  host-cli rollback items --artifacts file://releases --key release.key
  host-cli rollback items --artifacts file://releases --key release.key --to 3")]
pub struct RollbackArgs {
    /// The channel [default: that of tenon.toml]
    #[arg(value_name = "CHANNEL")]
    pub channel: Option<String>,
    #[command(flatten)]
    pub stores: StoreOptions,
    #[command(flatten)]
    pub signing: SigningOptions,
    /// The route to roll back
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub path: String,
    /// The generation whose guests shall serve again, as listed by `releases`
    #[arg(long, value_name = "GENERATION")]
    pub to: Option<u64>,
}

/// List the generations of a channel: who released what, and when
#[derive(Debug, Args)]
#[command(override_usage = "host-cli releases [OPTIONS] [CHANNEL]")]
#[command(after_help = "\
Examples:
  host-cli releases items --artifacts file://releases \\
    --public-key release.key.pub
  host-cli releases items --artifacts s3://my-bucket/guests --table tenon \\
    --public-key release.key.pub --format json")]
pub struct ReleasesArgs {
    /// The channel [default: that of tenon.toml]
    #[arg(value_name = "CHANNEL")]
    pub channel: Option<String>,
    #[command(flatten)]
    pub stores: StoreOptions,
    #[command(flatten)]
    pub trust: TrustOptions,
    /// Number of generations to list, newest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub count: usize,
    /// Output format
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
}

/// Show or verify a channel
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli channel show items --artifacts file://releases \\
    --public-key release.key.pub
  host-cli channel verify items --artifacts file://releases \\
    --public-key release.key.pub")]
pub struct ChannelArgs {
    #[command(subcommand)]
    pub command: ChannelCommand,
}

#[derive(Debug, Subcommand)]
pub enum ChannelCommand {
    /// Verify the signature of the channel's document and print it as JSON, without the values of environment variables
    #[command(override_usage = "host-cli channel show [OPTIONS] [CHANNEL]")]
    Show(ShowOptions),
    /// Run every check that a host makes before it serves: signatures, expiry, every artifact's digest, loading and linking
    #[command(override_usage = "host-cli channel verify [OPTIONS] [CHANNEL]")]
    Verify(ChannelOptions),
}

#[derive(Debug, Args)]
pub struct ShowOptions {
    #[command(flatten)]
    pub channel: ChannelOptions,
    /// Show the values of environment variables
    #[arg(long)]
    pub show_environment: bool,
}

#[derive(Debug, Args)]
pub struct ChannelOptions {
    /// The channel [default: that of tenon.toml]
    #[arg(value_name = "CHANNEL")]
    pub channel: Option<String>,
    #[command(flatten)]
    pub stores: StoreOptions,
    #[command(flatten)]
    pub trust: TrustOptions,
}

#[derive(Debug, Args)]
pub struct StoreOptions {
    #[arg(long, value_name = "URL", help = artifacts_help("[default: that of tenon.toml]"))]
    pub artifacts: Option<String>,
    /// DynamoDB table that contains the channels: `TABLE` or `TABLE@ENDPOINT` [default: that of tenon.toml, otherwise the folder of
    /// the artifacts]
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
    #[command(flatten)]
    pub aws: AwsOptions,
}

#[derive(Debug, Args)]
pub struct AwsOptions {
    /// Server to use instead of AWS [default: AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
}

#[derive(Debug, Args)]
pub struct SigningOptions {
    /// File that contains the secret key [default: that of tenon.toml]
    #[arg(long, value_name = "KEYFILE")]
    pub key: Option<PathBuf>,
    /// Another public key that may have signed the current document: its text, or a file that contains it
    #[arg(long, value_name = "KEY")]
    pub public_key: Option<String>,
    /// Name of the publisher, for the history [default: $USER and the machine's name]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Days after which hosts no longer accept this generation
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub valid_days: u32,
    /// Sign a new generation although the current document is missing, or older than a generation that was signed before, or may be older
    /// because a record was replaced by something else; the new generation is newer than all of them
    #[arg(long)]
    pub recover: bool,
}

#[derive(Debug, Args)]
pub struct TrustOptions {
    /// A trusted public key: its text, or a file that contains it; may be given twice [default: those of tenon.toml]
    #[arg(long, value_name = "KEY")]
    pub public_key: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Text for people: a table
    Text,
    /// A JSON array
    Json,
}

/// An origin, or a table.
fn grant(text: &str) -> Result<Grant, String> {
    match text.starts_with('{') {
        true => json::read(text.as_bytes()).map_err(|error| error.to_string()),
        false => text.parse().map_err(|error: GrantError| error.to_string()),
    }
}
