//! What is left of a build when the program that has started it ends.

use super::{
    Dev,
    running::{PATIENCE, project},
};
use crate::program::{Folder, command};
use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Waits until a file has a line, and returns it.
fn line_of(folder: &Folder, file: &str) -> String {
    let until = Instant::now() + PATIENCE;
    loop {
        let text = fs::read_to_string(folder.path(file)).unwrap_or_default();
        if let Some(line) = text.strip_suffix('\n') {
            return line.to_owned();
        }
        assert!(Instant::now() < until, "nothing wrote `{file}`");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until a process has ended: it is gone, or nobody has asked for its status.
#[track_caller]
fn expect_end(process: &str) {
    let state = format!("/proc/{process}/stat");
    let until = Instant::now() + Duration::from_secs(20);
    while fs::read_to_string(&state).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(Instant::now() < until, "{process} goes on");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_build_ends_when_dev_is_killed() {
    let folder = Folder::new();
    project(&folder, "sh build.sh");
    folder.write("build.sh", "echo $$ > pid\nexec sleep 600\n");
    let dev = Dev::start(&folder, &[]);
    let build = line_of(&folder, "pid");
    // By SIGKILL.
    drop(dev);
    expect_end(&build);
}

#[test]
fn test_ends_its_build_with_all_that_it_started() {
    let folder = Folder::new();
    project(&folder, "sh build.sh");
    folder.write("build.sh", "sleep 600 &\necho $! > pid\nwait\n");
    fs::create_dir_all(folder.path("cases/one")).unwrap();
    folder.write("cases/one/event.json", "{}");
    let mut program = command(&["test"])
        .current_dir(Path::new(&folder.path(".")))
        .spawn()
        .unwrap();
    let of_build = line_of(&folder, "pid");
    let id = program.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(program.wait().unwrap().code(), Some(143));
    expect_end(&of_build);
}
