//! The command line as typed. Parsing checks only the grammar; each command then resolves its arguments into a valid configuration.

pub mod dev;
pub mod guest;
pub mod identity;
mod limits;
pub mod package;
pub mod release;
pub mod replay;
pub mod server;
pub mod store;
pub mod template;

use crate::exit::EXIT_CODES_HELP;
use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValue};
use gateway::EventKind;
use std::{path::PathBuf, sync::LazyLock};

/// Runs REST API logic that is compiled to WebAssembly: over HTTP, on recorded gateway events, and in tests against expected responses.
#[derive(Debug, Parser)]
#[command(name = "host-cli", version, after_help = EXIT_CODES_HELP, max_term_width = 100)]
pub struct Arguments {
    /// The folder of the project, whoever can write to it [default: the nearest folder above that has a tenon.toml]
    #[arg(long, global = true, value_name = "DIR")]
    pub project: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "the program has one value of it")]
pub enum Command {
    New(NewArgs),
    Dev(dev::DevArgs),
    Test(dev::TestArgs),
    Serve(ServeArgs),
    Invoke(InvokeArgs),
    Replay(replay::ReplayArgs),
    Tape(dev::TapeCommandArgs),
    Pull(PullArgs),
    Event(EventArgs),
    Inspect(InspectArgs),
    Compile(CompileArgs),
    Package(package::PackageArgs),
    Template(template::TemplateArgs),
    Store(store::StoreArgs),
    Table(TableArgs),
    Keygen(release::KeygenArgs),
    Publish(release::PublishArgs),
    Published(release::PublishedArgs),
    Promote(release::PromoteArgs),
    Rollback(release::RollbackArgs),
    Releases(release::ReleasesArgs),
    Channel(release::ChannelArgs),
    Wit(WitArgs),
    /// Print the JSON Schema of tenon.toml, for editors
    ///
    /// Editors with support for TOML check and complete the file by it if the first line is `#:schema`, a space, and the schema's path. `new`
    /// writes both.
    #[command(after_help = "\
Examples:
  host-cli schema > tenon.schema.json")]
    Schema,
    Completions(CompletionsArgs),
}

/// Make a project: an API with three routes, tests and cases, which builds and serves at once
///
/// Writes a new folder with a guest that uses the SDK, its unit tests, cases with expected responses, tenon.toml, .gitignore, a workflow for
/// GitHub and a README. The SDK is that of --sdk: a folder, or a package `.tgz` for npm or `.whl` for pip; otherwise
/// that of the checkout that this program was built from, otherwise this program's version of it from the language's registry.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli new bookings
  host-cli new bookings --lang typescript
  host-cli new bookings --lang python
  host-cli new apis/bookings --sdk ../tenon/sdk/rust")]
pub struct NewArgs {
    /// The folder to create; its name is the project's
    #[arg(value_name = "NAME")]
    pub folder: PathBuf,
    /// The language of the guest
    #[arg(long, value_enum, default_value_t = LanguageName::Rust)]
    pub lang: LanguageName,
    /// The folder or package of the SDK
    #[arg(long, value_name = "PATH")]
    pub sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LanguageName {
    Rust,
    /// And JavaScript
    #[value(alias = "javascript")]
    Typescript,
    Python,
}

/// Serve the guest over HTTP/1.1
///
/// Each request becomes a gateway event and runs through the same code as on Lambda, within the limits of the emulated gateway. Prints the
/// address, the store and commands to try on stdout, and one line per request on stderr. SIGINT or SIGTERM lets requests in flight finish;
/// the last line says how many were served, and where the tape is.
///
/// A request must be addressed to `localhost`, a name below it, an IP address or a name given by `--allow-host`, and scripts of other
/// origins are refused unless `--allow-origin` names theirs: otherwise any web page could use this server.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli serve
  host-cli serve --guest embedded --store memory
  host-cli serve --guest mine.wasm --event-kind http
  host-cli serve --secret stripe-key=env:STRIPE_TEST_KEY
  host-cli serve --store dynamodb:items@http://127.0.0.1:8000
  host-cli serve --channel items --artifacts file://releases \\
    --public-key release.key.pub
  host-cli serve --record today.tape --redact-field /email")]
pub struct ServeArgs {
    #[command(flatten)]
    pub server: server::ServerOptions,
    /// Print only errors and warnings, no line for each request
    #[arg(long)]
    pub quiet: bool,
    #[command(flatten)]
    pub guest: guest::GuestOptions,
    #[command(flatten)]
    pub follow: FollowOptions,
    #[command(flatten)]
    pub record: RecordOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// Text for people: `name=value` fields; in `dev` a line of words
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Following a channel")]
pub struct FollowOptions {
    /// Serve the guests that this channel names, and follow its changes; the guest of `--guest` serves only while a store cannot be reached
    #[arg(long, value_name = "CHANNEL")]
    pub channel: Option<String>,
    #[arg(long, value_name = "URL", requires = "channel", help = release::artifacts_help(""))]
    pub artifacts: Option<String>,
    /// A trusted public key: its text, or a file that contains it; may be given twice
    #[arg(long, value_name = "KEY", requires = "channel")]
    pub public_key: Vec<String>,
    /// DynamoDB table that contains the channels [default: the folder of the artifacts]
    #[arg(long, value_name = "TABLE", requires = "channel")]
    pub table: Option<String>,
    /// How often to read the channel, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 15_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub channel_interval_ms: u64,
    /// Accept no generation of the channel below this one, whatever the stores contain
    #[arg(long, value_name = "N", default_value_t = 0, requires = "channel")]
    pub generation_min: u64,
    #[command(flatten)]
    pub aws: release::AwsOptions,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Recording")]
pub struct RecordOptions {
    /// Append each request with its response and storage calls to a tape, one request per line, for `host-cli replay`. Values whose names
    /// look like credentials are redacted, and so are copies of them; a body whose names cannot be recognised is left out
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
    /// Also redact this header; may be repeated
    #[arg(long, value_name = "NAME", requires = "record")]
    pub redact_header: Vec<String>,
    /// Also redact this query parameter; may be repeated
    #[arg(long, value_name = "NAME", requires = "record")]
    pub redact_query: Vec<String>,
    /// Also redact this field of JSON bodies and stored documents, as a JSON pointer (`*`: every element); may be repeated
    #[arg(long, value_name = "POINTER", requires = "record")]
    pub redact_field: Vec<String>,
    /// Redact nothing: the tape then contains every secret of its requests
    #[arg(long, requires = "record", conflicts_with_all = ["redact_header", "redact_query", "redact_field"])]
    pub no_redaction: bool,
    /// Encrypt the tape to this age recipient (`age1...`, see `age-keygen`); nothing is redacted then
    #[arg(long, value_name = "RECIPIENT", requires = "record", conflicts_with_all = ["redact_header", "redact_query", "redact_field", "no_redaction"])]
    pub record_recipient: Option<String>,
    /// Omit the seed, from which a guest's secrets could be computed; such a tape cannot be replayed strictly
    #[arg(long, requires = "record")]
    pub withhold_seed: bool,
}

/// Run one raw gateway event and print the Lambda response
///
/// If the event is not valid JSON or exceeds a limit, the exit code is 3 and the error has the position; if it is not an HTTP event, it is
/// refused by name with exit code 1. Whatever the guest does produces a response, and exit code 0.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli invoke event.json
  host-cli event GET /items | host-cli invoke - --guest mine.wasm
  host-cli invoke event.json --store redb:tenon.redb --at 2026-01-01T00:00:00Z")]
pub struct InvokeArgs {
    /// File that contains the event; `-` reads stdin
    #[arg(value_name = "EVENT")]
    pub event: PathBuf,
    #[arg(long, value_name = "STORE", help = store::store_help("[default: memory]"))]
    pub store: Option<String>,
    /// 64 hexadecimal digits from which all randomness is derived [default: from the operating system]
    #[arg(long, value_name = "HEX")]
    pub seed: Option<String>,
    /// Time of the request: milliseconds since 1970 or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    #[command(flatten)]
    pub guest: guest::GuestOptions,
}

/// Fetch tapes that a Lambda host wrote, from CloudWatch Logs
///
/// Reads the lines of tape from a log group, joins split lines, and writes one request per line, for `host-cli replay`. Needs
/// `logs:FilterLogEvents` on the log group. Shows its progress on a terminal.
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
    /// Start of the period: an age like `30m`, `12h` or `7d`, milliseconds since 1970, or RFC 3339
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub since: String,
    /// End of the period, in the same formats [default: now]
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Fetch only events that this CloudWatch filter pattern matches; it cannot match members of requests that are split into parts
    /// [default: all tapes]
    #[arg(long, value_name = "PATTERN")]
    pub filter: Option<String>,
    /// File for the tape, readable by its owner only; written completely or not at all [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub aws: release::AwsOptions,
}

/// Write a realistic gateway event
#[derive(Debug, Args)]
#[command(override_usage = "host-cli event [OPTIONS] [KIND] <METHOD> <PATH>")]
#[command(after_help = "\
Examples:
  host-cli event GET '/items?limit=2'
  host-cli event http POST /items --header 'content-type: application/json' \\
    --body '{\"name\":\"lamp\"}'
  host-cli event alb PUT /items/7 --header 'content-type: application/json' \\
    --body @lamp.json --pretty
  host-cli event rest GET /items --claims '{\"sub\":\"ann\"}'")]
pub struct EventArgs {
    #[arg(value_name = "REQUEST", num_args = 2..=3, required = true, help = event_help())]
    pub request: Vec<String>,
    /// A header field; may be repeated
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    pub header: Vec<String>,
    /// The body: text, `@FILE`, or `-` for stdin
    #[arg(long, value_name = "BODY")]
    pub body: Option<String>,
    /// Time of the request: milliseconds since 1970 or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Indent the JSON
    #[arg(long)]
    pub pretty: bool,
    #[command(flatten)]
    pub claims: identity::ClaimsOptions,
}

/// Show what a guest imports and exports, and whether this host can run it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli inspect guest.wasm
  host-cli inspect guest.cwasm --format json")]
pub struct InspectArgs {
    /// A component (.wasm), a compiled image (.cwasm) or `embedded` [default: that of tenon.toml]
    #[arg(value_name = "GUEST")]
    pub guest: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = InspectFormat::Text)]
    pub format: InspectFormat,
}

/// Compile a component to an image that loads without a compiler
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli compile guest.wasm -o guest.cwasm
  host-cli compile guest.wasm -o guest-arm.cwasm --arch arm64
  host-cli compile embedded -o reference-guest.cwasm")]
pub struct CompileArgs {
    /// The component, or `embedded` [default: that of tenon.toml]
    #[arg(value_name = "GUEST")]
    pub guest: Option<PathBuf>,
    /// File for the image; written completely or not at all
    #[arg(long, short, value_name = "OUT")]
    pub output: PathBuf,
    /// Processor to compile for [default: this machine's]
    #[arg(long, value_enum)]
    pub arch: Option<ArchName>,
}

/// Create a DynamoDB table for the store, or check one
///
/// Region and credentials are found as AWS's own tools find them. Give the address of your own server after an `@`; it needs neither.
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
    /// Create the table, with its index and its expiry setting (TTL), billed on demand
    ///
    /// An existing table is checked; the only change made to it is to enable the expiry setting if it is missing.
    #[command(after_help = "\
Examples:
  host-cli table create items
  host-cli table create items@http://127.0.0.1:8000")]
    Create(TableTarget),
    /// Check that a table is set up as the store needs it, and show what differs
    ///
    /// Checks keys, index, projection and expiry setting (TTL). Exit code 1 if something differs, 3 if the table does not exist.
    #[command(after_help = "\
Examples:
  host-cli table check items
  host-cli table check items@http://127.0.0.1:8000")]
    Check(TableTarget),
}

#[derive(Debug, Args)]
pub struct TableTarget {
    /// The table's name or ARN, followed by `@` and the address if the server is not AWS's own
    #[arg(value_name = "TABLE[@ENDPOINT]")]
    pub table: String,
}

/// Write the contract between hosts and guests (WIT), and print its version
///
/// A guest in a language without an SDK generates its bindings from these files. Files that exist are left as they are.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  host-cli wit
  host-cli wit wit/deps/tenon --replace")]
pub struct WitArgs {
    /// The folder to write into, which is created
    #[arg(value_name = "DIR", default_value = "wit")]
    pub folder: PathBuf,
    /// Replace files of another version
    #[arg(long)]
    pub replace: bool,
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

/// The help of an event's kind, method and path.
fn event_help() -> String {
    let kinds = EventKind::ALL.map(|kind| format!("`{kind}`: {}", kind.description()));
    format!(
        "`[KIND] METHOD PATH`: the gateway, the method, and path with query as a client sends them. Without a gateway, it is that of tenon.toml, otherwise `rest`. \
         Gateways: {}",
        kinds.join(", ")
    )
}

/// A kind of gateway event, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindName(pub EventKind);

impl ValueEnum for KindName {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<KindName>> =
            LazyLock::new(|| EventKind::ALL.into_iter().map(KindName).collect());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.as_str()).help(self.0.description()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InspectFormat {
    /// Text for people
    Text,
    /// One JSON object
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArchName {
    /// Intel and AMD
    #[value(name = "x86_64")]
    X86_64,
    /// Arm, such as AWS Graviton
    #[value(name = "arm64")]
    Arm64,
}
