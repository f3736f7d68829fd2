//! The AWS Lambda host: answers gateway events with a guest, on DynamoDB.
//!
//! Init loads the guest and reads the table's cursor key, which also connects to DynamoDB, in parallel. Then each invocation goes through
//! `service`, within the time that Lambda allows, and writes its lines to stdout before its response is sent. After that, and before the
//! next invocation is requested, the next instance of the guest is created, because Lambda then freezes the process.
//!
//! It is a library, so that tests run the same host with injected times and seeds ([`TimeAndSeedSource`]).

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests read what they or the hosts wrote"
    )
)]

mod channel;
mod config;
mod guest;
mod handle;
mod init;
mod invocation;
mod lifecycle;
mod output;
mod secrets;
mod shutdown;

pub use config::variables;
pub use invocation::{RandomnessError, SystemSource, TimeAndSeed, TimeAndSeedSource};

use config::{Config, Variables};
use contract::log::LogLevel;
use guest::Loading;
use handle::{Handler, Payload};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use lifecycle::LifecycleLayer;
use output::Output;
use serde_json::json;
use service::Recorder;
use shutdown::InFlight;
use std::{process::ExitCode, sync::Arc};

/// Runs the host until Lambda ends it. Failures to start are written to stdout and reported to Lambda.
pub fn run(source: impl TimeAndSeedSource) -> ExitCode {
    let variables = Variables::of_process();
    match start(&variables, source) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let reason = format!("{error:#}");
            Output::of(&variables).note(
                LogLevel::Error,
                "failed to start",
                &[("error", json!(reason))],
            );
            init::report_failure(variables.get("AWS_LAMBDA_RUNTIME_API"), &reason);
            ExitCode::FAILURE
        }
    }
}

fn start(variables: &Variables, source: impl TimeAndSeedSource) -> anyhow::Result<()> {
    let config = Arc::new(Config::read(variables)?);
    let loading = Loading::begin(config.clone());
    let output = Arc::new(Output::new(&config));
    output::write_panics(output.clone());
    for name in &config.unknown_variables {
        let members = [("variable", json!(name))];
        output.note(LogLevel::Warn, "unknown variable", &members);
    }
    init::tokio_runtime(config.concurrency)?.block_on(serve(config, loading, output, source))
}

async fn serve(
    config: Arc<Config>,
    loading: Loading,
    output: Arc<Output>,
    source: impl TimeAndSeedSource,
) -> anyhow::Result<()> {
    let in_flight = InFlight::default();
    // Signals are handled from here on, while the store is opened: before that there is nothing to end.
    let stopped = async { shutdown::stopped(in_flight.clone()) };
    let (ready, stopped) = tokio::join!(init::start(&config, loading, &output), stopped);
    let (ready, stopped) = (ready?, stopped?);
    let layer = LifecycleLayer {
        in_flight,
        engine: ready.engine.clone(),
    };
    let recorder = Recorder::if_on(config.tape.clone());
    let handler = Arc::new(Handler::new(ready, recorder, output.clone(), source));
    let service = service_fn(move |event: LambdaEvent<Payload>| {
        let handler = handler.clone();
        async move { handler.handle(event).await }
    });
    tokio::select! {
        ended = Runtime::new(service).layer(layer).run_concurrent() => {
            ended.map_err(|error| anyhow::anyhow!("lost the connection to Lambda's runtime API: {error}"))
        }
        () = stopped => {
            output.note(LogLevel::Info, "stopped", &[]);
            Ok(())
        }
    }
}
