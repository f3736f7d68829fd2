//! `table`: creates or checks a DynamoDB table.

use crate::{
    args::{TableArgs, TableCommand},
    executor,
    exit::{CommandError, Outcome},
    output,
    store::TableSpec,
};
use storage_dynamodb::table::{self, Created, TableError};

/// The table, and what to do with it.
pub struct Configuration {
    table: TableSpec,
    task: Task,
}

enum Task {
    Create,
    Check,
}

/// Reads the table's name.
pub fn resolve(arguments: &TableArgs) -> Result<Configuration, CommandError> {
    let (name, task) = match &arguments.command {
        TableCommand::Create(target) => (&target.table, Task::Create),
        TableCommand::Check(target) => (&target.table, Task::Check),
    };
    Ok(Configuration {
        table: TableSpec::resolve(name)?,
        task,
    })
}

/// Prints what was done or found.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let Configuration { table, task } = configuration;
    executor::workers(1)?.block_on(async {
        match task {
            Task::Create => create(&table).await,
            Task::Check => check(&table).await,
        }
    })
}

async fn create(spec: &TableSpec) -> Result<Outcome, CommandError> {
    let created = table::create(&spec.options().await?)
        .await
        .map_err(|error| match error {
            TableError::Differs { .. } => CommandError::environment(error)
                .hint("it was not changed; choose another name, or delete the table yourself"),
            TableError::NotReady(_) => CommandError::environment(error).hint(format_args!(
                "run `host-cli table create {spec}` again to finish it"
            )),
            TableError::Unreachable { .. } => unreachable(spec, error),
            TableError::Missing(_) | TableError::Refused { .. } => CommandError::environment(error),
        })?;
    let line = match created {
        Created::Made => format!("created table `{spec}`\n"),
        Created::ExpirySwitchedOn => {
            format!("table `{spec}` existed without its expiry setting, which is now enabled\n")
        }
        Created::WasThere => format!("table `{spec}` exists and is valid\n"),
    };
    output::text(&line)?;
    Ok(Outcome::Same)
}

async fn check(spec: &TableSpec) -> Result<Outcome, CommandError> {
    match table::check(&spec.options().await?).await {
        Ok(()) => {
            output::text(&format!("table `{spec}` is valid\n"))?;
            Ok(Outcome::Same)
        }
        Err(TableError::Differs { differences, .. }) => {
            let lines: String = differences
                .iter()
                .map(|difference| format!("  {difference}\n"))
                .collect();
            let text = format!("table `{spec}` differs from what the store needs:\n{lines}");
            output::text(&text)?;
            Ok(Outcome::Differs)
        }
        Err(error @ TableError::Missing(_)) => Err(CommandError::environment(error).hint(
            format_args!("create it with `host-cli table create {spec}`"),
        )),
        Err(error @ TableError::Unreachable { .. }) => Err(unreachable(spec, error)),
        Err(error @ (TableError::NotReady(_) | TableError::Refused { .. })) => {
            Err(CommandError::environment(error))
        }
    }
}

fn unreachable(spec: &TableSpec, error: TableError) -> CommandError {
    CommandError::environment(error).hint(spec.unreachable_hint())
}
