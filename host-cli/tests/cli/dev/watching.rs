//! What starts a build, and what counts without one.

use super::{
    Dev,
    running::{PATIENCE, project},
};
use crate::program::{Folder, GUEST};
use std::{fs, os::unix::fs::symlink, thread, time::Duration};

/// Longer than a change needs to start a build.
const QUIET: Duration = Duration::from_millis(700);

fn builds(text: &str) -> usize {
    text.matches("building: ").count()
}

#[test]
fn what_the_build_and_requests_write_starts_no_endless_builds() {
    let folder = Folder::new();
    folder.write(
        "tenon.toml",
        "[guest]\nbuild = \"sh build.sh\"\ncomponent = \"guest.wasm\"\n\n\
         [serve]\nlisten = \"127.0.0.1:0\"\nstore = \"redb:tenon.redb\"\n",
    );
    folder.write("source.wasm", fs::read(GUEST).unwrap());
    folder.write(".gitignore", "*.log\n");
    folder.write(
        "build.sh",
        "cp source.wasm guest.wasm\nmkdir -p target made\necho 1 > target/x\necho same > made/same.txt\n\
         date +%s%N >> build.log\ndate +%s%N > made/stamp.txt\n",
    );
    let mut dev = Dev::start(&folder, &[]);
    let shown = dev.wait_for("builds have started one another");
    assert!(shown.contains("made/stamp.txt` changes"), "{shown}");
    assert!(builds(&shown) <= 4, "{shown}");

    // The store is in the folder, too.
    assert!(dev.post("{\"name\":\"lamp\"}").starts_with("HTTP/1.1 201 "));
    thread::sleep(QUIET);
    let shown = dev.wait_for("POST /items 201");
    assert_eq!(builds(&shown), 0, "{shown}");
    // A source does start one, and no second one.
    folder.write("src.txt", "1");
    let shown = dev.wait_for("is unchanged");
    assert_eq!(builds(&shown), 1, "{shown}");
    thread::sleep(QUIET);
    // A save of the same text starts none.
    folder.write("src.txt", "1");
    thread::sleep(QUIET);
    let (code, last) = dev.quit();
    assert_eq!((code, builds(&last)), (0, 0), "{last}");
}

#[test]
fn temporary_files_of_the_build_start_no_endless_builds() {
    let folder = Folder::new();
    project(&folder, "sh build.sh");
    let file = String::from_utf8(folder.read("tenon.toml")).unwrap();
    folder.write("tenon.toml", file.replace("\"build.sh\"", "\"src\""));
    folder.write("src/lib.rs", "1");
    folder.write(
        "build.sh",
        "cp source.wasm guest.wasm\nname=src/made$(date +%s%N)\necho 1 > $name\nrm $name\n",
    );
    let mut dev = Dev::start(&folder, &[]);
    let shown = dev.wait_for("builds have started one another");
    assert!(shown.contains("come and go while a build runs"), "{shown}");
    assert!(builds(&shown) <= 4, "{shown}");
    thread::sleep(QUIET);
    let (code, last) = dev.quit();
    assert_eq!((code, builds(&last)), (0, 0), "{last}");
}

#[test]
fn very_many_files_of_the_build_start_no_endless_builds() {
    let folder = Folder::new();
    project(&folder, "sh build.sh");
    let file = String::from_utf8(folder.read("tenon.toml")).unwrap();
    folder.write("tenon.toml", file.replace("\"build.sh\"", "\"src\""));
    folder.write("src/lib.rs", "1");
    // More than are kept by name, each time with the same text.
    folder.write(
        "build.sh",
        "cp source.wasm guest.wasm\nfor number in $(seq 1200); do echo same > src/made$number; done\n",
    );
    let mut dev = Dev::start(&folder, &[]);
    let shown = dev.wait_for("builds have started one another");
    assert!(shown.contains("than can be told apart"), "{shown}");
    assert!(builds(&shown) <= 6, "{shown}");
    thread::sleep(QUIET);
    let (code, last) = dev.quit();
    assert_eq!((code, builds(&last)), (0, 0), "{last}");
}

#[test]
fn limits_count_as_soon_as_they_are_edited() {
    let folder = Folder::new();
    project(&folder, "cp source.wasm guest.wasm");
    let file = String::from_utf8(folder.read("tenon.toml")).unwrap();
    let limited =
        |bytes: u32| format!("{file}\n[serve.limits]\nrequest_body_bytes_max = {bytes}\n");
    folder.write("tenon.toml", limited(10));
    let mut dev = Dev::start(&folder, &[]);
    let body = "{\"name\":\"lamp\"}";
    assert!(dev.post(body).starts_with("HTTP/1.1 413 "));
    folder.write("tenon.toml", limited(1000));
    dev.wait_for("serves, built in");
    dev.wait_for("serves, built in");
    assert!(dev.post(body).starts_with("HTTP/1.1 201 "));
    folder.write("tenon.toml", limited(10));
    dev.wait_for("serves, built in");
    assert!(dev.post(body).starts_with("HTTP/1.1 413 "));
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn cases_are_made_in_the_folder_that_is_named_now() {
    let folder = Folder::new();
    project(&folder, "cp source.wasm guest.wasm");
    let file = String::from_utf8(folder.read("tenon.toml")).unwrap();
    let mut dev = Dev::start(&folder, &[]);
    dev.wait_for("serves, built in");
    dev.get("/items");
    folder.write(
        "tenon.toml",
        format!("{file}\n[test]\ncases = \"checks\"\n"),
    );
    dev.wait_for("is unchanged");
    dev.type_line("t 1 list");
    dev.wait_for("runs it");
    assert!(!folder.read("checks/list/event.json").is_empty());
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn links_out_of_the_project_are_named_and_not_followed() {
    let folder = Folder::new();
    let outside = Folder::new();
    outside.write("lib.rs", "1");
    project(&folder, "cp source.wasm guest.wasm");
    let file = String::from_utf8(folder.read("tenon.toml")).unwrap();
    folder.write("tenon.toml", file.replace("build.sh", "shared"));
    symlink(outside.path("."), folder.path("shared")).unwrap();
    let mut dev = Dev::start(&folder, &[]);
    let shown = dev.wait_for("serves, built in");
    assert!(shown.contains("not watched: `"), "{shown}");
    outside.write("lib.rs", "2");
    thread::sleep(QUIET);
    let (code, last) = dev.quit();
    assert_eq!((code, builds(&last)), (0, 0), "{last}");
}

#[test]
fn what_is_to_be_watched_and_does_not_exist_is_named() {
    let folder = Folder::new();
    project(&folder, "cp source.wasm guest.wasm");
    let file = String::from_utf8(folder.read("tenon.toml")).unwrap();
    folder.write("tenon.toml", file.replace("build.sh", "scr"));
    let mut dev = Dev::start(&folder, &[]);
    let shown = dev.wait_for("serves, built in");
    let named: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("` does not exist: changes count once it does"))
        .collect();
    assert!(
        matches!(named[..], [line] if line.contains("scr`")),
        "{shown}"
    );
    // Whatever it will be, it counts.
    folder.write("scr/lib.rs", "1");
    let shown = dev.wait_for("building: ");
    assert!(!shown.contains("does not exist"), "{shown}");
    assert_eq!(dev.quit().0, 0);
}

#[test]
fn it_ends_although_a_build_does_not() {
    let folder = Folder::new();
    project(&folder, "sh build.sh");
    folder.write("build.sh", "cp source.wasm guest.wasm\n");
    let mut dev = Dev::start(&folder, &[]);
    dev.wait_for("serves, built in");
    folder.write("build.sh", "trap '' TERM\necho begun >&2\nsleep 600\n");
    dev.wait_for("begun");
    let asked = std::time::Instant::now();
    assert_eq!(dev.quit().0, 0);
    assert!(asked.elapsed() < PATIENCE / 4);
}
