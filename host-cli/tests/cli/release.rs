//! `keygen`, `publish`, `promote`, `rollback`, `releases`, `channel`, and `serve --channel`.

use crate::program::{Folder, GUEST, Run, Server, cli, command, image};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::Stdio,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// A key and the published reference guest in two versions, created once.
pub struct Site {
    pub folder: Folder,
    pub first: String,
    pub second: String,
}

/// The reference guest with an additional section: another component with the same behaviour.
fn renamed(component: &[u8], name: &str) -> Vec<u8> {
    let mut component = component.to_vec();
    let length = u8::try_from(name.len()).unwrap();
    component.extend([0, length + 1, length]);
    component.extend(name.bytes());
    component
}

pub fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let folder = Folder::new();
        cli(&["keygen", &folder.path("key")]).expect_code(0);
        let second = renamed(&fs::read(GUEST).unwrap(), "second");
        folder.write("second.wasm", second);
        let site = Site {
            first: publish(&folder, GUEST),
            second: publish(&folder, &folder.path("second.wasm")),
            folder,
        };
        assert_ne!(site.first, site.second);
        site
    })
}

pub fn artifacts(folder: &Folder) -> String {
    format!("file://{}", folder.path("releases"))
}

pub fn publish(folder: &Folder, guest: &str) -> String {
    let (to, key) = (artifacts(folder), folder.path("key"));
    let run = cli(&["publish", guest, "--to", &to, "--key", &key]).expect_code(0);
    run.stdout.trim().to_owned()
}

impl Site {
    pub fn run(&self, command: &str, arguments: &[&str]) -> Run {
        let (artifacts, key) = (artifacts(&self.folder), self.folder.path("key"));
        let mut all = vec![command];
        all.extend_from_slice(arguments);
        all.extend(["--artifacts", &artifacts, "--key", &key, "--by", "ann"]);
        cli(&all)
    }

    pub fn look(&self, arguments: &[&str]) -> Run {
        let (artifacts, public) = (artifacts(&self.folder), self.folder.path("key.pub"));
        let mut all = arguments.to_vec();
        all.extend(["--artifacts", &artifacts, "--public-key", &public]);
        cli(&all)
    }
}

#[test]
fn a_key_belongs_to_its_owner_and_is_never_shown() {
    let folder = Folder::new();
    let key = folder.path("key");
    let run = cli(&["keygen", &key]).expect_code(0);
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(run.stdout.as_bytes(), folder.read("key.pub"));
    assert!(run.stdout.starts_with("ed25519:"));
    let secret = String::from_utf8(folder.read("key")).unwrap();
    let secret = secret.trim();
    assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret));
    cli(&["keygen", &key])
        .expect_failure(3, "already exists")
        .expect_hint();
    assert_eq!(folder.read("key"), format!("{secret}\n").as_bytes());

    let publish = |key: &str| cli(&["publish", GUEST, "--to", "file://nowhere", "--key", key]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    publish(&key)
        .expect_failure(3, "is readable by others")
        .expect_hint();
    let link = folder.path("link");
    std::os::unix::fs::symlink(&key, &link).unwrap();
    publish(&link).expect_failure(3, "not a plain file");
    let public = publish(&folder.path("key.pub"))
        .expect_failure(3, "contains a public key")
        .expect_hint();
    assert!(!public.stderr.contains("chmod"), "{public:?}");
    // A key passed instead of its file is not repeated in the message.
    let typed = publish(secret).expect_failure(2, "not the key itself");
    assert!(!typed.stderr.contains(secret), "{typed:?}");
}

#[test]
fn a_release_goes_round() {
    let site = site();
    let (first, second) = (site.first.as_str(), site.second.as_str());
    assert_eq!(publish(&site.folder, GUEST), first);
    site.run("promote", &["round", first]).expect_code(0);
    let trial = site
        .run("promote", &["round", second, "--percent", "5"])
        .expect_code(0);
    assert!(
        trial
            .stdout
            .contains(&format!("{} 5%, {} 95%", &second[..12], &first[..12]))
    );
    site.run("promote", &["round", second]).expect_code(0);
    site.run("rollback", &["round"]).expect_code(0);
    let history = site.look(&["releases", "round"]).expect_code(0).stdout;
    let lines: Vec<&str> = history.lines().collect();
    assert_eq!(lines.len(), 5, "{history}");
    let columns: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(
        columns,
        [
            "generation",
            "change",
            "signed",
            "at",
            "by",
            "path",
            "guests"
        ]
    );
    for (line, (what, guest)) in lines[1..].iter().zip([
        ("rollback", first),
        ("promote", second),
        ("promote", second),
        ("promote", first),
    ]) {
        assert!(
            line.contains(what) && line.contains(&guest[..12]) && line.contains("ann"),
            "{history}"
        );
    }
    let list = site
        .look(&["releases", "round", "--format", "json"])
        .expect_code(0);
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(list[0]["generation"], 4);
    assert_eq!(list[0]["rollback"], true);
    let shown = site.look(&["channel", "show", "round"]).expect_code(0);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown, list[0]);
    let verified = site.look(&["channel", "verify", "round"]).expect_code(0);
    assert!(
        verified.stdout.contains("generation 4 serves"),
        "{verified:?}"
    );
}

#[test]
fn a_table_of_channels_at_which_nobody_answers_is_told_with_its_address() {
    let site = site();
    let nobody = "items@http://127.0.0.1:1";
    site.run("promote", &["away", &site.first, "--table", nobody])
        .expect_failure(
            3,
            "failed to read channels in table items at http://127.0.0.1:1: ",
        );
}

/// Runs the command of a hint as it is written.
fn run_named(run: &Run) -> Run {
    let (_, hint) = run.stderr.split_once("\n  hint: ").unwrap();
    let named = hint.split('`').find(|text| text.starts_with("host-cli "));
    let words: Vec<&str> = named.unwrap().split(' ').skip(1).collect();
    cli(&words)
}

#[test]
fn what_cannot_serve_is_not_promoted() {
    let site = site();
    let unknown = "0".repeat(64);
    site.run("promote", &["unfit", &unknown])
        .expect_failure(3, "does not exist")
        .expect_hint();
    for typed in ["12ab", "12abz7", &"0".repeat(65), ""] {
        site.run("promote", &["unfit", typed])
            .expect_failure(2, "first 6 digits")
            .expect_hint();
    }
    let run = site
        .run("promote", &["unfit", "000000"])
        .expect_failure(3, "begins with `000000`");
    let listed = run_named(&run).expect_code(0);
    assert!(listed.stdout.contains(&site.first), "{listed:?}");
    site.run("promote", &["UNFIT", &site.first])
        .expect_failure(2, "a channel's name");
    site.run("promote", &["unfit", &site.first, "--percent", "5"])
        .expect_failure(1, "no guest yet");
    site.run("rollback", &["unfit"])
        .expect_failure(3, "channel `unfit` does not exist");
    site.run("promote", &["unfit", &site.first]).expect_code(0);
    for (arguments, words) in [
        (&["unfit"][..], "no guest that route `/` could go back to"),
        (&["unfit", "--to", "9"], "has no generation 9"),
    ] {
        let run = site.run("rollback", arguments).expect_failure(1, words);
        let listed = run_named(&run).expect_code(0);
        assert!(listed.stdout.contains(&site.first[..12]), "{listed:?}");
    }
}

#[test]
fn a_document_that_somebody_slipped_in_is_not_built_upon() {
    let site = site();
    site.run("promote", &["slipped", &site.first])
        .expect_code(0);
    let path = site.folder.path("releases/channels/slipped.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace("\"guests\"", "\"environment\":{\"X\":\"y\"},\"guests\""),
    )
    .unwrap();
    site.run("promote", &["slipped", &site.second])
        .expect_failure(3, "changed after it was signed");
    site.look(&["channel", "show", "slipped"])
        .expect_failure(3, "changed after it was signed");
    let verify = site.look(&["channel", "verify", "slipped"]).expect_code(1);
    assert!(
        verify.stdout.contains("a host cannot serve this channel"),
        "{verify:?}"
    );
}

/// If several promote at once, the late ones are told so; the history has each generation once.
#[test]
fn people_who_promote_at_once_do_not_overwrite_each_other() {
    let site = site();
    site.run("promote", &["race", &site.first]).expect_code(0);
    let runs: Vec<Run> = thread::scope(|scope| {
        let racers: Vec<_> = (0..4)
            .map(|racer| {
                let digest = if racer % 2 == 0 {
                    &site.second
                } else {
                    &site.first
                };
                scope.spawn(move || site.run("promote", &["race", digest]))
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    });
    let mut won = 0;
    for run in runs {
        match run.code {
            0 => won += 1,
            _ => {
                run.expect_failure(1, "has changed in the meantime")
                    .expect_hint();
            }
        }
    }
    assert!(won >= 1);
    let list = site
        .look(&["releases", "race", "--format", "json"])
        .expect_code(0);
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let generations: Vec<u64> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|document| document["generation"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = (1..=won + 1).rev().collect();
    assert_eq!(generations, expected);
}

/// Wherever it was interrupted, the previous state is intact, and the next attempt completes it.
#[test]
fn a_publish_and_a_promote_that_are_killed_leave_the_old_state_whole() {
    let site = site();
    let folder = Folder::new();
    let third = renamed(&fs::read(GUEST).unwrap(), "third");
    let third = folder.write("third.wasm", third);
    site.run("promote", &["killed", &site.first]).expect_code(0);
    let (artifacts, key) = (artifacts(&site.folder), site.folder.path("key"));
    let kill_after = |arguments: &[&str], delay: Duration| {
        let mut child = command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
    };
    for step in 0..8 {
        let arguments = ["publish", &third, "--to", &artifacts, "--key", &key];
        kill_after(&arguments, Duration::from_millis(40 * step));
        site.look(&["channel", "verify", "killed"]).expect_code(0);
    }
    let third = publish(&site.folder, &third);
    for step in 0..8 {
        let promote = [
            "promote",
            "killed",
            &third,
            "--artifacts",
            &artifacts,
            "--key",
            &key,
        ];
        kill_after(&promote, Duration::from_millis(4 * step));
        // The record follows its document: if only the record is missing, the generation serves, and the next promotion writes it.
        let verified = site.look(&["channel", "verify", "killed"]);
        assert!(
            verified.stdout.contains(" serves, signed by "),
            "{verified:#?}"
        );
    }
    site.run("promote", &["killed", &third]).expect_code(0);
    site.look(&["channel", "verify", "killed"]).expect_code(0);
}

#[test]
fn a_server_follows_its_channel_and_says_so() {
    let site = site();
    site.run("promote", &["served", &site.first]).expect_code(0);
    let (artifacts, public) = (artifacts(&site.folder), site.folder.path("key.pub"));
    let server = Server::start(&[
        "--store",
        "memory",
        "--channel",
        "served",
        "--artifacts",
        &artifacts,
        "--public-key",
        &public,
        "--channel-interval-ms",
        "10",
    ]);
    let ask =
        || server.talk("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(ask().starts_with("HTTP/1.1 200 "));
    site.run("promote", &["served", &site.second])
        .expect_code(0);
    let until = Instant::now() + Duration::from_millis(500);
    while Instant::now() < until {
        assert!(ask().starts_with("HTTP/1.1 200 "));
    }
    fs::write(site.folder.path("releases/channels/served.json"), "{}").unwrap();
    let until = Instant::now() + Duration::from_millis(300);
    while Instant::now() < until {
        assert!(ask().starts_with("HTTP/1.1 200 "));
    }
    let (code, stderr) = server.stop();
    assert_eq!(code, 0);
    assert!(
        stderr.contains("generation 1 serves, signed by ann"),
        "{stderr}"
    );
    assert!(
        stderr.contains("swapped from generation 1 to 2, signed by ann"),
        "{stderr}"
    );
    assert!(stderr.contains("is not a signed document"), "{stderr}");
}

#[test]
fn a_server_without_requests_follows_its_channel() {
    let site = site();
    site.run("promote", &["idle", &site.first]).expect_code(0);
    let (artifacts, public) = (artifacts(&site.folder), site.folder.path("key.pub"));
    let server = Server::start(&[
        "--store",
        "memory",
        "--channel",
        "idle",
        "--artifacts",
        &artifacts,
        "--public-key",
        &public,
        "--channel-interval-ms",
        "50",
    ]);
    site.run("promote", &["idle", &site.second]).expect_code(0);
    thread::sleep(Duration::from_secs(3));
    let (code, stderr) = server.stop();
    assert_eq!(code, 0);
    assert!(
        stderr.contains("swapped from generation 1 to 2, signed by ann"),
        "{stderr}"
    );
}

#[test]
fn what_is_no_guest_is_not_published() {
    let folder = Folder::new();
    cli(&["keygen", &folder.path("key")]).expect_code(0);
    let (to, key) = (artifacts(&folder), folder.path("key"));
    let text = folder.write("text.wasm", "no component");
    cli(&["publish", &text, "--to", &to, "--key", &key])
        .expect_failure(3, "not a WebAssembly component");
    cli(&["publish", image(), "--to", &to, "--key", &key])
        .expect_failure(3, "not as an image")
        .expect_hint();
    cli(&["publish", GUEST, "--to", "ftp://x", "--key", &key])
        .expect_failure(2, "not a valid place for artifacts");
    assert!(!fs::exists(folder.path("releases")).unwrap());
}
