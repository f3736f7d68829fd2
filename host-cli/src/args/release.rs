//! What was typed for the commands that release guests.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Make a key that signs releases
///
/// The secret key goes into KEYFILE, which only its owner may read; the public key goes to stdout and into KEYFILE.pub. Hosts get the public
/// key. Nothing is replaced.
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
/// The guest is checked as a host checks it, compiled for x86_64 and aarch64, and uploaded under names made of its content. Prints its
/// digest. No host runs it before a channel names it; publishing again changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli publish guest.wasm --to file://releases --key release.key
  host-cli publish guest.wasm --to s3://my-bucket/guests --key release.key")]
pub struct PublishArgs {
    /// The component (.wasm)
    #[arg(value_name = "GUEST")]
    pub guest: PathBuf,
    /// Where artifacts are: `file://FOLDER` or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "URL")]
    pub to: String,
    #[command(flatten)]
    pub aws: AwsOptions,
    /// File that holds the secret key
    #[arg(long, value_name = "KEYFILE")]
    pub key: PathBuf,
    /// The key whose manifest of this guest is replaced by one that `--key` signs: text, or a file that holds it. For the rotation of keys:
    /// hosts have to trust both before
    #[arg(long, value_name = "KEY")]
    pub public_key: Option<String>,
}

/// List the guests that are published
///
/// Prints the digest of each guest whose manifest a trusted key signed, with its size and the processors that it was compiled for.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli published --artifacts file://releases --public-key release.key.pub
  host-cli published --artifacts s3://my-bucket/guests \\
    --public-key release.key.pub --format json")]
pub struct PublishedArgs {
    /// Where artifacts are: `file://FOLDER` or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "URL")]
    pub artifacts: String,
    #[command(flatten)]
    pub aws: AwsOptions,
    #[command(flatten)]
    pub trust: TrustOptions,
    /// How they are shown
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
}

/// Let a published guest serve, all clients or a share of them
///
/// Writes the channel's next generation, on condition that nobody else has written it. Hosts that follow the channel take it within their
/// interval. With `--gate`, recorded requests run on the present guest and on the new one first, and nothing is written if they differ.
#[derive(Debug, Args)]
#[command(
    override_usage = "host-cli promote [OPTIONS] <CHANNEL> <DIGEST>\n           --artifacts <URL> --key <KEYFILE>"
)]
#[command(after_help = "\
Examples:
  host-cli promote items 2f6a... --artifacts file://releases --key release.key
  host-cli promote items 2f6a... --artifacts file://releases --key release.key \\
    --percent 5 --gate tests/cases
  host-cli promote shop 81cc... --artifacts file://releases --key release.key \\
    --path /orders --namespace orders")]
pub struct PromoteArgs {
    /// The channel, which is made if there is none
    #[arg(value_name = "CHANNEL")]
    pub channel: String,
    /// The guest's digest, or its first digits, at least six
    #[arg(value_name = "DIGEST")]
    pub digest: String,
    #[command(flatten)]
    pub stores: StoreOptions,
    #[command(flatten)]
    pub signing: SigningOptions,
    /// Share of the clients that get this guest; the others keep the present one
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub percent: u32,
    /// Only requests below this path
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub path: String,
    /// The guest's part of the store [default: that of the route, else that of the host]
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// An environment variable for the route's guests; without a value, this program's own of that name; `@FILE` holds several as a JSON
    /// object of strings. The latter two keep secrets off the command line; may be repeated
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub guest_env: Vec<String>,
    /// Bound of a request's time on this route, in milliseconds
    #[arg(long, value_name = "MS")]
    pub request_duration_ms_max: Option<u64>,
    /// Bound of an instance's memory on this route, in bytes
    #[arg(long, value_name = "BYTES")]
    pub guest_memory_bytes_max: Option<usize>,
    /// Rule out every guest from before: none is fallen back to, and no rollback goes further back. For a guest that closes a security hole
    #[arg(long)]
    pub no_fallback: bool,
    /// Header by which a client may select a guest of the channel by its digest, for tests; `none` takes it away
    #[arg(long, value_name = "NAME")]
    pub select_header: Option<String>,
    /// Tapes, events, files of events, case folders or folders of them that must come out the same as with the present guest; may be repeated
    #[arg(long, value_name = "PATH")]
    pub gate: Vec<PathBuf>,
    /// Differences that do not count, as `replay --ignore` takes them: `header:etag`, `/body/title`, `/stored/*/revision`; may be repeated
    #[arg(long, value_name = "RULE", requires = "gate")]
    pub ignore: Vec<String>,
}

/// Go back to the guest that served before
///
/// Takes a guest on trial out, or puts the previous guest in the place of the present one. With `--to`, the route gets the guests that it
/// had in an earlier generation. It is a generation of its own, signed as a rollback; hosts have the previous guest ready. What was
/// rolled back does not come back by a second rollback, only by its generation or digest.
#[derive(Debug, Args)]
#[command(
    override_usage = "host-cli rollback [OPTIONS] <CHANNEL>\n           --artifacts <URL> --key <KEYFILE>"
)]
#[command(after_help = "\
Examples:
  host-cli rollback items --artifacts file://releases --key release.key
  host-cli rollback items --artifacts file://releases --key release.key --to 3")]
pub struct RollbackArgs {
    /// The channel
    #[arg(value_name = "CHANNEL")]
    pub channel: String,
    #[command(flatten)]
    pub stores: StoreOptions,
    #[command(flatten)]
    pub signing: SigningOptions,
    /// The route to go back on
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub path: String,
    /// The generation whose guests are to serve again, as `releases` lists it
    #[arg(long, value_name = "GENERATION")]
    pub to: Option<u64>,
}

/// List what a channel served: who released what, and when
#[derive(Debug, Args)]
#[command(
    override_usage = "host-cli releases [OPTIONS] <CHANNEL>\n           --artifacts <URL> --public-key <KEY>"
)]
#[command(after_help = "\
Examples:
  host-cli releases items --artifacts file://releases \\
    --public-key release.key.pub
  host-cli releases items --artifacts s3://my-bucket/guests --table tenon \\
    --public-key release.key.pub --format json")]
pub struct ReleasesArgs {
    /// The channel
    #[arg(value_name = "CHANNEL")]
    pub channel: String,
    #[command(flatten)]
    pub stores: StoreOptions,
    #[command(flatten)]
    pub trust: TrustOptions,
    /// Newest generations to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub count: usize,
    /// How they are shown
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
}

/// Look into a channel
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
    /// Print the channel's document as JSON, once its signature was found good; values of environment variables are hidden
    #[command(
        override_usage = "host-cli channel show [OPTIONS] <CHANNEL>\n           --artifacts <URL> --public-key <KEY>"
    )]
    Show(ShowOptions),
    /// Do all that a host does before it serves: signatures, expiry, every artifact's digest, loading and linking
    #[command(
        override_usage = "host-cli channel verify [OPTIONS] <CHANNEL>\n           --artifacts <URL> --public-key <KEY>"
    )]
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
    /// The channel
    #[arg(value_name = "CHANNEL")]
    pub channel: String,
    #[command(flatten)]
    pub stores: StoreOptions,
    #[command(flatten)]
    pub trust: TrustOptions,
}

#[derive(Debug, Args)]
pub struct StoreOptions {
    /// Where artifacts are: `file://FOLDER` or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "URL")]
    pub artifacts: String,
    /// DynamoDB table that channels are in: `TABLE` or `TABLE@ENDPOINT` [default: the folder of the artifacts]
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
    #[command(flatten)]
    pub aws: AwsOptions,
}

#[derive(Debug, Args)]
pub struct AwsOptions {
    /// Server to use in the place of AWS [default: AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
}

#[derive(Debug, Args)]
pub struct SigningOptions {
    /// File that holds the secret key
    #[arg(long, value_name = "KEYFILE")]
    pub key: PathBuf,
    /// Another key whose signature on the present document is good: text, or a file that holds it
    #[arg(long, value_name = "KEY")]
    pub public_key: Option<String>,
    /// Who releases, for the history [default: $USER and the machine's name]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Days after which hosts no longer take this generation
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub valid_days: u32,
    /// Go on although the present document is missing, or older than a generation that was signed before, or may be since something else lies in the place of a record: what comes next is newer than all
    #[arg(long)]
    pub recover: bool,
}

#[derive(Debug, Args)]
pub struct TrustOptions {
    /// A key whose signatures are good: text, or a file that holds it; may be given twice
    #[arg(long, value_name = "KEY", required = true)]
    pub public_key: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people: a table
    Text,
    /// A JSON array
    Json,
}
