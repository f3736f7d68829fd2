//! `replay --report`: one file for its owner, whole or not there.

use crate::{
    program::{Folder, command, image},
    tapes::{record, replay},
};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

#[test]
fn a_report_is_for_its_owner_only_and_an_interrupted_one_leaves_nothing() {
    let folder = Folder::new();
    let tape = record(&folder);
    let report = folder.path("out.html");
    replay(&[&tape, "--report", &report]).expect_code(0);
    let mode = fs::metadata(&report).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        fs::create_dir_all(folder.path("pages")).unwrap();
        let page = folder.path("pages/out.html");
        // It waits for stdin after beginning the page.
        let mut child = command(&["replay", "-", "--guest", image(), "--report", &page])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"{\"tenon_tape\":1,").unwrap();
        let started = std::time::Instant::now();
        while fs::read_dir(folder.path("pages")).unwrap().count() == 0 {
            assert!(started.elapsed().as_secs() < 60, "no page was begun");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        for entry in fs::read_dir(folder.path("pages")).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_eq!(fs::read_dir(folder.path("pages")).unwrap().count(), 0);
        drop(stdin);
    }
}

#[test]
fn a_reader_who_leaves_early_does_not_turn_a_difference_into_success() {
    let folder = Folder::new();
    let tape = record(&folder);
    let text = fs::read_to_string(&tape).unwrap();
    let changed = folder.write("changed.tape", text.replacen("lamp", "vase", 1));
    let page = folder.path("out.html");
    for (options, code) in [(&[][..], 141), (&["--report", page.as_str()], 1)] {
        let arguments = [&["replay", changed.as_str(), "--guest", image()], options].concat();
        let mut child = command(&arguments).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
    assert!(fs::read_to_string(&page).unwrap().ends_with("</html>\n"));
}

#[test]
fn the_report_is_one_file_that_holds_what_was_found() {
    let folder = Folder::new();
    let tape = record(&folder);
    let text = fs::read_to_string(&tape).unwrap();
    let changed = folder.write(
        "changed.tape",
        text.replacen("lamp", "<script>alert(1)</script>", 1),
    );
    let report = folder.path("out.html");
    replay(&[&changed, "--report", &report]).expect_code(1);
    let html = fs::read_to_string(&report).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
    assert!(
        !html.contains("<script>alert"),
        "a tape's text became markup"
    );
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "the page needs {outside}");
    }
    let data = html
        .split("type=\"application/json\">")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["totals"]["requests"], 5);
    assert_eq!(data["requests"].as_array().unwrap().len(), 5);
    assert_eq!(data["requests"][0]["method"], "PUT");
    assert!(data["requests"][0]["timeline"].as_array().unwrap().len() >= 3);
}
