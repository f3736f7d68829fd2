//! What publishers and hosts accept: old documents, missing documents, other keys, secrets.

use crate::{
    program::{Folder, GUEST, Server, cli, command},
    release::{artifacts, site},
};
use contract::digest::Digest;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    time::{Duration, Instant},
};

fn document(channel: &str) -> PathBuf {
    let folder = &site().folder;
    PathBuf::from(folder.path(&format!("releases/channels/{channel}.json")))
}

/// Signing on top of an old document would make an old guest the newest one.
#[test]
fn nothing_is_signed_on_top_of_an_old_document() {
    let site = site();
    site.run("promote", &["old", &site.first]).expect_code(0);
    let old = fs::read(document("old")).unwrap();
    site.run("promote", &["old", &site.second]).expect_code(0);
    fs::write(document("old"), old).unwrap();
    let shown = site.look(&["channel", "show", "old"]).expect_code(1);
    assert!(shown.stdout.contains("\"generation\": 1"), "{shown:?}");
    let says = "its document has generation 1, but generation 2 was signed after it";
    assert!(shown.stderr.contains(says), "{shown:?}");
    for command in ["promote", "rollback"] {
        let arguments: &[&str] = match command {
            "promote" => &["old", &site.first],
            _ => &["old"],
        };
        site.run(command, arguments)
            .expect_failure(3, "generation 1, but generation 2 was signed after it")
            .expect_hint();
    }
    site.run("promote", &["old", &site.first, "--recover"])
        .expect_code(0);
    let shown = site.look(&["channel", "show", "old"]).expect_code(0);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["generation"], 3);
}

/// An attacker who can write to both stores leaves neither document nor record. The publisher remembers.
#[test]
fn a_publisher_remembers_what_it_has_seen() {
    let folder = Folder::new();
    cli(&["keygen", &folder.path("key")]).expect_code(0);
    let (artifacts, key) = (artifacts(&folder), folder.path("key"));
    let run = |arguments: &[&str]| {
        let stores = ["--artifacts", &artifacts, "--key", &key];
        cli(&[arguments, &stores].concat())
    };
    let published = cli(&["publish", GUEST, "--to", &artifacts, "--key", &key]).expect_code(0);
    let digest = published.stdout.trim();
    for _ in 0..2 {
        run(&["promote", "seen", digest]).expect_code(0);
    }
    for gone in ["releases/channels", "releases/generations"] {
        fs::remove_dir_all(folder.path(gone)).unwrap();
    }
    run(&["promote", "seen", digest])
        .expect_failure(3, "no document, but generation 2 was signed before")
        .expect_hint();
    run(&["promote", "seen", digest, "--recover"]).expect_code(0);
    run(&["promote", "seen", digest]).expect_code(0);
    // Only the owner can read the publisher's state.
    let state = PathBuf::from(concat!(
        env!("CARGO_TARGET_TMPDIR"),
        "/state/tenon/channels"
    ));
    for entry in fs::read_dir(state).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// The embedded guest does not replace a channel that does not exist.
#[test]
fn a_server_does_not_start_on_a_channel_that_is_misspelt_forged_or_deleted() {
    let site = site();
    let other = Folder::new();
    cli(&["keygen", &other.path("key")]).expect_code(0);
    site.run("promote", &["right", &site.first]).expect_code(0);
    site.run("promote", &["gone", &site.first]).expect_code(0);
    fs::remove_file(document("gone")).unwrap();
    let artifacts = artifacts(&site.folder);
    let public = site.folder.path("key.pub");
    let serve = |channel: &str, key: &str, more: &[&str]| {
        let all = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--store",
            "memory",
            "--channel",
            channel,
            "--artifacts",
            &artifacts,
            "--public-key",
            key,
        ];
        cli(&[&all[..], more].concat())
    };
    serve("rihgt", &public, &[]).expect_failure(3, "channel `rihgt` does not exist in");
    serve("gone", &public, &[]).expect_failure(3, "channel `gone` does not exist in");
    serve("right", &other.path("key.pub"), &[]).expect_failure(3, "which is not trusted here");
    serve("right", &public, &["--generation-min", "2"]).expect_failure(3, "accepts none below 2");
}

/// If the channel's store does not answer, nothing is known of it: the server's own guest serves, and the server says so.
#[test]
fn a_server_says_that_its_own_guest_serves_while_a_store_cannot_be_reached() {
    let site = site();
    let (artifacts, public) = (artifacts(&site.folder), site.folder.path("key.pub"));
    let server = Server::start(&[
        "--store",
        "memory",
        "--channel",
        "unreachable",
        "--artifacts",
        &artifacts,
        "--table",
        "items@http://127.0.0.1:9",
        "--public-key",
        &public,
    ]);
    let answer =
        server.talk("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (code, stderr) = server.stop();
    assert_eq!(code, 0);
    let warned = |line: &str| {
        line.starts_with("warning: ") && line.contains("until the stores of channel `unreachable`")
    };
    assert!(stderr.lines().any(warned), "{stderr}");
}

#[test]
fn another_key_does_not_take_over_a_published_guest() {
    let site = site();
    let other = Folder::new();
    cli(&["keygen", &other.path("key")]).expect_code(0);
    site.run("promote", &["live", &site.first]).expect_code(0);
    let (to, key) = (artifacts(&site.folder), other.path("key"));
    let publish = ["publish", GUEST, "--to", &to, "--key", &key];
    cli(&publish)
        .expect_failure(3, "signed by another key")
        .expect_hint();
    site.look(&["channel", "verify", "live"]).expect_code(0);
}

/// The environment of a route's guests may hold secrets.
#[test]
fn secrets_of_a_channel_are_for_its_owner() {
    let site = site();
    let secret = "correct horse";
    let variable = format!("TOKEN={secret}");
    site.run("promote", &["secret", &site.first, "--env", &variable])
        .expect_code(0);
    site.run("promote", &["secret", &site.second])
        .expect_code(0);
    let folder = site.folder.path("releases/channels/secret");
    let past = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for file in past.chain([document("secret")]) {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    for arguments in [
        &["channel", "show", "secret"][..],
        &["releases", "secret", "--format", "json"],
    ] {
        let shown = site.look(arguments).expect_code(0).stdout;
        assert!(shown.contains("\"TOKEN\": \"(hidden)\""), "{shown}");
        assert!(!shown.contains(secret), "{shown}");
    }
    let asked = site.look(&["channel", "show", "secret", "--show-environment"]);
    assert!(asked.expect_code(0).stdout.contains(secret));
    // Not on the command line, which other users can read.
    let (artifacts, key) = (artifacts(&site.folder), site.folder.path("key"));
    let arguments = [
        "promote",
        "secret",
        &site.first,
        "--env",
        "TENON_TEST_TOKEN",
        "--artifacts",
        &artifacts,
        "--key",
        &key,
    ];
    let passed = command(&arguments)
        .env("TENON_TEST_TOKEN", "battery staple")
        .status();
    assert!(passed.unwrap().success());
    let asked = site.look(&["channel", "show", "secret", "--show-environment"]);
    assert!(asked.expect_code(0).stdout.contains("battery staple"));
    site.run(
        "promote",
        &["secret", &site.first, "--env", "TENON_TEST_UNSET"],
    )
    .expect_failure(2, "copies a variable that is not set")
    .expect_hint();
}

#[test]
fn a_store_that_does_not_exist_is_not_an_empty_one() {
    let site = site();
    let absent = format!("{}-absent", artifacts(&site.folder));
    let key = site.folder.path("key.pub");
    cli(&["published", "--artifacts", &absent, "--public-key", &key])
        .expect_failure(3, "-absent` does not exist")
        .expect_hint();
}

#[test]
fn a_guest_is_named_by_its_first_digits_and_goes_back_by_its_generation() {
    let site = site();
    let listed = site.look(&["published"]);
    // Other tests publish with other keys at the same time.
    let listed = listed.stdout;
    for digest in [&site.first, &site.second] {
        assert!(listed.contains(digest.as_str()), "{listed}");
    }
    assert!(listed.starts_with("guest  "), "{listed}");
    let wide: Vec<&str> = listed.lines().filter(|line| line.len() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    let (first, second) = (&site.first[..12], &site.second[..12]);
    site.run("promote", &["short", first]).expect_code(0);
    site.run("promote", &["short", second]).expect_code(0);
    site.run("rollback", &["short"]).expect_code(0);
    site.run("rollback", &["short"])
        .expect_failure(1, "no guest that route `/` could go back to")
        .expect_hint();
    site.run("rollback", &["short", "--to", "9"])
        .expect_failure(1, "no generation 9")
        .expect_hint();
    let forward = site.run("rollback", &["short", "--to", "2"]).expect_code(0);
    assert!(forward.stdout.contains(&format!("{second} 100%")));
    assert!(
        forward.stderr.contains("was rolled back in generation 3"),
        "{forward:?}"
    );
    site.run("promote", &["short", first, "--no-fallback"])
        .expect_code(0);
    site.run("rollback", &["short", "--to", "2"])
        .expect_failure(1, "generation 5 ruled out everything before it");
}

#[test]
fn documents_that_cannot_be_trusted_are_counted_and_not_repeated() {
    let site = site();
    for _ in 0..4 {
        site.run("promote", &["counted", &site.first])
            .expect_code(0);
    }
    let other = Folder::new();
    cli(&["keygen", &other.path("key")]).expect_code(0);
    let artifacts = artifacts(&site.folder);
    let key = other.path("key.pub");
    let run = cli(&[
        "releases",
        "counted",
        "--artifacts",
        &artifacts,
        "--public-key",
        &key,
    ])
    .expect_code(1);
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert!(run.stderr.contains("left out 4 documents"), "{run:?}");
}

#[test]
fn an_endpoint_that_is_no_address_is_named_in_one_line() {
    for arguments in [
        &["pull", "items", "--endpoint", "nope"][..],
        &["pull", "items", "--endpoint", "127.0.0.1:4566"],
        &["table", "check", "items@nope"],
    ] {
        let run = cli(arguments)
            .expect_failure(2, "is not the address of a server")
            .expect_hint();
        assert!(!run.stderr.contains("dynamodb:"), "{run:?}");
    }
    // No server listens there: the message is not a debug form of the SDK's error.
    let started = Instant::now();
    let run = cli(&["pull", "items", "--endpoint", "http://127.0.0.1:9"])
        .expect_failure(3, "Connection refused")
        .expect_hint();
    // Attempts after the first would take 40 seconds.
    assert!(started.elapsed() < Duration::from_secs(10));
    for part in ["DispatchFailure", "ConnectorError", "{", "\""] {
        assert!(!run.stderr.contains(part), "{run:?}");
    }
}

/// A folder is recognised whatever links and dots its path contains.
#[test]
fn what_a_publisher_has_seen_does_not_depend_on_how_a_folder_is_written() {
    let folder = Folder::new();
    cli(&["keygen", &folder.path("key")]).expect_code(0);
    let (plain, key) = (artifacts(&folder), folder.path("key"));
    let promote = |artifacts: &str, digest: &str| {
        cli(&[
            "promote",
            "seen",
            digest,
            "--artifacts",
            artifacts,
            "--key",
            &key,
        ])
    };
    let published = cli(&["publish", GUEST, "--to", &plain, "--key", &key]).expect_code(0);
    let digest = published.stdout.trim();
    for _ in 0..2 {
        promote(&plain, digest).expect_code(0);
    }
    for gone in ["releases/channels", "releases/generations"] {
        fs::remove_dir_all(folder.path(gone)).unwrap();
    }
    std::os::unix::fs::symlink(folder.path("releases"), folder.path("linked")).unwrap();
    for spelling in ["linked", "releases/../releases", "./releases/"] {
        promote(&format!("file://{}", folder.path(spelling)), digest)
            .expect_failure(3, "no document, but generation 2 was signed before");
    }
}

#[test]
fn a_list_of_releases_says_that_the_channel_was_put_back_or_its_history_changed() {
    let site = site();
    site.run("promote", &["listed", &site.first]).expect_code(0);
    let old = fs::read(document("listed")).unwrap();
    site.run("promote", &["listed", &site.second])
        .expect_code(0);
    let present = fs::read(document("listed")).unwrap();
    let clean = site.look(&["releases", "listed"]).expect_code(0);
    assert_eq!(clean.stderr, "");
    fs::write(document("listed"), old).unwrap();
    let run = site.look(&["releases", "listed"]).expect_code(1);
    assert!(
        run.stderr.contains("generation 2 was signed after it"),
        "{run:?}"
    );
    fs::write(document("listed"), &present).unwrap();
    let past = site
        .folder
        .path("releases/channels/listed/00000000000000000001.json");
    fs::write(past, &present).unwrap();
    let run = site.look(&["releases", "listed"]).expect_code(1);
    assert!(
        run.stderr
            .contains("left out a document of generation 2 that replaced an older one"),
        "{run:?}"
    );
    assert_eq!(run.stdout.lines().count(), 2, "{run:?}");
}

/// An attacker who may write but not delete replaces the record of the newest generation, and puts the previous document back.
#[test]
fn a_replaced_record_is_named_and_nothing_is_signed_on_top_of_it() {
    let site = site();
    site.run("promote", &["replaced", &site.first])
        .expect_code(0);
    let old = fs::read(document("replaced")).unwrap();
    site.run("promote", &["replaced", &site.second])
        .expect_code(0);
    fs::write(document("replaced"), old).unwrap();
    let folder = Digest::of(b"replaced");
    let record = format!("releases/generations/{folder}/2.json");
    fs::write(site.folder.path(&record), "{}").unwrap();
    forget_what_was_seen("replaced");
    let says = "2.json` is not a record of generation 2 signed by a trusted key";
    let verified = site.look(&["channel", "verify", "replaced"]).expect_code(1);
    assert!(verified.stdout.contains(says), "{verified:?}");
    let listed = site.look(&["releases", "replaced"]).expect_code(1);
    assert!(listed.stderr.contains(says), "{listed:?}");
    for arguments in [
        &["promote", "replaced", &site.first][..],
        &["rollback", "replaced", "--to", "1"],
    ] {
        site.run(arguments[0], &arguments[1..])
            .expect_failure(3, says)
            .expect_hint();
    }
    // A newer generation than the one that may have been hidden, with its own record.
    site.run("promote", &["replaced", &site.second, "--recover"])
        .expect_code(0);
    let shown = site.look(&["channel", "show", "replaced"]).expect_code(0);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["generation"], 3);
    site.look(&["channel", "verify", "replaced"]).expect_code(0);
    let listed = site.look(&["releases", "replaced"]).expect_code(0);
    assert_eq!(listed.stderr, "");
    assert_eq!(fs::read(site.folder.path(&record)).unwrap(), b"{}");
}

/// As on a machine that has never published to the channel.
fn forget_what_was_seen(channel: &str) {
    let state = PathBuf::from(concat!(
        env!("CARGO_TARGET_TMPDIR"),
        "/state/tenon/channels"
    ));
    for entry in fs::read_dir(state).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap_or_default();
        if text.contains(&format!("\"channel\":\"{channel}\"")) {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_publisher_is_told_that_records_cannot_be_relied_on() {
    let site = site();
    site.run("promote", &["norecord", &site.first])
        .expect_code(0);
    let record = Digest::of(b"norecord").to_string();
    let folder = site.folder.path("releases/generations");
    let records: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(&record))
        .collect();
    assert!(!records.is_empty());
    for path in records {
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    let says = "generation 1 of channel norecord has no record";
    let listed = site.look(&["releases", "norecord"]).expect_code(0);
    assert!(listed.stderr.contains(says), "{listed:?}");
    let verified = site.look(&["channel", "verify", "norecord"]).expect_code(1);
    assert!(verified.stdout.contains("without a record"), "{verified:?}");
    let run = site
        .run("promote", &["norecord", &site.second])
        .expect_code(0);
    assert!(run.stderr.contains(says), "{run:?}");
    site.look(&["channel", "verify", "norecord"]).expect_code(0);
}
