//! What was typed. Nothing is checked here beyond the grammar: each command resolves its arguments into a valid configuration first.

pub mod release;
pub mod replay;

use crate::exit::EXIT_CODES_HELP;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Runs HTTP request logic that is a WebAssembly component: over HTTP, on recorded gateway events, and against what they should give.
#[derive(Debug, Parser)]
#[command(name = "host-cli", version, after_help = EXIT_CODES_HELP, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(ServeArgs),
    Invoke(InvokeArgs),
    Replay(replay::ReplayArgs),
    Pull(PullArgs),
    Event(EventArgs),
    Inspect(InspectArgs),
    Compile(CompileArgs),
    Table(TableArgs),
    Keygen(release::KeygenArgs),
    Publish(release::PublishArgs),
    Published(release::PublishedArgs),
    Promote(release::PromoteArgs),
    Rollback(release::RollbackArgs),
    Releases(release::ReleasesArgs),
    Channel(release::ChannelArgs),
    Completions(CompletionsArgs),
}

/// Serve the guest over HTTP/1.1
///
/// Each request becomes a gateway event and takes the very path that it takes on Lambda, within the limits of the gateway that is
/// played. Prints the address, the store and commands to try on stdout, and one line a request on stderr. SIGINT or SIGTERM lets
/// requests in flight finish; the last line says how many were served, and where the tape is.
///
/// Requests have to ask for `localhost`, a name below it, an IP address or a name that `--allow-host` gives, and scripts of other
/// origins are refused unless `--allow-origin` names theirs: otherwise any page of the web could use this server.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli serve
  host-cli serve --listen 127.0.0.1:0 --store memory --event-kind rest
  host-cli serve --guest my-guest.wasm --store redb:data/items.redb
  host-cli serve --store dynamodb:items@http://127.0.0.1:8000
  host-cli serve --channel items --artifacts file://releases \\
    --public-key release.key.pub
  host-cli serve --record today.tape --redact-field /email")]
pub struct ServeArgs {
    /// Address and port to listen on; port 0 takes a free one, and the first line printed says which
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub listen: String,
    /// Where documents are kept: `memory`, `redb:FILE` or `dynamodb:TABLE[#NAMESPACE][@ENDPOINT]`
    #[arg(long, value_name = "STORE", default_value = "redb:tenon.redb")]
    pub store: String,
    #[command(flatten)]
    pub guest: GuestOption,
    /// The kind of gateway event that requests become
    #[arg(long, value_enum, default_value_t = KindName::Http)]
    pub event_kind: KindName,
    /// Answer for this host name, too; may be repeated
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Answer scripts of pages of this origin, like `http://localhost:5173`; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,
    /// No line for each request, only what went wrong
    #[arg(long)]
    pub quiet: bool,
    /// What lines about requests look like
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    #[command(flatten)]
    pub follow: FollowOptions,
    #[command(flatten)]
    pub record: RecordOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// `name=value` fields
    Text,
    /// A JSON object a line
    Json,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Following a channel")]
pub struct FollowOptions {
    /// Serve what this channel names, and change guests when it does; the other guest serves only while a store cannot be reached
    #[arg(long, value_name = "CHANNEL", requires_all = ["artifacts", "public_key"])]
    pub channel: Option<String>,
    /// Where artifacts are: `file://FOLDER` or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "URL", requires = "channel")]
    pub artifacts: Option<String>,
    /// A key whose signatures are good: text, or a file that holds it; may be given twice
    #[arg(long, value_name = "KEY", requires = "channel")]
    pub public_key: Vec<String>,
    /// DynamoDB table that channels are in [default: the folder of the artifacts]
    #[arg(long, value_name = "TABLE", requires = "channel")]
    pub table: Option<String>,
    /// How often to look at the channel, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 15_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub channel_interval_ms: u64,
    /// Take no generation of the channel before this one, whatever the stores hold
    #[arg(long, value_name = "N", default_value_t = 0, requires = "channel")]
    pub generation_min: u64,
    #[command(flatten)]
    pub aws: release::AwsOptions,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Recording")]
pub struct RecordOptions {
    /// Append what happens to a tape, one request a line, for `host-cli replay`. Values with the name of a credential are redacted, with copies of
    /// them; a body in which such names cannot be told is left out
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Which requests to record: `failures`, `sample:RATE`, `failures,sample:RATE` or `all`
    #[arg(
        long,
        value_name = "POLICY",
        default_value = "all",
        requires = "record"
    )]
    pub record_policy: String,
    /// Redact this header, too; may be repeated
    #[arg(long, value_name = "NAME", requires = "record")]
    pub redact_header: Vec<String>,
    /// Redact this query parameter, too; may be repeated
    #[arg(long, value_name = "NAME", requires = "record")]
    pub redact_query: Vec<String>,
    /// Redact this field of JSON bodies and stored documents, as a JSON pointer (`*`: every element); may be repeated
    #[arg(long, value_name = "POINTER", requires = "record")]
    pub redact_field: Vec<String>,
    /// Redact nothing: the tape then holds every secret of its requests
    #[arg(long, requires = "record", conflicts_with_all = ["redact_header", "redact_query", "redact_field"])]
    pub no_redaction: bool,
    /// Encrypt the tape to this age recipient (`age1...`, see `age-keygen`); nothing is redacted then
    #[arg(long, value_name = "RECIPIENT", requires = "record", conflicts_with_all = ["redact_header", "redact_query", "redact_field", "no_redaction"])]
    pub record_recipient: Option<String>,
    /// Leave the seed out, from which a guest's secrets may follow; such a tape does not replay strictly
    #[arg(long, requires = "record")]
    pub withhold_seed: bool,
}

/// Run one raw gateway event and print the Lambda response
///
/// An event that is not JSON, or more than is read of it, ends with exit code 3 and its position; one that is no HTTP event is refused by name, with exit
/// code 1. Whatever the guest does gives an answer, and exit code 0.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli invoke event.json
  host-cli event http GET /items | host-cli invoke -
  host-cli invoke event.json --store redb:tenon.redb --at 2026-01-01T00:00:00Z")]
pub struct InvokeArgs {
    /// File that holds the event; `-` reads stdin
    #[arg(value_name = "EVENT")]
    pub event: PathBuf,
    /// Where documents are kept: `memory`, `redb:FILE` or `dynamodb:TABLE[#NAMESPACE][@ENDPOINT]`
    #[arg(long, value_name = "STORE", default_value = "memory")]
    pub store: String,
    #[command(flatten)]
    pub guest: GuestOption,
    /// 64 hexadecimal digits from which everything random follows [default: from the operating system]
    #[arg(long, value_name = "HEX")]
    pub seed: Option<String>,
    /// Time of the request: milliseconds since 1970 or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

/// Fetch tapes that a Lambda host wrote, from CloudWatch Logs
///
/// Takes the lines of tape out of a log group, puts split ones together, and writes one request a line, for `host-cli replay`. Needs
/// `logs:FilterLogEvents` on the group. Prints how far it is on a terminal.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli pull /aws/lambda/items --output today.tape
  host-cli pull /aws/lambda/items --since 30m | host-cli replay -
  host-cli pull /aws/lambda/items --since 2026-01-01T00:00:00Z \\
    --until 2026-01-02T00:00:00Z --filter '{ $.status >= 500 }'")]
pub struct PullArgs {
    /// The log group's name or ARN
    #[arg(value_name = "LOG-GROUP")]
    pub log_group: String,
    /// From when on: an age like `30m`, `12h` or `7d`, milliseconds since 1970, or RFC 3339
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub since: String,
    /// Until when, likewise [default: now]
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only events that this CloudWatch filter pattern matches; parts of split requests have no members to match [default: all tapes]
    #[arg(long, value_name = "PATTERN")]
    pub filter: Option<String>,
    /// File for the tape, readable by its owner only; replaced as a whole or not at all [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub aws: release::AwsOptions,
}

/// Write a realistic gateway event
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli event http GET '/items?limit=2'
  host-cli event rest POST /items --header 'content-type: application/json' \\
    --body '{\"name\":\"lamp\"}'
  host-cli event alb PUT /items/7 --header 'content-type: application/json' \\
    --body @lamp.json --pretty")]
pub struct EventArgs {
    /// The gateway: REST API, HTTP API, function URL, or load balancer
    #[arg(value_enum)]
    pub kind: KindName,
    /// The request's method
    #[arg(value_name = "METHOD")]
    pub method: String,
    /// Path and query as a client sends them, percent-encoded
    #[arg(value_name = "PATH")]
    pub path: String,
    /// A header field; may be repeated
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    pub header: Vec<String>,
    /// The body: text, `@FILE`, or `-` for stdin
    #[arg(long, value_name = "BODY")]
    pub body: Option<String>,
    /// Time of the request: milliseconds since 1970 or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Break and indent lines
    #[arg(long)]
    pub pretty: bool,
}

/// Say what a guest imports and exports, and whether this host can run it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli inspect guest.wasm
  host-cli inspect guest.cwasm --format json")]
pub struct InspectArgs {
    /// A component (.wasm) or a compiled image (.cwasm)
    #[arg(value_name = "GUEST")]
    pub guest: PathBuf,
    /// How the findings are shown
    #[arg(long, value_enum, default_value_t = InspectFormat::Text)]
    pub format: InspectFormat,
}

/// Compile a component to an image that loads without a compiler
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli compile guest.wasm -o guest.cwasm
  host-cli compile guest.wasm -o guest-arm.cwasm --arch arm64
  host-cli compile -o reference-guest.cwasm")]
pub struct CompileArgs {
    /// The component [default: the embedded reference guest]
    #[arg(value_name = "GUEST")]
    pub guest: Option<PathBuf>,
    /// Where the image goes; replaced as a whole or not at all
    #[arg(long, short, value_name = "OUT")]
    pub output: PathBuf,
    /// Processor that the image is for [default: this machine's]
    #[arg(long, value_enum)]
    pub arch: Option<ArchName>,
}

/// Make a DynamoDB table for the store, or check one
///
/// Region and credentials are found as AWS's own tools find them. A server of one's own is named after an `@`; it needs neither.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli table create items
  host-cli table check items@http://127.0.0.1:8000")]
pub struct TableArgs {
    #[command(subcommand)]
    pub command: TableCommand,
}

#[derive(Debug, Subcommand)]
pub enum TableCommand {
    /// Make the table, with its index and its expiry setting (TTL), billed on demand
    ///
    /// A table that is there already is checked, and never changed but for an expiry setting that is missing.
    #[command(after_help = "\
Examples:
  host-cli table create items
  host-cli table create items@http://127.0.0.1:8000")]
    Create(TableTarget),
    /// Say whether a table is as the store needs it, and what differs
    ///
    /// Keys, index, projection and expiry setting (TTL). Exit code 1 if something differs, 3 if there is no such table.
    #[command(after_help = "\
Examples:
  host-cli table check items
  host-cli table check items@http://127.0.0.1:8000")]
    Check(TableTarget),
}

#[derive(Debug, Args)]
pub struct TableTarget {
    /// The table's name or ARN, and after an `@` the address of another server than AWS's own
    #[arg(value_name = "TABLE[@ENDPOINT]")]
    pub table: String,
}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli completions bash \\
    > ~/.local/share/bash-completion/completions/host-cli
  host-cli completions zsh > ~/.zfunc/_host-cli")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct GuestOption {
    /// The guest to run: a component (.wasm), an image (.cwasm), or `embedded`, the items API in this program [default: embedded]
    #[arg(long, value_name = "GUEST")]
    pub guest: Option<PathBuf>,
    #[command(flatten)]
    pub environment: EnvironmentOption,
}

/// The guest's environment, in every command that runs guests.
#[derive(Debug, Args)]
pub struct EnvironmentOption {
    /// A variable of the guest's environment; without a value, this program's own of that name; `@FILE` holds several as a JSON object of
    /// strings; may be repeated
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub guest_env: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindName {
    /// API Gateway REST API (payload 1.0)
    Rest,
    /// API Gateway HTTP API (payload 2.0)
    Http,
    /// Lambda function URL
    Url,
    /// Application load balancer
    Alb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InspectFormat {
    /// For people
    Text,
    /// One JSON object
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArchName {
    /// Intel and AMD, as Lambda has them
    #[value(name = "x86_64")]
    X86_64,
    /// Arm, as Lambda's Graviton
    #[value(name = "arm64")]
    Arm64,
}
