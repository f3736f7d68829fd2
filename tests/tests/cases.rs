//! `cases/<group>/<name>/`: an event, and the expected result, on every store and through the program.
//!
//! `event.json` is the raw gateway event, `response.json` the expected response, `before.json` the initial entries, `after.json` the final
//! entries; without these two, there are none. `inputs.json` has time and seed. `TENON_BLESS=1` writes the actual results as the expectation.

use crate::support::{fresh_folder, guests::REFERENCE, host_cli, in_process::runtime, workspace};
use contract::{limits::Limits, seed::Seed};
use observation::{AFTER_FILE, Case, EVENT_FILE, RESPONSE_FILE};
use replay::{CaseOutcome, CaseStore, run_case};
use serde_json::{Value, json};
use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use storage::memory::MemoryStorage;
use storage_redb::RedbStorage;

/// The default seed of `host-cli replay`.
const SEED: [u8; 32] = [0; 32];

#[tokio::test]
async fn every_case_comes_out_as_expected_in_memory_and_in_redb() {
    let bless = env::var_os("TENON_BLESS").is_some();
    let runtime = runtime(REFERENCE, Limits::default());
    let folder = fresh_folder("cases");
    let mut complaints = Vec::new();
    for (number, case_folder) in case_folders().iter().enumerate() {
        let redb = RedbStorage::open(folder.join(format!("{number}.redb"))).unwrap();
        let mut case = Case::load(case_folder).unwrap();
        let stores: [(&str, Arc<dyn CaseStore>); 2] = [
            ("memory", Arc::new(MemoryStorage::new())),
            ("redb", Arc::new(redb)),
        ];
        for (store_name, store) in stores {
            let outcome = run_case(&case, &runtime, store, &Seed::new(SEED))
                .await
                .unwrap();
            if bless {
                // The other stores must give the same result.
                case.bless(&outcome.response, &outcome.after).unwrap();
                case = Case::load(case_folder).unwrap();
            }
            for complaint in differences(&case, &outcome) {
                complaints.push(format!(
                    "{} on {store_name}: {complaint}",
                    name(case_folder)
                ));
            }
        }
    }
    assert!(
        complaints.is_empty(),
        "`TENON_BLESS=1` accepts this:\n{}",
        complaints.join("\n")
    );
}

/// The program itself prints the differences.
#[test]
fn every_case_comes_out_as_expected_through_the_program() {
    let redb = format!(
        "redb:{}",
        fresh_folder("cases-program").join("unused.redb").display()
    );
    for store in ["memory", &redb] {
        let output = host_cli::command()
            .args(["replay", "--guest", "embedded", "--store", store])
            .arg(root())
            .output()
            .unwrap();
        let (stdout, stderr) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert_eq!(
            output.status.code(),
            Some(0),
            "on {store}:\n{stdout}{stderr}"
        );
        let count = case_folders().len().to_string();
        assert!(
            stdout.contains(&count),
            "not all {count} cases ran: {stdout}"
        );
    }
}

#[test]
fn no_case_is_malformed_or_forgotten() {
    for group in folders(&root()) {
        let cases = folders(&group);
        assert!(!cases.is_empty(), "`{}` has no cases", group.display());
        for case in cases {
            for entry in fs::read_dir(&case).unwrap() {
                let file = entry.unwrap().file_name().into_string().unwrap();
                let known = Case::FILES.contains(&file.as_str());
                assert!(known, "`{}/{file}` is no part of a case", name(&case));
            }
            for file in [EVENT_FILE, RESPONSE_FILE] {
                assert!(
                    case.join(file).is_file(),
                    "`{}` has no `{file}`",
                    name(&case)
                );
            }
        }
    }
}

/// Over all cases: each route with each of its methods, each kind of event, each documented status.
#[test]
fn the_cases_cover_the_api() {
    let mut statuses: Vec<u64> = Vec::new();
    let mut kinds = [false; 4];
    for folder in case_folders() {
        let case = Case::load(&folder).unwrap();
        statuses.extend(
            case.response
                .and_then(|response| response["statusCode"].as_u64()),
        );
        let event: Value = serde_json::from_slice(&case.event).unwrap();
        let domain = event["requestContext"]["domainName"]
            .as_str()
            .unwrap_or_default();
        let kind = match () {
            () if event["requestContext"]["elb"].is_object() => 0,
            () if domain.contains(".lambda-url.") => 1,
            () if event["version"] == "2.0" => 2,
            () => 3,
        };
        kinds[kind] = true;
    }
    assert_eq!(
        kinds, [true; 4],
        "a kind of event has no case: load balancer, function URL, HTTP API, REST API"
    );
    for status in [
        200, 201, 204, 304, 400, 404, 405, 406, 412, 414, 415, 422, 431,
    ] {
        assert!(
            statuses.contains(&status),
            "no case has the status {status}"
        );
    }
}

/// A case is complete: without a file for the state, nothing is stored.
pub fn differences(case: &Case, outcome: &CaseOutcome) -> Vec<String> {
    let compared = CaseOutcome {
        response: outcome.response.clone(),
        after: outcome.after.clone(),
        summary: None,
    };
    let differing = compared.differences(&mut case.clone(), &[]);
    let mut lines: Vec<_> = differing
        .iter()
        .flat_map(|part| part.differences().lines().collect::<Vec<_>>())
        .collect();
    // The gateway's form is compared, too: which member contains the headers, and how their names are written.
    if lines.is_empty() && case.response.as_ref() != Some(&outcome.response) {
        lines.push(format!("spelled otherwise is {}", outcome.response));
    }
    if case.after.is_none() && outcome.after != json!([]) {
        lines.push(format!(
            "there is no `{AFTER_FILE}`, but stored is {}",
            outcome.after
        ));
    }
    lines
}

fn root() -> PathBuf {
    workspace().join("tests/cases")
}

pub fn case_folders() -> Vec<PathBuf> {
    let cases: Vec<_> = folders(&root())
        .iter()
        .flat_map(|group| folders(group))
        .collect();
    assert!(!cases.is_empty(), "there are no cases");
    cases
}

/// The folders in `parent`, in order; anything else there is in the wrong place.
fn folders(parent: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(parent)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for path in &folders {
        assert!(path.is_dir(), "`{}` is not a folder", path.display());
    }
    folders.sort();
    folders
}

pub fn name(case: &Path) -> String {
    case.strip_prefix(root()).unwrap().display().to_string()
}
