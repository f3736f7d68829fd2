//! Everything that is more than one cargo command.

#![expect(
    clippy::disallowed_methods,
    reason = "reads files of this project and what its tools print"
)]

mod apps;
mod arguments;
mod bench;
mod bindings;
mod check;
mod components;
mod dependencies;
mod dist;
mod e2e;
mod examples;
mod fuzz;
mod go;
mod guest;
mod httplint;
mod infra;
mod installed;
mod javascript;
mod notes;
mod npm;
mod package;
mod peers;
mod publisher;
mod python;
mod python_sdk;
mod reference;
mod run;
mod schemathesis;
mod server;
mod setup;
mod tools;

use crate::run::{Cargo, root, step};
use arguments::{Arguments, Command};
use clap::Parser;
use std::{env, path::PathBuf, process::ExitCode};
use tools::dynamodb_local;

fn main() -> ExitCode {
    match dispatch(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(arguments) => serve(&arguments.arguments),
        Command::Test(arguments) => test(arguments.filter.as_deref()),
        Command::Check => check::all(),
        Command::Guest(arguments) => guest::build(arguments.output),
        Command::Reference => reference::write().and_then(|()| bindings::write()),
        Command::Setup => setup::target(),
        Command::Infra => infra::check(),
        Command::E2e(arguments) => e2e::execute(arguments),
        Command::Bookings => examples::bookings(),
        Command::Javascript => javascript::check(),
        Command::PythonSdk => python_sdk::check(),
        Command::Go => go::check(),
        Command::Components => components::check(),
        Command::Schemathesis => schemathesis::run(),
        Command::Httplint => httplint::check(),
        Command::DynamodbLocal(arguments) => dynamodb_local::test(&arguments.filter),
        Command::DynamodbLocalConfined { engine, filter } => {
            dynamodb_local::test_confined(&engine, &filter)
        }
        Command::Fuzz(arguments) => fuzz::run(arguments.seconds),
        Command::Bench(arguments) => {
            bench::bench(arguments.name.as_deref(), arguments.json.as_deref())
        }
        Command::Package(arguments) => package::run(&arguments),
        Command::Dist(arguments) => dist::run_dist(&arguments),
        Command::Installed => installed::check(),
    }
}

fn serve(arguments: &[String]) -> anyhow::Result<()> {
    setup::target()?;
    Cargo::new("run")
        .args(["--release", "--locked", "--bin", "host-cli", "--", "serve"])
        .args(arguments)
        .exec()
}

/// Variables that name what others recorded, which is not part of this repository, where it is beside it. What a variable names has to be there,
/// so that its tests cannot be skipped.
fn shared_inputs() -> impl Iterator<Item = (&'static str, PathBuf)> {
    let inputs = [
        ("TENON_EVENTS", "events"),
        ("TENON_AGE_VECTORS", "age-vectors"),
    ];
    inputs.into_iter().filter_map(|(variable, name)| {
        let folder = root().parent()?.join("shared").join(name);
        (folder.is_dir() && env::var_os(variable).is_none()).then_some((variable, folder))
    })
}

/// Builds everything in release mode: the tests compile guests, and the other commands do as well, so that wasmtime is built only once.
fn test(filter: Option<&str>) -> anyhow::Result<()> {
    setup::target()?;
    let emulator = tools::lambda_emulator()?;
    step("cargo test", || {
        Cargo::new("test")
            .args(["--release", "--workspace", "--locked"])
            .args(filter)
            .env("TENON_TEST_LAMBDA_RIE", &emulator)
            .envs(shared_inputs())
            .run()
    })?;
    if filter.is_some() {
        return Ok(());
    }
    // By itself: the rest of the workspace enables features of serde_json that a user's program does not have.
    step("numbers", || {
        Cargo::new("test")
            .args(["--release", "--locked", "--package", "tenon-sdk"])
            .args(["--test", "numbers"])
            .run()
    })?;
    step("dynamodb-local", || {
        dynamodb_local::test(dynamodb_local::TESTS_DEFAULT)
    })?;
    step("httplint", httplint::check)?;
    step("schemathesis", schemathesis::run)?;
    step("javascript", javascript::check)?;
    step("python-sdk", python_sdk::check)?;
    step("go", go::check)?;
    step("bookings", examples::bookings)
}
