//! `replay`: replays tapes, recorded events and cases.

use crate::{
    args::replay::{ReplayArgs, ReportFormat},
    commands::tape_options::{self, Preparation, TapeConfiguration},
    executor,
    exit::{CommandError, Outcome},
    guest::{GuestSource, HostedGuest},
    output,
    project::{EMBEDDED_NAME, Project},
    replacement,
    replay::{
        input::{self, Input},
        progress::Progress,
        report::{
            Both, Report, Totals,
            html::{self, Html},
            json::Json,
            junit::Junit,
            text::Text,
        },
        runner::{self, Found, Shard},
        tapes::Source,
    },
    seed,
    signals::Signals,
    stale,
    store::{CaseStores, StoreSpec},
};
use contract::{
    limits::{CASE_BYTES_IN_FLIGHT_MAX, TAPE_BYTES_IN_FLIGHT_MAX},
    seed::Seed,
};
use service::Service;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{runtime::Runtime, sync::Semaphore};

/// Finished batches per job that may wait to be reported. Reports are in order, so a slow batch, for example on a processor that other
/// programs use as well, holds back the later ones; with a smaller bound the other jobs would soon have to wait for it.
const PENDING_PER_JOB: usize = 16;
/// Instances for each job. A request that is interrupted so that others can run keeps its instance until its job continues with it.
const INSTANCES_PER_JOB: usize = 4;
/// Largest number of jobs; more are useful on no machine.
const JOBS_MAX: usize = 1024;

/// What to replay, and how.
pub struct Configuration {
    inputs: Vec<Input>,
    store: StoreSpec,
    guest: HostedGuest,
    is_guest_named: bool,
    bless: bool,
    format: ReportFormat,
    jobs: usize,
    seed: Seed,
    tape: TapeConfiguration,
    shard: Shard,
    report: Option<PathBuf>,
}

/// Finds the inputs; nothing is read yet.
pub fn resolve(
    arguments: &ReplayArgs,
    project: Option<&Project>,
) -> Result<Configuration, CommandError> {
    let jobs = match arguments.jobs {
        Some(jobs @ 1..=JOBS_MAX) => jobs,
        Some(jobs) => {
            let message = format!("`--jobs {jobs}` is not within 1 to {JOBS_MAX}");
            return Err(CommandError::usage(message));
        }
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let inputs = input::find(&arguments.paths)?;
    let has_cases = inputs.iter().any(|input| matches!(input, Input::Case(_)));
    if arguments.bless && !has_cases {
        return Err(CommandError::usage(
            "`--bless` needs a case to write to, but the paths contain none",
        )
        .hint("a case is a folder with `event.json`"));
    }
    // Without a name from either, the embedded guest runs only what was recorded with it.
    let named = match arguments.guest.guest.as_deref() {
        Some(name) => Some(GuestSource::named(name)),
        None => project.and_then(GuestSource::of_project),
    };
    let is_guest_named = named.is_some();
    if !is_guest_named && let Some(input) = inputs.iter().find(|input| !input.names_guest()) {
        let message = format!(
            "cannot tell which guest `{}` is for",
            input.path().display()
        );
        return Err(CommandError::usage(message).hint(format_args!(
            "name it with `--guest FILE`, or `--guest {EMBEDDED_NAME}` for the items API in this program"
        )));
    }
    let has_tapes = inputs.iter().any(Input::names_guest);
    let store = StoreSpec::resolve(&arguments.store)?;
    if has_cases && matches!(store, StoreSpec::DynamoDb(..)) {
        CaseStores::new(&store)?.open()?;
    }
    stale::warn(project, arguments.guest.guest.as_deref());
    let guest = named.unwrap_or(GuestSource::Embedded);
    let guest = HostedGuest::with_source(guest, &arguments.guest, project)?;
    let has_grants = !guest.grants.is_empty();
    tape_options::check_on_miss(&arguments.tape, has_tapes, &store, has_grants)?;
    if let Some(report) = &arguments.tape.report {
        check_report(report, &inputs, &guest.source, &store, arguments)?;
    }
    Ok(Configuration {
        inputs,
        store,
        guest,
        is_guest_named,
        bless: arguments.bless,
        format: arguments.format,
        jobs,
        seed: seed::resolve(arguments.seed.as_deref(), || Ok(Seed::new([0; 32])))?,
        tape: tape_options::resolve(&arguments.tape)?,
        shard: shard(arguments.shard.as_deref())?,
        report: arguments.tape.report.clone(),
    })
}

/// Refuses a report that cannot be written, or that would replace an input.
fn check_report(
    report: &Path,
    inputs: &[Input],
    guest: &GuestSource,
    store: &StoreSpec,
    arguments: &ReplayArgs,
) -> Result<(), CommandError> {
    let files: Vec<PathBuf> = inputs.iter().flat_map(Input::files).collect();
    let tape = &arguments.tape;
    let baseline = tape.baseline.as_deref().map(GuestSource::named);
    let read = files
        .iter()
        .map(PathBuf::as_path)
        .chain(guest.path())
        .chain(baseline.as_ref().and_then(GuestSource::path))
        .chain(tape.identity.as_deref())
        .chain(
            arguments
                .guest
                .environment
                .env_file
                .iter()
                .map(PathBuf::as_path),
        )
        .chain(store.path());
    replacement::check(report, html::WHAT, read)
}

/// `2/4` for the second of four shares.
fn shard(text: Option<&str>) -> Result<Shard, CommandError> {
    let Some(text) = text else {
        return Ok(Shard::ALL);
    };
    let numbers = text
        .split_once('/')
        .and_then(|(number, of)| Some((number.parse::<u64>().ok()?, of.parse::<u64>().ok()?)));
    match numbers {
        Some((number, count)) if (1..=count).contains(&number) => Ok(Shard {
            index: number - 1,
            count,
        }),
        _ => Err(
            CommandError::usage(format_args!("`--shard {text}` is not a valid shard"))
                .hint("write `--shard 1/4` to `--shard 4/4` for four machines"),
        ),
    }
}

/// Runs the replay, reports, and prints the duration to stderr.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let runtime = executor::workers(configuration.jobs)?;
    let replay = Arc::new(prepare(&configuration, &runtime)?);
    let Configuration {
        inputs,
        format,
        jobs,
        tape,
        shard,
        report: report_path,
        ..
    } = configuration;
    let progress = Progress::new(
        inputs
            .iter()
            .map(|input| (input.path().to_owned(), bytes_of(input))),
    );
    let has_page = report_path.is_some();
    let mut report = report_on_stdout(format, has_page);
    let mut html = report_path.as_deref().map(Html::create).transpose()?;
    let mut both = Both(
        report.as_mut(),
        html.as_mut().map(|html| html as &mut dyn Report),
    );
    let found = runtime.block_on(async {
        let mut signals = Signals::new()?;
        tokio::select! {
            found = runner::run(Arc::clone(&replay), inputs, &mut both, &progress) => found,
            // Unfinished output is removed when this returns.
            signal = signals.next() => Err(CommandError::interrupted(signal)),
        }
    });
    // Do not wait for requests that still run.
    runtime.shutdown_background();
    replay.case_stores.remove();
    let found = found?;
    tell_duration(&progress, jobs);
    let totals = &found.totals;
    let done = totals.cases + totals.events + totals.requests;
    // A shard of few requests may legitimately be empty.
    if done == 0 && shard == Shard::ALL {
        return Err(nothing_replayed(totals, tape.only()));
    }
    let is_traced = tape.only().is_some() && tape.is_traced();
    output::remark(&next_steps(&found, has_page, is_traced));
    Ok(if found.totals.is_clean() {
        Outcome::Same
    } else {
        Outcome::Differs
    })
}

/// Opens what the input needs.
fn prepare(
    configuration: &Configuration,
    runtime: &Runtime,
) -> Result<runner::Replay, CommandError> {
    let Configuration {
        inputs,
        store,
        guest: hosted,
        tape,
        ..
    } = configuration;
    let instances_max = configuration.jobs * INSTANCES_PER_JOB;
    let guest = hosted.link_for_replays(instances_max)?;
    let has_tapes = inputs.iter().any(|input| matches!(input, Input::Tape(_)));
    let has_events = inputs
        .iter()
        .any(|input| matches!(input, Input::Event(..) | Input::Lines(..)));
    // A store that is not used is not opened: its file need not exist, and may be locked by another program.
    let storage = runtime.block_on(async {
        if has_events || (has_tapes && tape.uses_store()) {
            store.open_reproducibly().await
        } else {
            StoreSpec::Memory.open_reproducibly().await
        }
    })?;
    Ok(runner::Replay {
        tapes: tape.prepare(&Preparation {
            hosted,
            guest: &guest,
            has_tapes,
            instances_max,
            storage: &storage,
            details: configuration.report.is_some(),
        })?,
        service: Service::new(guest.clone(), storage),
        runtime: guest,
        is_guest_named: configuration.is_guest_named,
        case_stores: CaseStores::new(store)?,
        seed: configuration.seed.clone(),
        bless: configuration.bless,
        pending_max: configuration.jobs * PENDING_PER_JOB,
        tape_bytes: Arc::new(Semaphore::new(TAPE_BYTES_IN_FLIGHT_MAX)),
        case_bytes: Arc::new(Semaphore::new(CASE_BYTES_IN_FLIGHT_MAX)),
        shard: configuration.shard,
    })
}

/// If a report file is written as well, a reader that closes stdout early, like `head`, does not end the run.
fn report_on_stdout(format: ReportFormat, has_page: bool) -> Box<dyn Report> {
    let mut is_closed = false;
    let print = move |bytes: &[u8]| {
        if is_closed {
            return Ok(());
        }
        match output::result(bytes) {
            Err(failure) if has_page && failure.is_output_closed() => {
                is_closed = true;
                Ok(())
            }
            result => result,
        }
    };
    match format {
        ReportFormat::Text => Box::new(Text::new(output::colour_on_stdout(), print)),
        ReportFormat::Json => Box::new(Json::new(print)),
        ReportFormat::Junit => Box::new(Junit::new(print)),
    }
}

fn tell_duration(progress: &Progress, jobs: usize) {
    let (count, duration) = progress.finish();
    let seconds = duration.as_secs_f64();
    let rate = count as f64 / seconds.max(1e-6);
    let _ = writeln!(
        std::io::stderr(),
        "{count} in {seconds:.3} s, {rate:.0}/s, {jobs} {}",
        if jobs == 1 { "job" } else { "jobs" }
    );
}

/// The failure if nothing was replayed: the absence of differences then proves nothing.
fn nothing_replayed(totals: &Totals, only: Option<&str>) -> CommandError {
    if let Some(only) = only {
        return CommandError::environment(format_args!(
            "no request was replayed: none has an id that begins with `{only}`"
        ))
        .hint("`jq -r .id FILE` shows the ids of a tape's requests");
    }
    let failure = CommandError::environment("no request was replayed");
    if totals.cut > 0 {
        failure
            .hint("every line of tape is incomplete: its writer was stopped, or the file was cut")
    } else {
        failure.hint("the files contain no event and no line of tape")
    }
}

/// The options that show more about the differences.
fn next_steps(found: &Found, has_page: bool, is_traced: bool) -> String {
    let mut steps = Vec::new();
    if let Some(id) = &found.first_id {
        if !is_traced {
            steps.push(format!(
                "add `--only {id} --trace` to see the first request that differs step by step"
            ));
        }
        if !has_page {
            steps.push("add `--report FILE.html` to see all of them in a report".to_owned());
        }
    }
    if found.has_case {
        steps.push("add `--bless` to accept the results as the cases' expectations".to_owned());
    }
    if steps.is_empty() {
        return String::new();
    }
    format!("next: {}\n", steps.join("; "))
}

fn bytes_of(input: &Input) -> u64 {
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    match input {
        Input::Case(folder) => bytes(&folder.join(observation::EVENT_FILE)),
        Input::Event(path, _) | Input::Lines(path, _) | Input::Tape(Source::File(path, _)) => {
            bytes(path)
        }
        Input::Tape(Source::Stdin) => 0,
    }
}
