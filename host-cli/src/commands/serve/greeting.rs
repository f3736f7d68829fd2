//! The first and the last lines of `serve`, for the person who started it.

use super::configuration::Configuration;
use crate::{
    serve::{examples::Example, lines::Format},
    time,
};
use contract::{count::counted, text::printable_lines};
use std::{net::SocketAddr, path::Path};

/// The first lines of output, for the person who started the server.
pub fn greeting(
    address: SocketAddr,
    configuration: &Configuration,
    generation: Option<u64>,
    examples: &[Example],
) -> String {
    let (store, base) = (&configuration.server.store, format!("http://{address}"));
    let recording = configuration
        .record
        .as_ref()
        .map_or(String::new(), |(path, _)| {
            format!("recording to: {}\n", path.display())
        });
    let project = configuration
        .project
        .as_ref()
        .map_or(String::new(), |project| format!("project: {project}\n"));
    let own = configuration
        .guest
        .as_ref()
        .map(|guest| guest.source.describe());
    let guest = match (&configuration.follow, generation) {
        (Some(follow), Some(generation)) => {
            let own = own.unwrap_or_else(|| "none".to_owned());
            format!(
                "generation {generation} of channel `{}`\nfallback while no generation can be read: {own}",
                follow.channel
            )
        }
        (Some(follow), None) => {
            let own = own.unwrap_or_default();
            format!("{own}; until channel `{}` can be read", follow.channel)
        }
        (None, _) => own.unwrap_or_default(),
    };
    let callers = configuration.server.callers.describe();
    let mut text = format!(
        "listening on {base}\n{project}store: {store}\n{recording}guest: {guest}\n{callers}"
    );
    text.push_str(&examples_to_try(address, examples));
    text
}

/// Commands to try; nothing if there are none.
pub fn examples_to_try(address: SocketAddr, examples: &[Example]) -> String {
    let base = format!("http://{address}");
    let mut text = String::new();
    if !examples.is_empty() {
        text.push_str("try:\n");
    }
    for example in examples {
        text.push_str(&format!("  {}\n", example.command(&base)));
    }
    text
}

/// The last line of output.
pub fn farewell(requests: u64, tape: Option<&Path>, format: Format) -> String {
    let tape = tape.map(|path| path.display().to_string());
    if matches!(format, Format::Json) {
        let line = serde_json::json!({
            "time": time::rfc3339(time::now_ms()),
            "message": "stopped",
            "requests": requests,
            "tape": tape,
        });
        return printable_lines(&format!("{line}\n")).into_owned();
    }
    let served = counted(requests, "request", "requests");
    let tape = tape.map_or_else(String::new, |tape| format!("; tape: {tape}"));
    printable_lines(&format!("stopped: {served} served{tape}\n")).into_owned()
}
