//! Tapes of the first version replay, in every form that they can have. Lines of a later version are refused by their number.

use super::kept::{self, Project};
use contract::digest::Digest;
use std::fs;
use tape::Exchange;

/// Requests on each of them.
const REQUESTS: usize = 8;

/// Fails unless all requests are replayed, and none differs.
fn replays(project: &Project, arguments: &[&str]) {
    let report = project.json(&[&["replay", "--format", "json"], arguments].concat());
    assert_eq!(report["requests"], REQUESTS, "{arguments:?}: {report}");
}

#[test]
fn the_tape_replays_strictly_and_in_state_mode() {
    let project = Project::new();
    let tape = "tapes/first.tape";
    replays(&project, &[tape]);
    replays(&project, &[tape, "--mode", "state"]);
}

#[test]
fn the_encrypted_tape_replays_with_its_key_and_says_that_it_needs_one() {
    let project = Project::new();
    let tape = "tapes/encrypted.tape";
    replays(&project, &[tape, "--identity", "tapes/identity.txt"]);
    let parts = ["line is encrypted", "--identity"];
    project.refused(&["replay", tape], 1, &parts);
}

#[test]
fn tapes_in_logs_replay() {
    let project = Project::new();
    replays(&project, &["tapes/parts.log"]);
    replays(&project, &["tapes/export.json"]);
}

/// As it is allowed within a version.
#[test]
fn members_that_are_not_known_are_ignored() {
    let project = Project::new();
    let text = kept::bytes("tapes/first.tape");
    let mut later = String::new();
    for line in str::from_utf8(&text).unwrap().lines() {
        let line = line
            .replacen(r#""host":{"#, r#""host":{"hint":{"a":[1]},"#, 1)
            .replace(r#"{"call":"#, r#"{"hint":null,"call":"#)
            .replacen(r#""usage":{"#, r#""hint":"x","usage":{"hint":0,"#, 1);
        let (covered, _) = line.rsplit_once(r#","sha256":""#).unwrap();
        let digest = Digest::of(covered.as_bytes());
        later.push_str(&format!("{covered},\"sha256\":\"{digest}\"}}\n"));
    }
    assert!(later.matches("hint").count() > 3 * REQUESTS);
    project.write("later.tape", later);
    replays(&project, &["later.tape"]);
    replays(&project, &["later.tape", "--mode", "state"]);
}

#[test]
fn a_later_version_is_refused_by_its_number() {
    let message = "line has version 2, this program reads up to 1";
    let project = Project::new();
    for (name, options) in [
        ("first.tape", &[][..]),
        ("encrypted.tape", &["--identity", "tapes/identity.txt"]),
    ] {
        let text = fs::read_to_string(project.file(&format!("tapes/{name}"))).unwrap();
        let later = text.replace(r#"{"tenon_tape":1,"#, r#"{"tenon_tape":2,"#);
        let line = later.lines().next().unwrap();
        let error = Exchange::read(line.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message);
        project.write("later.tape", later);
        project.refused(
            &[&["replay", "later.tape"], options].concat(),
            1,
            &[message],
        );
    }
    // Also if it has nothing else that this version knows.
    let error = Exchange::read(br#"{"tenon_tape":2,"what":[]}"#).unwrap_err();
    assert_eq!(error.to_string(), message);
}
