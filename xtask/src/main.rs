//! Everything that is more than one cargo command.

#![expect(
    clippy::disallowed_methods,
    reason = "reads files of this project and what its tools print"
)]

mod bench;
mod check;
mod dependencies;
mod e2e;
mod fuzz;
mod guest;
mod httplint;
mod infra;
mod javascript;
mod npm;
mod package;
mod publisher;
mod python;
mod run;
mod schemathesis;
mod server;
mod setup;
mod tools;

use anyhow::bail;
use run::{Cargo, step};
use std::{env, path::Path, process::ExitCode};
use tools::dynamodb_local;

const HELP: &str = "\
Everything that is more than one cargo command.

Usage: cargo xtask <COMMAND>

Commands:
  serve [ARGS]     set up what is missing, build in release, run `host-cli serve ARGS`
  test [FILTER]    set up what is missing, run all tests; with FILTER only the cargo tests whose name contains it
  check            formatting, lints, documentation, licences and duplicates of dependencies
  guest [--output FILE]
                   build the reference guest as it ships, into target/guest.wasm unless told
  setup            install what building needs and is missing: the guests' compilation target
  infra            check infra/template.yaml, and that every mutant of it is found (needs python3 and npm)
  e2e [--packages FOLDER] | e2e --url URL [--api-key KEY]
                   create the stack from the packages on an emulator, call it and look at it; with --url only call what
                   is deployed there, whose store has to be empty (needs python3)
  javascript       build the guest in JavaScript, release it beside the reference guest, and ask both (needs npm)
  schemathesis     check `host-cli serve` against the OpenAPI document it serves (needs python3)
  httplint         lint the answers that the cases record by the rules of HTTP (needs python3)
  dynamodb-local [FILTER]
                   run the DynamoDB backend's tests against Amazon's own engine (needs npm, java 17 and network namespaces)
  fuzz [SECONDS]   fuzz the readers of events, JSON, tapes, cases and release documents, and redaction, 20 seconds
                   each unless told
  bench [NAME] [--json FILE]
                   what the component costs beside native logic; NAME is growth, guest, lambda, normaliser, overhead, release, replay,
                   serve, sizes, tables or tape, all without; or instructions: fails where a path that all requests take has
                   become longer (needs valgrind)
  package [--arch x86_64|arm64|all] [--guest FILE] [--profile NAME] [--reproduce]
                   what goes to Lambda, into target/lambda/ARCH: host-lambda.zip, guest.zip, manifest.json; for this machine's
                   architecture and the reference guest unless told; with --reproduce, build twice and compare
  help             print this

Examples:
  cargo xtask serve --listen 127.0.0.1:8080 --store memory
  cargo xtask test cases
  cargo xtask package --arch all";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> anyhow::Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        println!("{HELP}");
        return Ok(());
    };
    match (command.as_str(), rest) {
        ("serve", arguments) => serve(arguments),
        ("test", []) => test(None),
        ("test", [filter]) => test(Some(filter)),
        ("check", []) => check::all(),
        ("setup", []) => setup::target(),
        ("e2e", arguments) => e2e::execute(&e2e::Options::parse(arguments)?),
        ("guest", arguments) => guest::build(arguments),
        ("infra", []) => infra::check(),
        ("javascript", []) => javascript::check(),
        ("schemathesis", []) => schemathesis::run(),
        ("httplint", []) => httplint::check(),
        ("dynamodb-local", []) => dynamodb_local::test(dynamodb_local::TESTS_DEFAULT),
        ("dynamodb-local", [filter]) => dynamodb_local::test(filter),
        (dynamodb_local::CONFINED, [engine, filter]) => {
            dynamodb_local::test_confined(Path::new(engine), filter)
        }
        ("fuzz", []) => fuzz::run(fuzz::SECONDS_DEFAULT),
        ("fuzz", [seconds]) => fuzz::run(seconds.parse()?),
        ("package", arguments) => package::run(&package::Options::parse(arguments)?),
        ("bench", arguments) => bench::bench(arguments),
        ("help" | "--help" | "-h", _) => {
            println!("{HELP}");
            Ok(())
        }
        _ => bail!(
            "cannot do `{}`: run `cargo xtask help`",
            arguments.join(" ")
        ),
    }
}

fn serve(arguments: &[String]) -> anyhow::Result<()> {
    setup::target()?;
    Cargo::new("run")
        .args(["--release", "--locked", "--bin", "host-cli", "--", "serve"])
        .args(arguments)
        .exec()
}

/// Everything in release: the tests compile guests, and so do the other commands, so that wasmtime is built once for all.
fn test(filter: Option<&str>) -> anyhow::Result<()> {
    setup::target()?;
    let emulator = tools::lambda_emulator()?;
    step("cargo test", || {
        Cargo::new("test")
            .args(["--release", "--workspace", "--locked"])
            .args(filter)
            .env("TENON_TEST_LAMBDA_RIE", &emulator)
            .run()
    })?;
    if filter.is_some() {
        return Ok(());
    }
    step("dynamodb-local", || {
        dynamodb_local::test(dynamodb_local::TESTS_DEFAULT)
    })?;
    step("httplint", httplint::check)?;
    step("schemathesis", schemathesis::run)?;
    step("javascript", javascript::check)?;
    step("fuzz", || fuzz::run(fuzz::SECONDS_DEFAULT))
}
