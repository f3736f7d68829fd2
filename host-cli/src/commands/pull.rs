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
use aws_requests::CallError;
use contract::count::counted;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use std::{
    io::Write,
    path::{Path, PathBuf},
};
use tape::TapeFinder;

/// Matches whole lines and parts of tape by their first member.
const TAPES: &str = "{ ($.tenon_tape = *) || ($.tenon_tape_part = *) }";

/// Bound for one response: CloudWatch Logs returns up to a megabyte of events, each byte of which JSON may escape with six (AWS: FilterLogEvents).
const PAGE_BYTES_MAX: usize = 16 << 20;

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
            "parts of {} are missing: choose a longer period with `--since` or `--until`\n",
            counted(incomplete, "split line", "split lines")
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
    let counted_requests = counted(requests, "request", "requests");
    output::remark(&format!("{counted_requests} from `{group}`\n"));
    Ok(Outcome::Same)
}

struct Fetched {
    requests: u64,
    /// Number of lines with missing parts.
    incomplete: usize,
}

/// What is asked for (AWS: FilterLogEvents).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Query<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    log_group_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_group_identifier: Option<&'a str>,
    start_time: u64,
    end_time: u64,
    filter_pattern: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// One page of the answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<LogEvent>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct LogEvent {
    /// Milliseconds since 1970.
    timestamp: Option<u64>,
    message: Option<String>,
}

async fn fetch(
    configuration: &Configuration,
    sink: &mut Sink,
    progress: &ProgressBar,
) -> Result<Fetched, CommandError> {
    let group = configuration.group.as_str();
    let logs = aws::logs(group, configuration.endpoint.as_deref()).await?;
    let is_arn = group.starts_with("arn:");
    let mut query = Query {
        log_group_name: (!is_arn).then_some(group),
        log_group_identifier: is_arn.then_some(group),
        start_time: configuration.since_ms,
        end_time: configuration.until_ms,
        filter_pattern: &configuration.filter,
        next_token: None,
    };
    let mut finder = TapeFinder::default();
    let (mut events, mut requests) = (0, 0);
    loop {
        let body = serde_json::to_vec(&query).map_err(CommandError::environment)?;
        let page = logs.call("FilterLogEvents", &body, PAGE_BYTES_MAX).await;
        let page = read_page(&page.map_err(|error| refused(configuration, &error))?)
            .map_err(|why| unreadable(configuration, &why))?;
        for event in &page.events {
            events += 1;
            requests += u64::from(take(event, events, &mut finder, sink)?);
        }
        let reached = page.events.last().and_then(|event| event.timestamp);
        let reached =
            reached.map_or_else(String::new, |ms| format!(", until {}", time::rfc3339(ms)));
        let counted_requests = counted(requests, "request", "requests");
        progress.set_message(format!("{counted_requests}{reached}"));
        progress.tick();
        match page.next_token {
            Some(token) if query.next_token.as_ref() == Some(&token) => {
                let why = "it names the same next page twice";
                return Err(unreadable(configuration, why));
            }
            Some(token) => query.next_token = Some(token),
            None => break,
        }
    }
    Ok(Fetched {
        requests,
        incomplete: finder.incomplete(),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bounded response, into named members"
)]
fn read_page(body: &[u8]) -> Result<Page, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// Whether the event was a line of tape, or completed one.
fn take(
    event: &LogEvent,
    number: u64,
    finder: &mut TapeFinder,
    sink: &mut Sink,
) -> Result<bool, CommandError> {
    let message = event.message.as_deref().unwrap_or_default().trim_ascii();
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

fn refused(configuration: &Configuration, error: &CallError) -> CommandError {
    let Configuration {
        group, endpoint, ..
    } = configuration;
    let failed = |why: &str| CommandError::environment(format_args!("log group `{group}` {why}"));
    let place = endpoint
        .as_ref()
        .map_or_else(String::new, |endpoint| format!(" at {endpoint}"));
    let unread = failed(&format!("cannot be read{place}: {error}"));
    match error {
        CallError::Answered { code, message } => match code.as_str() {
            "ResourceNotFoundException" => {
                failed("does not exist").hint("check its name, and the region in `AWS_REGION`")
            }
            "AccessDeniedException" => {
                failed("cannot be read: access denied").hint("allow `logs:FilterLogEvents` on it")
            }
            "InvalidParameterException" => failed(&format!(
                "refused the query: {}",
                message.as_deref().unwrap_or("a parameter is invalid")
            )),
            _ => unread,
        },
        CallError::Refused(_) => match endpoint {
            Some(endpoint) => unread.hint(format_args!(
                "start the server at {endpoint}, or leave out `--endpoint` to read from AWS"
            )),
            None => unread,
        },
        CallError::Failed(_) | CallError::TooLarge(_) => unread,
    }
}

fn unreadable(configuration: &Configuration, why: &str) -> CommandError {
    let Configuration {
        group, endpoint, ..
    } = configuration;
    let error = CommandError::environment(format_args!(
        "the answer about log group `{group}` cannot be read: {why}"
    ));
    match endpoint {
        Some(endpoint) => error.hint(format_args!(
            "check that the server at {endpoint} is CloudWatch Logs or simulates it"
        )),
        None => error,
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
