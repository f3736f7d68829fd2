//! `invoke`: reads one raw event and prints the Lambda response.

use crate::{
    args::InvokeArgs,
    executor,
    exit::{CommandError, Outcome},
    guest::{self, HostedGuest},
    input, output,
    project::Project,
    replay::input::EVENT_BYTES_MAX,
    seed,
    serve::lines,
    store::StoreSpec,
    time,
};
use contract::seed::Seed;
use replay::ReplayedEvent;
use service::Service;
use std::path::Path;

/// One event with its time, seed and guest.
pub struct Configuration {
    event: Vec<u8>,
    store: StoreSpec,
    guest: HostedGuest,
    is_guest_named: bool,
    is_store_named: bool,
    seed: Seed,
    received_at_ms: u64,
}

/// Reads the event.
pub fn resolve(
    arguments: &InvokeArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    let store = StoreSpec::resolve(arguments.store.as_deref().unwrap_or("memory"))?;
    let is_store_named = arguments.store.is_some();
    let seed = seed::resolve(arguments.seed.as_deref(), seed::unpredictable)?;
    let received_at_ms = time::resolve(arguments.at.as_deref())?;
    let is_stdin = arguments.event == Path::new("-");
    let (name, event) = if is_stdin {
        (
            "(stdin)".to_owned(),
            input::read_stdin("event", EVENT_BYTES_MAX)?,
        )
    } else {
        let event = input::read_file(&arguments.event, "event", EVENT_BYTES_MAX)?;
        (arguments.event.display().to_string(), event)
    };
    observation::head(&event).map_err(|error| {
        let (line, column) = (error.line, error.column);
        CommandError::environment(format_args!("event `{name}:{line}:{column}` {error}")).hint(
            "pass the event exactly as the gateway sent it, or write one with `host-cli event`",
        )
    })?;
    let guest = HostedGuest::resolve(&arguments.guest, project)?;
    let is_guest_named = arguments.guest.guest.is_some();
    Ok(Configuration {
        event,
        store,
        guest,
        is_guest_named,
        is_store_named,
        seed,
        received_at_ms,
    })
}

/// Runs the event and prints the response.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration {
        event,
        store,
        guest,
        is_guest_named,
        is_store_named,
        seed,
        received_at_ms,
    } = configuration;
    let runtime = executor::workers(1)?;
    let linked = guest.link(1)?;
    let storage = runtime.block_on(store.open_reproducibly())?;
    let service = Service::of(guest.deployment(linked, storage, guest::say_plainly));
    let exchange = ReplayedEvent {
        event: &event,
        received_at_ms,
        seed,
    };
    let answer = runtime
        .block_on(exchange.run(&service))
        .map_err(CommandError::refused)?;
    if !is_guest_named {
        output::remark(&format!(
            "guest: {}; `--guest FILE` runs another one\n",
            guest.source.describe()
        ));
    }
    if !is_store_named {
        output::remark("store: memory, empty; `--store STORE` runs on another one\n");
    }
    let mut remarks = Vec::new();
    lines::write_remarks(&mut remarks, &answer.summary);
    output::remark(&String::from_utf8_lossy(&remarks));
    output::json_line(&answer.payload)?;
    Ok(Outcome::Same)
}
