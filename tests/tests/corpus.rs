//! Foreign recorded events: `host-cli invoke` answers each or refuses it with a reason, and never panics.
//!
//! The events are not part of the project. They are in `../shared/events` beside the workspace, or in the folder named by `TENON_EVENTS`.

use crate::support::{host_cli, workspace};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

/// Prefixes of the kinds in the manifest that hosts serve.
const SERVED: [&str; 4] = ["ALB", "Function URL", "HTTP API", "REST v1"];

/// The entry of a file in `MANIFEST.tsv`.
struct Entry {
    path: String,
    kind: String,
}

#[test]
fn every_event_is_answered_or_refused_with_a_reason() {
    let Some(folder) = folder() else {
        return;
    };
    let entries = manifest(&folder);
    assert!(
        entries.len() > 50,
        "the manifest names only {} events",
        entries.len()
    );
    let waiting = Mutex::new(entries.iter());
    let complaints = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(entry) = waiting.lock().unwrap().next() else {
                        break;
                    };
                    if let Err(complaint) = check(&folder, entry) {
                        complaints
                            .lock()
                            .unwrap()
                            .push(format!("{} ({}): {complaint}", entry.path, entry.kind));
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(
        complaints.is_empty(),
        "{} of {}:\n{}",
        complaints.len(),
        entries.len(),
        complaints.join("\n")
    );
}

/// The folder of the events. If it is missing, the test says so and ends, unless the folder was named or this is a build machine.
fn folder() -> Option<PathBuf> {
    let named = env::var_os("TENON_EVENTS").map(PathBuf::from);
    let is_required = named.is_some();
    let folder = named.unwrap_or_else(|| workspace().join("../shared/events"));
    if folder.join("MANIFEST.tsv").is_file() {
        return Some(folder);
    }
    assert!(
        !is_required,
        "`TENON_EVENTS` names `{}`, which has no `MANIFEST.tsv`",
        folder.display()
    );
    eprintln!(
        "SKIPPED: no recorded events in `{}`; `TENON_EVENTS` can name another folder",
        folder.display()
    );
    None
}

fn manifest(folder: &Path) -> Vec<Entry> {
    let text = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let mut columns = line.split('\t').map(str::to_owned);
        Entry {
            path: columns.next().unwrap(),
            kind: columns.next().unwrap(),
        }
    });
    rows.collect()
}

fn check(folder: &Path, entry: &Entry) -> Result<(), String> {
    let output = host_cli::command()
        .arg("invoke")
        .arg(folder.join(&entry.path))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let is_served = SERVED.iter().any(|kind| entry.kind.starts_with(kind));
    match output.status.code() {
        Some(0) if is_served => {
            let answer: Value = serde_json::from_slice(&output.stdout)
                .map_err(|error| format!("not JSON: {error}"))?;
            match answer["statusCode"].as_u64() {
                Some(200..=499) => Ok(()),
                _ => Err(format!("answered with {answer}")),
            }
        }
        Some(0) => Err("is answered, but is no request".into()),
        Some(1) if is_served => Err(format!("is refused: {stderr}")),
        Some(1) if stderr.trim().is_empty() => Err("is refused without a reason".into()),
        Some(1) => Ok(()),
        _ => Err(format!("ended with {}: {stderr}", output.status)),
    }
}
