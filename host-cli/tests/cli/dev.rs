//! `dev` as a developer uses it: requests, a changed file, what it changes, a case, and everything that can go wrong in between.

mod bad_input;
mod ended;
mod first_build;
mod options;
mod running;
mod watching;

use crate::program::{Folder, GUEST, Run, cli_in};
pub use running::project;
use running::{Dev, ask};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// What the reference guest and its changed copy say about caching.
const BEFORE: &str = "private, no-cache";
const AFTER: &str = "private, no-store";

/// The reference guest with another `Cache-Control`.
pub fn changed_guest() -> Vec<u8> {
    let mut guest = fs::read(GUEST).unwrap();
    let places: Vec<usize> = guest
        .windows(BEFORE.len())
        .enumerate()
        .filter(|(_, window)| *window == BEFORE.as_bytes())
        .map(|(place, _)| place)
        .collect();
    assert!(!places.is_empty());
    for place in places {
        guest[place..place + AFTER.len()].copy_from_slice(AFTER.as_bytes());
    }
    guest
}

fn in_folder(folder: &Folder, arguments: &[&str]) -> Run {
    cli_in(Path::new(&folder.path(".")), arguments)
}

#[test]
fn a_change_shows_what_it_changes_and_a_request_becomes_a_case() {
    let folder = Folder::new();
    project(&folder, "cp source.wasm guest.wasm");
    let mut dev = Dev::start(&folder, &[]);
    dev.wait_for("keys: ");
    let created = dev.post("{\"name\":\"lamp\"}");
    assert!(created.starts_with("HTTP/1.1 201 "), "{created}");
    let location = created
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap();
    let path = location
        .rfind("/items/")
        .map(|start| &location[start..])
        .unwrap();
    for _ in 0..2 {
        assert!(dev.get(path).contains(BEFORE));
    }
    let lines = dev.wait_for("    3 GET /items/");
    assert!(lines.contains("    1 POST /items 201 "), "{lines}");
    assert!(lines.contains(", 1 storage call "), "{lines}");

    folder.write("source.wasm", changed_guest());
    let shown = dev.wait_for("compared in");
    let differences: Vec<&str> = shown
        .lines()
        .skip_while(|line| !line.starts_with("of the last"))
        .collect();
    assert_eq!(
        differences[0],
        "of the last 3 requests, 3 would be answered or written differently:"
    );
    assert_eq!(differences[1], "  2x GET /items/* 200 (2, 3)");
    assert_eq!(differences[2], "      /headers/cache-control/*");
    let sample = format!("      /headers/cache-control/0: expected \"{BEFORE}\", got \"{AFTER}\"");
    assert_eq!(differences[3], sample);
    assert_eq!(differences[4], "  1x POST /items 201 (1)");
    assert!(dev.get(path).contains(AFTER));

    dev.type_line("d 2");
    let full = dev.wait_for(&format!("+      \"{AFTER}\""));
    assert!(full.contains("differs GET /items/"), "{full}");
    dev.type_line("d 99");
    dev.wait_for("request 99 is not kept");

    dev.type_line("p");
    dev.wait_for("wrote .tenon/session.html");
    let page = String::from_utf8(folder.read(".tenon/session.html")).unwrap();
    assert!(page.contains("\"requests\":4") && page.contains("\"differs\":3"));
    assert!(page.contains(AFTER) && page.contains("request:2"));
    let mode = fs::metadata(folder.path(".tenon/session.html")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);

    // The case has the answer of the guest that was asked, which is no longer that of the new one.
    dev.type_line("t 2 read/lamp");
    dev.wait_for("`host-cli test read/lamp` runs it");
    let credential = "authorization: Bearer hunter2hunter2\r\n";
    dev.get_with(path, credential);
    for (name, line) in [("hidden", "t 5 hidden"), ("sent", "t 5 sent as-sent")] {
        dev.type_line(line);
        let made = dev.wait_for("runs it");
        assert_eq!(
            made.contains("note: redacted: `/event/"),
            name == "hidden",
            "{made}"
        );
        let event = String::from_utf8(folder.read(&format!("cases/{name}/event.json"))).unwrap();
        assert_eq!(event.contains("hunter2"), name == "sent", "{event}");
        fs::remove_dir_all(folder.path(&format!("cases/{name}"))).unwrap();
    }
    dev.type_line("t 4");
    let made = dev.wait_for("runs it");
    assert!(made.contains("cases/get-items-"), "{made}");
    let (code, last) = dev.quit();
    assert_eq!(code, 0, "{last}");
    assert!(last.ends_with("stopped: 5 requests served"), "{last}");

    let failing = in_folder(&folder, &["test"]).expect_code(1);
    assert!(
        failing
            .stdout
            .contains("2 cases: 1 as expected, 1 differing"),
        "{failing:#?}"
    );
    in_folder(&folder, &["test", "read", "--bless"]).expect_code(0);
    // Made while the session ran, so it has a time and a seed.
    for file in ["inputs.json", "event.json"] {
        let file = format!("cases/read/lamp/{file}");
        assert!(Path::new(&folder.path(&file)).is_file(), "{file}");
        in_folder(&folder, &["test", "--junit", &file])
            .expect_failure(2, "would replace")
            .expect_hint();
    }
    let passing = in_folder(&folder, &["test", "--junit", "report.xml"]).expect_code(0);
    assert_eq!(passing.stdout, "2 cases: 2 as expected\n");
    let report = String::from_utf8(folder.read("report.xml")).unwrap();
    assert!(report.contains("tests=\"2\""), "{report}");
    in_folder(&folder, &["test", "gone"])
        .expect_failure(2, "no case is named `gone`")
        .expect_hint();
}

#[test]
fn no_request_is_lost_while_guests_replace_each_other() {
    const SWAPS: usize = 6;
    let folder = Folder::new();
    let guests = [fs::read(GUEST).unwrap(), changed_guest()];
    folder.write("guest.wasm", &guests[0]);
    let guest = folder.path("guest.wasm");
    let arguments = [
        "--guest",
        &guest,
        "--listen",
        "127.0.0.1:0",
        "--store",
        "memory",
    ];
    let mut dev = Dev::start(&folder, &arguments);
    dev.wait_for(" serves, loaded in");
    let is_over = Arc::new(AtomicBool::new(false));
    let address = dev.address;
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                let mut counts = [0_u32; 2];
                while !is_over.load(Ordering::Relaxed) {
                    let request =
                        "GET /items HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
                    let answer = ask(address, request).unwrap();
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                    let is_changed = answer.contains(AFTER);
                    assert!(is_changed != answer.contains(BEFORE), "{answer}");
                    counts[usize::from(is_changed)] += 1;
                }
                counts
            })
        })
        .collect();
    for swap in 1..=SWAPS {
        folder.write("guest.wasm.new", &guests[swap % 2]);
        fs::rename(folder.path("guest.wasm.new"), &guest).unwrap();
        dev.wait_for(" serves, loaded in");
        thread::sleep(Duration::from_millis(100));
    }
    is_over.store(true, Ordering::Relaxed);
    let mut answered = [0; 2];
    for client in clients {
        let counts = client.join().unwrap();
        answered[0] += counts[0];
        answered[1] += counts[1];
    }
    assert!(answered[0] > 0 && answered[1] > 0, "{answered:?}");
    let (code, last) = dev.quit();
    assert_eq!(code, 0);
    let all = answered[0] + answered[1];
    assert!(
        last.ends_with(&format!("stopped: {all} requests served")),
        "{last}"
    );
}

#[test]
fn lines_for_programs_are_json() {
    let folder = Folder::new();
    project(&folder, "cp source.wasm guest.wasm");
    let entry = r#"[{"partition":"p","sort":"s","document":{},"revision":"r"}]"#;
    folder.write("seed.json", entry);
    let arguments = ["--log-format", "json", "--seed", "seed.json"];
    let mut dev = Dev::start(&folder, &arguments);
    let said = dev.wait_for("keys: ");
    assert!(said.contains("seed: 1 entry"), "{said}");
    dev.get("/items");
    let line = dev.wait_for("\"exchange\":1}");
    for line in line.lines().chain(dev.seen.lines()) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["time"].is_string(), "{line}");
    }
    assert_eq!(dev.quit().0, 0);
}
