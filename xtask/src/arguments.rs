//! The command line of `cargo xtask`, with its help.

use crate::{fuzz, tools::dynamodb_local};
use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};
use std::path::PathBuf;

/// What `tests/benches` measures.
const BENCHMARKS: [&str; 13] = [
    "growth",
    "guest",
    "instructions",
    "lambda",
    "normaliser",
    "overhead",
    "peers",
    "release",
    "replay",
    "serve",
    "sizes",
    "tables",
    "tape",
];

/// Everything that is more than one cargo command.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(ServeArgs),
    Test(TestArgs),
    /// Check formatting, lints, documentation, module cycles, licences and duplicates of dependencies
    #[command(after_help = "Example:\n  cargo xtask check")]
    Check,
    Guest(GuestArgs),
    /// Write what follows from wit/: docs/guide/reference.md and the SDK's bindings
    #[command(after_help = "Example:\n  cargo xtask reference")]
    Reference,
    /// Install what building needs and is missing: the guests' compilation target
    #[command(after_help = "Example:\n  cargo xtask setup")]
    Setup,
    /// Check infra/template.yaml, and that a gate finds every mutant of it
    ///
    /// Needs python3 and npm.
    #[command(after_help = "Example:\n  cargo xtask infra")]
    Infra,
    E2e(E2eArgs),
    /// Build examples/bookings as its own project, and run its unit tests and its cases
    #[command(after_help = "Example:\n  cargo xtask bookings")]
    Bookings,
    /// Build the guest in JavaScript, release it beside the reference guest, and send requests to both
    ///
    /// Needs npm.
    #[command(after_help = "Example:\n  cargo xtask javascript")]
    Javascript,
    /// Check the SDK for Python, and the project that `host-cli new --lang python` makes: build, test, serve, record and replay it
    ///
    /// Needs python3 and a package index.
    #[command(after_help = "Example:\n  cargo xtask python-sdk")]
    PythonSdk,
    /// Build the guest in Go, run its cases, serve, record and replay it
    ///
    /// Needs python3, which installs Go.
    #[command(after_help = "Example:\n  cargo xtask go")]
    Go,
    /// Build applications of Hono and Python as components of `wasi:http`, and serve, record, replay and release them
    ///
    /// Takes some minutes. Needs npm and python3, on x86_64.
    #[command(after_help = "Example:\n  cargo xtask components")]
    Components,
    /// Check `host-cli serve` against the OpenAPI document that it serves
    ///
    /// Needs python3.
    #[command(after_help = "Example:\n  cargo xtask schemathesis")]
    Schemathesis,
    /// Check the responses recorded by the cases against the rules of HTTP
    ///
    /// Needs python3.
    #[command(after_help = "Example:\n  cargo xtask httplint")]
    Httplint,
    DynamodbLocal(DynamodbLocalArgs),
    /// What `dynamodb-local` runs in a network namespace
    #[command(name = dynamodb_local::CONFINED, hide = true)]
    DynamodbLocalConfined {
        engine: PathBuf,
        filter: String,
    },
    Fuzz(FuzzArgs),
    Bench(BenchArgs),
    Package(PackageArgs),
    Dist(DistArgs),
    /// Install what `dist` built, and make projects with it
    ///
    /// Installs the wheel and the npm packages into empty environments, and uses them without this repository: projects in TypeScript
    /// and Python without cargo, the guide's tutorial, and a project that is deployed on an emulator of AWS.
    #[command(after_help = "Examples:\n  cargo xtask dist\n  cargo xtask installed")]
    Installed,
}

/// Set up what is missing, build in release, and run `host-cli serve`
#[derive(Debug, Args)]
#[command(
    disable_help_flag = true,
    after_help = "Example:\n  cargo xtask serve --listen 127.0.0.1:8080 --store memory"
)]
pub struct ServeArgs {
    /// Arguments of `host-cli serve`; `--help` lists them
    #[arg(
        value_name = "ARGS",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub arguments: Vec<String>,
}

/// Set up what is missing and run all tests
///
/// With FILTER, only the cargo tests whose name contains it. Without, also `dynamodb-local`, `httplint`, `schemathesis`, `javascript`,
/// `python-sdk`, `go` and `bookings`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask test\n  cargo xtask test cases")]
pub struct TestArgs {
    pub filter: Option<String>,
}

/// Build the reference guest as it ships
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo xtask guest --output mine.wasm")]
pub struct GuestArgs {
    /// Where the component is written; target/guest.wasm by default
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Create the stack from the packages on an emulator of AWS, send requests to it and inspect it
///
/// With --url, only sends the requests to a deployed API; its store must be empty. Needs python3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask e2e
  cargo xtask e2e --url https://example.com/live --api-key KEY")]
pub struct E2eArgs {
    /// Folder of the packages that `cargo xtask package` wrote; target/lambda by default
    #[arg(long, value_name = "FOLDER", conflicts_with = "url")]
    pub packages: Option<PathBuf>,
    /// Address of a deployed API
    #[arg(long)]
    pub url: Option<String>,
    /// Key of the deployed API
    #[arg(long, value_name = "KEY", requires = "url")]
    pub api_key: Option<String>,
}

/// Run the DynamoDB backend's tests against Amazon's own engine
///
/// Needs npm, Java 17 and network namespaces.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo xtask dynamodb-local")]
pub struct DynamodbLocalArgs {
    /// Run only tests whose name contains this
    #[arg(default_value = dynamodb_local::TESTS_DEFAULT)]
    pub filter: String,
}

/// Fuzz the readers of events, JSON, tapes, cases and release documents, and redaction
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo xtask fuzz 600")]
pub struct FuzzArgs {
    /// Duration for each target
    #[arg(default_value_t = fuzz::SECONDS_DEFAULT)]
    pub seconds: u32,
}

/// Measure what the component costs compared with native logic
///
/// `instructions` fails if a path that all requests take has become longer; it needs valgrind and only runs if it is named; so does
/// `peers`, which compares other hosts of `wasi:http` components, and needs npm and python3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask bench
  cargo xtask bench replay --json replay.jsonl")]
pub struct BenchArgs {
    /// The benchmark; all by default
    #[arg(value_parser = PossibleValuesParser::new(BENCHMARKS))]
    pub name: Option<String>,
    /// Also write the figures to this file, one row per line
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Build the packages for Lambda, into target/lambda/ARCH
///
/// These are host-lambda.zip, guest.zip and manifest.json.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask package
  cargo xtask package --arch all --reproduce")]
pub struct PackageArgs {
    /// Architecture; this machine's by default
    #[arg(long, value_enum)]
    pub arch: Option<ArchChoice>,
    /// Component in the layer; the reference guest by default
    #[arg(long, value_name = "FILE")]
    pub guest: Option<PathBuf>,
    /// Cargo profile; `lambda` by default
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Build twice, and compare the results
    #[arg(long)]
    pub reproduce: bool,
}

/// Build what users install, into dist/
///
/// These are `host-cli` as an archive, a wheel and npm packages, a bill of materials, and the digests of all. The wheel and the npm packages
/// for this machine are then installed and run. Needs python3 and npm.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask dist
  cargo xtask dist --arch all --sign release-key")]
pub struct DistArgs {
    /// Architecture; this machine's by default
    #[arg(long, value_enum)]
    pub arch: Option<ArchChoice>,
    /// Sign the digests with this SSH key, for `ssh-keygen -Y verify`
    #[arg(long, value_name = "FILE")]
    pub sign: Option<PathBuf>,
}

/// One architecture or all, by Lambda's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArchChoice {
    #[value(name = "x86_64")]
    X86_64,
    Arm64,
    All,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parsed(line: &str) -> Result<Command, String> {
        let words = line.split_whitespace();
        Arguments::try_parse_from(["cargo xtask"].into_iter().chain(words))
            .map(|arguments| arguments.command)
            .map_err(|error| error.to_string())
    }

    fn package(line: &str) -> PackageArgs {
        match parsed(line) {
            Ok(Command::Package(arguments)) => arguments,
            other => panic!("{other:?}"),
        }
    }

    fn end_to_end(line: &str) -> E2eArgs {
        match parsed(line) {
            Ok(Command::E2e(arguments)) => arguments,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_grammar_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_task_has_an_example() {
        for task in Arguments::command().get_subcommands_mut() {
            let name = task.get_name().to_owned();
            let help = task.render_long_help().to_string();
            assert!(
                task.is_hide_set() || help.contains(&format!("  cargo xtask {name}")),
                "{name}"
            );
        }
    }

    #[test]
    fn serve_passes_everything_on() {
        for line in ["--listen 127.0.0.1:0 -v", "--help", "-- x", ""] {
            match parsed(&format!("serve {line}")) {
                Ok(Command::Serve(arguments)) => {
                    assert_eq!(
                        arguments.arguments.join(" "),
                        line.trim_start_matches("-- ")
                    );
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn options_say_what_to_package() {
        let arguments = package("package --arch all --guest my.wasm --reproduce");
        assert!(matches!(arguments.arch, Some(ArchChoice::All)));
        assert_eq!(arguments.guest, Some("my.wasm".into()));
        assert!(arguments.reproduce);
        for (name, arch) in [("x86_64", ArchChoice::X86_64), ("arm64", ArchChoice::Arm64)] {
            let arguments = package(&format!("package --arch {name}"));
            assert_eq!(arguments.arch, Some(arch));
        }
    }

    #[test]
    fn a_url_is_enough_and_a_key_alone_is_not() {
        let arguments = end_to_end("e2e --url https://x/live --api-key k");
        assert_eq!(arguments.url.as_deref(), Some("https://x/live"));
        assert_eq!(arguments.api_key.as_deref(), Some("k"));
        assert_eq!(arguments.packages, None);
        let arguments = end_to_end("e2e --packages /p");
        assert_eq!(arguments.packages, Some("/p".into()));
        assert_eq!((arguments.url, arguments.api_key), (None, None));
        let arguments = end_to_end("e2e");
        assert_eq!((arguments.url, arguments.packages), (None, None));
        for refused in [
            "e2e --api-key k",
            "e2e --url",
            "e2e --verbose",
            "e2e --url u --packages p",
        ] {
            parsed(refused).unwrap_err();
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let architectures = "[possible values: x86_64, arm64, all]";
        let benchmarks = format!("[possible values: {}]", BENCHMARKS.join(", "));
        for (line, named, allowed) in [
            ("package --arch mips", "'mips'", architectures),
            ("package --arch", "'--arch <ARCH>'", architectures),
            ("package --fast", "'--fast'", ""),
            ("bench everything", "'everything'", &*benchmarks),
            ("fuzz long", "'long'", ""),
            ("chek", "'check'", ""),
        ] {
            let message = parsed(line).unwrap_err();
            assert!(message.contains(named), "{message}");
            assert!(message.contains(allowed), "{message}");
        }
    }
}
