//! `test`: builds the project and runs its cases.

use crate::{
    args::dev::TestArgs,
    build::{BuildError, GuestBuild},
    executor,
    exit::{CommandError, Outcome},
    guest::HostedGuest,
    output,
    project::Project,
    replacement::{self, Readers},
    replay::{
        ignore_rules,
        input::{self, Input},
        progress::Progress,
        report::{Both, Report, junit::Junit, text::Text},
        runner::{self, Shard, TapeOptions},
    },
    signals::Signals,
    store::{CaseStores, StoreSpec},
};
use contract::{
    limits::{CASE_BYTES_IN_FLIGHT_MAX, TAPE_BYTES_IN_FLIGHT_MAX},
    seed::Seed,
};
use observation::{Case, IgnoreRule};
use replay::local_view;
use service::Service;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use storage::MemoryStorage;
use tokio::{sync::Semaphore, task};

/// What the report is, in messages.
const REPORT: &str = "JUnit report";
/// Instances and results that may wait, for each thread.
const PER_JOB: usize = 4;
/// Names of cases that a message lists.
const NAMES_SHOWN_MAX: usize = 5;

/// The cases to run, and on what.
pub struct Configuration {
    cases: Vec<Input>,
    build: Option<GuestBuild>,
    guest: HostedGuest,
    bless: bool,
    junit: Option<PathBuf>,
    ignore: Vec<IgnoreRule>,
}

/// Finds the cases; nothing is built yet.
pub fn resolve(
    arguments: &TestArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    let Some(project) = project else {
        return Err(CommandError::usage(
            "neither this folder nor one above has a `tenon.toml`, so there are no cases to run",
        )
        .hint("`host-cli new` makes a project; `host-cli replay FOLDER --guest FILE` runs cases without one"));
    };
    let folder = project.cases();
    let ignore = ignore_rules::parse(&arguments.ignore)?;
    let guest = HostedGuest::resolve(&arguments.guest, Some(project))?;
    let cases = chosen(&folder, &arguments.names)?;
    if let Some(junit) = &arguments.junit {
        let mut files: Vec<PathBuf> = cases.iter().flat_map(Input::files).collect();
        files.push(project.path_of_file());
        let read = files
            .iter()
            .map(PathBuf::as_path)
            .chain(guest.source.path());
        replacement::check(junit, REPORT, read)?;
    }
    Ok(Configuration {
        cases,
        build: GuestBuild::of(project, arguments.guest.guest.as_deref()),
        guest,
        bless: arguments.bless,
        junit: arguments.junit.clone(),
        ignore,
    })
}

/// The cases with these names, or in folders with these names; all if there are none.
fn chosen(folder: &Path, names: &[String]) -> Result<Vec<Input>, CommandError> {
    let none = || {
        CommandError::environment(format_args!("`{}` contains no case", folder.display())).hint(
            "`t N` in `host-cli dev` and `host-cli tape cases` make cases of requests; docs/cases.md describes how to write one",
        )
    };
    if !folder.is_dir() {
        return Err(none());
    }
    let found = input::find_in_folder(folder)?;
    let mut cases: Vec<Input> = found
        .into_iter()
        .filter(|input| matches!(input, Input::Case(_)))
        .collect();
    if cases.is_empty() {
        return Err(none());
    }
    for name in names {
        let wanted = folder.join(name);
        if !cases.iter().any(|case| case.path().starts_with(&wanted)) {
            let known: Vec<String> = cases
                .iter()
                .take(NAMES_SHOWN_MAX)
                .filter_map(|case| case.path().strip_prefix(folder).ok())
                .map(|name| format!("`{}`", name.display()))
                .collect();
            let more = match cases.len() > known.len() {
                true => ", ...",
                false => "",
            };
            return Err(CommandError::usage(format_args!(
                "no case is named `{name}` in `{}`",
                folder.display()
            ))
            .hint(format_args!("there are {}{more}", known.join(", "))));
        }
    }
    cases.retain(|case| {
        names.is_empty()
            || names
                .iter()
                .any(|name| case.path().starts_with(folder.join(name)))
    });
    Ok(cases)
}

/// Builds, runs the cases, and reports.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    let runtime = executor::workers(jobs)?;
    // Once: what comes between two receivers would be lost.
    let mut signals = runtime.block_on(async { Signals::new() })?;
    if let Some(build) = configuration.build.clone() {
        output::remark(&format!("building: {}\n", build.command()));
        runtime.block_on(run_build(build, &mut signals))?;
    }
    let replay = Arc::new(prepare(&configuration, jobs)?);
    let Configuration { cases, junit, .. } = configuration;
    let progress = Progress::new(
        cases
            .iter()
            .map(|case| (case.path().to_owned(), Case::files_bytes(case.path()))),
    );
    let mut text = Text::new(output::colour_on_stdout(), output::result);
    let mut file = junit.as_deref().map(|path| {
        Junit::new(|report: &[u8]| {
            replacement::replace(path, Readers::Usual, report)
                .map_err(|error| replacement::cannot_write(path, REPORT, &error))
        })
    });
    let mut reports = Both(&mut text, file.as_mut().map(|file| file as &mut dyn Report));
    let found = runtime.block_on(async {
        tokio::select! {
            found = runner::run(replay, cases, &mut reports, &progress) => found,
            signal = signals.next() => Err(CommandError::interrupted(signal)),
        }
    });
    progress.finish();
    // Do not wait for requests that still run.
    runtime.shutdown_background();
    let found = found?;
    if found.has_case {
        output::remark("next: add `--bless` to accept the results as the cases' expectations\n");
    }
    Ok(match found.totals.is_clean() {
        true => Outcome::Same,
        false => Outcome::Differs,
    })
}

/// Runs the build. A signal ends it with all that it has started.
async fn run_build(build: GuestBuild, signals: &mut Signals) -> Result<(), CommandError> {
    let stop = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&stop);
    let mut building = task::spawn_blocking(move || build.run(&theirs));
    let built = tokio::select! {
        built = &mut building => built,
        signal = signals.next() => {
            stop.store(true, Ordering::Relaxed);
            // Whatever it says, it has ended.
            let _ = building.await;
            return Err(CommandError::interrupted(signal));
        }
    };
    match built {
        Ok(built) => built.map(|_| ()).map_err(BuildError::into_failure),
        Err(error) => Err(CommandError::environment(format_args!(
            "the build has failed: {error}"
        ))),
    }
}

fn prepare(configuration: &Configuration, jobs: usize) -> Result<runner::Replay, CommandError> {
    let guest = configuration.guest.link_for_replays(jobs * PER_JOB)?;
    // No event uses it: cases have stores of their own.
    let unused = local_view(Arc::new(MemoryStorage::new()), replay::replay_cursor_key());
    Ok(runner::Replay {
        service: Service::new(guest.clone(), unused),
        runtime: guest,
        is_guest_named: true,
        case_stores: CaseStores::new(&StoreSpec::Memory)?,
        seed: Seed::new([0; 32]),
        bless: configuration.bless,
        pending_max: jobs * PER_JOB,
        tapes: TapeOptions {
            replayer: None,
            only: None,
            trace: false,
            identity: None,
            ignore: configuration.ignore.clone(),
            details: false,
        },
        tape_bytes: Arc::new(Semaphore::new(TAPE_BYTES_IN_FLIGHT_MAX)),
        case_bytes: Arc::new(Semaphore::new(CASE_BYTES_IN_FLIGHT_MAX)),
        shard: Shard::ALL,
    })
}
