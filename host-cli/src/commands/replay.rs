//! `replay`: recorded events and cases, run again.

use crate::{
    args::{ReplayArgs, ReportFormat},
    exit::{Failure, Outcome},
    guest::GuestSource,
    output,
    replay::{
        input::{self, Input},
        progress::Progress,
        report::{Report, json::Json, junit::Junit, text::Text},
        runner,
    },
    runtime, seed,
    store::{CaseStores, StoreSpec},
};
use host_core::{seed::Seed, service::Service};
use std::{fs, io::Write, path::Path, sync::Arc};

/// More jobs than this gain nothing anywhere.
const JOBS_MAX: usize = 1024;

/// What to replay, and how.
pub struct Configuration {
    inputs: Vec<Input>,
    store: StoreSpec,
    guest: GuestSource,
    bless: bool,
    format: ReportFormat,
    jobs: usize,
    seed: Seed,
}

/// Finds the input; nothing is read yet.
pub fn resolve(arguments: &ReplayArgs) -> Result<Configuration, Failure> {
    let jobs = match arguments.jobs {
        Some(jobs @ 1..=JOBS_MAX) => jobs,
        Some(jobs) => {
            let message = format!("`--jobs {jobs}` is not within 1 to {JOBS_MAX}");
            return Err(Failure::usage(message));
        }
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let inputs = input::find(&arguments.paths)?;
    let has_cases = inputs.iter().any(|input| matches!(input, Input::Case(_)));
    if arguments.bless && !has_cases {
        return Err(
            Failure::usage("`--bless` needs a case to write to, and there is none")
                .hint("a case is a folder with `event.json`"),
        );
    }
    let store = StoreSpec::resolve(&arguments.store)?;
    if has_cases && matches!(store, StoreSpec::DynamoDb(..)) {
        CaseStores::new(&store)?.open()?;
    }
    Ok(Configuration {
        inputs,
        store,
        guest: GuestSource::resolve(arguments.guest.guest.as_deref()),
        bless: arguments.bless,
        format: arguments.format,
        jobs,
        seed: seed::resolve(arguments.seed.as_deref(), || Ok(Seed::new([0; 32])))?,
    })
}

/// Runs, reports, and says on stderr how long it took.
pub fn run(configuration: Configuration) -> Result<Outcome, Failure> {
    let Configuration {
        inputs,
        store,
        guest,
        bless,
        format,
        jobs,
        seed,
    } = configuration;
    let guest = guest.link(jobs)?;
    let has_events = inputs.iter().any(|input| !matches!(input, Input::Case(_)));
    // A store that no event uses is not opened: the file need not exist, and may be in use.
    let runtime = runtime::workers(jobs)?;
    let storage = runtime.block_on(async {
        if has_events {
            store.open().await
        } else {
            StoreSpec::Memory.open().await
        }
    })?;
    let replay = runner::Replay {
        service: Service::new(guest.clone(), storage),
        runtime: guest,
        case_stores: CaseStores::new(&store)?,
        seed,
        bless,
        pending_max: jobs * 4,
    };
    let progress = Progress::new(inputs.iter().map(bytes_of).sum());
    let mut report: Box<dyn Report> = match format {
        ReportFormat::Text => Box::new(Text::new(output::colour_on_stdout(), output::result)),
        ReportFormat::Json => Box::new(Json::new(output::result)),
        ReportFormat::Junit => Box::new(Junit::new(output::result)),
    };
    let totals = runtime.block_on(runner::run(
        Arc::new(replay),
        inputs,
        report.as_mut(),
        &progress,
    ))?;
    let (count, duration) = progress.finish();
    let seconds = duration.as_secs_f64();
    let rate = count as f64 / seconds.max(1e-6);
    let _ = writeln!(
        std::io::stderr(),
        "{count} in {seconds:.3} s, {rate:.0}/s, {jobs} jobs"
    );
    Ok(if totals.is_clean() {
        Outcome::Same
    } else {
        Outcome::Differs
    })
}

fn bytes_of(input: &Input) -> u64 {
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    match input {
        Input::Case(folder) => bytes(&folder.join(host_core::replay::EVENT_FILE)),
        Input::Event(path) | Input::Lines(path) => bytes(path),
    }
}
