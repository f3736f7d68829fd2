//! `pull`: fetches tapes from CloudWatch Logs.

use crate::{
    args::PullArgs,
    aws, executor,
    exit::{CommandError, Outcome},
    output,
    replacement::{self, OutputError, Readers, Replacement},
    signals::Signals,
    time,
};
use aws_sdk_cloudwatchlogs::{error::ProvideErrorMetadata, types::FilteredLogEvent};
use indicatif::ProgressBar;
use std::{
    io::Write,
    path::{Path, PathBuf},
};
use tape::TapeFinder;

/// Matches whole lines and parts of tape by their first member.
const TAPES: &str = "{ ($.tenon_tape = *) || ($.tenon_tape_part = *) }";

/// Name of the output in messages.
const WHAT: &str = "tape";

/// The log group, the period, and the output.
pub struct Configuration {
    group: String,
    since_ms: u64,
    until_ms: u64,
    filter: String,
    output: Option<PathBuf>,
    endpoint: Option<String>,
}

/// Checks the arguments; nothing is sent yet.
pub fn resolve(arguments: &PullArgs) -> Result<Configuration, CommandError> {
    let since_ms = time::resolve_ago(&arguments.since)?;
    let until_ms = match &arguments.until {
        Some(until) => time::resolve_ago(until)?,
        None => time::now_ms(),
    };
    if since_ms >= until_ms {
        return Err(CommandError::usage(
            "`--since` is not before `--until` (default: now)",
        ));
    }
    if let Some(output) = &arguments.output {
        replacement::check(output, WHAT, [])?;
    }
    Ok(Configuration {
        group: arguments.log_group.clone(),
        since_ms,
        until_ms,
        filter: arguments.filter.clone().unwrap_or_else(|| TAPES.to_owned()),
        output: arguments.output.clone(),
        endpoint: arguments.aws.endpoint.clone(),
    })
}

/// Fetches page by page; memory holds one page and the parts of incomplete lines.
pub fn run(configuration: Configuration) -> Result<Outcome, CommandError> {
    let mut sink = match &configuration.output {
        Some(path) => Sink::file(path)?,
        None => Sink::Stdout,
    };
    let progress = ProgressBar::new_spinner();
    let fetched = executor::workers(1)?.block_on(async {
        let mut signals = Signals::new()?;
        tokio::select! {
            fetched = fetch(&configuration, &mut sink, &progress) => fetched,
            signal = signals.next() => Err(CommandError::interrupted(signal)),
        }
    });
    progress.finish_and_clear();
    let Fetched {
        requests,
        incomplete,
    } = fetched?;
    if incomplete > 0 {
        output::remark(&format!(
            "parts of {incomplete} split lines are missing: choose a longer period with `--since` or `--until`\n"
        ));
    }
    let Configuration {
        group,
        since_ms,
        until_ms,
        ..
    } = &configuration;
    if requests == 0 {
        return Err(CommandError::environment(format_args!(
            "log group `{group}` has no tape between {} and {}",
            time::rfc3339(*since_ms),
            time::rfc3339(*until_ms)
        ))
        .hint("choose a longer period with `--since 7d`; hosts record only if `TENON_TAPE` is set, see docs/lambda.md"));
    }
    sink.finish()?;
    output::remark(&format!("{requests} requests from `{group}`\n"));
    Ok(Outcome::Same)
}

struct Fetched {
    requests: u64,
    /// Number of lines with missing parts.
    incomplete: usize,
}

async fn fetch(
    configuration: &Configuration,
    sink: &mut Sink,
    progress: &ProgressBar,
) -> Result<Fetched, CommandError> {
    let group = &configuration.group;
    let client = aws::log_client(group, configuration.endpoint.as_deref()).await?;
    let mut request = client
        .filter_log_events()
        .start_time(configuration.since_ms as i64) // neither exceeds the year 9999
        .end_time(configuration.until_ms as i64)
        .filter_pattern(&configuration.filter);
    request = if group.starts_with("arn:") {
        request.log_group_identifier(group)
    } else {
        request.log_group_name(group)
    };
    let mut pages = request.into_paginator().send();
    let mut finder = TapeFinder::default();
    let (mut events, mut requests) = (0, 0);
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| refused(configuration, &error))?;
        for event in page.events() {
            events += 1;
            requests += u64::from(take(event, events, &mut finder, sink)?);
        }
        let reached = page.events().last().and_then(FilteredLogEvent::timestamp);
        let reached = reached.map_or_else(String::new, |ms| {
            format!(", until {}", time::rfc3339(ms.unsigned_abs()))
        });
        progress.set_message(format!("{requests} requests{reached}"));
        progress.tick();
    }
    Ok(Fetched {
        requests,
        incomplete: finder.incomplete(),
    })
}

/// Whether the event was a line of tape, or completed one.
fn take(
    event: &FilteredLogEvent,
    number: u64,
    finder: &mut TapeFinder,
    sink: &mut Sink,
) -> Result<bool, CommandError> {
    let message = event.message().unwrap_or_default().trim_ascii();
    match finder.look(number, message.as_bytes().to_vec()) {
        Ok(Some(line)) => {
            sink.write_line(&line.bytes)?;
            Ok(true)
        }
        Ok(None) => Ok(false),
        // One unreadable event must not prevent the others from being fetched.
        Err(error) => {
            output::remark(&format!("skipped event {number} of the log: {error}\n"));
            Ok(false)
        }
    }
}

fn refused<E, R>(
    configuration: &Configuration,
    error: &aws_sdk_cloudwatchlogs::error::SdkError<E, R>,
) -> CommandError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let group = &configuration.group;
    let code = error.code().unwrap_or_default();
    let failed = |why: &str| CommandError::environment(format_args!("log group `{group}` {why}"));
    match code {
        "ResourceNotFoundException" => {
            failed("does not exist").hint("check its name, and the region in `AWS_REGION`")
        }
        "AccessDeniedException" => {
            failed("cannot be read: access denied").hint("allow `logs:FilterLogEvents` on it")
        }
        "InvalidParameterException" => failed(&format!(
            "refused the query: {}",
            error.message().unwrap_or("a parameter is invalid")
        )),
        _ => {
            let endpoint = configuration.endpoint.as_deref();
            let place = endpoint.map_or_else(String::new, |endpoint| format!(" at {endpoint}"));
            let words = aws::sdk_error_words(error);
            let failed = failed(&format!("cannot be read{place}: {words}"));
            match endpoint {
                Some(endpoint) if aws::is_refused(error) => failed.hint(format_args!(
                    "start the server at {endpoint}, or leave out `--endpoint` to read from AWS"
                )),
                Some(_) | None => failed,
            }
        }
    }
}

/// Where the lines are written.
enum Sink {
    Stdout,
    File(Replacement),
}

impl Sink {
    fn file(path: &Path) -> Result<Self, CommandError> {
        let file = Replacement::create(path, Readers::Owner);
        Ok(Self::File(
            file.map_err(|error| cannot_write(path, &error))?,
        ))
    }

    fn write_line(&mut self, line: &[u8]) -> Result<(), CommandError> {
        match self {
            Self::Stdout => output::json_line(line),
            Self::File(file) => file
                .write_all(line)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(|error| cannot_write(file.path(), &error.into())),
        }
    }

    fn finish(&mut self) -> Result<(), CommandError> {
        match self {
            Self::Stdout => Ok(()),
            Self::File(file) => file
                .finish()
                .map_err(|error| cannot_write(file.path(), &error)),
        }
    }
}

fn cannot_write(path: &Path, error: &OutputError) -> CommandError {
    replacement::cannot_write(path, WHAT, error)
}
